"""A release is whole, true to the library, and needs it no more."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.domain.images import decode
from pipeline.domain.quality import SCORE_NAMES
from pipeline.domain.release import Subset
from pipeline.domain.review import Verdict
from pipeline.domain.sample_facts import SampleFacts
from pipeline.domain.spec import Method
from pipeline.errors import ReleaseRefused
from pipeline.publish import ReleaseOptions, release_contents, write_release
from pipeline.publish import shards as shards_module
from pipeline.publish.exports import export
from pipeline.store import Library, Rendered, SampleFilter
from tests.toy_library import BOX, IDENTITY, add_subject, decision, filled, mask, picture, render, spec

_READ = """
import json, sys
import numpy as np
from datasets import load_dataset
loaded = {}
for config in sys.argv[2:] or ("real", "synthetic", "mixed"):
    sets = load_dataset(sys.argv[1], config)
    loaded[config] = {
        split: [
            {
                "class": rows.features["label"].int2str(row["label"]),
                "names": rows.features["label"].names,
                "image": np.asarray(row["image"]).tolist(),
                "mask": None if row["mask"] is None else np.asarray(row["mask"].convert("L")).tolist(),
                **{name: row[name] for name in row if name not in ("image", "mask", "label")},
            }
            for row in rows
        ]
        for split, rows in sets.items()
    }
