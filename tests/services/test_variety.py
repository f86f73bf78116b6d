"""The variety of a library's images, from the embeddings that are stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.domain.review import Verdict
from pipeline.settings import Settings
from pipeline.studio import Studio
from tests.toy_embedder import add_plain_samples, use_grey_angles
from tests.toy_library import decision

GREYS = (0, 255, 0, 255, 0, 255, 0, 255, 0)


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    use_grey_angles(monkeypatch)
    with Studio(Settings(library=tmp_path / "library", starter=False)) as opened:
        yield opened


def test_a_library_without_samples_has_no_variety(studio: Studio) -> None:
    assert studio.samples.variety.measured() == []


def test_images_are_measured_once_they_are_compared(studio: Studio) -> None:
    add_plain_samples(studio.library, *GREYS)
    (variety,) = studio.samples.variety.measured()
    assert (variety.recipe, variety.method, variety.images) == ("toy 0", "inpaint", 9)
    assert (variety.wanted, variety.compared, dict(variety.curves)) == (9, 0, {})
    before = studio.samples.variety.mark
    studio.samples.embeddings.embed_missing(100)
    assert studio.samples.variety.mark != before
    (variety,) = studio.samples.variety.measured()
    assert (variety.wanted, variety.compared) == (9, 9)
    first, last = variety.points
    assert (first.count, last.count) == (8, 9)
    assert first.vendi == pytest.approx(2.0)  # black and white have nothing in common, and come equally often


def test_rejected_images_do_not_count(studio: Studio) -> None:
    ids = add_plain_samples(studio.library, *GREYS)
    studio.samples.embeddings.embed_missing(100)
    studio.library.review.record(decision(ids[8], Verdict.REJECT))
    (variety,) = studio.samples.variety.measured()
    assert variety.images == 8
    assert [point.count for point in variety.points] == [8]
