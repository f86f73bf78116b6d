"""A release comes back as a library that publishes the same release."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.cli import main
from pipeline.domain.provenance import noted_spec, packet
from pipeline.domain.review import Policy, Verdict
from pipeline.errors import Cancelled, SourceRefused
from pipeline.services.photos.importing import import_photos
from pipeline.starter import subjects
from pipeline.store import Library, SampleFilter
from tests.toy_library import decision


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library of four photos in two classes, and `release` of it.

    Of two inpainted, two ControlNet and two plain SDXL pictures by nano all but the last are accepted.
    """
    folder = tmp_path_factory.mktemp("made")
    taken: dict[str, int] = {}
    for part in subjects():
        if part.label in ("bolt", "gear") and taken.get(part.label, 0) < 2:
            taken[part.label] = taken.get(part.label, 0) + 1
            split = "train" if taken[part.label] == 1 else "test"
            target = folder / split / part.label / f"{Path(part.name).stem}.png"
            target.parent.mkdir(exist_ok=True, parents=True)
            cv2.imwrite(str(target), cv2.merge([*cv2.split(part.rgb[..., ::-1]), part.mask]))
    library = str(folder / "library")
    for split in ("train", "test"):
        assert main(["import", str(folder / split), "--library", library, "--split", split]) == 0
    for method in ("inpaint", "controlnet", "sdxl"):
        assert main(["generate", "--library", library, "--method", method, "--count", "2"]) == 0
    with Library.open(Path(library)) as opened:
        rows = opened.samples.list(limit=100)
        assert len(rows) == 6
        for number, row in enumerate(rows):
            verdict = Verdict.REJECT if number == 5 else Verdict.ACCEPT
            opened.review.record(decision(row.id, verdict, reason="seam" if number == 5 else None))
    assert main(["publish", "--library", library, "--to", str(folder / "release")]) == 0
    return folder


def rows(release: Path) -> dict[str, dict[str, Any]]:
    """Sample id → row of a release, with the split and, for the label, the name."""
    classes = json.loads((release / "release.json").read_text())["classes"]
    found = {}
    for part in ("real", "synthetic"):
        for path in sorted((release / "data" / part).glob("*.parquet")):
            for row in pq.read_table(path).to_pylist():
                row |= {"label": classes[row["label"]], "split": path.name.split("-")[0], "origin": part}
                found[row["sample_id"]] = row
    return found


def test_a_release_comes_back_as_a_library_that_publishes_the_same_rows(made: Path, tmp_path: Path) -> None:
    release, again = made / "release", tmp_path / "again"
    with Library.open(again, create=True) as library:
        report = import_photos(library, str(release))
        assert (report.added, report.samples, report.refused) == (4, 5, ())
        assert report.classes == {"bolt": 2, "gear": 2}
        assert report.note == (
            "release release@1; rejected samples, votes and recipes do not come with a release"
        )
        assert library.verify() == []
    assert main(["publish", "--library", str(again), "--to", str(tmp_path / "second")]) == 0
    card = (tmp_path / "second" / "README.md").read_text()
    assert "5 samples were decided in an earlier release that was imported; its card says how" in card
    before, after = rows(release), rows(tmp_path / "second")
    assert len(before) == 9
    assert after.keys() == before.keys()
    for sample_id, row in before.items():
        assert after[sample_id] == row  # every column, picture and mask files byte for byte


def test_ids_cutouts_and_splits_are_those_of_the_first_library(made: Path, tmp_path: Path) -> None:
    with (
        Library.open(made / "library") as first,
        Library.open(tmp_path / "again", create=True) as second,
    ):
        import_photos(second, str(made / "release"))
        pairs = [(photo, second.photos.get(photo.id)) for photo in first.photos.list()]
        assert all(one.cutout_id == other.cutout_id for one, other in pairs)
        assert all(
            (one.label, one.split, one.box) == (other.label, other.split, other.box) for one, other in pairs
        )
        assert {other.source for _, other in pairs} == {"train", "test"}  # the folders, without their paths
        accepted = first.samples.list(SampleFilter(review="accepted"), limit=10)
        assert [second.plans.spec(row.id) for row in accepted] == [row.spec for row in accepted]
        for row in accepted:
            other = second.samples.get(row.id)
            assert (other.descriptor, other.failed_gates) == (row.descriptor, row.failed_gates)


