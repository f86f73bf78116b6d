"""The note on where a picture comes from."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from pipeline.domain.images import decode, encode_webp
from pipeline.domain.placement import Placement
from pipeline.domain.provenance import packet, spec_in
from pipeline.domain.spec import ControlSpec, Method, ObjectSpec, SampleSpec

SPEC = SampleSpec(
    label='7" <bolt> & "nut"',
    objects=(ObjectSpec(photo_id="s", cutout_id="c", placement=Placement(scale=0.4)),),
    prompt="sand & „snow“ 雪, it's <wet>\n",
    negative_prompt=None,
    slots=(("surface", "sand & snow"),),
    method=Method.INPAINT,
    model="nano",
    revision="2",
    size=(24, 24),
    steps=4,
    guidance_scale=3.0,
    seed=7,
)
PIXELS = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (Method.INPAINT, "digitalsourcetype/compositeWithTrainedAlgorithmicMedia"),
        (Method.CONTROLNET, "digitalsourcetype/compositeWithTrainedAlgorithmicMedia"),
        (Method.TEXT_TO_IMAGE, "digitalsourcetype/trainedAlgorithmicMedia"),
        (Method.PASTE, "digitalsourcetype/compositeCapture"),
    ],
)
def test_the_note_names_the_iptc_source_type_and_holds_the_whole_spec(method: Method, said: str) -> None:
    spec = replace(
        SPEC,
        method=method,
        control=ControlSpec() if method is Method.CONTROLNET else None,
        backdrop_id="b" if method is Method.PASTE else None,
    )
    note = packet(spec)
    assert f'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/{said}"' in note.decode()
    assert spec_in(note) == spec


def test_a_webp_file_keeps_the_note_and_its_pixels_and_other_readers_see_it() -> None:
    data = encode_webp(PIXELS, xmp=packet(SPEC))
    assert np.array_equal(decode(data), PIXELS)
    with Image.open(BytesIO(data)) as picture:
        assert spec_in(picture.info["xmp"]) == SPEC
        described = picture.getxmp()["xmpmeta"]["RDF"]["Description"]
    assert described["CreatorTool"] == "Backlot"
    assert described["Seed"] == "7"


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"backlot:channels=1",
        b"<x/>",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        packet(SPEC).replace(b"&quot;seed&quot;:7", b"&quot;seed&quot;:8"),  # not the spec of its id
        packet(SPEC)[:-40],
        b" " * 300_000 + packet(SPEC),
    ],
    ids=range(7),
)
def test_any_other_note_is_none_of_ours(note: bytes) -> None:
    assert spec_in(note) is None
