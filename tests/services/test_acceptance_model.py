"""The model of the auto-reviewer learns from people's decisions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from pipeline.domain.photos import Photo
from pipeline.domain.placement import Placement
from pipeline.domain.quality import SCORE_NAMES, GateFailure
from pipeline.domain.spec import Method, ObjectSpec
from pipeline.errors import InvalidRequest
from pipeline.services.review import acceptance_model
from pipeline.services.review.acceptance_model import (
    ENOUGH,
    FEWEST,
    AcceptanceModel,
    check_share,
    features,
    learn,
)
from pipeline.store import SampleRow, SampleState
from tests.toy_library import AT, BOX, SIDE_PX, spec

Example = tuple[SampleRow, bool]
FEATURES = 157 + 2 * len(SCORE_NAMES)
BOLT = Photo(
    id="photo",
    label="bolt",
    name="bolt/1.png",
    source="toy",
    split="train",
    image_id="photo",
    height=SIDE_PX,
    width=SIDE_PX,
    cutout_id="cutout",
    mask_id="mask",
    mask_score=0.9,
    mask_doubts=(),
    mask_origin="given",
    box=BOX,
    excluded=False,
    added_at=AT,
)


def sample(number: int, *, label: str = "") -> SampleRow:
    """A rendered sample; scores, pose, class, surface and descriptor all from its number."""
    rng = np.random.default_rng(number)
    pose = Placement(x=rng.uniform(0.2, 0.8), y=rng.uniform(0.2, 0.8), scale=rng.uniform(0.3, 0.8))
    looks = np.abs(rng.normal(size=96))
    return SampleRow(
        spec=replace(
            spec(BOLT, seed=number),
            label=label or f"class {rng.integers(4)}",
            objects=(ObjectSpec(photo_id="photo", cutout_id="cutout", placement=pose),),
            slots=(("surface", f"surface {rng.integers(5)}"),),
        ),
        state=SampleState.PENDING,
        plan="toy",
        split="train",
        visible=(1.0,),
        scores={name: rng.uniform() for name in ("sharpness", "contrast", "seam", "halo", "object_share")},
        descriptor=(looks / np.linalg.norm(looks)).astype("<f4").tobytes(),
    )


def decided(number: int, verdict: Callable[[SampleRow, np.random.Generator], bool]) -> list[Example]:
    """That many samples, decided by a rule that may err."""
    rng = np.random.default_rng(2026)
    return [(row, verdict(row, rng)) for row in map(sample, range(number))]


def low_seam(row: SampleRow, rng: np.random.Generator) -> bool:
    return bool(row.scores["seam"] + rng.normal(0, 0.05) < 0.4)


def rows(examples: Sequence[Example]) -> list[SampleRow]:
    return [row for row, _ in examples]


def learned(examples: Sequence[Example], vectors: dict[str, np.ndarray] | None = None) -> AcceptanceModel:
    """A model; warnings, such as one of an optimiser that gave up, are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = learn(examples, vectors)
    assert model is not None
    return model


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return decided(400, low_seam)


@pytest.fixture(scope="module")
def trained(examples: list[Example]) -> AcceptanceModel:
    return learned(examples)


def test_it_does_not_learn_from_too_few_decisions() -> None:
    many = [(row, index % 2 == 0) for index, row in enumerate(map(sample, range(ENOUGH)))]
    assert learn([]) is None
    assert learn(many[:-1]) is None
    assert learned(many).quality.decisions == ENOUGH


def test_it_does_not_learn_without_both_verdicts() -> None:
    samples = [sample(number) for number in range(40)]
    for kind in (True, False):
        assert learn([(row, kind) for row in samples]) is None
        assert learn([(row, (index < FEWEST - 1) is kind) for index, row in enumerate(samples)]) is None
        fewest = learned([(row, (index < FEWEST) is kind) for index, row in enumerate(samples)])
        assert fewest.quality.baseline == (40 - FEWEST) / 40


