import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.errors import InvalidRequest
from pipeline.segmentation import USABLE_SCORE, cut_out, cutout, network, warn_if_network_is_missing
from pipeline.segmentation.fusion import Proposals, differences, fused
from pipeline.segmentation.network import object_probability, steadied_probability
from pipeline.segmentation.proposals import off_hue, proposed
from pipeline.segmentation.refinement import guided
from tests.segmentation.onnx_file import brightest_channel

DATA = Path(__file__).parents[3] / "shared" / "data" / "objects"


@pytest.fixture
def reloaded() -> Iterator[None]:
    """Load the network anew inside the test and after it."""
    network._packaged.cache_clear()
    yield
    network._packaged.cache_clear()


def ball_in_soft_shadow() -> tuple[np.ndarray, np.ndarray]:
    """(photo, mask): an orange ball on paper; its soft shadow is as large as itself."""
    y, x = np.mgrid[:288, :384].astype(np.float32)
    rng = np.random.default_rng(0)
    paper = np.full((288, 384, 3), (205, 203, 198), np.float32) * (1.05 - 0.1 * x / 384)[..., None]
    shadow = np.exp(-(((x - 225) / 60) ** 2) - ((y - 185) / 40) ** 2)
    photo = paper * (1 - 0.55 * shadow)[..., None] + rng.normal(0, 1.5, paper.shape)
    mask = np.hypot(x - 190, y - 140) < 52
    shade = (1.1 - 0.5 * np.hypot(x - 175, y - 120) / 80)[..., None]
    photo = np.where(mask[..., None], np.array((225, 120, 30)) * shade, photo)
    return cv2.GaussianBlur(np.clip(photo, 0, 255), (0, 0), 0.7).astype(np.uint8), mask


def overlap(found: np.ndarray, mask: np.ndarray) -> float:
    return float((found & mask).sum() / (found | mask).sum())


def test_the_network_finds_the_object_without_its_shadow() -> None:
    photo, mask = ball_in_soft_shadow()
    probability = object_probability(photo)
    assert probability is not None
    assert (probability.shape, probability.dtype) == (mask.shape, np.float32)
    assert (probability.min() >= 0, probability.max() <= 1) == (True, True)
    assert overlap(probability > 0.5, mask) > 0.9


