"""Damaged and hostile recipes: a valid recipe or one sentence, never another exception, never unbounded work."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pipeline.domain.plan import ModelFacts, PlanInputs, plan
from pipeline.domain.recipe import MOST_SAMPLES, parse_recipe, to_yaml
from pipeline.domain.texts import LONGEST_PROMPT
from pipeline.errors import InvalidRecipe, StudioError
from tests.toy_photos import usable_photo

RECIPES = sorted((Path(__file__).resolve().parents[2] / "recipes").glob("*.yaml"))
CASES = 120  # of each recipe
SEED = 20_260_116
HOSTILE = (
    "!!timestamp foo", "!!bool foo", "!!int ''", "!!float x", "!!set [1]", "!!binary a", "!!omap [a: 1]", "!x y",
    "[[1], [2]]", "{[1]: 2}", "[1, [2, [3]]]", "9" * 400, "-1", "1e400", ".inf", ".nan", "0b_", "0x_", "190:20:30",
    '"\\uD800"', '"\\U00110000"', '"\\UFFFFFFFF"', '"\\0"', "'{a} {a} {b}'", "'{surface}'", "&a [*a]", "*b", "<<",
    "null", "~", "{}", "[]", "''", "2024-01-01", "true", "p" * 3_000, "[" * 100, "{" * 100, "? ?", "%", "|", "---",
    "...", "\t", "\x00", "\ud800", "é" * 50, "../" * 400 + "a.png", "/dev/zero", "😀", "1_0", "=", "@", "`", "- -",
)  # fmt: skip
MODEL = ModelFacts(name="nano", revision="abc", size=128, steps=10, guidance_scale=2.5)
PHOTOS = [
    usable_photo(id=f"s{n}", label=label, cutout_id=f"c{n}", height=96, width=120, box=(10, 12, 100, 80))
    for n, label in enumerate(("bolt", "nut", "gear"))
]


def damaged(text: str, rng: random.Random) -> str:
    """A recipe's text after one to three random edits."""
    for _ in range(rng.randint(1, 3)):
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        line = lines[at]
        match rng.randrange(8):
            case 0:  # another value
                lines[at] = f"{line.split(':')[0]}: {rng.choice(HOSTILE)}"
            case 1:  # another key
                lines[at] = f"{rng.choice(HOSTILE)}: {line.partition(':')[2]}"
            case 2:  # a line twice
                lines.insert(at, line)
            case 3:  # another indentation
                lines[at] = " " * rng.randint(0, 6) + line.lstrip()
            case 4:  # a line less
                del lines[at]
            case 5:  # hostile text in the middle of a line
                place = rng.randint(0, len(line))
                lines[at] = line[:place] + rng.choice(HOSTILE) + line[place:]
            case 6:  # characters less
                place = rng.randint(0, len(line))
                lines[at] = line[:place] + line[place + rng.randint(1, 5) :]
            case _:  # the value of another line
                other = rng.choice(lines)
                lines[at] = f"{line.partition(':')[0]}:{other.partition(':')[2]}"
        text = "\n".join(lines)
    return text


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_damaged_recipe_is_read_or_refused_in_one_sentence(path: Path) -> None:
    rng = random.Random(f"{SEED} {path.stem}")
    refused = 0
    for _ in range(CASES):
        text = damaged(path.read_text(), rng)
        try:
            recipe = parse_recipe(text, "r.yaml")
        except InvalidRecipe as error:
            sentence = str(error)
            assert sentence.startswith("r.yaml"), text
            assert "\n" not in sentence, text
            assert len(sentence.encode()) < 1_000, text
            refused += 1
            continue
        assert parse_recipe(to_yaml(recipe)) == recipe, text
        assert recipe.total <= MOST_SAMPLES, text
        try:
            specs = plan(
                PlanInputs(recipe, PHOTOS, model=MODEL, backdrop_ids=["p"], reference_id="r", count=2)
            )
        except StudioError:
            continue
        assert all(len(spec.prompt) <= 2 * LONGEST_PROMPT for spec in specs), text
    assert CASES / 4 < refused < CASES, "the edits neither break everything nor nothing"
