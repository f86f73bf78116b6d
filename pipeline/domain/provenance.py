"""The provenance of an image, written into its file as XMP (ISO 16684-1).

`DigitalSourceType` is IPTC Photo Metadata's (its vocabulary: http://cv.iptc.org/newscodes/digitalsourcetype/), which
tools and platforms read to tell generated images from photographs. The packet also holds the whole spec, so that a
sample can be rendered again from its file.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import quoteattr

from defusedxml import DefusedXmlException, ElementTree
from PIL import Image

from pipeline.domain.images import FORMATS
from pipeline.domain.spec import SampleSpec
from pipeline.errors import StudioError

TOOL = "Backlot"
_VOCABULARY = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_SPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "backlot": "https://backlot.invalid/ns/1.0/",  # a name, not an address
}
_MOST_BYTES = 200_000  # `packet` never writes more


def packet(spec: SampleSpec) -> bytes:
    """Write the XMP packet of a sample: digital source type, creator tool, id, seed and the spec as JSON."""
    fields = {
        "Iptc4xmpExt:DigitalSourceType": _VOCABULARY + spec.method.facts.source_type,
        "xmp:CreatorTool": TOOL,
        "backlot:Sample": spec.id,
        "backlot:Seed": str(spec.seed),
        "backlot:Model": f"{spec.model}@{spec.revision}",
        "backlot:Spec": spec.to_json(),
    }
    named = {name: address for name, address in _SPACES.items() if name != "rdf"}
    spaces = " ".join(f"xmlns:{name}={quoteattr(address)}" for name, address in named.items())
    values = " ".join(f"{name}={quoteattr(value)}" for name, value in fields.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{_SPACES["rdf"]}"><rdf:Description rdf:about="" {spaces} {values}/></rdf:RDF>'
        '</x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def spec_in(xmp: bytes) -> SampleSpec | None:
    """Read the spec that `packet` wrote; None for any other packet, and where the spec does not match its id."""
    if not xmp or len(xmp) > _MOST_BYTES:
        return None
    try:
        description = ElementTree.fromstring(xmp).find(f".//{{{_SPACES['rdf']}}}Description")
    except (ParseError, DefusedXmlException):
        return None
    if description is None:
        return None
    text, sample_id = (description.get(f"{{{_SPACES['backlot']}}}{name}") for name in ("Spec", "Sample"))
    try:
        spec = SampleSpec.from_json(text or "")
    except (ValueError, KeyError, TypeError, StudioError):
        return None
    return spec if spec.id == sample_id else None


def noted_spec(file: Path | IO[bytes]) -> SampleSpec | None:
    """Read the spec from an image file; None where it holds none.

    Raises:
        OSError, ValueError, Image.DecompressionBombError: the file is not a readable image.
    """
    with Image.open(file, formats=FORMATS) as image:
        xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    return spec_in(xmp if isinstance(xmp, bytes) else str(xmp).encode())
