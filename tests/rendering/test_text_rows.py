"""Prompts of a batch are encoded together, and give what they give alone, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pipeline.rendering import load
from pipeline.rendering.families.sdxl import generator as sdxl
from pipeline.rendering.families.sdxl.generator import SdxlGenerator
from pipeline.rendering.families.sdxl.text_rows import separate_rows
from tests.rendering.jobs import job
from tests.rendering.tiny import save_tiny_sdxl

WORDS = ("gravel", "wooden planks", "grass, snow", "a", "")


@pytest.fixture
def encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[SdxlGenerator, list[list[str]]]:
    """A generator, and the prompts of each call of its text encoders."""
    generator: Any = load(str(save_tiny_sdxl(tmp_path / "tiny")))
    pipeline, calls = generator._pipelines.inpaint, []
    encode = pipeline.encode_prompt

    def counted(prompt: Any = None, **given: Any) -> Any:
        if prompt is not None:
            calls.append(list(prompt))
        return encode(prompt=prompt, **given)

    monkeypatch.setattr(pipeline, "encode_prompt", counted)
    return generator, calls


def test_a_batch_gives_the_embeddings_of_single_prompts(tmp_path: Path) -> None:
    generator: Any = load(str(save_tiny_sdxl(tmp_path / "tiny")))
    pipeline = generator._pipelines.inpaint
    with torch.inference_mode():
        together = generator._embeddings_of(pipeline, WORDS)
        generator._embeddings.clear()
        alone = {prompt: generator._embeddings_of(pipeline, [prompt])[prompt] for prompt in WORDS}
    for prompt in WORDS:
        assert [part.shape[0] for part in together[prompt]] == [1, 1]
        assert all(map(torch.equal, together[prompt], alone[prompt]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rows_of_a_linear_layer_are_those_of_single_calls(dtype: torch.dtype) -> None:
    source = torch.Generator().manual_seed(0)
    layers = nn.Sequential(nn.Linear(96, 64), nn.LayerNorm(64), nn.Linear(64, 32, bias=False)).to(dtype)
    rows = torch.randn((5, 7, 96), generator=source).to(dtype)
    alone = torch.cat([layers(row) for row in rows.split(1)])
    separate_rows(layers)
    assert torch.equal(layers(rows), alone)
    assert torch.equal(layers(rows[:, 0]), torch.cat([layers(row) for row in rows[:, 0].split(1)]))


def test_the_new_prompts_of_a_batch_are_encoded_in_one_call_and_known_ones_not_again(
    encoded: tuple[SdxlGenerator, list[list[str]]],
) -> None:
    generator, calls = encoded
    generator.generate([job(1, prompt="gravel"), job(2, prompt="snow"), job(3, prompt="gravel")])
    generator.generate([job(4, prompt="snow", negative_prompt="photo"), job(5, prompt="moss")])
    generator.generate([job(6, prompt="moss")])
    assert calls == [["gravel", "snow"], ["moss", "photo"]]


def test_a_batch_of_more_prompts_than_are_kept_gets_all_of_them(
    encoded: tuple[SdxlGenerator, list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, calls = encoded
    monkeypatch.setattr(sdxl, "_PROMPTS_KEPT", 2)
    generator.generate([job(seed, prompt=prompt) for seed, prompt in enumerate(("a", "b", "c"))])
    assert [prompt for _, prompt in generator._embeddings] == ["b", "c"]
    generator.generate([job(0, prompt="a"), job(1, prompt="c")])
    assert calls == [["a", "b", "c"], ["a"]]
