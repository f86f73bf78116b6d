"""Import photos from a source: decode, check, cut out the object, store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from pipeline.domain.images import RGBA, pixel_hash
from pipeline.domain.photo_decoding import DecodedPhoto, decoded_pixels
from pipeline.domain.photo_layout import alike, clean_label
from pipeline.domain.placement import object_box
from pipeline.domain.splits import TRAIN
from pipeline.errors import Cancelled, SourceRefused, UnreadableImage
from pipeline.segmentation import USABLE_SCORE, CutoutResult, warn_if_network_is_missing
from pipeline.services.photos.objects import cutout_of_item, photo_of_item
from pipeline.services.photos.repair import is_whole, restore_photo
from pipeline.services.photos.splitting import (
    ChosenSplits,
    Items,
    UntilInterrupted,
    repeatable_items,
    splits_of_items,
)
from pipeline.services.photos.tally import ImportTally
from pipeline.services.photos.workers import LOST, Job, on_all_cores
from pipeline.services.releases.importing import release_outlook, restore_release
from pipeline.services.reports import ImportReport, Progress
from pipeline.sources import ColumnMap, Release, Source, SourceItem, label_fault, open_source
from pipeline.store import Library, NewPhoto


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A photo that is ready to be stored, or the reason why it cannot be used."""

    item: SourceItem
    photo_id: str = ""
    photo: DecodedPhoto | None = None
    cutout: CutoutResult | None = None  # None for most test photos
    split: str = ""
    refusal: str = ""


