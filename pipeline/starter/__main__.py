"""`python -m pipeline.starter DIR`: write the rendered starter set and its field test set, with masks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import cv2

from pipeline.errors import StudioError
from pipeline.starter.collection import FIELD_COUNT, PER_KIND, StarterPart, field, subjects


def main(arguments: list[str] | None = None) -> int:
    """Write DIR/starter/<class>/*.png with DIR/starter/masks/<class>/*.png, and DIR/field likewise."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.starter", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the two sets go")
    parser.add_argument("--seed", type=int, default=0, help="of all parts and scenes (default: %(default)s)")
    parser.add_argument("--per-kind", type=int, default=PER_KIND, help="parts of each kind on the bench")
    parser.add_argument(
        "--field", type=int, default=FIELD_COUNT, help="images in the field test set; 0 for none"
    )
    parser.add_argument(
        "--surfaces", type=Path, help="folder of surface photos for the field; drawn otherwise"
    )
    given = parser.parse_args(arguments)
    try:
        bench = _written(given.folder / "starter", subjects(given.seed, per_kind=given.per_kind))
        outside = (
            _written(given.folder / "field", field(given.field, given.seed, given.surfaces))
            if given.field
            else 0
        )
    except (StudioError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{bench} rendered parts in {given.folder / 'starter'}, {outside} in {given.folder / 'field'}")
    return 0


def _written(folder: Path, parts: Iterable[StarterPart]) -> int:
    count = 0
    for part in parts:
        for place, pixels in (
            (folder / part.label, part.rgb[..., ::-1]),
            (folder / "masks" / part.label, part.mask),
        ):
            place.mkdir(parents=True, exist_ok=True)
            _, data = cv2.imencode(".png", pixels)
            (place / part.name).write_bytes(data.tobytes())
        count += 1
    return count


if __name__ == "__main__":
    sys.exit(main())
