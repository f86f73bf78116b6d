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
    ("fault", "said"),
    [
        ({"area": 0.93}, "it covers 93% of the image"),
        ({"area": 0.001}, "it covers only 0.1% of the image"),
        ({"border": 0.4}, "it touches 40% of the image's border"),
        ({"background_border": 0.3}, "only 30% of the border is plain background"),
        ({"components": 9}, "it falls into 9 pieces"),
        ({"like_background": 0.9}, "90% of its inside looks like the background"),
        ({"rim_left_over": 0.9}, "background or shadow may be left along 90% of the rim"),
        ({"loose_outline": 0.5}, "50% of the outline follows no clear edge"),
        ({"left_out": 0.5}, "50% of the sharp edges lie outside it"),
        ({"agreement": 0.6}, "two methods agree on only 60%"),
    ],
)
def test_each_fault_alone_sends_the_mask_to_the_person(fault: dict[str, float], said: str) -> None:
    score, doubts = scored(replace(GOOD, **fault))
    assert score < USABLE_SCORE
    assert doubts == (said,)


def test_the_worst_doubt_is_said_first() -> None:
    _, doubts = scored(replace(GOOD, loose_outline=0.25, agreement=0.6))
    assert [doubt.split()[0] for doubt in doubts] == ["two", "25%"]
