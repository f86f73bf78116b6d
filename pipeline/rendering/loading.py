"""The model in memory: one at a time, loaded when the first image needs it."""

from __future__ import annotations

import gc
import threading

from pipeline.domain.plan import ModelFacts
from pipeline.rendering.checkpoints import WITHOUT_MODEL, checkpoint
from pipeline.rendering.downloads import fetched
from pipeline.rendering.facts import family_of, model_facts
from pipeline.rendering.generator import Generator
from pipeline.rendering.zerogpu import lent

_loaded: dict[str, tuple[ModelFacts, Generator]] = {}  # at most one entry
_loading = threading.Lock()


def load(name: str) -> Generator:
    """Return the generator of a model: the one in memory, or loaded now in place of it.

    Args:
        name: a registered name, a checkpoint folder, or "none" for methods without a model.

    Raises:
        UnknownName: there is no such model.
        ModelUnavailable: its files are missing and cannot be downloaded, or are broken.
    """
    facts, model = model_facts(name), checkpoint(name)
    family = family_of(model)
    if model is WITHOUT_MODEL:
        return family.load(model, facts)
    with _loading:
        if name in _loaded and _loaded[name][0] == facts:
            return _loaded[name][1]
        for part in family.needed_by_all if model.hub else ():
            fetched(name, model.hub[part])  # before the model in memory goes, and before torch is imported
        _loaded.clear()
        gc.collect()
        generator = family.load(model, facts)
        if model.half:  # small models run on the CPU of a ZeroGPU Space and cost nobody's quota
            generator = lent(name, generator, load)
        _loaded[name] = (facts, generator)
        return generator
