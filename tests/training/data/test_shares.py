"""Which images belong to a share of the photos, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from pipeline.domain.arms import Arm
from training.data.arm_data import ArmData, SkippedArm, arm_data, available_arms
from training.data.datamodule import ArmDataModule
from training.data.images import LabelledImages
from training.data.release import Release
from training.data.share_notes import share_notes
from training.data.shares import images_of_share, kept_photos
from training.data.validation import Validation

CLASSES = ("bolt", "nut")
PHOTOS = 8  # of each class
LABELS = np.repeat([0, 1], PHOTOS)


def images_of(
    labels: np.ndarray, fronts: list[str], shown: list[tuple[str, ...]], *, method: str
) -> LabelledImages:
    count = len(labels)
    return LabelledImages(
        images=np.random.default_rng(count).integers(0, 256, (count, 4, 4, 3)).astype(np.uint8),
        labels=np.asarray(labels, np.int64),
        origins=np.full(count, "real" if method == "photo" else "synthetic"),
        methods=np.full(count, method),
        recipes=np.full(count, ""),
        sources=np.array(fronts, np.str_),
        all_sources=np.array(["\n".join(photos) for photos in shown], np.str_),
    )


def release_of(
    shown: list[tuple[str, ...]], labels: list[int], *, method: str = "paste", real: bool = True
) -> Release:
    """Eight photos of each class, p0 to p15, and images that show some of them, the front one last."""
    names = [f"p{number}" for number in range(len(LABELS))]
    photos = images_of(LABELS, names, [(name,) for name in names], method="photo")
    fronts = [photos_of[-1] for photos_of in shown]
    return Release(
        name="toy",
        classes=CLASSES,
        real_train=photos if real else photos.where(np.zeros(len(LABELS), bool)),
        synthetic_train=images_of(np.array(labels), fronts, shown, method=method),
        test=photos,
        test_name="toy",
    )


def of_kept(share: float = 0.5) -> tuple[list[str], list[str], list[str]]:
    """The kept bolts, the other bolts and the kept nuts of the toy's photos."""
    kept = kept_photos(release_of([("p0",)], [0]), share)
    bolts, nuts = ([f"p{number}" for number in range(first, first + 8)] for first in (0, 8))
    return (
        [name for name in bolts if name in kept],
        [name for name in bolts if name not in kept],
        [name for name in nuts if name in kept],
    )


def singles() -> tuple[list[tuple[str, ...]], list[int]]:
    """One image of each photo, and their classes."""
    return [(f"p{number}",) for number in range(len(LABELS))], LABELS.tolist()


def kept_fronts(release: Release, share: float) -> list[str]:
    return images_of_share(release, release.synthetic_train, share).sources.tolist()


def test_an_image_belongs_to_a_share_only_with_all_photos_of_its_objects() -> None:
    (first, second, *_), (dropped, *_), _ = of_kept()
    release = release_of([(first,), (second, first), (dropped, first), (first, dropped)], [0, 0, 0, 0])
    images = images_of_share(release, release.synthetic_train, 0.5)
    assert images.all_sources.tolist() == [first, f"{second}\n{first}"]


def test_the_photo_of_a_distractor_counts_also_where_its_class_has_no_image() -> None:
    (bolt, *_), _, nuts = of_kept()
    other = next(f"p{number}" for number in range(8, 16) if f"p{number}" not in nuts)
    release = release_of([(nuts[0], bolt), (other, bolt)], [0, 0])
    assert images_of_share(release, release.synthetic_train, 0.5).all_sources.tolist() == [
        f"{nuts[0]}\n{bolt}"
    ]


def test_a_photo_that_the_release_no_longer_holds_is_in_no_share() -> None:
    (bolt, *_), _, _ = of_kept()
    release = release_of([("deleted", bolt), (bolt,)], [0, 0])
    assert images_of_share(release, release.synthetic_train, 0.5).all_sources.tolist() == [bolt]
    assert len(images_of_share(release, release.synthetic_train, 1)) == 2


