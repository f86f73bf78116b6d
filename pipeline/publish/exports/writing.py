"""Write the images of a release in a format of other tools. Image files are the library's own, byte for byte."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.images import decode
from pipeline.domain.release import ReleaseRow, Subset
from pipeline.errors import ReleaseRefused
from pipeline.publish.contents import release_contents
from pipeline.publish.exports.image import ExportedImage
from pipeline.publish.exports.table import export_format
from pipeline.publish.release_source import ReleaseSource, stored_image

Progress = Callable[[int, int], None]  # images handled, images in total


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What an export wrote."""

    written: int  # images
    left_out: int = 0  # images whose object has no box, in a format that needs boxes


def export(
    source: ReleaseSource,
    to: Path,
    format_name: str,
    *,
    subsets: Sequence[Subset] = (Subset.REAL, Subset.SYNTHETIC),
    on_progress: Progress | None = None,
) -> ExportReport:
    """Write all images of a release in another format. The folder appears complete or not at all.

    A format that needs boxes leaves out images without one (text-to-image samples, photos without a mask): a detector
    trained on them would learn that they show no object.

    Args:
        format_name: a key of `EXPORT_FORMATS`.

    Raises:
        UnknownName: there is no such format.
        ReleaseRefused: there is nothing to export, an image is missing or damaged, the folder is not empty, or it
            cannot be written.
    """
    chosen = export_format(format_name)
    contents = release_contents(source)
    total = sum(contents.total(subset) for subset in subsets)
    if not total:
        raise ReleaseRefused(f"there are no {' or '.join(subsets)} images to export; choose another origin")
    written = left_out = 0
    with _new_folder(to) as folder, closing(chosen.writer(folder, contents.labels)) as writer:
        for row in (row for subset in subsets for row in source.releases.rows(subset)):
            if chosen.needs_boxes and not row.boxes:
                left_out += 1
            else:
                writer.add(_image(source, row))
                written += 1
            if on_progress:
                on_progress(written + left_out, total)
        _refuse_none_written(written, left_out, format_name)
    return ExportReport(written=written, left_out=left_out)


def _refuse_none_written(written: int, left_out: int, format_name: str) -> None:
    if not written:
        raise ReleaseRefused(
            f"none of the {left_out} images has a box, which {format_name} needs; export as folders or webdataset"
        )


@contextmanager
def _new_folder(to: Path) -> Iterator[Path]:
    """Yield an empty folder that is renamed to `to` when the block succeeds, and removed otherwise."""
    to = to.resolve()  # "." has no name of its own
    partial = to.with_name(f".{to.name}.part")
    try:
        if to.exists() and (not to.is_dir() or any(to.iterdir())):
            raise ReleaseRefused(f"{to} already exists and is not empty; choose a new folder")
        shutil.rmtree(partial, ignore_errors=True)  # left by an export that was killed
        partial.mkdir(parents=True)
        yield partial
        if to.exists():
            to.rmdir()
        partial.rename(to)
    except OSError as error:
        raise ReleaseRefused(
            f"{to} cannot be written: {error.strerror or error}; choose another folder"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _image(source: ReleaseSource, row: ReleaseRow) -> ExportedImage:
    data = stored_image(source, row, row.image_id)
    mask = None if row.mask_id is None else stored_image(source, row, row.mask_id)
    height, width = decode(data).shape[:2]
    return ExportedImage(row, data, mask, (height, width))
