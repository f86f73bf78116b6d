from ui.components.wording import with_slot_value

WORDS = {
    "surface": ["metal", "gravel", "rusty metal", "wooden planks"],
    "place": ["{surface} floor", "{surface} seen from above", "{surface} under a {sky} sky"],
    "sky": ["blue", "cloudy"],
    "colour": ["red", "blue"],
    "light": ["warm light", "dim light"],
}


def test_a_surface_replaces_the_surface_that_the_prompt_names() -> None:
    assert with_slot_value("rusty metal floor, warm light", "gravel", WORDS) == "gravel floor, warm light"


def test_a_surface_begins_an_empty_prompt_with_the_first_place() -> None:
    assert with_slot_value("", "gravel", WORDS) == "gravel floor"


def test_a_place_keeps_the_surface_and_fills_blanks_that_nothing_names() -> None:
    assert with_slot_value("gravel floor, dim light", "{surface} under a {sky} sky", WORDS) == (
        "gravel under a blue sky, dim light"
    )


def test_a_sky_is_changed_where_the_prompt_has_one() -> None:
    assert with_slot_value("gravel under a blue sky", "cloudy", WORDS) == "gravel under a cloudy sky"


def test_a_colour_stands_before_the_surface_once() -> None:
    assert with_slot_value("red gravel floor", "blue", {**WORDS, "sky": ["cloudy"]}) == "blue gravel floor"


def test_a_light_replaces_the_light_and_goes_to_the_end() -> None:
    assert with_slot_value("gravel floor, warm light", "dim light", WORDS) == "gravel floor, dim light"


def test_words_of_a_vocabulary_without_places_are_appended() -> None:
    assert with_slot_value("a street", "fog", {"weather": ["fog", "rain"]}) == "a street, fog"


def test_a_place_of_ones_own_takes_the_whole_head_and_gives_it_back() -> None:
    words = {"site": ["loading dock", "yard"], **WORDS}
    assert with_slot_value("gravel floor, dim light", "loading dock", words) == "loading dock, dim light"
    assert with_slot_value("loading dock, dim light", "yard", words) == "yard, dim light"
    assert with_slot_value("yard, dim light", "metal", words) == "metal floor, dim light"
