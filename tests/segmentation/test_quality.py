from dataclasses import replace

import pytest

from pipeline.segmentation.quality import USABLE_SCORE, Measures, scored

GOOD = Measures(
    area=0.2,
    border=0.0,
    background_border=1.0,
    components=1,
    like_background=0.0,
    rim_left_over=0.0,
    loose_outline=0.0,
    left_out=0.0,
    agreement=1.0,
)


def test_a_mask_without_fault_scores_one_and_has_no_doubts() -> None:
    assert scored(GOOD) == (1.0, ())


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"area": 0.93}, "The object fills the photo; there is no outline to cut"),
        ({"area": 0.001}, "The object is very small in the photo"),
        ({"border": 0.4}, "The photo may show only a part of the object"),
        ({"background_border": 0.3}, "The background is not plain"),
        ({"components": 9}, "The outline falls into several pieces"),
        ({"like_background": 0.9}, "Parts of the object look like the background"),
        ({"rim_left_over": 0.9}, "Background or shadow may be left along the outline"),
        ({"loose_outline": 0.5}, "Parts of the outline follow no clear edge"),
        ({"left_out": 0.5}, "The outline may miss a part of the object"),
        ({"agreement": 0.6}, "Two methods disagree about the outline"),
    ],
)
def test_each_fault_alone_sends_the_mask_to_the_person(fault: dict[str, float], sentence: str) -> None:
    score, doubts = scored(replace(GOOD, **fault))
    assert score < USABLE_SCORE
    assert doubts == (sentence,)


def test_the_worst_doubt_is_said_first() -> None:
    _, doubts = scored(replace(GOOD, loose_outline=0.25, agreement=0.6))
    assert [doubt.split()[0] for doubt in doubts] == ["Two", "Parts"]
