"""Samples are embedded once, found by similarity, and grouped; a gold item is answered for like a sample."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.review import Verdict
from pipeline.errors import DamagedPicture, NotFound
from pipeline.services.review import similar
from pipeline.services.samples.embeddings import SampleEmbeddings
from pipeline.settings import Settings
from pipeline.store.image_files import ImageFiles
from pipeline.studio import Studio
from tests.toy_embedder import GreyAngle, add_plain_samples, use_grey_angles
from tests.toy_library import decision, mask

GREYS = (200, 205, 40, 120, 45)  # of the samples, in plan order: 0 and 1 look alike, and 2 and 4


@pytest.fixture
def features(monkeypatch: pytest.MonkeyPatch) -> GreyAngle:
    return use_grey_angles(monkeypatch)


@pytest.fixture
def studio(tmp_path: Path, features: GreyAngle) -> Iterator[Studio]:
    with Studio(Settings(library=tmp_path / "library", starter=False)) as opened:
        yield opened


@pytest.fixture
def ids(studio: Studio) -> list[str]:
    return add_plain_samples(studio.library, *GREYS)


def groups(studio: Studio, ids: list[str]) -> list[int]:
    """The position of the first sample of each sample's group."""
    return [ids.index(studio.library.samples.get(sample_id).cluster) for sample_id in ids]


def test_samples_are_embedded_in_steps_and_grouped_in_plan_order(
    studio: Studio, ids: list[str], features: GreyAngle
) -> None:
    assert studio.samples.embeddings.missing() == 5
    assert studio.samples.embeddings.embed_missing(2) == 3
    assert groups(studio, ids) == [0, 0, 0, 0, 0]  # those that were not compared keep their group
    assert studio.samples.embeddings.embed_missing(10) == 0
    assert groups(studio, ids) == [0, 0, 2, 3, 2]
    assert studio.samples.embeddings.embed_missing(10) == 0
    assert features.count == 5
    assert studio.library.verify() == []


def test_the_most_similar_samples_come_first_with_their_state(studio: Studio, ids: list[str]) -> None:
    studio.library.review.record(decision(ids[1], Verdict.REJECT))
    assert studio.review.similarity.similar(ids[0], limit=3) is None
    assert studio.review.similarity.compare(ids[0]) == 0
    matches = studio.review.similarity.similar(ids[0], limit=3)
    assert matches is not None
    assert [match.row.id for match in matches] == [ids[1], ids[3], ids[4]]
    assert [match.row.review for match in matches] == ["rejected", "pending", "pending"]
    assert [match.is_near_duplicate for match in matches] == [True, False, False]
    expected = np.cos(np.radians(90 * (200 - np.array([205, 120, 45])) / 255))
    np.testing.assert_allclose([match.similarity for match in matches], expected, atol=2e-3)


def test_the_sample_that_is_asked_for_is_compared_before_the_others(
    studio: Studio, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "_AT_ONCE", 2)
    assert studio.review.similarity.compare(ids[4]) == 3
    assert groups(studio, ids) == [0, 0, 0, 0, 4]
    matches = studio.review.similarity.similar(ids[4], limit=9)
    assert matches is not None
    assert [match.row.id for match in matches] == [ids[0]]
    assert studio.review.similarity.compare(ids[4]) == 1
    assert studio.review.similarity.compare() == 0
    assert groups(studio, ids) == [0, 0, 4, 3, 4]


def test_what_another_process_stores_is_found_without_computing_it_again(
    studio: Studio, ids: list[str], features: GreyAngle
) -> None:
    other = SampleEmbeddings(studio.library)
    assert other.embed_missing(10) == 0
    (late,) = add_plain_samples(studio.library, 202, first_seed=50)
    assert other.embed_missing(10) == 0
    matches = studio.review.similarity.similar(ids[0], limit=1)
    assert matches is not None
    assert [match.row.id for match in matches] == [late]
    assert studio.library.samples.get(late).cluster == ids[0]
    assert features.count == 6


