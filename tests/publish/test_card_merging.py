"""What a person wrote into a card stays, letter by letter."""

from __future__ import annotations

import pytest
import yaml

from pipeline.errors import ReleaseRefused
from pipeline.publish.card_merging import BEGIN, END, framed, merged

_OURS = "---\npretty_name: parts\ntags:\n- backlot\nconfigs:\n- config_name: mixed\n  default: true\n---\n\n"


def ours(block: str) -> str:
    """A card of a release."""
    return _OURS + framed("parts", block)


def front(card: str) -> dict:
    """Its front matter."""
    return yaml.safe_load(card.split("---\n")[1])


def test_merging_the_same_card_again_changes_nothing() -> None:
    assert merged(ours("one"), ours("one"), where="x") == ours("one")


def test_comments_quotes_and_order_of_the_front_matter_stay() -> None:
    theirs = ours("one").replace(
        "pretty_name: parts\n", '# our licence\nlicense: "cc-by-4.0"  # asked Ann\npretty_name: Parts!\n'
    )
    assert merged(ours("one"), theirs, where="x") == theirs
    result = merged(ours("two").replace("config_name: mixed", "config_name: all"), theirs, where="x")
    assert '# our licence\nlicense: "cc-by-4.0"  # asked Ann\npretty_name: Parts!\n' in result
    assert front(result)["configs"] == [{"config_name": "all", "default": True}, {"config_name": "mixed"}]
    assert "two" in result
    assert "one" not in result


def test_text_above_below_and_in_another_card_stays() -> None:
    theirs = "before\n" + ours("one").split("---\n")[2] + "after\n"
    result = merged(ours("two"), theirs, where="x")
    assert "before\n" in result
    assert result.endswith("after\n")
    assert merged(ours("two"), result, where="x") == result
    assert "mine alone\n\n" + BEGIN in merged(ours("two"), "mine alone\n", where="x")


@pytest.mark.parametrize("mark", [BEGIN, END])
def test_a_lost_mark_is_refused_before_text_is_lost(mark: str) -> None:
    with pytest.raises(ReleaseRefused, match="the card of x has lost the mark"):
        merged(ours("two"), ours("one").replace(mark, ""), where="x")


def test_marks_in_the_wrong_order_lose_nothing() -> None:
    with pytest.raises(ReleaseRefused, match="has lost the mark"):
        merged(ours("two"), f"{END}\nmine\n{BEGIN}\nalso mine\n", where="x")


def test_configurations_of_a_persons_own_stay_but_ours_is_the_default() -> None:
    theirs = "---\nconfigs:\n- config_name: extra\n  default: true\n  data_files: x.csv\n---\n"
    result = front(merged(ours("one"), theirs, where="x"))["configs"]
    assert result == [
        {"config_name": "mixed", "default": True},
        {"config_name": "extra", "data_files": "x.csv"},
    ]


@pytest.mark.parametrize("tags", ["tags: {a: b}", "tags: [[a]]", "tags: a"])
def test_odd_tags_stay_beside_ours(tags: str) -> None:
    result = front(merged(ours("one"), f"---\n{tags}\n---\n", where="x"))["tags"]
    assert result[-1] == "backlot"
    assert len(result) == 2


@pytest.mark.parametrize(
    ("theirs", "sentence"),
    [
        ("---\ntags: [a\n---\n", r"is not valid YAML \(line \d\); correct it there"),
        ("---\na: 2020-13-45\n---\n", "is not valid YAML"),
        ("---\n- a\n---\n", "is not a list of names and values; correct it there"),
        ("---\na: b\n", "opens its front matter with '---' and never closes it; correct it there"),
    ],
)
def test_broken_front_matter_is_named(theirs: str, sentence: str) -> None:
    with pytest.raises(ReleaseRefused, match=sentence):
        merged(ours("one"), theirs, where="x")


def test_a_fence_with_a_blank_behind_it_is_a_fence() -> None:
    assert front(merged(ours("one"), "--- \nlicense: mit\n---  \nmine\n", where="x"))["license"] == "mit"