def import_photos(
    library: Library,
    source: str,
    *,
    split: str | None = None,
    columns: Mapping[str, str | None] | None = None,
    token: str | bool | None = None,
    relabel: bool = False,
    dry_run: bool = False,
    network: Path | None = None,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportReport:
    """Add every readable, new photo of a source to the library, with its mask.

    Args:
        source: see `OPENERS` in `pipeline.sources`; a Backlot release brings its samples too.
        split: train or test for all photos; None: that of the source, or else `splits_of_items` decides.
        columns: of a list or a dataset: image, label and mask → column; guessed where none is named.
        token: access token for the Hub; None: HF_TOKEN or the saved sign-in, False: anonymous.
        relabel: whether photos that the library holds take the class that the source gives them.
        dry_run: whether to report what an import would do, and write nothing.
        network: the ONNX file of the network that finds objects; None for the one that is installed.

    Raises:
        SourceRefused: nothing in the source can be read.
        UnknownName: no such revision, configuration, split or column.
        InvalidRequest: the network cannot be used.
        Cancelled: the import was stopped; stored photos stay, in the splits that were decided for the whole import.
    """
    opened = open_source(source, ColumnMap(**columns or {}), token=token)
    if isinstance(opened, Release):
        if split is not None:
            raise SourceRefused(
                f"{source} is a Backlot release, whose photos have their splits already; import it without a split"
            )
        if dry_run:
            return release_outlook(library, opened)
        return restore_release(library, opened, on_progress=on_progress, cancelled=cancelled)
    wanted = _Wanted(opened.address or source, split, relabel, dry_run, network)
    classes_before = set(library.counts().classes)
    tally = _Import(library, opened, wanted, on_progress, cancelled, ImportTally(dry_run=dry_run)).run()
    if not tally.added and not tally.already:
        raise _nothing_imported(source, tally)
    return replace(
        tally.report(opened.note, library),
        relabelled=relabel,
        alike=tuple(
            group for group in alike(classes_before | set(tally.found)) if set(group) & set(tally.found)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How the photos of a source come into the library."""

    address: str  # of the source
    split: str | None = None  # of all photos
    relabel: bool = False
    dry_run: bool = False
    network: Path | None = None  # see `cut_out`


@dataclass(slots=True)
class _Import:
    """An import in progress."""

    library: Library
    source: Source
    wanted: _Wanted
    on_progress: Progress | None
    cancelled: Callable[[], bool] | None
    tally: ImportTally

    def run(self) -> ImportTally:
        """Decide the splits of all photos, then store them one by one."""
        is_dry = self.wanted.dry_run
        with (
            nullcontext() if is_dry else self.library.work_lock("import"),
            repeatable_items(self.source, None if is_dry else self.library.path) as items,
        ):
            if not is_dry and self.wanted.network is None:
                warn_if_network_is_missing()  # its workers do not
            spelled = partial(_in_known_spelling, items, self.library)
            splits, known = self._splits(spelled), self.library.photos.ids()
            self.tally.undivided = splits.undivided
            self._store(spelled(), _Shared(known, self.wanted.split, self.wanted.network, splits.of_photo))
            refusals = dict.fromkeys(self.source.refused)  # every reading of the source adds them again
            self.tally.refused += [(refusal.name, refusal.reason) for refusal in refusals]
            if not is_dry:
                self.tally.record_refusals(self.library, self.wanted.address)
        return self.tally

    def _splits(self, items: Items) -> ChosenSplits:
        if self.wanted.split is not None:
            return ChosenSplits()
        return splits_of_items(
            self.library,
            items,
            count=self.source.count,
            store=not self.wanted.dry_run,
            on_progress=self.on_progress,
            cancelled=self.cancelled,
        )

    def _store(self, items: Iterator[SourceItem], shared: _Shared) -> None:
        names: dict[str, str] = {}  # photo id → name of its file, of this import
        job = Job(work=_prepared, shared=shared, pixels=_pixels, lost=_lost)
        readable = UntilInterrupted(items)
        for count, prepared in enumerate(on_all_cores(iter(readable), job), start=1):
            if self.cancelled and self.cancelled():
                raise Cancelled(self.tally.added)
            name = prepared.item.name
            if prepared.refusal:
                self.tally.refused.append((name, prepared.refusal))
            elif first := names.get(prepared.photo_id):
                self.tally.refused.append((name, f"the same pixels as {first}"))
            else:
                names[prepared.photo_id] = name
                _record(self.library, prepared, self.wanted, self.tally)
            if self.on_progress:
                self.on_progress(count, self.source.count, name)
        if readable.interruption is not None:  # what was read before is stored
            raise readable.interruption


def _in_known_spelling(items: Items, library: Library) -> Iterator[SourceItem]:
    """Give class names their one spelling, or that of the library where it holds the same name in another form."""
    known = {clean_label(label): label for label in library.counts().classes}
    for item in items():
        label = clean_label(item.label)
        yield replace(item, label=known.get(label, label))


def _nothing_imported(source: str, tally: ImportTally) -> SourceRefused:
    if not tally.refused:
        return SourceRefused(f"{source} holds no images; a folder with one sub-folder per class is needed")
    name, reason = tally.refused[0]
    return SourceRefused(
        f"none of the {len(tally.refused)} files in {source} can be used; the first, {name}: {reason}"
    )


@dataclass(frozen=True, slots=True)
class _Shared:
    """What every worker knows."""

    known: set[str]  # ids of the photos that the library holds
    split: str | None  # of all photos
    network: Path | None
    splits: Mapping[str, str] = field(
        default_factory=dict
    )  # photo id → split, of photos without one in the source


def _prepared(item: SourceItem, shared: _Shared) -> _Prepared:
    if fault := label_fault(item.label):
        return _Prepared(item, refusal=fault)
    try:
        photo, box = photo_of_item(item)
        photo_id = pixel_hash(photo.rgb)
        if photo_id in shared.known:
            return _Prepared(item, photo_id)
        split = shared.split or item.split or shared.splits.get(photo_id, TRAIN)
        is_given = photo.alpha is not None or item.mask is not None or box is not None
        # a test photo is never placed: its object is cut out when somebody asks for it
        cut = split == "train" or is_given
        cutout = cutout_of_item(item, photo, box, shared.network) if cut else None
        return _Prepared(item, photo_id, photo, cutout, split)
    except UnreadableImage as refusal:
        return _Prepared(item, refusal=refusal.reason)


def _pixels(item: SourceItem) -> int:
    return decoded_pixels(item.data) + (decoded_pixels(item.mask) if item.mask else 0)


def _lost(item: SourceItem) -> _Prepared:
    return _Prepared(item, refusal=LOST)


def _record(library: Library, prepared: _Prepared, wanted: _Wanted, tally: ImportTally) -> None:
    if prepared.photo is None:
        _record_again(library, prepared, wanted, tally)
        return
    new = _new_photo(library, prepared, wanted)
    if not wanted.dry_run:
        library.photos.add(new)
    tally.count_added(new.label, new.split)
    tally.doubtful += bool(new.mask_doubts)


def _record_again(library: Library, prepared: _Prepared, wanted: _Wanted, tally: ImportTally) -> None:
    """Count a photo that the library holds, restore its files, and compare its class with that of the source."""
    item = prepared.item
    stored = library.photos.get(prepared.photo_id)
    tally.count_already(item.label if wanted.relabel else stored.label, stored.split)
    if stored.label != item.label:
        tally.other_class.append((item.name, stored.label, item.label))
    if wanted.dry_run:
        return
    if wanted.relabel and stored.label != item.label:
        library.photos.set_label(stored.id, item.label)
    if not is_whole(library, prepared.photo_id):
        _restore(library, _prepared(item, _Shared(set(), stored.split, wanted.network)))
        tally.repaired += 1


def _restore(library: Library, prepared: _Prepared) -> None:
    assert prepared.photo is not None
    restore_photo(library, prepared.photo_id, prepared.photo.rgb, prepared.cutout)


def _new_photo(library: Library, prepared: _Prepared, wanted: _Wanted) -> NewPhoto:
    photo, cutout = prepared.photo, prepared.cutout
    assert photo is not None
    height, width = photo.rgb.shape[:2]
    new = NewPhoto(
        id=prepared.photo_id,
        label=prepared.item.label,
        name=prepared.item.name,
        source=wanted.address,
        split=prepared.split,
        image_id=prepared.photo_id if wanted.dry_run else library.images.put(photo.rgb),
        height=height,
        width=width,
    )
    if cutout is None:
        return new
    return replace(
        new,
        cutout_id=None if wanted.dry_run else library.images.put(rgba(cutout)),
        mask_score=cutout.score,
        mask_doubts=_doubts(cutout),
        mask_origin=cutout.origin,
        box=object_box(cutout.alpha),
    )


def _doubts(cutout: CutoutResult) -> tuple[str, ...]:
    """Return what a person should check; nothing where the mask as a whole is good enough."""
    return cutout.doubts if cutout.score < USABLE_SCORE else ()


def rgba(cutout: CutoutResult) -> RGBA:
    """Join the foreground colours and the soft alpha of a cut-out, as the library stores them; (H, W, 4) uint8."""
    return np.dstack([cutout.rgb, cutout.alpha])