def test_a_batch_that_another_process_embedded_meanwhile_is_added_once(
    studio: Studio, ids: list[str], features: GreyAngle, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, other = studio.samples.embeddings, SampleEmbeddings(studio.library)
    images, overtaken = type(studio.library.images), False
    read = images.read

    def overtaken_read(files: ImageFiles, image_id: str) -> np.ndarray:
        nonlocal overtaken
        if not overtaken:
            overtaken = True
            assert other.embed_missing(3) == 2
        return read(files, image_id)

    monkeypatch.setattr(images, "read", overtaken_read)
    assert here.embed_missing(2) == 2  # the same two that the other had
    assert here.embed_missing(10) == 0
    assert features.count == 7
    matches = studio.review.similarity.similar(ids[0], limit=10)
    assert matches is not None
    assert sorted(match.row.id for match in matches) == sorted(ids[1:])
    assert groups(studio, ids) == [0, 0, 2, 3, 2]


def test_a_sample_whose_image_is_damaged_is_passed_over(studio: Studio, ids: list[str]) -> None:
    damaged = studio.library.samples.get(ids[1])
    assert damaged.image_id is not None
    studio.library.images.path(damaged.image_id).write_bytes(b"no image")
    assert studio.review.similarity.compare() == 0
    assert studio.samples.embeddings.missing() == 0
    matches = studio.review.similarity.similar(ids[0], limit=10)
    assert matches is not None
    assert {match.row.id for match in matches} == {ids[2], ids[3], ids[4]}
    with pytest.raises(DamagedPicture):
        studio.review.similarity.compare(ids[1])


def test_a_sample_that_lost_its_image_is_not_found(studio: Studio, ids: list[str]) -> None:
    studio.review.similarity.compare()
    lost = studio.library.samples.get(ids[1])
    assert lost.image_id is not None
    studio.library.images.path(lost.image_id).unlink()
    assert studio.library.samples.plan_broken_again() == [ids[1]]
    matches = studio.review.similarity.similar(ids[0], limit=10)
    assert matches is not None
    assert {match.row.id for match in matches} == {ids[2], ids[3], ids[4]}
    with pytest.raises(NotFound, match=f"image of sample '{ids[1]}'"):
        studio.review.similarity.similar(ids[1], limit=1)


def test_no_more_than_the_newest_samples_are_held(studio: Studio, ids: list[str]) -> None:
    bounded = SampleEmbeddings(studio.library, most=3)
    assert bounded.embed_missing(10) == 0
    image_id = studio.library.samples.get(ids[4]).image_id
    assert image_id is not None
    pairs = bounded.similar(image_id, count=10, but=None)
    assert pairs is not None
    assert {sample_id for sample_id, _ in pairs} == set(ids[2:])
    (late,) = add_plain_samples(studio.library, 44, first_seed=50)
    assert bounded.embed_missing(10) == 0
    pairs = bounded.similar(image_id, count=10, but=None)
    assert pairs is not None
    assert {sample_id for sample_id, _ in pairs} == {*ids[3:], late}


def test_a_gold_item_has_the_similar_samples_of_what_it_shows_and_not_itself(
    studio: Studio, ids: list[str]
) -> None:
    studio.library.review.record(decision(ids[0]))
    studio.review.gold.add([ids[0]], "ann")
    (item,) = studio.library.gold.next_for("ben", 1)
    assert studio.review.similarity.compare(item.id) == 0
    matches = studio.review.similarity.similar(item.id, limit=2)
    assert matches is not None
    assert [match.row.id for match in matches] == [ids[1], ids[3]]
    assert matches[0].is_near_duplicate


def test_a_photo_that_is_a_gold_item_is_compared_too(studio: Studio, ids: list[str]) -> None:
    with studio.library._database.writing() as transaction:
        transaction.connection.exec_driver_sql(
            "UPDATE subjects SET mask_id = ?", (studio.library.images.put(mask()),)
        )
    assert studio.review.gold.add_photos(1, "ann") == 1
    (item,) = studio.library.gold.next_for("ben", 1)
    assert studio.review.similarity.similar(item.id, limit=2) is None
    assert studio.review.similarity.compare(item.id) == 0
    matches = studio.review.similarity.similar(item.id, limit=1)
    assert matches is not None
    assert [match.row.id for match in matches] == [ids[3]]  # noise has a mean of about 127


def test_the_best_of_a_group_stays_an_accepted_one_before_all_others(studio: Studio, ids: list[str]) -> None:
    studio.review.similarity.compare()
    decisions = studio.review.decisions
    assert decisions.keep_best({}, reviewer="ann", batch="b1") == 2
    states = [studio.library.samples.get(sample_id).review for sample_id in ids]
    assert states == ["rejected", "pending", "rejected", "pending", "pending"]
    assert decisions.undo_all("b1", reviewer="ann") == 2
    studio.library.review.record(decision(ids[2], client_id="c"))
    assert decisions.keep_best({"state": "pending"}, reviewer="ann", batch="b2") == 2
    states = [studio.library.samples.get(sample_id).review for sample_id in ids]
    assert states == ["rejected", "pending", "accepted", "pending", "rejected"]


def test_the_others_of_the_groups_of_chosen_samples_are_rejected(studio: Studio, ids: list[str]) -> None:
    studio.review.similarity.compare()
    kept = [ids[0], ids[3]]
    assert studio.review.decisions.keep_best({}, kept=kept, reviewer="ann", batch="b") == 1
    states = [studio.library.samples.get(sample_id).review for sample_id in ids]
    assert states == ["pending", "rejected", "pending", "pending", "pending"]
    assert studio.review.decisions.undo_all("b", reviewer="ann") == 1
    with pytest.raises(NotFound, match="gone"):
        studio.review.decisions.keep_best({}, kept=["gone"], reviewer="ann", batch="b2")


def decided_by_grey(studio: Studio) -> list[str]:
    """40 samples of which those brighter than 100 are accepted, then 10 undecided ones, the brightest last."""
    greys = np.random.default_rng(1).permutation(np.linspace(0, 199, 40)).astype(int).tolist()
    decided = add_plain_samples(studio.library, *greys)
    for sample_id, grey in zip(decided, greys, strict=True):
        verdict = Verdict.ACCEPT if grey > 100 else Verdict.REJECT
        studio.library.review.record(decision(sample_id, verdict, client_id=sample_id))
    return add_plain_samples(studio.library, *range(10, 200, 20), first_seed=100)


def test_the_auto_reviewer_learns_from_embeddings(studio: Studio) -> None:
    undecided = decided_by_grey(studio)
    report = studio.review.auto_reviewer.train()
    assert report.quality is not None
    assert report.quality.auc > 0.95
    assert report.predicted == 10
    likely = [studio.library.samples.get(sample_id).predicted_acceptance for sample_id in undecided]
    assert likely == sorted(likely)
    assert likely[0] < 0.3
    assert likely[-1] > 0.7


def test_the_auto_reviewer_does_without_embeddings_until_every_sample_has_one(
    studio: Studio, features: GreyAngle
) -> None:
    undecided = decided_by_grey(studio)
    report = studio.review.auto_reviewer.train(embedded=20)
    assert (features.count, report.not_embedded, report.predicted) == (20, 30, len(undecided))
    assert report.quality is not None
    assert report.quality.auc < 0.7  # it is told nothing of the images
    report = studio.review.auto_reviewer.train(embedded=30)
    assert (features.count, report.not_embedded) == (50, 0)
    assert report.quality is not None
    assert report.quality.auc > 0.95


def test_nothing_is_embedded_before_there_are_enough_decisions(studio: Studio, features: GreyAngle) -> None:
    ids = add_plain_samples(studio.library, *range(0, 250, 5))
    studio.library.review.record(decision(ids[0]))
    assert "1 accepted and 0 rejected" in studio.review.auto_reviewer.train().sentence
    assert features.count == 0


def test_a_damaged_image_is_neither_learned_from_nor_judged(studio: Studio) -> None:
    undecided = decided_by_grey(studio)
    damaged = studio.library.samples.get(undecided[3])
    assert damaged.image_id is not None
    studio.library.images.path(damaged.image_id).unlink()
    assert studio.review.auto_reviewer.train().predicted == 9
    assert studio.library.samples.get(undecided[3]).predicted_acceptance == 0.5
