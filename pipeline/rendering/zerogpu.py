"""Images on a ZeroGPU Space, where each call borrows a GPU for the seconds that it requests; no effect elsewhere.

A call runs in a process that is forked from this one, so the weights are loaded here, and what is handed over can be
pickled. The package `spaces`, which only such a Space has, must be imported before torch; importing this does it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipeline.domain.images import RGB
from pipeline.domain.plan import ModelFacts
from pipeline.errors import Cancelled, StudioError
from pipeline.rendering.generator import Generator, IsCancelled, Job, OnStep
from pipeline.rendering.gpu_seconds import MOST_S, call_seconds, calls

_TRUE = ("1", "t", "true")
_QUOTA = re.compile(r"\((\d+)s requested vs\. (\d+)s left\)")
_OLD_QUOTA = re.compile(r"\((\d+)s left vs\. (\d+)s requested\)")
_WAIT = re.compile(r"(?:(\d+) days?, )?(\d+):(\d\d):(\d\d)")
_FEWER = "ask for fewer images or steps"
_held: dict[str, Generator] = {}  # by model name; a forked process finds the one that was loaded here


class NoGpu(StudioError):
    """The Space could not borrow a GPU for this call."""


def on_zero_gpu() -> bool:
    """Return whether this is a ZeroGPU Space."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in _TRUE


def _borrowing(task: Callable[..., Any], duration: Callable[..., int]) -> Callable[..., Any]:
    """Return a task that runs on a borrowed GPU on a ZeroGPU Space; the task itself elsewhere."""
    if not on_zero_gpu():
        return task
    import spaces

    borrowed: Callable[..., Any] = spaces.GPU(duration=duration)(task)
    return borrowed


Load = Callable[[str], Generator]  # a function of a module, so that it can be pickled


def _seconds(_load: Load, _name: str, jobs: Sequence[Job]) -> int:
    return call_seconds([job.spec for job in jobs])


def _paint(load: Load, name: str, jobs: Sequence[Job]) -> list[RGB]:
    if name not in _held:  # forked before the model was loaded
        load(name)
    return _held[name].generate(jobs)


_painted = _borrowing(_paint, _seconds)  # at import: a ZeroGPU Space looks for one before it serves


def lent(name: str, generator: Generator, load: Load) -> Generator:
    """Wrap a generator so that it runs on borrowed GPUs on a ZeroGPU Space; return it unchanged elsewhere.

    Args:
        load: called with the name in a process that was forked before the model was loaded.
    """
    if not on_zero_gpu():
        return generator
    _held.clear()
    _held[name] = generator
    return LentGenerator(name, generator, load)


class LentGenerator:
    """A `Generator` whose calls fit a visitor's quota. It can be cancelled between calls."""

    def __init__(self, name: str, generator: Generator, load: Load) -> None:
        self._name = name
        self._load = load
        self._generator = generator

    @property
    def facts(self) -> ModelFacts:
        """Name, pinned revision and default values of the model."""
        return self._generator.facts

    def generate(
        self, jobs: Sequence[Job], *, on_step: OnStep | None = None, cancelled: IsCancelled | None = None
    ) -> list[RGB]:
        """Generate one image per job, in order; see `Generator.generate`.

        Raises:
            NoGpu: the quota is used up, or no GPU is free.
        """
        prepare = getattr(self._generator, "prepare", None)
        if prepare and jobs:
            prepare(jobs[0].spec.method)
        images: list[RGB] = []
        for part in calls([job.spec for job in jobs]):
            if cancelled and cancelled():
                raise Cancelled
            with _plain_quota():
                images += _painted(self._load, self._name, jobs[part])
            if on_step:
                steps = jobs[0].spec.steps
                on_step(steps * len(images) // len(jobs), steps)
        return images


@contextmanager
def _plain_quota() -> Iterator[None]:
    """Turn a ZeroGPU error about quotas into one sentence with the remedy; let any other error through."""
    try:
        yield
    except StudioError:
        raise
    except Exception as error:  # gr.Error, which this package does not know
        sentence = quota_sentence(str(getattr(error, "message", error)))
        if sentence is None:
            raise
        raise NoGpu(sentence) from error


def quota_sentence(message: str) -> str | None:
    """Return a sentence for the user from ZeroGPU's error message; None if the message is about something else."""
    message = re.sub(r"<[^>]+>", " ", message)
    if asked := _QUOTA.search(message):
        return _over_quota(int(asked[1]), int(asked[2]), message)
    if asked := _OLD_QUOTA.search(message):
        return _over_quota(int(asked[2]), int(asked[1]), message)
    low = message.lower()
    if "larger than the maximum allowed" in low:
        return f"this needs more seconds of a GPU than a visitor may ask for at once; sign in, or {_FEWER}"
    if "quota" in low or "gpu limit" in low or "runs limit" in low:
        return f"the GPU quota is used up; sign in for more, or try again{_later(message)}"
    if "no gpu" in low and "available" in low:
        return "no GPU is free on this Space now; try again in a minute"
    if "gpu task aborted" in low:
        return f"the GPU was taken back before the images were done, after {MOST_S} s at most; {_FEWER}"
    return None


def _over_quota(asked: int, left: int, message: str) -> str:
    return (
        f"this needs {asked} s of your GPU quota and {left} s are left; sign in for more, {_FEWER}, "
        f"or try again{_later(message)}"
    )


def _later(message: str) -> str:
    wait = _WAIT.search(message)
    if wait is None:
        return " later"
    days, hours, minutes, seconds = (int(part or 0) for part in wait.groups())
    in_minutes = (days * 24 + hours) * 60 + minutes + (seconds > 0)
    return f" in {max(1, in_minutes)} minute{'s' if in_minutes > 1 else ''}"
