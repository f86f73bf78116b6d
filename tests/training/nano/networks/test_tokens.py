from __future__ import annotations

from training.nano.data import words
from training.nano.networks.tokens import build_tokenizer, byte_alphabet, word_merges


def test_every_known_word_is_a_single_token() -> None:
    tokenizer = build_tokenizer(words.token_words(), max_tokens=32)
    for word in words.token_words():
        assert tokenizer.tokenize(word) == [word + "</w>"]


def test_an_unknown_word_falls_into_pieces_and_none_is_lost() -> None:
    tokenizer = build_tokenizer(["wall", "floor"], max_tokens=32)
    pieces = tokenizer.tokenize("zebra wall")
    assert pieces[-1] == "wall</w>"
    assert "".join(pieces[:-1]) == "zebra</w>"


def test_prompts_are_padded_with_the_end_token_to_the_longest_prompt() -> None:
    tokenizer = build_tokenizer(["wall"], max_tokens=8)
    ids = tokenizer("wall", padding="max_length", truncation=True).input_ids
    assert ids[0] == tokenizer.bos_token_id
    assert ids[2:] == [tokenizer.eos_token_id] * 6


def test_a_later_word_does_not_change_how_an_earlier_one_is_split() -> None:
    first = word_merges(["floor"])
    both = word_merges(["floor", "low", "loop"])
    assert both[: len(first)] == first


def test_the_byte_alphabet_has_256_different_letters() -> None:
    assert len(set(byte_alphabet())) == 256
