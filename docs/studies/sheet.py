"""Draw a contact sheet of a release: a row of images for each recipe and method, and one of photos.

python docs/studies/sheet.py --release runs/studies/fruits/release --out sheet.webp
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pyarrow.parquet as pq
from PIL import Image, ImageDraw

_SIDE_PX, _NAME_PX, _COLUMNS = 128, 150, 10


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--release", type=Path, required=True, help="folder of the release")
    parser.add_argument("--out", type=Path, required=True, help="the image file to write")
    given = parser.parse_args()
    groups: dict[str, list[bytes]] = {}
    for path in sorted((given.release / "data").rglob("*.parquet")):
        for row in pq.read_table(path, columns=["image", "method", "recipe"]).to_pylist():
            name = f"{row['method']}@{row['recipe']}" if row["recipe"] else row["method"]
            groups.setdefault(name, []).append(row["image"]["bytes"])
    sheet = Image.new("RGB", (_NAME_PX + _COLUMNS * _SIDE_PX, len(groups) * _SIDE_PX), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (name, images) in enumerate(sorted(groups.items())):
        draw.text((6, row * _SIDE_PX + _SIDE_PX // 2), name, fill="black")
        spaced = images[:: max(1, len(images) // _COLUMNS)][:_COLUMNS]
        for column, data in enumerate(spaced):
            image = Image.open(io.BytesIO(data)).convert("RGB")
            image.thumbnail((_SIDE_PX - 2, _SIDE_PX - 2))
            sheet.paste(image, (_NAME_PX + column * _SIDE_PX, row * _SIDE_PX))
    sheet.save(given.out, quality=60)


if __name__ == "__main__":
    main()
