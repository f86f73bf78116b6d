"""What a model sees of a prompt."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipeline.errors import ModelUnavailable, UnknownName
from pipeline.rendering import Cut, tokens_over, unknown_words, vocabulary
from tests.rendering.tiny import TOKENS, save_tiny_sdxl


def test_a_prompt_that_fits_is_not_cut(tiny_folder: Path) -> None:
    fits = "a" * (TOKENS - 2)
    assert tokens_over(fits, str(tiny_folder)) == Cut(0, "")


def test_the_first_token_too_many_is_reported(tiny_folder: Path) -> None:
    full = "gravel floor, a b"  # 6 + 5 + 1 + 1 + 1 letters: the tiny tokenizer knows letters only
    assert tokens_over(full, str(tiny_folder)) == Cut(0, "")
    assert tokens_over(f"{full} c", str(tiny_folder)) == Cut(1, "c")


def test_the_older_pair_of_tokenizer_files_says_the_same(tmp_path: Path, tiny_folder: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "older")
    whole = json.loads((folder / "tokenizer" / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    (folder / "tokenizer" / "vocab.json").write_text(json.dumps(whole["vocab"]), encoding="utf-8")
    (folder / "tokenizer" / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    (folder / "tokenizer" / "tokenizer.json").unlink()
    prompt = "gravel floor, Wooden Planks"
    assert tokens_over(prompt, str(folder)) == tokens_over(prompt, str(tiny_folder))


def test_a_word_that_is_cut_in_its_middle_is_reported_whole(tiny_folder: Path) -> None:
    assert tokens_over("gravel floor, Wooden Planks", str(tiny_folder)) == Cut(10, "Wooden Planks")


def test_words_outside_the_vocabulary_are_listed_once_and_in_order(tiny_folder: Path) -> None:
    prompt = "Gravel floor under a zebra sky, pebbles, zebra stripes, photo"
    assert unknown_words(prompt, str(tiny_folder)) == ["zebra", "stripes"]


def test_a_model_without_vocabulary_takes_any_words(tmp_path: Path) -> None:
    folder = save_tiny_sdxl(tmp_path / "free")
    (folder / "vocabulary.json").unlink()
    assert unknown_words("zebra", str(folder)) == []
    assert vocabulary(str(folder)) is None


def test_the_vocabulary_has_slots_and_not_the_helping_lists(tiny_folder: Path) -> None:
    assert vocabulary(str(tiny_folder)) == {
        "surface": ["gravel", "wooden planks"],
        "place": ["{surface} floor", "{surface} under a {sky} sky"],
    }


def test_nothing_is_reported_for_a_tokenizer_that_is_not_here(tmp_path: Path, tiny_folder: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "mute")
    shutil.rmtree(folder / "tokenizer")
    assert tokens_over("a" * 1000, str(folder)) == Cut(0, "")


@pytest.mark.parametrize("file", ["tokenizer.json", "tokenizer_config.json"])
def test_a_broken_tokenizer_is_one_sentence(tmp_path: Path, tiny_folder: Path, file: str) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "broken")
    (folder / "tokenizer" / file).write_text("{")
    with pytest.raises(ModelUnavailable, match=r"the tokenizer in .* cannot be read \(.*\); replace it"):
        tokens_over("a gravel floor", str(folder))


def test_an_unknown_model_is_an_error_also_here() -> None:
    with pytest.raises(UnknownName, match="there is no model 'nanno'"):
        tokens_over("gravel", "nanno")


def test_pasting_reads_no_prompt() -> None:
    assert tokens_over("a" * 1000, "none") == Cut(0, "")
    assert unknown_words("zebra", "none") == []