def test_the_images_of_a_smaller_share_are_part_of_those_of_a_larger_one() -> None:
    names = [f"p{number}" for number in range(8)]
    pairs = [(first, second) for first in names for second in names if first != second]
    release = release_of(pairs, [0] * len(pairs))
    shown = [
        set(images_of_share(release, release.synthetic_train, share).all_sources.tolist())
        for share in (0.25, 0.5, 0.75, 1)
    ]
    assert [len(images) for images in shown] == [2, 12, 30, 56]
    assert all(smaller < larger for smaller, larger in pairwise(shown))


def test_where_the_release_tells_the_front_object_alone_it_decides() -> None:
    (bolt, *_), (dropped, *_), _ = of_kept()
    told = release_of([(bolt,), (dropped,)], [0, 0])
    images = replace(told.synthetic_train, all_sources=np.array(["", ""]))
    assert kept_fronts(replace(told, synthetic_train=images), 0.5) == [bolt]


def test_without_real_photos_the_photos_of_the_images_are_shared_out() -> None:
    shown, labels = singles()
    whole, without = release_of(shown, labels), release_of(shown, labels, real=False)
    assert kept_photos(without, 0.5) == kept_photos(whole, 0.5)
    assert len(kept_fronts(without, 0.5)) == 8


def test_an_arm_whose_share_leaves_too_few_images_is_skipped_with_the_remedy() -> None:
    shown, labels = singles()
    bolts, dropped, _ = of_kept()
    heaps = [tuple(dict.fromkeys((*dropped, bolt))) for bolt in bolts]
    release = release_of([*heaps, *shown[8:]], [0] * len(heaps) + labels[8:])
    for name in ("paste%50", "real_paste%50"):  # with the photos, too: half of every batch would be empty
        skipped = arm_data(release, Arm(name))
        assert isinstance(skipped, SkippedArm)
        assert skipped.reason == (
            "none of the 4 synthetic images of 'bolt' shows only photos of the share; take a larger share, or publish "
            "more images of a single object without distractors"
        )
    assert isinstance(arm_data(release, Arm("real_paste")), ArmData)


def test_of_several_scarce_classes_the_worst_is_named() -> None:
    bolts, dropped, nuts = of_kept()
    release = release_of([(dropped[0], bolts[0]), (bolts[1],), (nuts[0],), (nuts[1],)], [0, 0, 1, 1])
    of_nuts = release_of(
        [(dropped[0], nuts[0]), (dropped[1], nuts[1]), (bolts[1],), (dropped[2],)], [1, 1, 0, 0]
    )
    reasons = []
    for each in (release, of_nuts):
        skipped = arm_data(each, Arm("paste%50"))
        assert isinstance(skipped, SkippedArm)
        reasons.append(skipped.reason)
    assert reasons[0].startswith("just 1 of the 2 synthetic images of 'bolt' shows only photos of the share")
    assert reasons[1].startswith(
        "none of the 2 synthetic images of 'nut' shows only photos of the share, and too few of 1 more class do; take"
    )


def test_equal_counts_leave_an_arm_out_of_account_in_a_class_of_which_it_has_no_images() -> None:
    shown, labels = singles()
    pasted = release_of(shown[:5], labels[:5])  # none of the last class
    fronts = [front for (front,) in shown]
    inpainted = images_of(np.array(labels), fronts, shown, method="inpaint")
    release = replace(pasted, synthetic_train=pasted.synthetic_train.joined(inpainted))
    arms = [Arm("real"), Arm("inpaint"), Arm("real_paste")]
    available, skipped = available_arms(release, arms, equal_counts=True)
    assert skipped == []
    assert [data.class_counts(CLASSES) for data in available] == [
        {"bolt": 8, "nut": 8},
        {"bolt": 5, "nut": 8},
        {"bolt": 13, "nut": 8},
    ]


def test_a_ratio_that_a_share_cannot_meet_names_the_remedy() -> None:
    release = release_of(*singles())
    met, missed = (arm_data(release, Arm(name)) for name in ("real_paste:1%50", "real_paste:2%50"))
    assert isinstance(met, ArmData)
    assert met.counts == {"real": 8, "synthetic": 8}
    assert isinstance(missed, SkippedArm)
    assert missed.reason == (
        "it needs 16 synthetic images in equal proportion to the photos of each class; 8 are missing, the most of "
        "'bolt': publish more images of a single object without distractors, or take a smaller ratio"
    )


