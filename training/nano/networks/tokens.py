"""The tokenizer: every word that nano knows is one token, every other word is split into pieces."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"


def build_tokenizer(words: Sequence[str], *, max_tokens: int) -> CLIPTokenizer:
    """Build a CLIP tokenizer in which each of `words` is a single token.

    Args:
        words: lower-case words.
        max_tokens: padding length, start and end token included.
    """
    alphabet = byte_alphabet()
    merges = word_merges(words)
    entries = [*alphabet, *(letter + "</w>" for letter in alphabet), *("".join(pair) for pair in merges)]
    entries = list(dict.fromkeys([*entries, START, END]))
    vocabulary = {entry: index for index, entry in enumerate(entries)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=max_tokens)


def byte_alphabet() -> list[str]:
    """Return the 256 printable characters that byte-level BPE uses for bytes."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(rest))]


def word_merges(words: Sequence[str]) -> list[tuple[str, str]]:
    """Return merges, in order of rank, under which byte-pair encoding turns each word into one token.

    A later merge has a higher rank and so cannot disturb the words before it.
    """
    merges: dict[tuple[str, str], int] = {}
    for word in words:
        pieces = _pieces(word, merges)
        while len(pieces) > 1:
            merges[(pieces[0], pieces[1])] = len(merges)
            pieces = _pieces(word, merges)
    return list(merges)


def _pieces(word: str, merges: dict[tuple[str, str], int]) -> list[str]:
    pieces = [*word[:-1], word[-1] + "</w>"]
    while True:
        ranks = [merges.get(pair, len(merges)) for pair in pairwise(pieces)]
        if not ranks or min(ranks) == len(merges):
            return pieces
        at = ranks.index(min(ranks))
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
