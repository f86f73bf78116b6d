"""Which photos the Photos page shows, for each filter, and in which order."""

from __future__ import annotations

import pytest

from pipeline.domain.photos import Photo
from pipeline.errors import InvalidRequest
from pipeline.studio import Studio
from tests.toy_library import add_subject, render, spec
from ui.pages.photos.filters import PhotoFilter, PhotoState, filtered_photos, shown_photos


@pytest.fixture
def photos(studio: Studio) -> dict[str, Photo]:
    """A training photo with an image made from it, one without, one to check, one that is excluded, a test photo."""
    library = studio.library
    by_name = {
        "used": add_subject(library, 1),
        "new": add_subject(library, 2),
        "loose": add_subject(library, 3, doubts=("loose",)),
        "out": add_subject(library, 4, label="gear", doubts=("loose",)),
        "test": add_subject(library, 5, label="gear", split="test", doubts=("loose",)),
    }
    library.photos.set_excluded(by_name["out"].id, True)
    planned = [spec(by_name["used"], seed=1), spec(by_name["new"], seed=2)]
    library.plans.add("toy", "name: toy", planned)
    render(library, planned[0])
    return by_name


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ({}, ["loose", "used", "new", "test", "out"]),
        ({"class": "gear"}, ["test", "out"]),
        ({"split": "test"}, ["test"]),
        ({"state": "check"}, ["loose"]),
        ({"state": "excluded"}, ["out"]),
        ({"state": "unused"}, ["loose", "new", "out"]),
        ({"class": "bolt", "split": "train", "state": "unused"}, ["loose", "new"]),
        ({"class": "nut"}, []),
        ({"class": "", "split": None, "state": "", "page": 2}, ["loose", "used", "new", "test", "out"]),
    ],
)
def test_filters_show_these_photos_in_the_order_of_the_page(
    studio: Studio, photos: dict[str, Photo], question: dict[str, object], names: list[str]
) -> None:
    shown = shown_photos(studio, PhotoFilter.read(question))
    assert [photo.id for photo in shown] == [photos[name].id for name in names]


def test_each_value_of_a_field_is_counted_under_the_other_fields(
    studio: Studio, photos: dict[str, Photo]
) -> None:
    overview, wanted = filtered_photos(studio), PhotoFilter(label="gear", state=PhotoState.EXCLUDED)
    assert overview.label_counts(wanted) == {"gear": 1}
    assert overview.label_counts(PhotoFilter(state=PhotoState.UNUSED)) == {"bolt": 2, "gear": 1}
    assert overview.split_counts(wanted) == {"train": 1}
    assert overview.split_counts(PhotoFilter(label="gear")) == {"train": 1, "test": 1}
    assert overview.state_counts(wanted) == {"": 2, "excluded": 1, "unused": 1}


@pytest.mark.parametrize(
    "question",
    [None, "bolt", ["bolt"], {"class": 3}, {"class": "x" * 201}, {"split": "both"}, {"state": ["check"]}],
)
def test_a_filter_that_no_page_sends_is_refused(question: object) -> None:
    with pytest.raises(InvalidRequest, match="the filter of the photos cannot be read"):
        PhotoFilter.read(question)