print(json.dumps(loaded))
"""


def load_elsewhere(folder: Path, cache: Path, *configs: str) -> dict:
    """What a fresh process with an empty cache and no network reads from a release."""
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(cache),
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(folder), *configs],
        env=environment,
        capture_output=True,
        text=True,
        cwd=cache.parent,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_a_release_gives_every_picture_and_label_back_after_the_library_is_deleted(
    decided: Library, tmp_path: Path
) -> None:
    photos = {photo.id: photo for photo in decided.photos.list()}
    accepted = {row.id: row for row in decided.samples.list(SampleFilter(review="accepted"))}
    report = write_release(decided, tmp_path / "release", name="Parts")
    decided.close()
    shutil.rmtree(decided.path)
    loaded = load_elsewhere(tmp_path / "release", tmp_path / "hf")

    assert report.counts == {
        config: {split: len(rows) for split, rows in loaded[config].items()} for config in loaded
    }
    assert report.counts["mixed"] == {"train": 6, "test": 4}
    assert {row["sample_id"] for rows in loaded["real"].values() for row in rows} == set(photos)
    assert {row["sample_id"] for rows in loaded["synthetic"].values() for row in rows} == set(accepted)
    for split in ("train", "test"):
        assert loaded["mixed"][split] == loaded["real"][split] + loaded["synthetic"][split]
        for row in loaded["mixed"][split]:
            assert row["names"] == ["bolt", "gear"]
            assert row["class"] == photos[row["source_id"]].label
            assert photos[row["source_id"]].split == split
            assert np.array_equal(row["mask"], mask())
            assert row["bbox"] == list(BOX)
            assert row["boxes"] == [list(BOX)]
            assert row["homography"] == [list(line) for line in IDENTITY]
        for row in loaded["synthetic"][split]:
            number = row["seed"]
            assert np.array_equal(row["image"], picture(1000 + number))
            assert (row["prompt"], row["model"], row["method"]) == (
                f"gravel floor, take {number}",
                "nano",
                "inpaint",
            )
            assert (row["origin"], row["revision"], row["scores"]) == (
                "synthetic",
                "r1",
                {name: 0.5 if name == "sharpness" else None for name in SCORE_NAMES},
            )
    first = loaded["real"]["train"][0]
    assert np.array_equal(first["image"], picture(1))
    assert (first["origin"], first["method"], first["prompt"], first["seed"], first["model"]) == (
        "real", "photo", "", -1, "",
    )  # fmt: skip


def test_a_release_tells_what_its_images_cost(decided: Library, tmp_path: Path) -> None:
    write_release(decided, tmp_path / "release", name="Parts")
    inpainted = {"method": "inpaint", "model": "nano", "rendered": 10, "accepted": 5, "rejected": 5}
    facts = json.loads((tmp_path / "release" / "release.json").read_text())
    assert facts["yields"] == [inpainted | {"seconds": 0.25, "review_seconds": None}]


def test_no_photo_is_in_two_splits(decided: Library, tmp_path: Path) -> None:
    write_release(decided, tmp_path / "release", name="Parts")
    train, test = (
        {
            source
            for path in (tmp_path / "release" / "data").glob(f"*/{split}-*.parquet")
            for sources in pq.read_table(path, columns=["source_ids"])["source_ids"].to_pylist()
            for source in sources
        }
        for split in ("train", "test")
    )
    assert len(train) == 3
    assert len(test) == 2
    assert not train & test


def test_stored_bytes_arrive_unchanged(decided: Library, tmp_path: Path) -> None:
    write_release(decided, tmp_path / "release", name="Parts")
    wanted = [
        hashlib.sha256(decided.images.read_bytes(row.image_id)).hexdigest()
        for row in decided.releases.rows(Subset.REAL, split="train")
    ]
    (path,) = (tmp_path / "release/data/real").glob("train-*.parquet")
    images = pq.read_table(path)["image"].to_pylist()
    assert [hashlib.sha256(image["bytes"]).hexdigest() for image in images] == wanted


def test_photos_alone_make_a_test_set_that_loads_without_its_empty_parts(
    library: Library, tmp_path: Path
) -> None:
    for number in range(3):
        add_subject(library, number, split="test")
    report = write_release(library, tmp_path / "release", name="Field")
    assert report.counts["real"] == report.counts["mixed"] == {"train": 0, "test": 3}
    assert report.counts["synthetic"] == {"train": 0, "test": 0}
    loaded = load_elsewhere(tmp_path / "release", tmp_path / "hf", "real", "mixed")
    assert {config: {split: len(rows) for split, rows in loaded[config].items()} for config in loaded} == {
        "real": {"test": 3},
        "mixed": {"test": 3},
    }
    (path,) = (tmp_path / "release/data/synthetic").glob("train-*.parquet")
    assert pq.read_table(path).num_rows == 0


def test_plain_sdxl_claims_no_mask_and_no_box(library: Library, tmp_path: Path) -> None:
    planned = spec(add_subject(library, 1), method=Method.TEXT_TO_IMAGE)
    library.plans.add("baseline", "", [planned])
    library.review.record(decision(render(library, planned)))
    write_release(library, tmp_path / "release", name="Baseline")
    (row,) = load_elsewhere(tmp_path / "release", tmp_path / "hf")["synthetic"]["train"]
    assert (row["mask"], row["bbox"], row["boxes"]) == (None, None, [])
    assert row["homography"] == [list(line) for line in IDENTITY]
    (path,) = (tmp_path / "release/data/synthetic").glob("train-*.parquet")
    bbox = pq.read_schema(path).field("bbox")
    assert not pa.types.is_fixed_size_list(bbox.type)  # pyarrow before 26 cannot read null in such a column


def test_two_objects_keep_their_boxes_and_sources(library: Library, tmp_path: Path) -> None:
    both = spec(add_subject(library, 1), add_subject(library, 2))
    library.plans.add("heaps", "", [both])
    library.review.record(decision(render(library, both)))
    (row,) = library.releases.rows(Subset.SYNTHETIC)
    assert row.source_ids == tuple(placed.photo_id for placed in both.objects)


def test_of_two_objects_the_front_one_gives_the_box_the_homography_and_the_source(
    library: Library, tmp_path: Path
) -> None:
    both = spec(add_subject(library, 1), add_subject(library, 2))
    library.plans.add("heaps", "", [both])
    front_box, moved = (1, 2, 9, 10), ((1.0, 0.0, 3.0), (0.0, 1.0, 4.0), (0.0, 0.0, 1.0))
    library.samples.record(
        Rendered(
            spec_id=both.id,
            image_id=library.images.put(picture(7)),
            mask_id=library.images.put(mask()),
            facts=SampleFacts(boxes=(BOX, front_box), homographies=(IDENTITY, moved), visible=(0.5, 1.0)),
        )
    )
    library.review.record(decision(both.id))
    write_release(library, tmp_path / "release", name="Heaps")
    (row,) = load_elsewhere(tmp_path / "release", tmp_path / "hf")["synthetic"]["train"]
    assert (row["bbox"], row["boxes"]) == (list(front_box), [list(BOX), list(front_box)])
    assert row["homography"] == [list(line) for line in moved]
    assert (row["source_id"], row["source_ids"][0]) == (
        both.objects[1].photo_id,
        both.objects[0].photo_id,
    )


def test_excluded_photos_and_their_samples_stay_out(decided: Library, tmp_path: Path) -> None:
    out = decided.photos.list(split="train")[0]
    decided.photos.set_excluded(out.id, True)
    report = write_release(decided, tmp_path / "release", name="Parts")
    assert report.counts["mixed"] == {"train": 4, "test": 4}
    rows = [row for part in Subset for row in decided.releases.rows(part)]
    assert out.id not in {source for row in rows for source in row.source_ids}


def test_small_shards_hold_all_rows_in_order(decided: Library, tmp_path: Path) -> None:
    one_file = write_release(decided, tmp_path / "one", name="Parts")
    write_release(decided, tmp_path / "many", name="Parts", options=ReleaseOptions(shard_bytes=1))
    names = sorted(path.name for path in (tmp_path / "many/data/real").iterdir())
    assert [name.rpartition("-")[0] for name in names] == [
        "test-000000003", "test-000000005", "train-000000001", "train-000000002", "train-000000004",
    ]  # fmt: skip
    assert one_file.counts["real"]["train"] == 3
    assert _sample_ids(tmp_path / "many") == _sample_ids(tmp_path / "one")
    loaded = load_elsewhere(tmp_path / "many", tmp_path / "hf")
    assert len(loaded["mixed"]["train"]) == 6


def _sample_ids(release: Path) -> list[str]:
    paths = sorted((release / "data/real").glob("train-*.parquet"))
    return [row for path in paths for row in pq.read_table(path)["sample_id"].to_pylist()]


def test_progress_counts_every_picture_once(decided: Library, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_release(decided, tmp_path / "release", name="Parts", on_progress=lambda *step: seen.append(step))
    assert seen == [(done, 10) for done in range(1, 11)]


def test_nothing_accepted_is_refused_with_the_mend(library: Library, tmp_path: Path) -> None:
    ids = filled(library)
    with pytest.raises(ReleaseRefused) as refusal:
        write_release(library, tmp_path / "release", name="Parts")
    assert str(refusal.value) == (
        "none of the 4 samples is accepted yet; review them, or run `python -m pipeline gate`"
    )
    for sample_id in ids:
        library.review.record(decision(sample_id, Verdict.REJECT, reason="halo"))
    with pytest.raises(ReleaseRefused, match="all 4 samples were rejected; generate new ones first"):
        release_contents(library)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library"]


def test_an_empty_library_is_refused(library: Library, tmp_path: Path) -> None:
    with pytest.raises(ReleaseRefused, match="holds nothing to publish; import photos first"):
        write_release(library, tmp_path / "release", name="Parts")


def test_a_folder_with_other_files_is_never_touched(decided: Library, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("mine")
    with pytest.raises(ReleaseRefused, match="thesis holds other files; name a new or empty folder"):
        write_release(decided, tmp_path / "thesis", name="Parts")
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter.tex"]


def test_the_next_release_takes_the_place_of_the_last(decided: Library, tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    first = write_release(decided, tmp_path / "release", name="Parts")
    decided.review.undo("ann")  # a rejection
    decided.review.undo("ann")  # an acceptance
    second = write_release(decided, tmp_path / "release", name="Parts")
    assert (first.version, second.version) == ("1", "2")
    assert (first.counts["synthetic"]["test"], second.counts["synthetic"]["test"]) == (2, 1)
    assert json.loads((tmp_path / "release" / "release.json").read_text())["version"] == "2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library", "release"]


def test_a_link_to_a_release_stays_a_link(decided: Library, tmp_path: Path) -> None:
    write_release(decided, tmp_path / "v1", name="Parts")
    (tmp_path / "latest").symlink_to(tmp_path / "v1")
    decided.review.undo("ann")
    decided.review.undo("ann")
    write_release(decided, tmp_path / "latest", name="Parts")
    assert (tmp_path / "latest").readlink() == tmp_path / "v1"
    assert json.loads((tmp_path / "v1" / "release.json").read_text())["version"] == "2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest", "library", "v1"]


def test_a_full_disk_leaves_the_old_release_as_it_was(
    decided: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_release(decided, tmp_path / "release", name="Parts")
    before = _content(tmp_path / "release")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shards_module.pq.ParquetWriter, "write_table", full)
    with pytest.raises(ReleaseRefused, match=r"no space left on the disk for release .*nothing was changed"):
        write_release(decided, tmp_path / "release", name="Parts")
    assert _content(tmp_path / "release") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library", "release"]


def test_a_folder_that_cannot_be_made_is_named_with_the_mend(decided: Library) -> None:
    with pytest.raises(
        ReleaseRefused, match=r"release /proc/nowhere cannot be written \(.+\); choose another folder"
    ):
        write_release(decided, Path("/proc/nowhere"), name="Parts")


def test_a_folder_that_cannot_be_read_is_named_with_the_mend(
    decided: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    monkeypatch.setattr(Path, "iterdir", Mock(side_effect=PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(
        ReleaseRefused, match="locked cannot be written; choose a folder that you may write to"
    ):
        write_release(decided, tmp_path / "locked", name="Parts")
    with pytest.raises(ReleaseRefused, match="locked cannot be written: Permission denied; choose another"):
        export(decided, tmp_path / "locked", "folders")


def test_a_lost_picture_is_refused_and_leaves_nothing(decided: Library, tmp_path: Path) -> None:
    row = next(decided.releases.rows(Subset.SYNTHETIC))
    decided.images.path(row.image_id).unlink()
    with pytest.raises(ReleaseRefused, match=f"of sample {row.sample_id} .* is missing; .*verify"):
        write_release(decided, tmp_path / "release", name="Parts")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library"]


def test_what_a_killed_run_left_is_removed_and_a_moved_release_put_back(
    decided: Library, tmp_path: Path
) -> None:
    write_release(decided, tmp_path / "release", name="Parts")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / "release").rename(tmp_path / f".release.{dead.pid}-ab.old")
    (tmp_path / f".release.{dead.pid}-cd.part").mkdir()
    report = write_release(decided, tmp_path / "release", name="Parts")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library", "release"]
    assert report.counts["mixed"] == {"train": 6, "test": 4}


def test_the_contents_count_what_the_release_will_hold(decided: Library) -> None:
    contents = release_contents(decided)
    assert contents.counts[Subset.REAL] == {"train": {"bolt": 2, "gear": 1}, "test": {"bolt": 1, "gear": 1}}
    assert contents.counts[Subset.SYNTHETIC] == contents.counts[Subset.REAL]
    assert contents.methods == {"inpaint": 5}
    assert contents.review.acceptance == 0.5


def test_the_grid_shows_a_photo_and_the_samples_of_each_class(decided: Library, tmp_path: Path) -> None:
    write_release(decided, tmp_path / "release", name="Parts")
    assert decode((tmp_path / "release" / "samples.webp").read_bytes()).shape == (338, 670, 3)


def test_a_release_of_an_unchanged_library_is_the_one_before(decided: Library, tmp_path: Path) -> None:
    write_release(decided, tmp_path / "release", name="Parts")
    before = _content(tmp_path / "release")
    report = write_release(decided, tmp_path / "release", name="Parts")
    assert (report.version, report.changed, bool(report.changes)) == ("1", False, False)
    assert _content(tmp_path / "release") == before


def test_a_grown_release_keeps_its_shards_and_the_numbers_of_its_classes(
    library: Library, tmp_path: Path
) -> None:
    for number in range(40):
        add_subject(library, number, label="gear")
    small = ReleaseOptions(shard_bytes=4 * len(library.images.read_bytes(library.photos.list()[0].image_id)))
    write_release(library, tmp_path / "release", name="Parts", options=small)
    before = _content(tmp_path / "release")
    for number in range(40, 44):
        add_subject(library, number, label="bolt")
    report = write_release(library, tmp_path / "release", name="Parts", options=small)
    after = _content(tmp_path / "release")
    shards = {name for name in before if name.startswith("data/real/train")}
    assert len(shards) > 5
    assert len(shards - after.keys()) <= 1  # the last one was not full
    assert report.classes == ("gear", "bolt")
    assert (report.changes.added, report.changes.removed, report.changes.changed) == (4, 0, 0)
    loaded = load_elsewhere(tmp_path / "release", tmp_path / "hf", "real")
    assert [row["class"] for row in loaded["real"]["train"]] == ["gear"] * 40 + ["bolt"] * 4


def test_a_photo_that_goes_away_changes_its_own_shard_alone(library: Library, tmp_path: Path) -> None:
    for number in range(60):
        add_subject(library, number)
    small = ReleaseOptions(shard_bytes=4 * len(library.images.read_bytes(library.photos.list()[0].image_id)))
    write_release(library, tmp_path / "release", name="Parts", options=small)
    before = _content(tmp_path / "release")
    library.photos.set_excluded(library.photos.list()[7].id, True)
    report = write_release(library, tmp_path / "release", name="Parts", options=small)
    gone = {name for name in before if name.startswith("data/")} - _content(tmp_path / "release").keys()
    assert 1 <= len(gone) <= 3  # it, and neighbours until the ends fall together again
    assert (report.changes.added, report.changes.removed) == (0, 1)


def test_a_class_that_is_gone_is_refused_unless_it_is_meant(decided: Library, tmp_path: Path) -> None:
    write_release(decided, tmp_path / "release", name="Parts")
    for photo in decided.photos.list(label="gear"):
        decided.photos.set_excluded(photo.id, True)
    with pytest.raises(
        ReleaseRefused, match=r"release 1 has the class 'gear', which this library lacks; bring"
    ):
        write_release(decided, tmp_path / "release", name="Parts")
    report = write_release(
        decided, tmp_path / "release", name="Parts", options=ReleaseOptions(classes_changed=True)
    )
    assert (report.version, report.classes) == ("2", ("bolt",))


def test_rejected_samples_come_with_their_reasons_where_they_are_asked_for(
    decided: Library, tmp_path: Path
) -> None:
    write_release(decided, tmp_path / "release", name="Parts", options=ReleaseOptions(rejected=True))
    loaded = load_elsewhere(tmp_path / "release", tmp_path / "hf", "rejected", "mixed")
    wanted = {row.id for row in decided.samples.list(SampleFilter(review="rejected"))}
    rows = [row for split in loaded["rejected"].values() for row in split]
    assert {row["sample_id"] for row in rows} == wanted
    assert {row["reason"] for row in rows} == {"seam"}
    assert not wanted & {row["sample_id"] for split in loaded["mixed"].values() for row in split}


def test_what_a_person_wrote_into_the_card_and_the_list_of_releases_stays(
    decided: Library, tmp_path: Path
) -> None:
    write_release(decided, tmp_path / "release", name="Parts")
    card, log = tmp_path / "release" / "README.md", tmp_path / "release" / "CHANGELOG.md"
    text = card.read_text().replace("# Parts\n", "# The parts of hall 4\n\nAsk Ann.\n")
    card.write_text(text.replace("---\n", "---\nlicense: cc-by-4.0\n", 1) + "\n## Thanks\n\nTo Ben.\n")
    log.write_text(log.read_text().replace("## v1", "Note: the first.\n\n## v1"))
    decided.review.undo("ann")
    decided.review.undo("ann")
    write_release(decided, tmp_path / "release", name="Parts")
    assert "# The parts of hall 4\n\nAsk Ann.\n" in card.read_text()
    assert card.read_text().endswith("\n## Thanks\n\nTo Ben.\n")
    assert "license: cc-by-4.0" in card.read_text()
    assert "Release 2: 5 photos" in card.read_text()
    assert "Release 1" not in card.read_text()
    loaded = log.read_text()
    assert "Note: the first." in loaded
    assert loaded.index("## v2, ") < loaded.index("## v1, ")
    assert "5 real, 4 synthetic; rows: 1 removed since v1." in loaded
    assert set(load_elsewhere(tmp_path / "release", tmp_path / "hf")) == {"real", "synthetic", "mixed"}


def test_a_card_with_broken_front_matter_is_refused_and_nothing_written(
    decided: Library, tmp_path: Path
) -> None:
    write_release(decided, tmp_path / "release", name="Parts")
    card = tmp_path / "release" / "README.md"
    card.write_text("---\ntags: [unclosed\n---\nmine\n")
    before = _content(tmp_path / "release")
    with pytest.raises(ReleaseRefused, match=r"release is not valid YAML \(line \d\); correct it there"):
        write_release(decided, tmp_path / "release", name="Parts")
    assert _content(tmp_path / "release") == before


def test_what_is_decided_while_the_release_is_written_is_counted_as_it_was_written(
    decided: Library, tmp_path: Path
) -> None:
    waiting = [row.id for row in decided.samples.list(SampleFilter(review="rejected"))]

    def accept_more(done: int, _total: int) -> None:
        if done == 1:
            for sample_id in waiting:
                decided.review.record(decision(sample_id))

    report = write_release(decided, tmp_path / "release", name="Parts", on_progress=accept_more)
    card = (tmp_path / "release" / "README.md").read_text()
    found = sum(report.counts["synthetic"].values())
    assert found == 10
    assert "and 10 synthetic images" in card
    assert "| `inpaint` | 10 |" in card
    loaded = load_elsewhere(tmp_path / "release", tmp_path / "hf", "synthetic")
    assert sum(len(rows) for rows in loaded["synthetic"].values()) == found


def test_a_second_opinion_moves_no_row(library: Library, tmp_path: Path) -> None:
    photo = add_subject(library, 1)
    specs = [spec(photo, seed=number) for number in range(30)]
    library.plans.add("floors", "", specs)
    for planned in specs:
        library.review.record(decision(render(library, planned), reviewer="gate", via="gate"))
    small = ReleaseOptions(shard_bytes=4 * len(library.images.read_bytes(library.photos.list()[0].image_id)))
    write_release(library, tmp_path / "release", name="Parts", options=small)
    before = {name for name in _content(tmp_path / "release") if name.startswith("data/")}
    for planned in specs[3:12]:
        library.review.record(decision(planned.id))
    report = write_release(library, tmp_path / "release", name="Parts", options=small)
    assert {name for name in _content(tmp_path / "release") if name.startswith("data/")} == before
    assert not report.changes


def test_a_class_may_have_any_name(library: Library, tmp_path: Path) -> None:
    for number, label in enumerate((r"$\foo$", "a$b$", "50 %", "x_y^z")):
        add_subject(library, number, label=label)
    report = write_release(library, tmp_path / "release", name="Parts")
    assert len(report.classes) == 4
    assert (tmp_path / "release" / "counts.png").stat().st_size > 1000


def _content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
