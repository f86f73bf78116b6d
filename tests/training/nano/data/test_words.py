from __future__ import annotations

import numpy as np
import pytest

from training.nano.data import words
from training.nano.data.words import PAINTS, PLACES, SURFACES, SceneFacts, caption, colour_word


@pytest.mark.parametrize("word", [*PAINTS])
def test_every_paint_is_called_by_its_own_word(word: str) -> None:
    assert colour_word(np.array(PAINTS[word])) == word


def test_a_colour_between_two_words_is_not_named() -> None:
    assert colour_word(np.array((60, 190, 190))) == ""


def test_there_are_at_least_24_surfaces_and_each_has_a_folder_entry() -> None:
    assert len(SURFACES) >= 24
    assert set(words.PAINTABLE) <= set(SURFACES)
    assert set(words.SYNONYMS) <= set(SURFACES)


def test_a_caption_says_the_place_with_both_surfaces_in_order() -> None:
    facts = SceneFacts(place=PLACES[3], surface="asphalt", wall="cardboard")
    spoken = {caption(facts, np.random.default_rng(seed)) for seed in range(5)}
    assert spoken == {"asphalt floor in front of a cardboard wall"}


def test_a_caption_uses_synonyms_and_drops_slots_at_times() -> None:
    facts = SceneFacts(
        place="{surface} wall", surface="bricks", colour="red", modifiers=("wet", "side light")
    )
    spoken = {caption(facts, np.random.default_rng(seed)) for seed in range(200)}
    assert {"red bricks wall, wet, side light", "brick wall, wet", "bricks wall"} <= spoken
    assert all("wall" in sentence for sentence in spoken)


def test_every_word_of_every_caption_is_a_known_word() -> None:
    known = set(words.drawn_words())
    rng = np.random.default_rng(0)
    for place in PLACES:
        for surface in SURFACES:
            facts = SceneFacts(place=place, surface=surface, wall="metal", sky="blue", colour="grey",
                        modifiers=(*words.LIGHTS, *words.CAMERAS, *words.CONDITIONS))  # fmt: skip
            assert set(caption(facts, rng).replace(",", "").split()) <= known


def test_the_examples_use_known_words_only() -> None:
    known = set(words.drawn_words())
    assert len(words.EXAMPLES) == 8
    for example in words.EXAMPLES:
        assert set(example.replace(",", "").split()) <= known
