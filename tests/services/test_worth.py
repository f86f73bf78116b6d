"""The verdict of a study finds its way to the card of the next release."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import StudioError
from pipeline.publish import write_release
from pipeline.services.studies.verdicts import newest_verdict, study_verdict
from pipeline.store import Library
from tests.toy_library import add_subject


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        for number in range(3):
            add_subject(opened, number)
        yield opened


def study(runs: Path, name: str, dataset: Path, sentence: str, *, written_at: float | None = None) -> Path:
    """A finished study, as `training study` leaves it; `written_at` in seconds of the epoch, None for now."""
    folder = runs / name
    folder.mkdir(parents=True)
    result = {
        "verdict": sentence,
        "dataset": str(dataset),
        "test": "/home/ann/field",
        "seeds": [0, 1],
        "arms": [{"title": "Real photos", "balanced_accuracy": {"mean": 0.75}}],
        "selection": {"index": "ab12", "pictures": 3},
    }
    report = folder / "study.json"
    report.write_text(json.dumps(result))
    if written_at is not None:
        os.utime(report, (written_at, written_at))
    return folder


def test_the_newest_study_on_a_release_of_this_very_library_counts(library: Library, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    assert newest_verdict(runs, library) is None
    write_release(library, tmp_path / "ours", name="ours")
    with Library.open(tmp_path / "other", create=True) as other:
        add_subject(other, 99)
        write_release(other, tmp_path / "theirs", name="theirs")
    for hour, name, dataset, sentence in (
        (2, "a", "ours", "Real photos are best."),
        (1, "b", "ours", "Synthetic ones are best."),
        (3, "c", "theirs", "Nothing helps."),
        (4, "d", "gone", "Who knows."),
    ):
        study(runs, name, tmp_path / dataset, sentence, written_at=hour * 3600)
    verdict = newest_verdict(runs, library)
    assert verdict is not None
    assert (verdict.sentence, verdict.test, verdict.seeds, verdict.pictures) == (
        "Real photos are best.",
        "field",
        2,
        3,
    )
    assert verdict.arms == (("Real photos", 0.75),)
    assert verdict.index == "ab12"  # of the release as it was then, not as it is now
    library.photos.delete([photo.id for photo in library.photos.list()])
    assert newest_verdict(runs, library) == verdict


def test_a_study_that_is_named_counts_whatever_it_was_trained_on(tmp_path: Path) -> None:
    folder = study(tmp_path / "runs", "a", Path("ann/parts"), "Mixed is best.")
    assert study_verdict(folder).sentence == "Mixed is best."


def test_a_folder_without_a_study_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="holds no finished study; name the --out folder of"):
        study_verdict(tmp_path)
