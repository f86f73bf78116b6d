"""The variety of a library's images, from the embeddings that are stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from pipeline.domain.review import Verdict
from pipeline.domain.variety import variety_curve
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


def test_a_library_in_which_nothing_was_compared_is_measured_without_the_embedder(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_plain_samples(studio.library, *GREYS)
    monkeypatch.setattr(
        "pipeline.services.samples.embeddings.load_embedder", Mock(side_effect=AssertionError)
    )
    before = studio.samples.variety.mark
    (variety,) = studio.samples.variety.measured()
    assert (variety.wanted, variety.compared) == (9, 0)
    assert studio.samples.variety.mark == before


def test_a_curve_is_measured_again_only_when_its_images_change(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_plain_samples(studio.library, *GREYS)
    studio.samples.embeddings.embed_missing(100)
    (first,) = studio.samples.variety.measured()
    measure = Mock(side_effect=variety_curve)
    monkeypatch.setattr("pipeline.services.samples.variety.variety_curve", measure)
    add_plain_samples(studio.library, 100, first_seed=50)  # of another recipe, not compared yet
    monkeypatch.setattr("pipeline.services.samples.variety.recipe_of_plan", lambda _plan: "toy")
    (second,) = studio.samples.variety.measured()
    assert not measure.called
    assert (first.curves["bolt"].total, second.curves["bolt"].total) == (9, 10)
    assert second.points == first.points
    studio.samples.embeddings.embed_missing(100)
    studio.samples.variety.measured()
    assert measure.call_count == 1
    assert len(studio.samples.variety._curves) == 1  # what is not compared any more is forgotten


def test_rejected_images_do_not_count(studio: Studio) -> None:
    ids = add_plain_samples(studio.library, *GREYS)
    studio.samples.embeddings.embed_missing(100)
    studio.library.review.record(decision(ids[8], Verdict.REJECT))
    (variety,) = studio.samples.variety.measured()
    assert variety.images == 8
    assert [point.count for point in variety.points] == [8]


def test_only_the_images_that_variety_is_measured_of_are_compared(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = use_grey_angles(monkeypatch)
    monkeypatch.setattr("pipeline.services.samples.variety.MOST_COMPARED", 3)
    ids = add_plain_samples(studio.library, 10, 20, 30, 40, 50)
    lost, *readable = [studio.library.samples.get(each).image_id or "" for each in ids[:3]]
    studio.library.images.path(lost).unlink()
    wanted = studio.samples.variety.uncompared()
    assert wanted == {lost, *readable}
    assert studio.samples.embeddings.embed_missing(2, wanted=wanted) == 1
    assert studio.samples.embeddings.embed_missing(2, wanted=wanted) == 0
    assert features.count == 2
    assert studio.samples.embeddings.missing() == 2  # behind those that are measured
    (variety,) = studio.samples.variety.measured()
    assert (variety.wanted, variety.compared) == (2, 2)  # the lost one is offered no more
    assert studio.samples.variety.uncompared() == set()
