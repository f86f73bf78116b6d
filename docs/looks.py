"""Draw a contact sheet of the looks that a recipe can have: a row of the same objects for each.

    python docs/looks.py --photos starter --out docs/looks.webp
    python docs/looks.py --photos ../shared/data/trash --per-class 2 --out trash.png

Every row is drawn by the default recipe with the keys of `_LOOKS` added. Images of 128 px are shown as they are, those
of 256 px at half size.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import yaml
from PIL import Image, ImageDraw

from pipeline.domain.recipe import default_recipe, to_yaml
from pipeline.settings import Settings
from pipeline.studio import Studio

_SIDE_PX, _NAME_PX, _IMAGES = 128, 190, 12
_PICTURE = "start: picture\nstrength: 0.4\nbackdrops: {folder: drawn}\n"
_PASTE = "method: paste\nbackdrops: {folder: drawn}\n"
_LOOKS = {
    "inpaint, from noise": "",
    "controlnet, from noise": "method: controlnet\n",
    "inpaint, start 0.4": _PICTURE,
    "inpaint, start 0.4, shadow": _PICTURE + "shadow: true\n",
    "controlnet, start 0.4, shadow": _PICTURE + "shadow: true\nmethod: controlnet\n",
    "paste": _PASTE,
    "paste, shadow": _PASTE + "shadow: true\n",
    "paste, shadow, light": _PASTE + "shadow: true\nmatch_light: true\n",
    "paste, shadow, edges, seams": _PASTE
    + "shadow: true\nedges: [hard, feather, poisson]\nfake_seams: 0.25\n",
    "start 0.4, shadow, camera": _PICTURE
    + "shadow: true\ncamera: {blur: [0.2, 0.8], noise: [1, 4], jpeg: [60, 92]}\n",
    "from noise, 256 px": "size: 256\n",
    "start 0.4, shadow, 256 px": _PICTURE + "shadow: true\nsize: 256\n",
    "paste, shadow, 256 px": _PASTE + "shadow: true\nsize: 256\n",
}


def main() -> None:
    """Import the photos, render every look, and write the sheet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", default="starter", help="the starter set, or a folder class/*.jpg")
    parser.add_argument("--per-class", type=int, metavar="N", help="photos of each class of a folder")
    parser.add_argument("--library", type=Path, help="kept; what it has is not rendered again")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = given.library or Path(folder) / "library"
        with Studio(Settings(library=library, starter=False)) as studio:
            if not studio.library.counts().subjects:
                source = (
                    _few(given.photos, given.per_class, Path(folder)) if given.per_class else given.photos
                )
                studio.photos.import_source(source, split="train")
            rows = {name: _row(studio, place, keys) for place, (name, keys) in enumerate(_LOOKS.items())}
    sheet = Image.new("RGB", (_NAME_PX + _IMAGES * _SIDE_PX, len(rows) * _SIDE_PX), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (name, images) in enumerate(rows.items()):
        draw.text((6, row * _SIDE_PX + _SIDE_PX // 2 - 6), name, fill="black")
        for column, image in enumerate(images):
            sheet.paste(image, (_NAME_PX + column * _SIDE_PX, row * _SIDE_PX))
    sheet.save(given.out, quality=80)


def _few(photos: str, count: int, folder: Path) -> str:
    """Copy the first photos of each class to a folder of their own."""
    for of_class in sorted(path for path in Path(photos).iterdir() if path.is_dir()):
        target = folder / "photos" / of_class.name
        target.mkdir(parents=True)
        for file in sorted(of_class.iterdir())[:count]:
            shutil.copy(file, target)
    return str(folder / "photos")


def _row(studio: Studio, place: int, keys: str) -> list[Image.Image]:
    """Render one look, and return its images in plan order, with a red line where a gate fails."""
    name = f"look {place}"
    recipe, added = yaml.safe_load(to_yaml(default_recipe())), yaml.safe_load(keys) or {}
    recipe["backdrops"] |= added.pop("backdrops", {})
    print(name, keys.replace("\n", "; "), flush=True)
    studio.samples.generate(yaml.safe_dump({**recipe, **added, "name": name, "count": _IMAGES}))
    ids = studio.library.plans.ids(name)
    images = []
    for row in map(studio.library.samples.get, ids):
        assert row.image_id is not None
        pixels = studio.library.images.read(row.image_id)[..., :3]
        image = Image.fromarray(pixels).resize((_SIDE_PX - 2,) * 2, Image.Resampling.LANCZOS)
        framed = Image.new("RGB", (_SIDE_PX, _SIDE_PX), "red" if row.failed_gates else "white")
        framed.paste(image, (1, 1))
        images.append(framed)
        for failure in row.failed_gates:
            print("   ", row.id, failure, flush=True)
    return images


if __name__ == "__main__":
    main()
