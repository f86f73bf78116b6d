from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.errors import ReleaseRefused
from tests.training.conftest import COLOURS, colours, embed_by, encoded
from training.data.decoding import Decoder, squared
from training.data.release import load_release
from training.data.release_rows import _front_box
from training.data.rows import Row


def class_folder(folder: Path, *, count: int, seed: int = 900) -> Path:
    for place, (label, colour) in enumerate(COLOURS.items()):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            data = encoded(colour, seed=seed + 100 * place + number)
            (folder / label / f"{number}.webp").write_bytes(data)
    return folder


def test_a_release_is_read_with_its_own_test_split(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    assert release.classes == ("red", "green", "blue")
    assert release.real_train.images.shape == (18, 16, 16, 3)
    assert release.real_train.labels.tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert sorted(set(release.synthetic_train.methods.tolist())) == ["inpaint", "paste"]
    assert release.test_counts() == {"red": 5, "green": 5, "blue": 5}
    assert release.notes == ()


@pytest.mark.parametrize(
    ("boxes", "box"),
    [
        (None, None),
        ([], None),
        ([[0, 0, 0, 0]], None),  # of an empty mask
        ([[1, 2, 3, 4], [5, 6, 7, 9]], (5, 6, 7, 9)),  # back to front
    ],
)
def test_the_box_of_the_front_object_is_read(
    boxes: list[list[int]] | None, box: tuple[int, int, int, int] | None
) -> None:
    assert _front_box(boxes) == box


def test_images_keep_their_colours(full_release: Path) -> None:
    release = load_release(str(full_release), None, side_px=16)
    assert release.real_train.images[0].mean(axis=(0, 1)).round(-1).tolist() == [200.0, 60.0, 60.0]


def test_the_largest_centred_square_is_taken(tmp_path: Path) -> None:
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert squared((tmp_path / "wide.png").read_bytes(), 20).min() == 255


def test_a_16_bit_image_is_scaled_by_its_depth_as_the_import_does(tmp_path: Path) -> None:
    for name, value in (("bright.png", 0x8080), ("dark.png", 200)):
        Image.new("I;16", (24, 24), value).save(tmp_path / name)
    assert np.unique(squared((tmp_path / "bright.png").read_bytes(), 16)).tolist() == [128]
    assert np.unique(squared((tmp_path / "dark.png").read_bytes(), 16)).tolist() == [1]


def test_a_folder_is_read_by_the_rules_of_the_import(tmp_path: Path) -> None:
    train, test = (
        class_folder(tmp_path / "train", count=6),
        class_folder(tmp_path / "test", count=6, seed=3000),
    )
    session = train / "red" / "2024-05-01"
    session.mkdir()
    for file in (train / "red").glob("*.webp"):
        file.rename(session / file.name)
    for hidden in (train / ".ipynb_checkpoints" / "0.webp", train / "blue" / "._0.webp"):
        hidden.parent.mkdir(exist_ok=True)
        hidden.write_bytes(encoded(COLOURS["red"], seed=1))
    masks = train / "masks" / "green"
    masks.mkdir(parents=True)
    (masks / "0.png").write_bytes(encoded(COLOURS["green"], seed=2))
    release = load_release(str(train), str(test), side_px=16)
    assert release.classes == ("blue", "green", "red")
    assert np.bincount(release.real_train.labels).tolist() == [6, 6, 6]
    assert release.notes == ()


def test_a_folder_of_splits_brings_its_own_test_photos(tmp_path: Path) -> None:
    class_folder(tmp_path / "set" / "train", count=6)
    class_folder(tmp_path / "set" / "test", count=5, seed=3000)
    release = load_release(str(tmp_path / "set"), None, side_px=16)
    assert np.bincount(release.real_train.labels).tolist() == [6, 6, 6]
    assert release.test_counts() == {"blue": 5, "green": 5, "red": 5}


def test_reading_reports_its_progress(full_release: Path) -> None:
    counts: list[int] = []
    load_release(str(full_release), None, side_px=16, on_read=counts.append)
    assert counts == [18, 39, 54]


def test_a_folder_of_classes_serves_as_test_set(full_release: Path, tmp_path: Path) -> None:
    field = class_folder(tmp_path / "field", count=5)
    release = load_release(str(full_release), str(field), side_px=16)
    assert (release.test_counts(), release.test_name) == ({"red": 5, "green": 5, "blue": 5}, str(field))


def test_all_real_splits_of_another_release_are_tested_on(
    full_release: Path, release_of: Callable[..., Path]
) -> None:
    plan = {("real", "train", "photo"): 4, ("real", "test", "photo"): 3, ("synthetic", "train", "inpaint"): 9}
    other = release_of(plan, name="other", seed=5000)
    release = load_release(str(full_release), str(other), side_px=16)
    assert release.test_counts() == {"red": 7, "green": 7, "blue": 7}


def test_training_photos_are_taken_out_of_the_test(
    full_release: Path, release_of: Callable[..., Path]
) -> None:
    same_first = release_of({("real", "train", "photo"): 12}, name="twin", classes=("red",))
    more = release_of({("real", "train", "photo"): 6}, name="twin2", seed=7000)
    assert load_release(str(full_release), str(more), side_px=16).notes == ()
    with_twins = load_release(str(full_release), str(same_first), side_px=16)
    assert with_twins.test_counts() == {"red": 6, "green": 0, "blue": 0}
    assert with_twins.notes == (
        "6 test photos are also training photos and were left out of the test.",
        "The test set has no photos of green, blue; the rates are over the other classes.",
    )


def test_test_photos_that_look_like_training_photos_are_noted_with_an_example(
    full_release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_release(str(full_release), None, side_px=16).leak is None
    embed_by(monkeypatch, colours, 3)
    release = load_release(str(full_release), None, side_px=16)
    assert release.test_counts() == {"red": 5, "green": 5, "blue": 5}
    assert release.leak is not None
    assert release.leak.count == 15
    assert release.notes == (release.leak.note,)
    assert release.leak.note == (
        "15 test photos are near-duplicates of training photos, for example "
        f"{release.leak.test_name} ~ {release.leak.train_name}; the rates are higher than on other photos."
    )
    assert release.leak.test_name.startswith("photo-")


def test_the_same_photos_are_taken_out_before_near_duplicates_are_looked_for(
    release_of: Callable[..., Path], full_release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = release_of({("real", "train", "photo"): 6}, name="twin", classes=("red",))
    with pytest.raises(ReleaseRefused, match="there are no test photos"):
        load_release(str(full_release), str(first), side_px=16)
    embed_by(monkeypatch, colours, 3)
    with pytest.raises(ReleaseRefused, match="there are no test photos"):
        load_release(str(full_release), str(first), side_px=16)


def test_a_training_photo_in_another_encoding_is_taken_out_of_the_test(
    release_of: Callable[..., Path], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    photos = [cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (320, 240)) for _ in range(36)]
    train, field = tmp_path / "train", tmp_path / "field"
    for number, pixels in enumerate(photos):
        label = "abc"[number % 3]
        for folder in (train, field):
            (folder / label).mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(pixels)
        if number < 18:
            image.save(train / label / f"{number}.webp", lossless=True)
        if number >= 12:  # six of them are training photos
            image.save(field / label / f"{number}.jpg", quality=85)
    release = load_release(str(train), str(field), side_px=64)
    assert release.test_counts() == {"a": 6, "b": 6, "c": 6}
    assert release.notes == ("6 test photos are also training photos and were left out of the test.",)


def test_a_file_that_cannot_be_opened_is_left_out_and_noted(full_release: Path, tmp_path: Path) -> None:
    field = class_folder(tmp_path / "field", count=5)
    (field / "red" / "z.jpg").symlink_to(tmp_path / "gone.jpg")
    (field / "red" / "folder.jpg").mkdir()
    release = load_release(str(full_release), str(field), side_px=16)
    assert release.notes == (f"1 unreadable image was left out, the first is {field / 'red' / 'z.jpg'}.",)


def test_a_release_without_synthetic_rows_is_read(release_of: Callable[..., Path]) -> None:
    folder = release_of({("real", "train", "photo"): 2, ("real", "test", "photo"): 5})
    release = load_release(str(folder), None, side_px=16)
    assert release.synthetic_train.images.shape == (0, 16, 16, 3)


def test_an_unreadable_image_is_left_out_and_noted(full_release: Path, tmp_path: Path) -> None:
    field = class_folder(tmp_path / "field", count=5)
    (field / "red" / "broken.jpg").write_bytes(b"\xff\xd8 not an image")
    release = load_release(str(full_release), str(field), side_px=16)
    assert release.notes == (
        f"1 unreadable image was left out, the first is {field / 'red' / 'broken.jpg'}.",
    )


def test_no_test_split_is_refused_with_the_remedy(release_of: Callable[..., Path]) -> None:
    folder = release_of({("real", "train", "photo"): 3})
    with pytest.raises(ReleaseRefused, match=r"no test photos in .*give test photos with --test DIR"):
        load_release(str(folder), None, side_px=16)


def test_too_few_test_photos_of_a_class_are_refused(release_of: Callable[..., Path]) -> None:
    folder = release_of({("real", "train", "photo"): 3, ("real", "test", "photo"): 4})
    with pytest.raises(ReleaseRefused, match=r"has 4 test photos of 'red'; at least 5 per class"):
        load_release(str(folder), None, side_px=16)


def test_a_test_class_that_training_does_not_know_is_refused(full_release: Path, tmp_path: Path) -> None:
    field = class_folder(tmp_path / "field", count=5)
    (field / "plum").mkdir()
    (field / "plum" / "a.webp").write_bytes(encoded((90, 0, 90), seed=1))
    with pytest.raises(ReleaseRefused, match=r"has the class 'plum' that is not in the training data"):
        load_release(str(full_release), str(field), side_px=16)


def test_an_empty_folder_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(ReleaseRefused, match=r"holds neither a release .* nor class folders with images"):
        load_release(str(tmp_path), None, side_px=16)


def test_a_broken_parquet_file_is_one_sentence(full_release: Path) -> None:
    for file in full_release.rglob("*.parquet"):
        file.write_bytes(b"PAR1 cut off")
    with pytest.raises(ReleaseRefused, match=r"cannot be read as a release|stopped being readable"):
        load_release(str(full_release), None, side_px=16)


def test_a_missing_folder_is_one_sentence() -> None:
    with pytest.raises(ReleaseRefused, match=r"./nowhere/at-all does not exist"):
        load_release("./nowhere/at-all", None, side_px=16)


def test_an_image_keeps_the_photos_of_all_its_objects_and_the_one_in_front() -> None:
    image = encoded(COLOURS["red"], seed=1)
    rows = [
        Row(image, "red", "real", "photo", "a", sources=("a",)),
        Row(image, "red", "synthetic", "paste", "s1", source="b", sources=("a", "b")),
        Row(image, "red", "synthetic", "paste", "s2", source="b"),  # all photos are not told
        Row(image, "red", "synthetic", "text_to_image", "s3", source="b", sources=("b",)),  # shows no photo
    ]
    images = Decoder(16, None).images(rows, ("red",))
    assert images.sources.tolist() == ["a", "b", "b", "s3"]
    assert images.all_sources.tolist() == ["a", "a\nb", "", "s3"]


def with_first_row(folder: Path, **values: object) -> None:
    """Change columns of the first real training row of a release."""
    path = folder / "data" / "real" / "train-00000-of-00001.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0] |= values
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


@pytest.mark.parametrize("label", [None, -1])
def test_a_row_without_a_label_is_refused_with_its_place(full_release: Path, label: int | None) -> None:
    with_first_row(full_release, label=label)
    with pytest.raises(
        ReleaseRefused, match=rf"real/train row 0 of .* has no label \({label}\); label it or remove it"
    ):
        load_release(str(full_release), None, side_px=16)


def test_a_row_without_an_image_is_left_out_and_noted(full_release: Path) -> None:
    with_first_row(full_release, image=None, sample_id="photo-x")
    release = load_release(str(full_release), None, side_px=16)
    assert len(release.real_train) == 17
    assert release.notes == ("1 unreadable image was left out, the first is photo-x.",)


@pytest.mark.parametrize("other", ["Red", "RED "])
def test_classes_that_differ_only_in_spelling_are_refused(tmp_path: Path, other: str) -> None:
    folder = class_folder(tmp_path / "train", count=2)
    (folder / other).mkdir()
    (folder / other / "0.webp").write_bytes(encoded(COLOURS["red"], seed=1))
    with pytest.raises(
        ReleaseRefused, match=f"has the classes '{other.strip()}' and 'red', which differ only in spelling"
    ):
        load_release(str(folder), None, side_px=16)


def test_one_class_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set" / "red").mkdir(parents=True)
    for number in range(6):
        (tmp_path / "set" / "red" / f"{number}.webp").write_bytes(encoded(COLOURS["red"], seed=number))
    with pytest.raises(ReleaseRefused, match=r"has 1 class\(es\); a classifier needs at least 2"):
        load_release(str(tmp_path / "set"), None, side_px=16)
