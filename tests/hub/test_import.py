"""Importing from the Hub, by the command and the real clients."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import datasets
import pytest
from huggingface_hub import HfApi
from PIL import Image

from pipeline.domain.provenance import packet
from pipeline.domain.review import Verdict
from pipeline.domain.sample_facts import SampleFacts
from pipeline.store import Library, Rendered
from tests.hub.child import run_python
from tests.hub.server import LoopbackHub
from tests.toy_library import BOX, IDENTITY, add_subject, decision, mask, picture, spec

SET = "hf://datasets/ann/parts"
CARD = """---
configs:
- config_name: plain
  default: true
  data_files:
  - {split: train, path: data/train.parquet}
  - {split: test, path: data/test.parquet}
- config_name: tiny
  data_files: data/test.parquet
---
"""
OPENED = """
import json, sys
from pipeline.errors import StudioError
from pipeline.sources import open_source
for source in sys.argv[1:]:
    try:
        print(json.dumps(open_source(source).note))
    except StudioError as error:
        print(json.dumps(str(error)))
"""


def png(number: int) -> bytes:
    """48 x 48 px of seeded noise."""
    file = io.BytesIO()
    Image.fromarray(picture(number, side_px=48)).save(file, "PNG")
    return file.getvalue()


def parquet(*numbers: int) -> bytes:
    """Pictures in `photo` with the class in `kind`, and a column `front` that is another picture."""
    rows = {
        "front": [{"bytes": png(900 + number), "path": None} for number in numbers],
        "photo": [{"bytes": png(number), "path": None} for number in numbers],
        "kind": [number % 2 for number in numbers],
    }
    features = datasets.Features(
        {
            "front": datasets.Image(),
            "photo": datasets.Image(),
            "kind": datasets.ClassLabel(names=["nut", "bolt"]),
        }
    )
    file = io.BytesIO()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(file)
    return file.getvalue()


@pytest.fixture
def token(hub: LoopbackHub) -> str:
    """Ann's, who has the data set `parts`: two pictures at v1, a third since then."""
    token = hub.account("ann")
    hub.create("ann/parts")
    first = {"README.md": CARD.encode(), "data/train.parquet": parquet(0, 1), "data/test.parquet": parquet(5)}
    hub.commit_as("ann", "ann/parts", first)
    HfApi(endpoint=hub.address, token=token).create_tag("ann/parts", tag="v1", repo_type="dataset")
    hub.commit_as("ann", "ann/parts", {"data/train.parquet": parquet(0, 1, 2)})
    return token


def imported(
    hub: LoopbackHub, token: str | None, folder: Path, source: str, *more: str
) -> CompletedProcess[str]:
    """`python -m pipeline import` into `folder/library`."""
    command = ["-m", "pipeline", "import", source, "--library", str(folder / "library"), "--json", *more]
    return run_python(hub.environment(token, folder / "home", patient=False), command)


