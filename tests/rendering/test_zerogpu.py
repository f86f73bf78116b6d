"""Generation on a ZeroGPU Space, with a stand-in for the package `spaces`, which only such a Space has."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch

from pipeline.domain.spec import Method
from pipeline.errors import Cancelled
from pipeline.rendering import Generator, gpu_seconds, load, zerogpu
from pipeline.rendering.device import hardware
from tests.rendering.jobs import job

ROOT = Path(__file__).parents[2]


class Spaces(ModuleType):
    """Notes what is declared; hands arguments and results over as pickles, as between processes."""

    def __init__(self) -> None:
        super().__init__("spaces")
        self.declared: list[int] = []
        self.says: Exception | None = None

    def GPU(self, *, duration: Callable[..., int]) -> Callable[..., Any]:
        def decorate(task: Callable[..., Any]) -> Callable[..., Any]:
            def borrowed(*given: Any) -> Any:
                self.declared.append(duration(*given))
                if self.says:
                    raise self.says
                return pickle.loads(pickle.dumps(task(*pickle.loads(pickle.dumps(given)))))

            return borrowed

        return decorate


@pytest.fixture
def spaces(tiny: Generator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spaces]:
    """This process as a ZeroGPU Space; the tiny checkpoint was loaded on its CPU before."""
    module = Spaces()
    with monkeypatch.context() as space:
        space.setenv("SPACES_ZERO_GPU", "true")
        space.setitem(sys.modules, "spaces", module)
        importlib.reload(zerogpu)
        yield module
    importlib.reload(zerogpu)


def test_elsewhere_nothing_changes(tiny: Generator) -> None:
    assert zerogpu.lent("tiny", tiny, load) is tiny
    assert zerogpu._painted is zerogpu._paint


def test_images_on_a_borrowed_card_are_the_same_and_declare_their_seconds(
    spaces: Spaces, tiny: Generator
) -> None:
    jobs = [job(seed) for seed in range(2)]
    lent = zerogpu.lent("tiny", tiny, load)
    steps: list[tuple[int, int]] = []
    images = lent.generate(jobs, on_step=lambda done, total: steps.append((done, total)))
    for image, wanted in zip(images, tiny.generate(jobs), strict=True):
        assert np.array_equal(image, wanted)
    assert spaces.declared == [gpu_seconds.call_seconds([lent_job.spec for lent_job in jobs])]
    assert steps == [(2, 2)]
    assert lent.facts == tiny.facts


def test_what_does_not_fit_into_one_call_is_painted_in_several(
    spaces: Spaces, tiny: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [job(seed, Method.CONTROLNET) for seed in range(3)]
    each = gpu_seconds.image_seconds(jobs[0].spec)
    monkeypatch.setattr(gpu_seconds, "MOST_S", gpu_seconds.START_UP_S + 2.5 * each)
    asked: list[bool] = []
    lent = zerogpu.lent("tiny", tiny, load)
    assert len(lent.generate(jobs)) == 3
    assert len(spaces.declared) == 2

    def after_the_first() -> bool:
        asked.append(True)
        return len(asked) > 1

    with pytest.raises(Cancelled):
        lent.generate(jobs, cancelled=after_the_first)
    assert len(spaces.declared) == 3


def test_a_quota_that_is_used_up_is_one_sentence_with_the_remedy(spaces: Spaces, tiny: Generator) -> None:
    lent = zerogpu.lent("tiny", tiny, load)
    spaces.says = gr.Error(
        "You have exceeded your GPU quota (60s requested vs. 12s left). Try again in 0:12:34"
    )
    with pytest.raises(zerogpu.NoGpu) as refused:
        lent.generate([job()])
    assert str(refused.value) == (
        "this needs 60 s of your GPU quota and 12 s are left; sign in for more, ask for fewer images or steps, "
        "or try again in 13 minutes"
    )
    spaces.says = gr.Error("something else")
    with pytest.raises(gr.Error, match="something else"):
        lent.generate([job()])


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            "You have exceeded your free ZeroGPU quota (30s requested vs. 0s left). Try again in 1 day, 0:30:00. ",
            "this needs 30 s of your GPU quota and 0 s are left; sign in for more, ask for fewer images or steps, "
            "or try again in 1470 minutes",
        ),
        (
            "You have exceeded your GPU quota (59s left vs. 60s requested). Please retry in 0:00:56",
            "this needs 60 s of your GPU quota and 59 s are left; sign in for more, ask for fewer images or steps, "
            "or try again in 1 minute",
        ),
        (
            "You have exceeded your GPU quota (60s requested vs. 1s left). <a style='x'>Create a free account</a>",
            "this needs 60 s of your GPU quota and 1 s are left; sign in for more, ask for fewer images or steps, "
            "or try again later",
        ),
        (
            "Space app has reached its GPU limit. ",
            "the GPU quota is used up; sign in for more, or try again later",
        ),
        (
            "The requested GPU duration (240s) is larger than the maximum allowed",
            "this needs more seconds of a GPU than a visitor may ask for at once; sign in, or ask for fewer images "
            "or steps",
        ),
        ("No GPU was available after 60s", "no GPU is free on this Space now; try again in a minute"),
        (
            "GPU task aborted",
            "the GPU was taken back before the images were done, after 120 s at most; ask for fewer images "
            "or steps",
        ),
        ("CUDA error: an illegal memory access", None),
    ],
)
def test_what_zerogpu_says_becomes_a_plain_sentence(message: str, sentence: str | None) -> None:
    assert zerogpu.quota_sentence(message) == sentence


def test_the_package_is_there_before_torch_and_has_its_function_before_the_app_serves() -> None:
    check = """
import sys
from types import ModuleType
spaces = ModuleType("spaces")
spaces.found = []
def GPU(*, duration):
    assert "torch" not in sys.modules
    return lambda task: spaces.found.append(task.__name__) or task
spaces.GPU = GPU
sys.modules["spaces"] = spaces
import app
assert spaces.found == ["_paint"], spaces.found
"""
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=ROOT, env={"SPACES_ZERO_GPU": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_small_models_stay_on_the_cpu_where_they_cost_no_quota(
    spaces: Spaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # as `spaces` makes it look
    assert hardware(half=False).device == "cpu"
    assert (hardware(half=True).device, hardware(half=True).dtype) == ("cuda", torch.bfloat16)