def test_a_restored_sample_is_drawn_again_with_the_same_pixels_but_for_rounding(
    made: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    with Library.open(again, create=True) as library:
        import_photos(library, str(made / "release"))
        file = library.images.path(library.samples.list(SampleFilter(method="inpaint"), limit=1)[0].image_id)
    drawn = tmp_path / "drawn.webp"
    assert main(["explain", str(file), "--replay", str(drawn), "--library", str(again)]) == 0
    first, second = (cv2.imread(str(one)) for one in (file, drawn))
    assert first is not None
    assert second is not None
    assert cv2.absdiff(first, second).max() <= 1  # drawn in a batch of two, and alone


def test_acceptance_is_the_releases_own_holds_under_any_overlap_and_yields_to_a_person(
    made: Path, tmp_path: Path
) -> None:
    with Library.open(tmp_path / "again", create=True) as library:
        library.review.set_policy(Policy(overlap=2))
        import_photos(library, str(made / "release"))
        events = library.review.decisions()
        assert {(one.reviewer, one.verdict, one.via) for one in events} == {
            ("release:release@1", Verdict.ACCEPT, "release")
        }
        assert events[0].shown == {"release": str(made / "release"), "version": "1"}
        facts = library.review.facts()
        assert (facts.accepted, facts.accepted_by_release, facts.accepted_by_people, facts.reviewers) == (
            5,
            5,
            0,
            0,
        )
        assert library.review.votes() == []
        library.review.set_policy(Policy(overlap=1))
        sample_id = events[0].sample_id
        assert library.review.record(decision(sample_id, Verdict.REJECT)) == "rejected"
        import_photos(library, str(made / "release"))
        assert library.review.state(sample_id) == "rejected"


def test_the_same_release_twice_adds_nothing(made: Path, tmp_path: Path) -> None:
    with Library.open(tmp_path / "again", create=True) as library:
        import_photos(library, str(made / "release"))
        before = (library.counts(), len(library.review.decisions()))
        report = import_photos(library, str(made / "release"))
        assert (report.added, report.already, report.samples, report.refused) == (0, 4, 0, ())
        assert (library.counts(), len(library.review.decisions())) == before


@pytest.mark.parametrize("after", [0, 2, 4, 6, 8])
def test_a_stopped_import_goes_on_where_it_was(made: Path, tmp_path: Path, after: int) -> None:
    with Library.open(tmp_path / "again", create=True) as library:
        asked = iter(range(100))
        with pytest.raises(Cancelled):
            import_photos(library, str(made / "release"), cancelled=lambda: next(asked) >= after)
        report = import_photos(library, str(made / "release"))
        assert report.added + report.already == 4
        assert library.counts().samples["accepted"] == 5
        assert library.verify() == []


def test_what_does_not_fit_its_id_is_refused_by_name_and_the_rest_comes(made: Path, tmp_path: Path) -> None:
    forged = tmp_path / "release"
    shutil.copytree(made / "release", forged)
    (path,) = (forged / "data" / "real").glob("train-*.parquet")
    table = pq.read_table(path)
    first, second = table.column("sample_id").to_pylist()
    swapped = table.set_column(
        table.schema.get_field_index("sample_id"), "sample_id", table.column("sample_id").take([1, 0])
    )
    pq.write_table(swapped, path)
    with Library.open(tmp_path / "again", create=True) as library:
        report = import_photos(library, str(forged))
        assert report.added == 2
        reasons = {reason for _, reason in report.refused}
        assert reasons == {
            "its pixels do not match its id",
            "a photo that it was made from is missing",
        }
        assert {first, second}.isdisjoint(library.photos.ids())
        assert library.verify() == []


def test_a_release_keeps_its_splits_and_a_broken_one_is_refused(made: Path, tmp_path: Path) -> None:
    broken = tmp_path / "release"
    shutil.copytree(made / "release", broken)
    (path,) = (broken / "data" / "real").glob("train-*.parquet")
    path.write_bytes(path.read_bytes()[:-100])
    with Library.open(tmp_path / "again", create=True) as library:
        with pytest.raises(SourceRefused, match="import it without a split"):
            import_photos(library, str(broken), split="train")
        with pytest.raises(SourceRefused, match=rf"{path.name} of release release@1 cannot be read"):
            import_photos(library, str(broken))


def relabelled(made: Path, folder: Path, part: str, column: str, values: list[Any]) -> Path:
    """A copy of the release with other values in a column of the first file of a part."""
    shutil.copytree(made / "release", folder)
    path = min((folder / "data" / part).glob("train-*.parquet"))
    table = pq.read_table(path)
    place = table.schema.get_field_index(column)
    changed = pa.array(
        values + table.column(column).to_pylist()[len(values) :], table.schema.field(column).type
    )
    pq.write_table(table.set_column(place, table.schema.field(column), changed), path)
    return folder


@pytest.mark.parametrize("number", [-1, 2, None])
def test_a_label_number_that_stands_for_no_class_is_refused_by_row(
    made: Path, tmp_path: Path, number: int | None
) -> None:
    release = relabelled(made, tmp_path / "release", "real", "label", [number])
    with Library.open(tmp_path / "again", create=True) as library:
        report = import_photos(library, str(release))
        assert report.added == 3
        ((name, reason), *rest) = report.refused
        assert name.startswith(f"{number}/")
        assert reason == f"its label {number} is none of the 2 classes"
        assert {reason for _, reason in rest} == {"a photo that it was made from is missing"}


@pytest.mark.parametrize("label", ["../../evil", "a/b", "a\\b", "..", ".", " ", "two\nlines", "\0"])
def test_a_class_that_would_lead_elsewhere_is_refused_by_row(made: Path, tmp_path: Path, label: str) -> None:
    release = tmp_path / "release"
    shutil.copytree(made / "release", release)
    facts = json.loads((release / "release.json").read_text())
    facts["classes"][0] = label
    (release / "release.json").write_text(json.dumps(facts))
    with Library.open(tmp_path / "again", create=True) as library:
        report = import_photos(library, str(release))
        assert (report.added, report.classes) == (2, {"gear": 2})
        assert [reason for _, reason in report.refused][:2] == [
            f"its class {label!r} cannot be the name of a folder; rename it in the source"
        ] * 2
        assert {photo.label for photo in library.photos.list()} == {"gear"}


def test_a_class_in_a_samples_own_note_is_looked_at_too(made: Path, tmp_path: Path) -> None:
    release = tmp_path / "release"
    path = min((made / "release" / "data" / "synthetic").glob("train-*.parquet"))
    row = pq.read_table(path).to_pylist()[0]
    spec = noted_spec(BytesIO(row["image"]["bytes"]))
    assert spec is not None
    forged = replace(spec, label="../../evil")
    file = BytesIO()
    with Image.open(BytesIO(row["image"]["bytes"])) as picture:
        picture.save(file, "WEBP", lossless=True, xmp=packet(forged))
    relabelled(made, release, "synthetic", "image", [{"bytes": file.getvalue(), "path": "x.webp"}])
    path = release / path.relative_to(made / "release")
    table = pq.read_table(path)
    ids = pa.array([forged.id, *table.column("sample_id").to_pylist()[1:]])
    pq.write_table(table.set_column(table.schema.get_field_index("sample_id"), "sample_id", ids), path)
    with Library.open(tmp_path / "again", create=True) as library:
        report = import_photos(library, str(release))
        assert (report.added, report.samples) == (4, 4)
        ((_, reason),) = report.refused
        assert reason == "its class '../../evil' cannot be the name of a folder; rename it in the source"


@pytest.mark.parametrize(
    "damage",
    [
        {"counts": {"real": {"train": "two"}, "synthetic": {"train": 3}}},
        {"counts": {"real": 4, "synthetic": {}}},
        {"counts": [4]},
        {"classes": "bolt"},
        {"classes": [1, 2]},
    ],
)
def test_a_damaged_release_json_is_named(
    made: Path, tmp_path: Path, damage: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    release = tmp_path / "release"
    shutil.copytree(made / "release", release)
    facts = json.loads((release / "release.json").read_text())
    (release / "release.json").write_text(json.dumps(facts | damage))
    assert main(["import", str(release), "--library", str(tmp_path / "again")]) == 1
    assert "release.json of release release is damaged; get the release again" in capsys.readouterr().err
    (release / "release.json").write_text(json.dumps(facts)[:-3])
    assert main(["import", str(release), "--library", str(tmp_path / "again")]) == 1
    assert "release.json of release release is damaged" in capsys.readouterr().err


def test_a_split_that_would_lead_elsewhere_is_refused(made: Path, tmp_path: Path) -> None:
    release = tmp_path / "release"
    shutil.copytree(made / "release", release)
    path = min((release / "data" / "real").glob("train-*.parquet"))
    path.rename(path.with_name("..-000000001-abc.parquet"))
    with (
        Library.open(tmp_path / "again", create=True) as library,
        pytest.raises(
            SourceRefused, match=r"\.\.-000000001-abc\.parquet of release release@1 names no split"
        ),
    ):
        import_photos(library, str(release))
