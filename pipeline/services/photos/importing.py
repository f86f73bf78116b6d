"""From a source of photographs to subjects with masks: decode, refuse, cut out, store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from pipeline.domain.images import Mask, pixel_hash
from pipeline.domain.photo_decoding import DecodedPhoto, decoded_pixels, load_mask, load_photo
from pipeline.domain.placement import object_box
from pipeline.domain.splits import split_of
from pipeline.errors import Cancelled, SourceRefused, UnreadableImage
from pipeline.segmentation import USABLE_SCORE, CutoutResult, cut_out
from pipeline.services.photos.repair import is_whole, restore_photo
from pipeline.services.photos.workers import LOST, Job, on_all_cores
from pipeline.services.releases.importing import restore_release
from pipeline.services.reports import ImportReport
from pipeline.sources import ColumnMap, Release, SourceItem, label_fault, open_source
from pipeline.store import Library, NewPhoto

Progress = Callable[[int, int | None, str], None]  # done, total if known, what is in work


@dataclass(frozen=True, slots=True)
class _Prepared:
    """One photograph, ready to be stored; or the reason why it is not."""

    item: SourceItem
    subject_id: str = ""
    photo: DecodedPhoto | None = None
    cutout: CutoutResult | None = None
    refusal: str = ""


@dataclass(slots=True)
class _Tally:
    added: int = 0
    already: int = 0
    doubtful: int = 0
    repaired: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    classes: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # subject id → name, of this import


def import_photos(
    library: Library,
    source: str,
    *,
    split: str | None = None,
    columns: Mapping[str, str | None] | None = None,
    token: str | bool | None = None,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportReport:
    """Add every readable, new photograph of a source to the library, with its mask.

    Args:
        source: a folder of class folders, a zip of one, `hf://datasets/ns/name@revision`, `starter`,
            `starter:field`; or a release of ours in a folder or on the Hub, which brings its samples, too.
        split: train or test for all of them; without it each photo's own hash decides (80 % train).
        columns: of a data set: image, label and mask → column; guessed where none is named.
        token: who asks the Hub; None: HF_TOKEN or the saved sign-in, False: nobody.

    Raises:
        SourceRefused: nothing in the source can be read.
        UnknownName: a revision, configuration, split or column that there is not.
        Cancelled: the person stopped; what was stored stays.
    """
    opened = open_source(source, ColumnMap(**columns or {}), token=token)
    if isinstance(opened, Release):
        if split is not None:
            raise SourceRefused(
                f"{source} is a release of ours, whose photos have their splits already; import it without a split "
                "(on the page: by chance, 80 % train)"
            )
        return restore_release(library, opened, on_progress=on_progress, cancelled=cancelled)
    tally = _Tally()
    kept_as = opened.address or source
    with library.work_lock("import"):
        job = Job(work=_prepared, shared=library.photos.ids(), pixels=_pixels, lost=_lost)
        prepared_all = on_all_cores(opened.items(), job)
        for count, prepared in enumerate(prepared_all, start=1):
            if cancelled and cancelled():
                raise Cancelled(tally.added)
            _record(library, prepared, source=kept_as, split=split, tally=tally)
            if on_progress:
                on_progress(count, opened.count, prepared.item.name)
        tally.refused += [(refusal.name, refusal.reason) for refusal in opened.refused]
        for name, reason in tally.refused:
            library.photos.record_refusal(kept_as, name, reason)
    if not tally.added and not tally.already:
        raise _nothing_found(source, tally)
    return ImportReport(
        added=tally.added,
        already=tally.already,
        doubtful=tally.doubtful,
        refused=tuple(tally.refused),
        classes=dict(sorted(tally.classes.items())),
        note=opened.note,
        repaired=tally.repaired,
    )


def _nothing_found(source: str, tally: _Tally) -> SourceRefused:
    if not tally.refused:
        return SourceRefused(f"{source} holds no pictures; a folder with one sub-folder per class is needed")
    name, reason = tally.refused[0]
    return SourceRefused(
        f"none of the {len(tally.refused)} files in {source} can be used; the first, {name}: {reason}"
    )


def _prepared(item: SourceItem, known: set[str]) -> _Prepared:
    if fault := label_fault(item.label):
        return _Prepared(item, refusal=fault)
    try:
        photo = load_photo(item.data, item.name)
        subject_id = pixel_hash(photo.rgb)
        if subject_id in known:
            return _Prepared(item, subject_id)
        alpha = photo.alpha if item.mask is None else _given_mask(item, photo)
        return _Prepared(item, subject_id, photo, cut_out(photo.rgb, alpha=alpha))
    except UnreadableImage as refusal:
        return _Prepared(item, refusal=refusal.reason)


def _pixels(item: SourceItem) -> int:
    return decoded_pixels(item.data) + (decoded_pixels(item.mask) if item.mask else 0)


def _lost(item: SourceItem) -> _Prepared:
    return _Prepared(item, refusal=LOST)


def _given_mask(item: SourceItem, photo: DecodedPhoto) -> Mask:
    assert item.mask is not None
    mask = load_mask(item.mask, f"mask of {item.name}")
    if mask.shape != photo.rgb.shape[:2]:
        (mask_h, mask_w), (h, w) = mask.shape, photo.rgb.shape[:2]
        raise UnreadableImage(
            item.name, f"its mask is {mask_w}x{mask_h} px, the photo {w}x{h}; make them one size"
        )
    return mask


def _record(library: Library, prepared: _Prepared, *, source: str, split: str | None, tally: _Tally) -> None:
    item = prepared.item
    if prepared.refusal:
        tally.refused.append((item.name, prepared.refusal))
        return
    if first := tally.names.get(prepared.subject_id):
        tally.refused.append((item.name, f"the same pixels as {first}"))
        return
    tally.names[prepared.subject_id] = item.name
    if prepared.photo is None or prepared.cutout is None:
        tally.already += 1
        if not is_whole(library, prepared.subject_id):
            _restore(library, _prepared(item, known=set()))
            tally.repaired += 1
        return
    library.photos.add(_new_subject(library, prepared, source=source, split=split))
    tally.added += 1
    tally.doubtful += bool(_doubts(prepared.cutout))
    tally.classes[item.label] = tally.classes.get(item.label, 0) + 1


def _restore(library: Library, prepared: _Prepared) -> None:
    assert prepared.photo is not None
    assert prepared.cutout is not None
    restore_photo(library, prepared.subject_id, prepared.photo.rgb, prepared.cutout)


def _new_subject(library: Library, prepared: _Prepared, *, source: str, split: str | None) -> NewPhoto:
    photo, cutout = prepared.photo, prepared.cutout
    assert photo is not None
    assert cutout is not None
    height, width = photo.rgb.shape[:2]
    return NewPhoto(
        id=prepared.subject_id,
        label=prepared.item.label,
        name=prepared.item.name,
        source=source,
        split=split or split_of(prepared.subject_id),
        photo_id=library.images.put(photo.rgb),
        height=height,
        width=width,
        cutout_id=library.images.put(rgba(cutout)),
        mask_score=cutout.score,
        mask_doubts=_doubts(cutout),
        mask_origin=cutout.origin,
        box=object_box(cutout.alpha),
    )


def _doubts(cutout: CutoutResult) -> tuple[str, ...]:
    """What a person should look at; nothing where the mask as a whole is good enough."""
    return cutout.doubts if cutout.score < USABLE_SCORE else ()


def rgba(cutout: CutoutResult) -> np.ndarray:
    """(H, W, 4) uint8: the foreground colours and the soft alpha of a cut-out, as the library keeps them."""
    return np.dstack([cutout.rgb, cutout.alpha])