@pytest.mark.parametrize("name", ["real_paste:0.05", "real_paste:0.05%50", "real_paste:0.3%5"])
def test_an_arm_whose_ratio_asks_for_no_image_is_skipped(name: str) -> None:
    skipped = arm_data(release_of(*singles()), Arm(name))
    assert isinstance(skipped, SkippedArm)
    assert skipped.reason == (
        "its ratio asks for no synthetic image of so few photos; take a larger ratio, or more photos"
    )


def test_images_without_photos_have_no_shares() -> None:
    release = release_of(*singles(), method="text_to_image")
    skipped = arm_data(release, Arm("text_to_image%50"))
    assert isinstance(skipped, SkippedArm)
    assert skipped.reason == (
        "its images show no photo, so that a share of the photos changes nothing; leave out the share"
    )


def test_a_release_that_tells_no_photos_of_its_images_has_no_shares_of_them() -> None:
    release = release_of([(f"sample {number}",) for number in range(16)], LABELS.tolist())
    skipped = arm_data(release, Arm("paste%50"))
    assert isinstance(skipped, SkippedArm)
    assert skipped.reason.startswith(
        "the release does not tell which of its photos the synthetic images show; publish"
    )


def notes_of(release: Release, *names: str) -> list[str]:
    arms = [arm_data(release, Arm(name)) for name in names]
    assert all(isinstance(data, ArmData) for data in arms)
    return share_notes(release, [data for data in arms if isinstance(data, ArmData)])


def test_a_report_tells_the_photos_and_images_of_every_share_and_the_rule_once() -> None:
    shown, labels = singles()
    bolts, dropped, _ = of_kept()
    release = release_of([*shown, (dropped[0], bolts[0]), (bolts[1], bolts[0])], [*labels, 0, 0])
    notes = notes_of(release, "real", "real%25", "paste%50", "real_paste:1%50")
    assert notes[:3] == [
        "Real photos, 25 %: 4 of 16 photos.",
        "Pasted, 50 %: 8 of 16 photos and 9 of 18 synthetic images: 4 to 5 of a class.",
        "Real + pasted, 1 : 1, 50 %: 8 of 16 photos and 9 of 18 synthetic images, of which 8 are used: 4 of each "
        "class.",
    ]
    assert notes[3].startswith("An image belongs to a share of the photos if every photo that it shows does")
    assert len(notes) == 4
    assert notes_of(release, "real", "paste") == []
    assert len(notes_of(release, "real%25")) == 1


def test_that_a_class_has_no_synthetic_images_is_told() -> None:
    shown, labels = singles()
    (note, _) = notes_of(release_of(shown[:8], labels[:8]), "real_paste%50")
    assert note == "Real + pasted, 50 %: 8 of 16 photos and 4 of 8 synthetic images: 0 to 4 of a class."


@pytest.mark.parametrize(("untold", "images"), [(1, "1 synthetic image"), (3, "3 synthetic images")])
def test_that_a_release_does_not_tell_all_photos_is_said_once(untold: int, images: str) -> None:
    release = release_of(*singles())
    told = release.synthetic_train.all_sources.copy()
    told[:untold] = ""
    release = replace(release, synthetic_train=replace(release.synthetic_train, all_sources=told))
    notes = notes_of(release, "paste%50", "real_paste%50")
    assert notes[-1].startswith(f"Of {images} the release tells the photo of the front object alone")
    assert len(notes) == 4


def test_an_arm_of_a_share_trains_for_as_many_steps_as_any_other() -> None:
    release = release_of(*singles())
    for name in ("real_paste", "real_paste%25"):
        data = arm_data(release, Arm(name))
        assert isinstance(data, ArmData)
        batches = ArmDataModule(data, release.test, steps=7, batch_size=4, seed=0, interval=7)
        origins = data.images.origins[batches.order]
        assert (len(batches.order), int((origins == "synthetic").sum())) == (28, 14)


def test_photos_held_out_for_tuning_stay_held_out_where_the_release_tells_the_front_alone() -> None:
    release = release_of(*singles())
    release = replace(release, synthetic_train=replace(release.synthetic_train, all_sources=np.full(16, "")))
    validation, data = Validation.of(release), arm_data(release, Arm("paste"))
    assert isinstance(data, ArmData)
    part = validation.training_part(data)
    assert isinstance(part, ArmData)
    assert len(part.images) == 16 - len(validation.held_out)
