"""Read the provenance of an image file, and render the same image again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.distractors import distractors_sentence
from pipeline.domain.images import FORMATS, encode_webp
from pipeline.domain.provenance import noted_spec, packet
from pipeline.domain.spec import SampleSpec
from pipeline.errors import InvalidRequest, StudioError, UnreadableImage
from pipeline.rendering.runner import RenderedSample
from pipeline.services.file_access import FileAccess
from pipeline.services.samples.runs import render
from pipeline.store import Library

_ALL_LEVELS = 255  # the difference that is reported for images of different sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The provenance that an image file carries."""

    file: Path
    spec: SampleSpec
    source_type: str  # IPTC digital source type

    @property
    def sentence(self) -> str:
        """Return the provenance as text."""
        spec = self.spec
        generator = (
            f"{spec.model} (revision {spec.revision}), seed {spec.seed}" if spec.revision else "no model"
        )
        return (
            f"{self.file.name} is sample {spec.id}: {spec.label}, made with {spec.method} by {generator}.\n"
            f"prompt: {spec.prompt}\n{self._distractors}digital source type: {self.source_type}"
        )

    @property
    def _distractors(self) -> str:
        named = distractors_sentence(self.spec.distractors)
        return f"also shows: {named}\n" if named else ""


def explain(file: Path) -> Explanation:
    """Read the provenance of an image file of a library, of a release, or saved from one.

    Raises:
        UnreadableImage: the file is not a readable image.
        InvalidRequest: the image carries no Backlot provenance.
    """
    try:
        spec = noted_spec(file)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImage(str(file), "not a readable image; give a WebP or PNG file") from error
    if spec is None:
        raise InvalidRequest(
            f"{file} carries no Backlot provenance: it was not made by Backlot, or its metadata was removed; "
            "give an image of a library or of a release"
        )
    return Explanation(file=file, spec=spec, source_type=spec.method.facts.source_type)


def replay(library: Library, explanation: Explanation, out: Path) -> int:
    """Render the sample of a file again from a library; return the largest difference of a pixel value, 0 to 255.

    0 means identical pixels. A sample that was first rendered in a batch may differ by 1 in a few values, because
    sums in another order round differently.

    Args:
        out: the new image, as lossless WebP with the same provenance.

    Raises:
        NotFound: the library lacks a photo or an image that the sample was made from.
        UnreadableImage: the pixels of the file cannot be read.
        StudioError: it cannot be rendered, or `out` cannot be written, or is the file itself.
    """
    original = _pixels(explanation.file)
    samples: list[RenderedSample] = []

    def refuse(_spec: SampleSpec, sentence: str) -> None:
        raise StudioError(sentence)

    render(library, [explanation.spec], FileAccess(), 1, lambda _spec, sample: samples.append(sample), refuse)
    (sample,) = samples
    try:
        if out.exists() and out.samefile(explanation.file):
            raise InvalidRequest(f"{out} is the image that is rendered again; choose another path")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(encode_webp(sample.image, xmp=packet(explanation.spec)))
    except OSError as error:
        raise StudioError(f"{out} cannot be written: {error.strerror}; choose another path") from error
    return int(abs(original - sample.image).max()) if original.shape == sample.image.shape else _ALL_LEVELS


def _pixels(file: Path) -> NDArray[np.int16]:
    """Return the pixels of an image file, (H, W, 3) in 0 to 255."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            return np.asarray(image.convert("RGB")).astype(np.int16)
    except (OSError, SyntaxError) as error:  # Pillow raises either for a file that is cut off
        raise UnreadableImage(str(file), "its pixels cannot be read; give an undamaged copy") from error