def test_a_worker_leaves_it_to_its_parent_to_say_that_the_network_is_missing(
    reloaded: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(network, "_PACKAGE", "a-package-that-is-not-installed")
    monkeypatch.setattr(network, "parent_process", object)
    with caplog.at_level(logging.WARNING):
        warn_if_network_is_missing()
    assert caplog.records == []


def test_a_soft_shadow_is_not_cut_out_with_the_object() -> None:
    photo, mask = ball_in_soft_shadow()
    result = cut_out(photo)
    assert overlap(result.alpha > 127, mask) > 0.96
    assert result.doubts == ()


def test_without_the_package_masks_come_from_the_background_and_that_is_said_once(
    reloaded: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(network, "_PACKAGE", "a-package-that-is-not-installed")
    photo, mask = ball_in_soft_shadow()
    with caplog.at_level(logging.WARNING):
        assert object_probability(photo) is None
        result = cut_out(photo)
    assert overlap(result.alpha > 127, mask) > 0.6
    assert len(caplog.records) == 1
    assert "pip install a-package-that-is-not-installed" in caplog.text


def test_altered_weights_are_not_loaded(
    reloaded: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(network, "_SHA256", "0" * 64)
    assert object_probability(ball_in_soft_shadow()[0]) is None
    assert "is not the file that was published" in caplog.text


def test_the_package_itself_is_not_imported() -> None:
    code = (
        "import sys; import numpy as np; from pipeline.segmentation.network import object_probability; "
        "assert object_probability(np.zeros((64, 64, 3), np.uint8)) is not None; print('rembg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_guided_map_moves_to_the_edge_of_the_photo() -> None:
    photo = np.full((64, 64, 3), 210, np.uint8)
    photo[:, 32:] = 60
    coarse = np.zeros((64, 64), np.float32)
    coarse[:, 29:] = 1
    coarse = cv2.GaussianBlur(coarse, (0, 0), 3)
    assert (guided(photo, coarse, radius=8) > 0.5)[32].tolist() == [False] * 32 + [True] * 32


def test_what_departs_from_the_hue_of_the_border_leaves_out_a_grey_shadow() -> None:
    photo, mask = ball_in_soft_shadow()
    assert overlap(off_hue(photo), mask) > 0.9


def proposals_of(photo: np.ndarray) -> Proposals:
    probability = object_probability(photo)
    assert probability is not None
    return proposed(photo, steadied_probability(photo, probability))


def test_joined_masks_keep_what_both_find_and_leave_what_neither_finds() -> None:
    proposals = proposals_of(ball_in_soft_shadow()[0])
    mask, expected = fused(proposals)
    both = proposals.network & proposals.background
    assert (mask[both].all(), mask[~(proposals.network | proposals.background)].any()) == (True, False)
    assert 0 < expected <= 1


def test_the_regions_of_difference_are_disjoint_and_lie_where_the_masks_differ() -> None:
    proposals = proposals_of(ball_in_soft_shadow()[0])
    count = np.zeros(proposals.network.shape, int)
    for region in differences(proposals):
        count[region.window] += region.inside
    different = proposals.network ^ proposals.background
    assert count.max() == 1
    assert not count[~different].any()
    assert count[different].all()


def test_a_small_object_in_a_large_photo_is_cut_as_sharply_as_from_close_by() -> None:
    close, _ = ball_in_soft_shadow()
    photo = cv2.resize(np.full((9, 9, 3), (207, 204, 199), np.uint8), (1536, 1152))
    y, x = np.mgrid[:1152, :1536].astype(np.float32)
    large = np.hypot(x - 700, y - 500) < 52
    photo[500 - 140 : 500 + 148, 700 - 190 : 700 + 194] = close
    result = cut_out(photo)
    assert overlap(result.alpha > 127, large) > 0.95


@pytest.mark.parametrize(("certainty", "looks"), [(0.99, 2), (0.8, 3)])
def test_a_large_photo_is_mirrored_only_where_its_outline_is_uncertain(
    monkeypatch: pytest.MonkeyPatch, certainty: float, looks: int
) -> None:
    seen: list[tuple[int, ...]] = []

    def bright(rgb: np.ndarray, _network: Path | None = None) -> np.ndarray:
        seen.append(rgb.shape)
        return np.where(rgb[..., 0] > 150, certainty, 0.0).astype(np.float32)

    monkeypatch.setattr(cutout, "object_probability", bright)
    monkeypatch.setattr(network, "object_probability", bright)
    photo = np.full((768, 1024, 3), 90, np.uint8)
    cv2.circle(photo, (400, 300), 60, (220, 120, 30), -1)
    assert cut_out(photo).alpha[300, 400] == 255
    assert len(seen) == looks


def test_a_closer_look_that_finds_another_outline_is_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    close, _ = ball_in_soft_shadow()
    photo = cv2.resize(np.full((9, 9, 3), (207, 204, 199), np.uint8), (1536, 1152))
    photo[360:648, 510:894] = close
    looks = iter(
        [cutout._found_in, lambda work, network: cutout._Found(np.zeros(work.shape[:2], bool), 1.0, (), 0)]
    )
    monkeypatch.setattr(cutout, "_found_in", lambda work, network: next(looks)(work, network))
    result = cut_out(photo)
    assert result.alpha[500, 700] == 255
    assert result.score < USABLE_SCORE
    assert result.doubts[0] == "A closer look found another outline"


def test_a_network_that_is_named_by_its_file_finds_the_object(tmp_path: Path) -> None:
    file = tmp_path / "u2netp.onnx"
    file.write_bytes(network._weights())
    photo, _ = ball_in_soft_shadow()
    assert np.array_equal(object_probability(photo, file), object_probability(photo))
    assert cut_out(photo, network=file).score == cut_out(photo).score


def test_the_input_size_and_the_type_are_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "isnet-small.onnx"
    file.write_bytes(brightest_channel((1, 3, 16, 24)))
    loaded = network._named(file)
    assert (loaded.size, loaded.kind) == ((16, 24), np.float32)
    # values are divided by their maximum and centred at 0.5: white is 0.5, black -0.5, which is below 0: logits
    photo = np.zeros((32, 48, 3), np.uint8)
    photo[:, 24:, 1] = 255
    probability = object_probability(photo, file)
    assert probability is not None
    assert probability.shape == (32, 48)
    assert probability[:, 0] == pytest.approx(1 / (1 + np.exp(0.5)), abs=1e-6)
    assert probability[:, -1] == pytest.approx(1 / (1 + np.exp(-0.5)), abs=1e-6)


def test_an_input_of_open_size_has_the_size_of_its_family(tmp_path: Path) -> None:
    for name, side in (("u2net.onnx", 320), ("BiRefNet-general.onnx", 1024)):
        file = tmp_path / name
        file.write_bytes(brightest_channel((1, 3, None, None)))
        assert network._named(file).size == (side, side)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing", None, "which is no file; name an ONNX file"),
        (
            "model.onnx",
            b"x",
            "is model.onnx, whose kind is not known from its name; use a file whose name contains",
        ),
        ("isnet.onnx", b"no network", "isnet.onnx cannot be read as an ONNX network; download it again"),
    ],
)
def test_a_file_that_is_no_network_is_refused(
    tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidRequest, match=sentence):
        cut_out(ball_in_soft_shadow()[0], network=tmp_path / name)


@pytest.mark.parametrize("shape", [(1, 1, 16, 16), (1, 3, 16)])
def test_a_network_that_takes_no_photo_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    file = tmp_path / "isnet.onnx"
    file.write_bytes(brightest_channel(shape))
    with pytest.raises(InvalidRequest, match="does not take one RGB photo"):
        object_probability(ball_in_soft_shadow()[0], file)


def test_a_network_with_more_than_one_map_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "isnet.onnx"
    file.write_bytes(brightest_channel((1, 3, 16, 16), axis=2))
    with pytest.raises(InvalidRequest, match=r"isnet.onnx has the shape \(1, 3, 1, 16\)"):
        object_probability(ball_in_soft_shadow()[0], file)


@pytest.mark.skipif(not DATA.is_dir(), reason="the photographs of ../shared/data/objects are not there")
def test_photographs_with_soft_shadows_are_cut_out_well() -> None:
    # every third of the 45; `python -m benchmarks.cutout` measures all
    from benchmarks.composites import photographed

    examples = photographed(DATA)[::3]
    results = [cut_out(rgb) for _, rgb, _ in examples]
    overlaps = [overlap(r.alpha > 127, mask) for r, (_, _, mask) in zip(results, examples, strict=True)]
    passing = [o for o, r in zip(overlaps, results, strict=True) if r.score >= USABLE_SCORE]
    assert np.median(overlaps) >= 0.97
    assert np.percentile(overlaps, 10) >= 0.90
    assert len(passing) >= 0.85 * len(examples)
    assert min(passing) >= 0.9