def report(done: CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def messages(hub: LoopbackHub, token: str | None, folder: Path, sources: Sequence[str]) -> list[str]:
    """What opening each of the sources answers, in one process."""
    script = folder / "opened.py"
    script.write_text(OPENED)
    done = run_python(hub.environment(token, folder / "home", patient=False), [str(script), *sources])
    assert done.returncode == 0, done.stderr
    if token:
        assert token not in done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_version_comes_with_named_columns_once_and_its_commit_is_kept(
    hub: LoopbackHub, token: str, tmp_path: Path
) -> None:
    columns = ("--image-column", "photo", "--label-column", "kind")
    first = report(imported(hub, token, tmp_path, f"{SET}@v1", *columns))
    assert (first["added"], first["classes"]) == (2, {"bolt": 1, "nut": 1})
    commit = hub.tags("ann/parts")["v1"]
    assert first["note"].startswith(
        f"version {commit[:12]}; split 'train' (also available: test; add ?split=NAME)"
    )
    with Library.open(tmp_path / "library") as library:
        assert {photo.source for photo in library.photos.list()} == {f"{SET}@{commit}"}
        assert (library.images.read(library.photos.list()[0].image_id) == picture(0, side_px=48)).all()
    again = report(imported(hub, token, tmp_path, f"{SET}?revision=v1&image=photo"))
    assert (again["added"], again["already"]) == (0, 2)
    newest = report(imported(hub, token, tmp_path, f"{SET}?image=photo"))
    assert (newest["added"], newest["already"]) == (1, 2)
    with Library.open(tmp_path / "library") as library:
        head = hub.head("ann/parts")
        assert [photo.source for photo in library.photos.list()] == [f"{SET}@{commit}"] * 2 + [
            f"{SET}@{head}"
        ]


def test_what_is_not_there_is_named_with_the_nearest_that_is(
    hub: LoopbackHub, token: str, tmp_path: Path
) -> None:
    answers = messages(
        hub,
        token,
        tmp_path,
        [
            f"{SET}@v11",
            f"{SET}?config=plane",
            f"{SET}?split=trian",
            f"{SET}?label=kin",
            "hf://datasets/ann/prats",
            f"{SET}?config=tiny",
        ],
    )
    assert answers[:4] == [
        "there is no revision 'v11'; did you mean 'v1'?",
        "there is no configuration 'plane'; did you mean 'plain'?",
        "there is no split 'trian'; did you mean 'train'?",
        "there is no column 'kin'; did you mean 'kind'?",
    ]
    assert answers[4].startswith(
        "there is no dataset ann/prats, or it is private; check the name, or sign in"
    )
    assert answers[5].endswith("guessed: images from column 'photo', labels from 'kind'")


def test_a_private_set_needs_a_token_that_may_read_it(hub: LoopbackHub, token: str, tmp_path: Path) -> None:
    hub.create("ann/secret", private=True)
    hub.commit_as("ann", "ann/secret", {"data/train.parquet": parquet(3)})
    hidden = "hf://datasets/ann/secret"
    stranger, gone = hub.account("ben"), hub.account("ann")
    hub.expire(gone)
    for key in (None, stranger):
        (sentence,) = messages(hub, key, tmp_path, [hidden])
        assert sentence.startswith(
            "there is no dataset ann/secret, or it is private; check the name, or sign"
        )
    (sentence,) = messages(hub, gone, tmp_path, [hidden])
    assert sentence.startswith("the Hub does not know the token; sign in with `hf auth login`")
    (sentence,) = messages(hub, token, tmp_path, [hidden])
    assert "images from column 'photo'" in sentence


AS_SOMEBODY = """
import os, sys
from pipeline.errors import StudioError
from pipeline.sources import open_source
place = "hf://datasets/ann/secret?image=photo"
try:
    open_source(place, token=False)
except StudioError as error:
    print(error)
print(len(list(open_source(place, token=os.environ["OTHER"]).items())))
"""


def test_the_token_of_who_asks_counts_not_the_one_of_the_machine(
    hub: LoopbackHub, token: str, tmp_path: Path
) -> None:
    hub.create("ann/secret", private=True)
    hub.commit_as("ann", "ann/secret", {"data/train.parquet": parquet(3, 4)})
    for machine, other in ((token, hub.account("ann")), (hub.account("ben"), token)):
        environment = {**hub.environment(machine, tmp_path / "home", patient=False), "OTHER": other}
        done = run_python(environment, AS_SOMEBODY)
        assert done.returncode == 0, done.stderr
        sentence, pictures = done.stdout.splitlines()
        assert sentence.startswith("there is no dataset ann/secret, or it is private")
        assert pictures == "2"


def test_a_busy_hub_and_a_set_without_pictures_are_said_plainly(
    hub: LoopbackHub, token: str, tmp_path: Path
) -> None:
    hub.create("ann/words")
    hub.commit_as("ann", "ann/words", {"words.csv": b"text,label\nhello,0\n"})
    hub.create("ann/empty")
    hub.commit_as("ann", "ann/empty", {"README.md": b"# nothing\n"})
    hub.fail("GET /api/datasets/ann/parts", 503, times=20)
    answers = messages(hub, token, tmp_path, [SET, "hf://datasets/ann/words", "hf://datasets/ann/empty"])
    assert answers[0] == "the Hub is busy (status 503 for ann/parts); try again later"
    assert answers[1] == "no column holds images; the dataset has text (Value), label (Value)"
    assert answers[2].startswith("ann/empty cannot be read: ")


def made_library(folder: Path) -> list[str]:
    """Two photos, one in test, and an accepted and a rejected sample of each; the ids of the accepted ones."""
    accepted = []
    with Library.open(folder, create=True) as library:
        photos = [add_subject(library, 1), add_subject(library, 2, label="gear", split="test")]
        specs = [
            spec(photo, seed=10 * number + take) for number, photo in enumerate(photos) for take in (0, 1)
        ]
        library.plans.add("floors", "name: floors\nseed: 0\n", specs)
        for number, planned in enumerate(specs):
            library.samples.record(
                Rendered(
                    spec_id=planned.id,
                    image_id=library.images.put(picture(1000 + planned.seed), xmp=packet(planned)),
                    mask_id=library.images.put(mask()),
                    facts=SampleFacts(boxes=(BOX,), homographies=(IDENTITY,), scores={"sharpness": 0.5}),
                )
            )
            verdict = Verdict.REJECT if number % 2 else Verdict.ACCEPT
            library.review.record(decision(planned.id, verdict, reason="seam" if number % 2 else None))
            accepted += [] if number % 2 else [planned.id]
    return accepted


def test_a_release_on_the_hub_comes_back_as_a_library(hub: LoopbackHub, tmp_path: Path) -> None:
    token, place = hub.account("ann"), "hf://datasets/ann/floors"
    accepted = made_library(tmp_path / "made")
    environment = hub.environment(token, tmp_path / "home", patient=False)
    publish = ["-m", "pipeline", "publish", "--library", str(tmp_path / "made"), "--to", place, "--json"]
    done = run_python(environment, publish)
    assert done.returncode == 0, done.stderr
    commit = hub.head("ann/floors")

    first = report(imported(hub, token, tmp_path, place))
    assert (first["added"], first["samples"], first["refused"]) == (2, 2, [])
    assert first["note"].startswith(f"release ann/floors@{commit[:12]}; rejected samples, votes and recipes")
    again = report(imported(hub, token, tmp_path, f"{place}@{commit}"))
    assert (again["added"], again["already"], again["samples"]) == (0, 2, 0)
    with Library.open(tmp_path / "made") as made, Library.open(tmp_path / "library") as back:
        assert back.verify() == []
        assert {photo.source for photo in back.photos.list()} == {f"{place}@{commit}"}
        assert {(photo.id, photo.label, photo.split, photo.box) for photo in back.photos.list()} == {
            (photo.id, photo.label, photo.split, photo.box) for photo in made.photos.list()
        }
        for sample_id in accepted:
            sample, other = made.samples.get(sample_id), back.samples.get(sample_id)
            assert made.images.read_bytes(str(sample.image_id)) == back.images.read_bytes(str(other.image_id))
            assert (sample.spec, sample.boxes, sample.homographies, sample.scores) == (
                other.spec,
                other.boxes,
                other.homographies,
                other.scores,
            )
        assert {event.sample_id for event in back.review.decisions()} == set(accepted)
        assert {event.reviewer for event in back.review.decisions()} == {f"release:ann/floors@{commit[:12]}"}

    photos = imported(hub, token, tmp_path / "photos", f"{place}?config=real&split=test")
    assert (
        photos.returncode == 1
    )  # a part of a release is a data set like any other: photos of any size are not taken
    assert photos.stderr.endswith("ann/floors#0: it is 24x24 px; at least 32 on each side are needed\n")


def broken_off(done: CompletedProcess[str], *words: str) -> None:
    """Whether an import ended with one sentence that has these words, after what the clients say of trying again."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    *before, last = done.stderr.strip().splitlines()
    assert last.startswith("backlot: ")
    assert all(word in last for word in words), last
    assert not any(line.startswith("backlot: ") for line in before)


@pytest.mark.parametrize(
    ("match", "fault"),
    [
        ("GET .*/resolve/.*parquet", "cut"),
        ("GET .*/resolve/.*parquet", "lost"),
        ("GET .*/tree/", "lost"),
        ("GET .*/resolve/.*release.json", "cut"),
    ],
)
def test_a_release_that_breaks_off_is_one_sentence_and_the_same_command_goes_on(
    hub: LoopbackHub, tmp_path: Path, match: str, fault: str
) -> None:
    token, place = hub.account("ann"), "hf://datasets/ann/floors"
    made_library(tmp_path / "made")
    environment = hub.environment(token, tmp_path / "home", patient=False)
    done = run_python(
        environment, ["-m", "pipeline", "publish", "--library", str(tmp_path / "made"), "--to", place]
    )
    assert done.returncode == 0, done.stderr
    if fault == "cut":
        hub.cut_answer(match, 20, times=1000)
    else:
        hub.lose_answer(match, times=1000)
    broken_off(imported(hub, token, tmp_path, place), "ann/floors")
    hub.heal()
    back = report(imported(hub, token, tmp_path, place))
    assert (back["added"] + back["already"], back["samples"], back["refused"]) == (2, 2, [])


@pytest.mark.parametrize("fault", ["cut", "lost"])
def test_a_data_set_that_breaks_off_is_one_sentence_and_the_same_command_goes_on(
    hub: LoopbackHub, token: str, tmp_path: Path, fault: str
) -> None:
    source = f"{SET}?image=photo&label=kind"
    if fault == "cut":
        hub.cut_answer("GET .*/resolve/.*parquet", 3000, times=1000)
    else:
        hub.lose_answer("GET .*/resolve/.*parquet", times=1000)
    broken_off(imported(hub, token, tmp_path, source), "ann/parts")
    hub.heal()
    assert report(imported(hub, token, tmp_path, source))["added"] == 3


def test_a_class_that_would_lead_elsewhere_is_refused_by_row(
    hub: LoopbackHub, token: str, tmp_path: Path
) -> None:
    rows = {
        "image": [{"bytes": png(number), "path": None} for number in range(3)],
        "label": ["../../evil", "nut", "a/b"],
    }
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("string")})
    file = io.BytesIO()
    datasets.Dataset.from_dict(rows, features=features).to_parquet(file)
    hub.create("ann/evil")
    hub.commit_as("ann", "ann/evil", {"data/train.parquet": file.getvalue()})
    summary = report(imported(hub, token, tmp_path, "hf://datasets/ann/evil"))
    assert (summary["added"], summary["classes"]) == (1, {"nut": 1})
    assert [reason for _, reason in summary["refused"]] == [
        f"its class '{label}' cannot be the name of a folder; rename it in the source"
        for label in ("../../evil", "a/b")
    ]
