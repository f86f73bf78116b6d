"""Where a picture file comes from, and the same picture drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.domain.images import FORMATS, encode_webp
from pipeline.domain.provenance import noted_spec, packet
from pipeline.domain.spec import SampleSpec
from pipeline.errors import InvalidRequest, StudioError, UnreadableImage
from pipeline.rendering.runner import RenderedSample
from pipeline.services.file_access import FileAccess
from pipeline.services.samples.runs import render
from pipeline.store import Library

_ALL_LEVELS = 255  # the difference of a picture that has another size now


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a file says of itself."""

    file: Path
    spec: SampleSpec
    source_type: str  # IPTC digital source type

    @property
    def sentence(self) -> str:
        """In plain words."""
        spec = self.spec
        how = f"{spec.model} (revision {spec.revision}), seed {spec.seed}" if spec.revision else "no model"
        return (
            f"{self.file.name} is sample {spec.id}: {spec.label}, made with {spec.method} by {how}.\n"
            f"prompt: {spec.prompt}\ndigital source type: {self.source_type}"
        )


def explain(file: Path) -> Explanation:
    """Read what a picture of ours says of itself: a file of a library, of a release, or saved out of one.

    Raises:
        UnreadableImage: no picture.
        InvalidRequest: a picture without a note of ours.
    """
    try:
        spec = noted_spec(file)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImage(str(file), "no picture that can be read; give a WebP or PNG file") from error
    if spec is None:
        raise InvalidRequest(
            f"{file} says nothing of where it comes from: it was not made by Backlot, or its notes were taken out"
        )
    return Explanation(file=file, spec=spec, source_type=spec.method.facts.source_type)


def replay(library: Library, found: Explanation, out: Path) -> int:
    """Draw the sample of a file again, with the cut-outs of a library; the largest difference of a value, 0 to 255.

    0 means the same pixels. A sample that was first drawn in a batch may differ by 1 in some values: the sums of a
    batch are rounded in another order.

    Args:
        out: where the new picture goes, as lossless WebP with the same note.

    Raises:
        NotFound: the library has not what the sample was made of.
        StudioError: it cannot be drawn, or the place not be written.
    """
    made: list[RenderedSample] = []

    def refuse(_spec: SampleSpec, sentence: str) -> None:
        raise StudioError(sentence)

    render(library, [found.spec], FileAccess(), 1, lambda _spec, sample: made.append(sample), refuse)
    (sample,) = made
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(encode_webp(sample.image, xmp=packet(found.spec)))
    except OSError as error:
        raise StudioError(f"{out} cannot be written: {error.strerror}; choose another place") from error
    with Image.open(found.file, formats=FORMATS) as picture:
        given = np.asarray(picture.convert("RGB")).astype(int)
    return int(abs(given - sample.image).max()) if given.shape == sample.image.shape else _ALL_LEVELS
