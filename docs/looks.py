"""Draw a contact sheet of the looks that a recipe can have: a row of the same objects for each.

    python -m docs.looks --photos starter --out docs/looks.webp
    python -m docs.looks --photos ../shared/data/trash --per-class 4 --grid 256 --images 8 --library L --out trash.png

Every row is drawn by the default recipe with the keys of its look added. Without `--grid` the rows are a choice of
looks, all shown at 128 px; with it they are every method and start, with and without shadow, without and with a camera,
at that size.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from pathlib import Path

import yaml
from PIL import Image, ImageDraw

from pipeline.domain.recipe import default_recipe, to_yaml
from pipeline.settings import Settings
from pipeline.studio import Studio

_SIDE_PX, _NAME_PX = 128, 190
_CAMERA = "camera: {blur: [0.2, 0.8], noise: [1, 4], jpeg: [60, 92]}\n"
_LIGHTS = (
    "template: '{light}', slots: {light: [bright light, warm light, cold light, soft light]}, exclude: []"
)
_PICTURE = f"start: picture\nstrength: 0.4\nbackdrops: {{folder: drawn, {_LIGHTS}}}\n"
_PASTE = "method: paste\nbackdrops: {folder: drawn}\n"
_STARTS = {
    "inpaint, noise": "",
    "controlnet, noise": "method: controlnet\n",
    "inpaint, start 0.4": _PICTURE,
    "controlnet, start 0.4": _PICTURE + "method: controlnet\n",
    "paste": _PASTE,
}
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
    "start 0.4, shadow, camera": _PICTURE + "shadow: true\n" + _CAMERA,
    "from noise, 256 px": "size: 256\n",
    "start 0.4, shadow, 256 px": _PICTURE + "shadow: true\nsize: 256\n",
    "paste, shadow, 256 px": _PASTE + "shadow: true\nsize: 256\n",
}


def _grid(side_px: int) -> dict[str, str]:
    """Return every method and start, with and without shadow, without and with a camera: name of the row → keys."""
    rows = {}
    for name, keys in _STARTS.items():
        for shadow in ("", ", shadow") if "folder" in keys else ("",):
            for camera in ("", ", camera"):
                added = ("shadow: true\n" if shadow else "") + (_CAMERA if camera else "")
                rows[f"{name}{shadow}{camera}, {side_px} px"] = f"{keys}{added}size: {side_px}\n"
    return rows


def main() -> None:
    """Import the photos, render every look, and write the sheet."""
    given = _arguments()
    side_px, looks = (given.grid, _grid(given.grid)) if given.grid else (_SIDE_PX, _LOOKS)
    with tempfile.TemporaryDirectory() as folder:
        library = given.library or Path(folder) / "library"
        with Studio(Settings(library=library, starter=False)) as studio:
            if not studio.library.counts().subjects:
                source = (
                    _few(given.photos, given.per_class, Path(folder)) if given.per_class else given.photos
                )
                studio.photos.import_source(source, split="train")
            rows = {name: _row(studio, name, keys, given.images, side_px) for name, keys in looks.items()}
    _sheet(rows, given.images, side_px).save(given.out, quality=80)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", default="starter", help="the starter set, or a folder class/*.jpg")
    parser.add_argument("--per-class", type=int, metavar="N", help="photos of each class of a folder")
    parser.add_argument("--grid", type=int, metavar="PX", help="all combinations, in images of this size")
    parser.add_argument("--images", type=int, default=12, metavar="N", help="in a row (default: 12)")
    parser.add_argument("--library", type=Path, help="kept; what it has is not rendered again")
    parser.add_argument("--out", type=Path, required=True, help="the image file to write")
    return parser.parse_args()


def _sheet(rows: dict[str, list[Image.Image]], columns: int, side_px: int) -> Image.Image:
    sheet = Image.new("RGB", (_NAME_PX + columns * side_px, len(rows) * side_px), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (name, images) in enumerate(rows.items()):
        draw.text((6, row * side_px + side_px // 2 - 6), name, fill="black")
        for column, image in enumerate(images):
            sheet.paste(image, (_NAME_PX + column * side_px, row * side_px))
    return sheet


def _few(photos: str, count: int, folder: Path) -> str:
    """Copy the first photos of each class to a folder of their own."""
    for of_class in sorted(path for path in Path(photos).iterdir() if path.is_dir()):
        target = folder / "photos" / of_class.name
        target.mkdir(parents=True)
        for file in sorted(of_class.iterdir())[:count]:
            shutil.copy(file, target)
    return str(folder / "photos")


def _row(studio: Studio, look: str, keys: str, count: int, side_px: int) -> list[Image.Image]:
    """Render one look, and return its images in plan order, with a red line where a gate fails."""
    name = re.sub(r"[^a-z0-9]+", "-", f"look {look}")
    recipe, added = yaml.safe_load(to_yaml(default_recipe())), yaml.safe_load(keys) or {}
    recipe["backdrops"] |= added.pop("backdrops", {})
    print(name, keys.replace("\n", "; "), flush=True)
    studio.samples.generate(yaml.safe_dump({**recipe, **added, "name": name, "count": count}))
    images = []
    for row in reversed(studio.library.plans.rendered(name, limit=count)):
        assert row.image_id is not None
        pixels = studio.library.images.read(row.image_id)[..., :3]
        image = Image.fromarray(pixels).resize((side_px - 2,) * 2, Image.Resampling.LANCZOS)
        framed = Image.new("RGB", (side_px, side_px), "red" if row.failed_gates else "white")
        framed.paste(image, (1, 1))
        images.append(framed)
        for failure in row.failed_gates:
            print("   ", row.id, failure, flush=True)
    return images


if __name__ == "__main__":
    main()