def test_it_learns_a_limit_of_a_score(trained: AcceptanceModel, examples: list[Example]) -> None:
    quality = trained.quality
    assert (quality.decisions, quality.accepted) == (400, sum(good for _, good in examples))
    assert quality.baseline == max(quality.accepted, 400 - quality.accepted) / 400
    assert quality.accuracy > quality.baseline + 0.2
    assert quality.auc > 0.9
    assert quality.brier < 0.12
    unseen = [sample(number) for number in range(5000, 5200)]
    truth = np.array([row.scores["seam"] < 0.4 for row in unseen])
    assert ((trained.predict(unseen) >= 0.5) == truth).mean() > 0.85


def test_probabilities_lie_within_0_to_1_and_add_up_to_what_was_accepted(
    trained: AcceptanceModel, examples: list[Example]
) -> None:
    likely = trained.predict(rows(examples))
    assert (likely.shape, likely.dtype) == ((400,), np.float64)
    assert likely.min() >= 0.0
    assert likely.max() <= 1.0
    assert likely.mean() == pytest.approx(trained.quality.accepted / 400, abs=0.05)


def test_it_learns_from_how_a_picture_looks() -> None:
    def blue(row: SampleRow, rng: np.random.Generator) -> bool:
        looks = np.frombuffer(row.descriptor or b"", "<f4")
        return bool(looks[3] + rng.normal(0, 0.01) > 0.07)

    quality = learned(decided(400, blue)).quality
    assert quality.accuracy > quality.baseline + 0.2
    assert quality.auc > 0.9


def test_it_claims_nothing_where_there_is_nothing_to_know() -> None:
    quality = learned(decided(300, lambda _, rng: bool(rng.uniform() < 0.6))).quality
    rate = quality.accepted / quality.decisions
    assert quality.accuracy == pytest.approx(quality.baseline, abs=0.05)
    assert quality.auc == pytest.approx(0.5, abs=0.1)
    assert quality.brier < rate * (1 - rate) + 0.02


def test_the_same_decisions_give_the_same_numbers() -> None:
    first, second = (learned(decided(80, low_seam)) for _ in range(2))
    assert first.quality == second.quality
    unseen = [sample(number) for number in range(5000, 5020)]
    np.testing.assert_array_equal(first.predict(unseen), second.predict(unseen))


def test_one_rejected_sample_of_a_new_class_does_not_settle_the_next() -> None:
    odd = sample(9000, label="a new one")
    model = learned([*decided(2000, low_seam), (replace(odd, scores={**odd.scores, "seam": 0.1}), False)])
    unseen = range(6000, 6100)
    new = model.predict([sample(number, label="a new one") for number in unseen]).mean()
    known = model.predict([sample(number, label="class 1") for number in unseen]).mean()
    assert new > 0.6 * known  # 0.35 were single features not held back


def test_only_the_newest_decisions_count(monkeypatch: pytest.MonkeyPatch, examples: list[Example]) -> None:
    monkeypatch.setattr(acceptance_model, "NEWEST", 60)
    assert learned(examples).quality == learned(examples[-60:]).quality


def test_samples_without_descriptor_and_scores_are_judged_too(trained: AcceptanceModel) -> None:
    bare = replace(sample(1), descriptor=None, scores={}, visible=())
    assert 0.0 < trained.predict([bare])[0] < 1.0
    mixed = [
        (replace(row, descriptor=None, scores={}) if row.spec.seed % 2 else row, good)
        for row, good in decided(60, low_seam)
    ]
    assert learned(mixed).quality.decisions == 60


def embedded(number: int) -> tuple[list[SampleRow], dict[str, np.ndarray]]:
    """Samples with embeddings of 12 numbers that say nothing of their other features."""
    rng = np.random.default_rng(7)
    rows = [replace(sample(each), image_id=f"image {each}") for each in range(number)]
    return rows, {f"image {each}": rng.normal(size=12).astype(np.float16) for each in range(number)}


