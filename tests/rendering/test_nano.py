"""The embedded checkpoint: there, offline, and drawn by the same code as any other."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pipeline.domain.placement import Layer
from pipeline.domain.spec import ControlSpec, Method, SampleSpec
from pipeline.rendering import (
    Cut,
    Job,
    control_image,
    load,
    model_choices,
    model_facts,
    tokens_over,
    unknown_words,
    vocabulary,
)
from pipeline.rendering.checkpoints import NANO_FOLDER
from pipeline.rendering.composite import exact
from tests.rendering.jobs import noise, soft_square, spec

SIZE = (128, 128)


def nano_spec(seed: int, method: Method = Method.INPAINT) -> SampleSpec:
    facts = model_facts("nano")
    control = ControlSpec(scale=1.0) if method is Method.CONTROLNET else None
    return spec(
        seed, method, model="nano", revision=facts.revision, size=SIZE, steps=2,
        guidance_scale=facts.guidance_scale, control=control,
    )  # fmt: skip


def test_nano_is_here_and_draws_at_128_px_or_more() -> None:
    facts = model_facts("nano")
    assert facts.size >= 128
    assert {choice.name: choice.available for choice in model_choices()}["nano"]


def test_no_file_of_nano_is_10_mb_and_all_together_are_at_most_60() -> None:
    sizes = [path.stat().st_size for path in NANO_FOLDER.rglob("*") if path.is_file()]
    assert max(sizes) < 10_000_000
    assert sum(sizes) <= 60_000_000


def test_nano_sees_all_of_its_own_examples_and_knows_their_words() -> None:
    examples = json.loads((NANO_FOLDER / "vocabulary.json").read_text(encoding="utf-8"))["examples"]
    assert len(examples) >= 4
    assert [tokens_over(example, "nano") for example in examples] == [Cut(0, "")] * len(examples)
    assert [unknown_words(example, "nano") for example in examples] == [[]] * len(examples)


def test_the_vocabulary_of_nano_names_at_least_8_surfaces() -> None:
    words = vocabulary("nano")
    assert words is not None
    assert len(words["surface"]) >= 8


def test_surfaces_that_nano_draws_well_come_first() -> None:
    words = vocabulary("nano")
    assert words is not None
    shares = json.loads((NANO_FOLDER / "figures.json").read_text(encoding="utf-8"))["obedience_by_word"]
    in_order = [shares[word] for word in words["surface"]]
    assert in_order == sorted(in_order, reverse=True)
    assert words["surface"][-1] == "terrazzo"  # equal ones stay in the order of the vocabulary


def test_a_prompt_over_nanos_length_is_reported_with_what_is_cut() -> None:
    cut = tokens_over("gravel floor, " * 12 + "zebra", "nano")
    assert cut.tokens > 0
    assert cut.words.endswith("zebra")


@pytest.mark.parametrize("method", [Method.INPAINT, Method.CONTROLNET, Method.TEXT_TO_IMAGE])
def test_nano_draws_by_every_diffusion_method_and_keeps_the_object(method: Method) -> None:
    alpha = np.zeros(SIZE, np.uint8) if method is Method.TEXT_TO_IMAGE else soft_square(SIZE)
    placed = Layer(rgb=noise(5, SIZE), alpha=alpha)
    control = control_image(placed) if method is Method.CONTROLNET else None
    jobs = [Job(spec=nano_spec(seed, method), layer=placed, control=control) for seed in (1, 2)]
    first, second = load("nano").generate(jobs)
    assert first.shape == (*SIZE, 3)
    assert exact(first, placed)
    assert exact(second, placed)
    assert not np.array_equal(first, second)
    assert np.array_equal(load("nano").generate(jobs)[0], first)
