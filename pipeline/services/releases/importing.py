"""Import a Backlot release into a library: its photos, and its accepted samples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO

import numpy as np

from pipeline.domain.descriptors import descriptor
from pipeline.domain.distractors import OtherObjectSpec
from pipeline.domain.images import RGB, RGBA, Mask, Pixels, decode, pixel_hash
from pipeline.domain.photo_decoding import decoded_pixels, load_photo
from pipeline.domain.photos import NO_OBJECT
from pipeline.domain.placement import object_box
from pipeline.domain.provenance import noted_spec
from pipeline.domain.quality import gates_failed, least_margin
from pipeline.domain.review import PENDING, RELEASE, Decision, Verdict, release_plan
from pipeline.domain.run_lengths import mask_of_runs
from pipeline.domain.sample_facts import SampleFacts, SeenDistractor
from pipeline.domain.spec import SampleSpec
from pipeline.errors import Cancelled, InvalidRequest, SourceRefused, UnreadableImage
from pipeline.publish.credits import is_rendered
from pipeline.segmentation import CutoutOrigin
from pipeline.segmentation.matting import foreground_colours
from pipeline.services.photos.repair import is_whole, restore_photo
from pipeline.services.photos.tally import ImportTally
from pipeline.services.photos.workers import LOST, Job, on_all_cores
from pipeline.services.reports import ImportReport, Progress
from pipeline.services.samples.neighbours import Neighbours
from pipeline.sources import REAL, SYNTHETIC, Release, ReleaseRecord, label_fault
from pipeline.store import Library, NewPhoto, Rendered

_AT_ONCE = 2000  # samples planned together: their specs are in memory, their images are not
_ANY_SIDE_PX = 10**9
_WEBP = (b"RIFF", b"WEBP")  # bytes 0 to 4 and 8 to 12 of a WebP file
_HUB = "hf://"
_LEFT_BEHIND = "rejected samples, votes and recipes do not come with a release"


def restore_release(
    library: Library,
    release: Release,
    *,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ImportReport:
    """Add the photos of a release with their masks and splits, and its samples, accepted in the name of the release.

    Ids are hashes of content, so they equal those of the library that the release was made from; what the library
    holds already stays as it is. After an interruption the same call continues.

    Raises:
        SourceRefused: the release cannot be read, or nothing in it can be used.
        Cancelled: the import was stopped; stored photos and samples stay.
    """
    restoring = _Restoring(library, release, on_progress, cancelled)
    with library.work_lock("import"):
        restoring.photos()
        restoring.samples()
        restoring.tally.record_refusals(library, release.address)
    return restoring.report()


def release_outlook(library: Library, release: Release) -> ImportReport:
    """Return what `restore_release` would find, from the rows alone; images are not decoded, nothing is written.

    Raises:
        SourceRefused: the release cannot be read.
    """
    known = library.photos.ids()
    tally = ImportTally(samples=sum(release.facts.counts.get(SYNTHETIC, {}).values()), dry_run=True)
    for record in release.records(REAL):
        if fault := record.fault or label_fault(record.label):
            tally.refused.append((_name(record), fault))
        elif record.sample_id in known:
            tally.count_already(record.label, record.split)
        else:
            tally.count_added(record.label, record.split)
    return tally.report(f"release {release.name}; {_LEFT_BEHIND}", library)


@dataclass(frozen=True, slots=True)
class _Photo:
    """A photo of a release that is ready to be stored, or the reason why it cannot be used."""

    record: ReleaseRecord
    rgb: RGB = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8))
    cutout: RGBA | None = None  # None if the release holds no mask
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class _Sample:
    """A sample whose image and mask are stored."""

    spec: SampleSpec
    rendered: Rendered | None  # None if the library held it before
    recipe: str  # "" where the release does not tell it


@dataclass(slots=True)
class _Restoring:
    """An import of a release and its result so far."""

    library: Library
    release: Release
    on_progress: Progress | None
    cancelled: Callable[[], bool] | None
    tally: ImportTally = field(default_factory=ImportTally)
    done: int = 0
    incomplete: int = 0  # samples whose ingredients the library lacks in part

    def photos(self) -> None:
        """Store the photos that the library lacks."""
        known = self.library.photos.ids()
        job = Job(work=_prepared, shared=None, pixels=_pixels, lost=_lost)
        for photo in on_all_cores(self._unknown(known), job):
            self._step(photo.record)
            if photo.refusal:
                self.tally.refused.append((_name(photo.record), photo.refusal))
            elif photo.record.sample_id in known:
                self._restore(photo)
            elif self.library.photos.add(self._new_photo(photo)):
                self.tally.count_added(photo.record.label, photo.record.split)

    def _restore(self, photo: _Photo) -> None:
        """Write the files again of a photo that the library holds, but damaged."""
        record = photo.record
        _stored(self.library, record.image, photo.rgb)
        if record.mask is not None and photo.cutout is not None:
            _stored(self.library, record.mask, photo.cutout[..., 3])
        restore_photo(self.library, record.sample_id, photo.rgb)
        self.tally.repaired += 1

    def samples(self) -> None:
        """Store the samples that the library lacks, and accept them."""
        splits = {photo.id: photo.split for photo in self.library.photos.list()}
        neighbours = Neighbours(self.library)
        waiting: list[_Sample] = []
        parts = 0
        for record in self.release.records(SYNTHETIC):
            self._step(record)
            try:
                waiting.append(self._sample(record, splits, neighbours))
            except UnreadableImage as refusal:
                self.tally.refused.append((_name(record), refusal.reason))
            if len(waiting) == _AT_ONCE:
                parts += 1
                self._accept(waiting, parts)
                waiting = []
        if waiting:
            self._accept(waiting, parts + 1)

    def report(self) -> ImportReport:
        """Return the result of the import."""
        if not self.done:
            raise SourceRefused(f"release {self.release.name} holds no images")
        if len(self.tally.refused) == self.done:
            name, reason = self.tally.refused[0]
            raise SourceRefused(
                f"none of the {self.done} images of release {self.release.name} can be used; "
                f"the first, {name}: {reason}"
            )
        note = f"release {self.release.name}; {_LEFT_BEHIND}"
        if self.incomplete:
            note += (
                f"; {self.incomplete} samples cannot be rendered again: "
                "their backgrounds or former cut-outs are not in it"
            )
        return self.tally.report(note, self.library)

    def _unknown(self, known: set[str]) -> Iterator[ReleaseRecord]:
        for record in self.release.records(REAL):
            if record.sample_id in known:
                self.tally.count_already(record.label, record.split)
                if is_whole(self.library, record.sample_id):
                    self._step(record)
                    continue
            yield record

    def _step(self, record: ReleaseRecord) -> None:
        if self.cancelled and self.cancelled():
            raise Cancelled(self.tally.added + self.tally.samples)
        self.done += 1
        if self.on_progress:
            self.on_progress(self.done, self.release.count, _name(record))

    def _new_photo(self, photo: _Photo) -> NewPhoto:
        record, cutout, library = photo.record, photo.cutout, self.library
        if record.mask is not None and cutout is not None:
            _stored(library, record.mask, cutout[..., 3])  # its id is the mask id of the cut-out
        has_object = cutout is not None and bool(cutout[..., 3].any())
        doubts = () if has_object or cutout is None else (NO_OBJECT,)
        self.tally.doubtful += bool(doubts)
        return NewPhoto(
            id=record.sample_id,
            label=record.label,
            name=_name(record),
            source=_first_source(record.source, self.release.address),
            split=record.split,
            image_id=_stored(library, record.image, photo.rgb),
            height=photo.rgb.shape[0],
            width=photo.rgb.shape[1],
            cutout_id=None if cutout is None else library.images.put(cutout),
            mask_score=float(has_object),
            mask_doubts=doubts,
            mask_origin=CutoutOrigin.GIVEN,
            box=record.boxes[0] if record.boxes else None,
        )

    def _sample(self, record: ReleaseRecord, splits: dict[str, str], neighbours: Neighbours) -> _Sample:
        """Store the image and mask of a row.

        Raises:
            UnreadableImage: the row cannot be used.
        """
        spec = _spec_of(record, splits)
        self.library.samples.plan_broken_again([spec.id])
        if not self.library.plans.missing([spec.id]):
            return _Sample(spec, None, record.recipe)
        rgb = load_photo(record.image, _name(record), max_side_px=_ANY_SIDE_PX, min_side_px=1).rgb
        mask = None if record.mask is None else _alpha(record)
        image_descriptor = descriptor(rgb)
        _, cluster = neighbours.place(spec.id, spec.label, image_descriptor)
        self.incomplete += not all(self.library.images.has(image_id) for image_id in spec.ingredients)
        rendered = Rendered(
            spec_id=spec.id,
            image_id=_stored(self.library, record.image, rgb),
            mask_id=None if record.mask is None or mask is None else _stored(self.library, record.mask, mask),
            facts=SampleFacts(
                boxes=record.boxes,
                homographies=record.homographies,
                scores=record.scores,
                failed_gates=gates_failed(record.scores),
                descriptor=image_descriptor,
                distractors=_seen_distractors(record, spec),
            ),
            score=round(least_margin(record.scores), 6),
            cluster=cluster,
        )
        return _Sample(spec, rendered, record.recipe)

    def _accept(self, samples: Sequence[_Sample], part: int) -> None:
        """Plan, store and accept samples; samples that were decided in this library stay as they are."""
        for recipe in dict.fromkeys(sample.recipe for sample in samples):
            specs = [sample.spec for sample in samples if sample.recipe == recipe]
            self.library.plans.add(release_plan(self.release.name, part, recipe), "", specs)
        for sample in samples:
            if sample.rendered is not None:
                self.tally.samples += self.library.samples.record(sample.rendered)
        ids = [sample.spec.id for sample in samples]
        undecided = [sample_id for sample_id in ids if self.library.review.state(sample_id) == PENDING]
        self.library.review.record_all([self._acceptance(sample_id) for sample_id in undecided])

    def _acceptance(self, sample_id: str) -> Decision:
        release = self.release
        known_as = hashlib.sha256(f"{release.name}\n{sample_id}".encode()).hexdigest()[:40]
        return Decision(
            sample_id=sample_id,
            reviewer=f"{RELEASE}:{release.name}"[:200],
            verdict=Verdict.ACCEPT,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            via=RELEASE,
            client_id=f"{RELEASE}-{known_as}",
            shown={"release": release.address, "version": release.facts.version},
        )


def _pixels(record: ReleaseRecord) -> int:
    return decoded_pixels(record.image, max_side_px=_ANY_SIDE_PX)


def _lost(record: ReleaseRecord) -> _Photo:
    return _Photo(record, refusal=LOST)


def _prepared(record: ReleaseRecord, _shared: None) -> _Photo:
    """Decode a photo, check its pixels against its id, and cut the object out along the given mask."""
    if fault := record.fault or label_fault(record.label):
        return _Photo(record, refusal=fault)
    try:
        rgb = load_photo(record.image, _name(record), max_side_px=_ANY_SIDE_PX, min_side_px=1).rgb
        if pixel_hash(rgb) != record.sample_id:
            return _Photo(record, refusal="its pixels do not match its id")
        if record.mask is None:
            return _Photo(record, rgb)
        alpha = _alpha(record)
        if alpha.shape != rgb.shape[:2]:
            return _Photo(record, refusal="its mask differs from it in size")
    except UnreadableImage as refusal:
        return _Photo(record, refusal=refusal.reason)
    return _Photo(record, rgb, np.dstack([foreground_colours(rgb, alpha), alpha]))


def _alpha(record: ReleaseRecord) -> Mask:
    """Decode the mask of a row; (H, W) uint8."""
    assert record.mask is not None
    name = f"mask of {_name(record)}"
    mask = load_photo(record.mask, name, max_side_px=_ANY_SIDE_PX, min_side_px=1)
    return np.ascontiguousarray(mask.rgb[..., 0])


def _spec_of(record: ReleaseRecord, splits: dict[str, str]) -> SampleSpec:
    """Return the spec in the metadata of a sample's image, if the sample can be stored in this library.

    Raises:
        UnreadableImage: the image carries no spec, or that of another sample, or the library lacks its photos.
    """
    if record.fault:
        raise UnreadableImage(_name(record), record.fault)
    try:
        spec = noted_spec(BytesIO(record.image))
    except Exception as error:  # Pillow's readers raise about twenty types for damaged files
        raise UnreadableImage(_name(record), "not a readable image") from error
    if spec is None or spec.id != record.sample_id:
        raise UnreadableImage(_name(record), "its metadata holds no spec, or that of another sample")
    others = [each.label for each in spec.distractors if isinstance(each, OtherObjectSpec)]
    for label in (spec.label, *others):
        if fault := label_fault(label):
            raise UnreadableImage(_name(record), fault)
    object_splits = {splits.get(photo_id) for photo_id in spec.photo_ids}
    if None in object_splits:
        raise UnreadableImage(_name(record), "a photo that it was made from is missing")
    if len(object_splits) > 1:
        raise UnreadableImage(
            _name(record), "the photos that it was made from belong to different splits of this library"
        )
    return spec


def _seen_distractors(record: ReleaseRecord, spec: SampleSpec) -> tuple[SeenDistractor, ...]:
    """Return what a release tells of the distractors of a sample.

    Raises:
        UnreadableImage: it tells of others than the sample has, or their masks are none of its size.
    """
    if not record.distractors:
        return ()
    if len(record.distractors) != len(spec.distractors):
        raise UnreadableImage(
            _name(record),
            f"it has {len(spec.distractors)} distractors, but the release tells of {len(record.distractors)}",
        )
    try:
        masks = [mask_of_runs(each.runs, spec.size) for each in record.distractors]
    except InvalidRequest as error:
        raise UnreadableImage(_name(record), "the mask of a distractor does not fit the image") from error
    return tuple(
        SeenDistractor(box=object_box(mask), visible=1.0, runs=each.runs)  # releases do not tell the share
        for each, mask in zip(record.distractors, masks, strict=True)
    )


def _stored(library: Library, data: bytes, pixels: Pixels) -> str:
    """Store an image, byte for byte if the file is WebP and holds exactly these pixels; return its id."""
    if (data[:4], data[8:12]) != _WEBP or not np.array_equal(decode(data), pixels):
        return library.images.put(pixels)
    blob_id = pixel_hash(pixels)
    library.images.put_file(blob_id, data)
    return blob_id


def _first_source(source: str, address: str) -> str:
    """Return the original source of a photo if it is meaningful outside its release; otherwise the release.

    The name of a folder is meaningful if the release is a folder too; for a release on the Hub it would hide whose
    photos they are.
    """
    meaningful = is_rendered(source) or source.startswith(_HUB) or not address.startswith(_HUB)
    return source if source and meaningful else address


def _name(record: ReleaseRecord) -> str:
    return f"{record.label}/{record.sample_id}.webp"