def test_it_learns_from_embeddings_what_no_other_feature_tells() -> None:
    samples, vectors = embedded(400)
    good = [bool(vectors[row.image_id or ""][3] > 0) for row in samples]
    examples = list(zip(samples[:300], good[:300], strict=True))
    model = learned(examples, vectors)
    assert model.uses_embeddings
    assert model.quality.auc > 0.85
    assert model.quality.auc > learned(examples).quality.auc + 0.3
    likely = model.predict(samples[300:], vectors)
    assert ((likely >= 0.5) == np.array(good[300:])).mean() > 0.75
    np.testing.assert_array_equal(likely, learned(examples, vectors).predict(samples[300:], vectors))


def test_the_fewest_decisions_are_enough_with_embeddings_too() -> None:
    samples, vectors = embedded(ENOUGH)
    wide = {image_id: np.resize(vector, 1280) for image_id, vector in vectors.items()}
    examples = [(row, index < FEWEST) for index, row in enumerate(samples)]
    assert learned(examples, wide).quality.decisions == ENOUGH


def test_nothing_to_judge_gives_no_probabilities(trained: AcceptanceModel) -> None:
    likely = trained.predict([])
    assert (likely.shape, likely.dtype) == ((0,), np.float64)


def test_features_have_one_length_and_a_fixed_order() -> None:
    pose = Placement(x=0.25, y=0.75, scale=0.5, rotation=30.0, yaw=-10.0, pitch=5.0)
    behind = ObjectSpec(photo_id="a", cutout_id="b", placement=Placement())
    row = replace(
        sample(3),
        spec=replace(
            spec(BOLT, method=Method.PASTE, backdrop_id="ground"),
            objects=(behind, replace(behind, placement=pose)),
        ),
        scores={"sharpness": 0.5, "novelty": 0.25, "seam": math.nan},
        failed_gates=(GateFailure("seam", 0.41, 0.30),),
        visible=(1.0, 0.5),
    )
    values = features(row)
    assert (values.shape, values.dtype) == ((FEATURES,), np.float32)
    count = len(SCORE_NAMES)
    assert values[:8].tolist() == [0.5, 0, 0, 0, 0, 0, 0, 0.25]
    assert not values[8:count].any()
    assert values[count : 2 * count].tolist() == [0, 1, 1, 1, 1, 1, 1, 0] + [1] * (count - 8)
    values = values[2 * count :]
    assert values[:3].tolist() == [1, 0.75, 2]
    assert values[3:9].tolist() == [0.25, 0.75, 0.5, 30, -10, 5]
    assert values[9:13].tolist() == [0, 0, 0, 1]
    assert np.flatnonzero(values[13:29]).tolist() == [5]  # sha256 of "bolt", modulo 16
    assert np.flatnonzero(values[29:61]).tolist() == [12]  # of "surface=gravel", modulo 32
    assert values[61:].tobytes() == row.descriptor
    for stored in (None, b"\x00\x01"):
        assert features(replace(row, descriptor=stored))[-96:].tolist() == [0.0] * 96


def test_about_one_in_twenty_is_checked_and_always_the_same() -> None:
    ids = [f"s-{number}" for number in range(10_000)]
    checked = {sample_id for sample_id in ids if check_share(sample_id, 0.05)}
    assert len(checked) == pytest.approx(500, abs=60)
    assert checked < {sample_id for sample_id in ids if check_share(sample_id, 0.1)}
    assert check_share("s-57", 0.05)
    assert not check_share("s-58", 0.05)
    assert not any(check_share(sample_id, 0.0) for sample_id in ids)
    assert all(check_share(sample_id, 1.0) for sample_id in ids)


@pytest.mark.parametrize("share", [-0.01, 1.5, math.nan])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(InvalidRequest, match=r"the share of checks is .*; it must lie in 0\.0 to 1\.0"):
        check_share("s-1", share)
