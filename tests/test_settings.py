"""Settings come from the environment, each checked."""

from pathlib import Path

import pytest

from pipeline.errors import InvalidRequest, UnknownName
from pipeline.settings import Settings, settings_from


def test_an_empty_environment_gives_the_defaults() -> None:
    assert settings_from({}) == Settings()


def test_every_kind_of_setting_is_read() -> None:
    given = settings_from(
        {
            "BACKLOT_LIBRARY": "/data/lib",
            "BACKLOT_BATCH_SIZE": "2",
            "BACKLOT_STARTER": "no",
            "BACKLOT_REVIEWER": "ana",
        }
    )
    assert given == Settings(library=Path("/data/lib"), batch_size=2, starter=False, reviewer="ana")


def test_a_space_names_itself_and_its_owner() -> None:
    space = {"SPACE_ID": "ann/backlot", "SPACE_AUTHOR_NAME": "ann"}
    assert settings_from(space) == Settings(hosted=True, owner="ann")
    assert settings_from({**space, "BACKLOT_HOSTED": "0"}).hosted is False


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BACKLOT_BATCH_SIZE", "many", "BACKLOT_BATCH_SIZE is 'many'; a whole number is needed"),
        ("BACKLOT_BATCH_SIZE", "0", "BACKLOT_BATCH_SIZE is 0; it must lie in 1 to 64"),
        (
            "BACKLOT_PEOPLE",
            "ann:boss",
            "BACKLOT_PEOPLE: there is no role 'boss'; known: lead, reader, reviewer",
        ),
        ("BACKLOT_GOLD", "lots", "BACKLOT_GOLD is 'lots'; a number is needed"),
        ("BACKLOT_GOLD", "0.9", "BACKLOT_GOLD is 0.9; it must lie in 0 to 0.5"),
        ("BACKLOT_OVERLAP", "12", "BACKLOT_OVERLAP is 12; it must lie in 0 to 9"),
        ("BACKLOT_RULE", "dice", "BACKLOT_RULE is 'dice'; use majority or unanimity"),
        ("BACKLOT_STARTER", "perhaps", "BACKLOT_STARTER is 'perhaps'; use 1 or 0"),
        ("BACKLOT_VISITOR_PICTURES", "-1", "BACKLOT_VISITOR_PICTURES is -1; it must be 0 or more"),
        ("BACKLOT_VISITOR_TOTAL", "all", "BACKLOT_VISITOR_TOTAL is 'all'; a whole number is needed"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(name: str, value: str, sentence: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        settings_from({name: value})
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("BACKLOT_LIBARY", "BACKLOT_LIBRARY"),
        ("BACKLOT_BATCHSIZE", "BACKLOT_BATCH_SIZE"),
        ("BACKLOT_VISITOR_IMAGES", "BACKLOT_VISITOR_PICTURES"),
        ("Backlot_Gold", "BACKLOT_GOLD"),
    ],
)
def test_a_variable_that_names_no_setting_is_refused_with_the_nearest_one(name: str, meant: str) -> None:
    with pytest.raises(UnknownName) as refused:
        settings_from({name: "1"})
    assert str(refused.value) == f"there is no setting '{name}'; did you mean '{meant}'?"


def test_variables_of_others_are_none_of_ours() -> None:
    assert settings_from({"BACKLOT": "/checkout", "PATH": "/bin", "MY_BACKLOT_LIBRARY": "x"}) == Settings()
