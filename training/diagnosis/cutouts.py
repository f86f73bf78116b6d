"""Cuts the objects out of the test photos, once for all studies of a folder."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.images import Mask
from pipeline.segmentation import USABLE_SCORE, cut_out, divided_mask
from training.data.release import Release
from training.diagnosis.squares import Squares, read_squares
from training.fit.run_folder import whole_file

_FILE = "cutouts.npz"
_TRIAL = 40  # photos that are cut out first
_LEAST_USABLE_SHARE = 0.1  # of the trial, below which the others are not cut out
_BATCH = 32  # photos after which the file is written
_INSIDE = 127  # mask values above this are object


@dataclass(frozen=True, slots=True)
class PhotoCutout:
    """The object of a test photo: `alpha` (S, S) uint8, 255 = object; `score` 0 to 1; the number of `objects`."""

    alpha: Mask
    score: float
    objects: int

    @property
    def usable(self) -> bool:
        """Whether the mask can be used without a check."""
        return self.score >= USABLE_SCORE and bool((self.alpha > _INSIDE).any())

    @property
    def count(self) -> int | None:
        """The number of objects; None where it is not certain.

        A photo of several objects that the network is certain of is not usable as one object, but can be counted.
        """
        return self.objects if self.usable or self.objects > 1 else None


@dataclass(frozen=True, slots=True)
class PhotoCutouts:
    """The cut-outs of N test photos; None where a photo was not cut out. `note` says how the masks were found."""

    of_photos: tuple[PhotoCutout | None, ...]
    note: str

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(N,) whether the mask of a photo can be trusted."""
        return np.array([cutout is not None and cutout.usable for cutout in self.of_photos], bool)


@dataclass(frozen=True, slots=True)
class ExaminedPhotos:
    """The test photos of a release and their cut-outs, N of each."""

    squares: Squares
    cutouts: PhotoCutouts


def examined_photos(release: Release, folder: Path | None) -> ExaminedPhotos:
    """Read the test photos of a release and cut out their objects; see `photo_cutouts`."""
    squares = read_squares(release)
    return ExaminedPhotos(squares, photo_cutouts(squares, folder))


def photo_cutouts(squares: Squares, folder: Path | None) -> PhotoCutouts:
    """Cut out the objects of test photos; masks that come with the photos are taken as they are.

    The photos without a mask are tried at even distances first: where hardly any mask is usable, as in photos of heaps,
    the others are not cut out.

    Args:
        folder: keeps the masks by the content of the photos, so that no photo is cut out twice; None keeps nothing.

    Raises:
        InvalidRequest: the folder cannot be written.
    """
    files = _CutoutFile(folder / _FILE if folder else None)
    without = [place for place, mask in enumerate(squares.masks) if mask is None]
    trial = without[:: max(1, -(-len(without) // _TRIAL))]
    files.add(squares, [place for place, mask in enumerate(squares.masks) if mask is not None] + trial)
    usable = sum(files.cutout(squares, place).usable for place in trial)
    hopeless = usable < _LEAST_USABLE_SHARE * len(trial)
    if not hopeless:
        files.add(squares, without)
    known = set(range(len(squares))) - (set(without) - set(trial) if hopeless else set())
    found = tuple(files.cutout(squares, place) if place in known else None for place in range(len(squares)))
    return PhotoCutouts(found, _note(found, squares, trial if hopeless and len(trial) < len(without) else []))


def _note(found: Sequence[PhotoCutout | None], squares: Squares, trial: Sequence[int]) -> str:
    usable = sum(cutout is not None and cutout.usable for cutout in found)
    given = sum(mask is not None for mask in squares.masks)
    sentence = f"{usable} of {len(squares)} test photos have a usable mask ({given} come with one)."
    if not trial:
        return sentence
    return (
        f"{sentence} Of {len(trial)} photos at even distances fewer than one in ten have a usable mask, so the "
        "others were not tried."
    )


class _CutoutFile:
    """Masks by the content of the photo, kept in one file."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.known = {} if path is None else _stored(path)

    def add(self, squares: Squares, places: Sequence[int]) -> None:
        """Cut out what is not known yet."""
        missing = [place for place in places if _key(squares, place) not in self.known]
        for number, place in enumerate(missing, start=1):
            cutout = cut_out(squares.images[place], alpha=squares.masks[place])
            objects = cutout.objects if squares.masks[place] is None else len(divided_mask(cutout.alpha))
            self.known[_key(squares, place)] = PhotoCutout(cutout.alpha, cutout.score, objects)
            if number % _BATCH == 0 or number == len(missing):
                self._store()

    def cutout(self, squares: Squares, place: int) -> PhotoCutout:
        return self.known[_key(squares, place)]

    def _store(self) -> None:
        if self.path is None:
            return
        with whole_file(self.path) as file:
            np.savez_compressed(
                file,
                keys=np.array(list(self.known)),
                alphas=np.stack([cutout.alpha for cutout in self.known.values()]),
                scores=np.array([cutout.score for cutout in self.known.values()]),
                objects=np.array([cutout.objects for cutout in self.known.values()]),
            )


def _stored(path: Path) -> dict[str, PhotoCutout]:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            columns = (file[name].tolist() for name in ("scores", "objects"))
            return {
                key: PhotoCutout(alpha, score, objects)
                for key, alpha, score, objects in zip(
                    file["keys"].tolist(), file["alphas"], *columns, strict=True
                )
            }
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):  # missing or cut off: they are cut out again
        return {}


def _key(squares: Squares, place: int) -> str:
    digest = hashlib.sha256(squares.images[place].tobytes())
    mask = squares.masks[place]
    digest.update(b"" if mask is None else mask.tobytes())
    return digest.hexdigest()[:32]
