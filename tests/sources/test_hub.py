import io
from pathlib import Path

import datasets
import pytest
from PIL import Image

from pipeline.errors import SourceRefused, StudioError, UnknownName
from pipeline.sources import ColumnMap, SourceItem, open_source
from pipeline.sources.address import HubAddress, hub_address
from pipeline.sources.columns import chosen_columns
from pipeline.sources.hub_dataset import HubSource

PICTURE = datasets.Image()


def png(grey: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (2, 2), grey).save(file, "PNG")
    return file.getvalue()


def toy_rows(**columns: list[object]) -> datasets.IterableDataset:
    features = {
        "label": datasets.ClassLabel(names=["nut", "bolt"]),
        "image": datasets.Image(),
        "mask": datasets.Image(),
    }
    used = datasets.Features({name: features[name] for name in columns})
    return datasets.Dataset.from_dict(columns, features=used).to_iterable_dataset()


def test_rows_come_with_class_names_and_the_uploaded_bytes() -> None:
    rows = toy_rows(image=[{"bytes": png(1), "path": None}] * 2, label=[1, 0])
    columns = chosen_columns(rows.features)
    items = list(HubSource(rows, "ns/set", columns=columns).items())
    assert items == [SourceItem("bolt", "ns/set#0", png(1)), SourceItem("nut", "ns/set#1", png(1))]


def test_a_mask_column_is_used_and_a_row_without_picture_is_listed() -> None:
    picture = {"bytes": png(1), "path": None}
    rows = toy_rows(image=[picture, None], mask=[{"bytes": png(255), "path": None}, None], label=[0, 0])
    source = HubSource(rows, "ns/set", columns=chosen_columns(rows.features))
    assert [item.mask for item in source.items()] == [png(255)]
    assert [(refusal.name, refusal.reason) for refusal in source.refused] == [
        ("ns/set#1", "the row holds no image")
    ]


def test_guesses_are_said_in_the_note() -> None:
    rows = toy_rows(image=[{"bytes": png(1), "path": None}], label=[0])
    source = HubSource(rows, "ns/set", columns=chosen_columns(rows.features), note="split 'train'")
    assert source.note == "split 'train'; guessed: images from column 'image', labels from 'label'"


def test_columns_are_guessed_by_kind_before_name() -> None:
    features = {
        "mask": PICTURE,
        "front": PICTURE,
        "id": datasets.Value("string"),
        "fine": datasets.ClassLabel(names=["a"]),
    }
    columns = chosen_columns(features)
    assert (columns.image, columns.label, columns.mask) == ("front", "fine", "mask")


def test_a_text_column_serves_as_label_when_it_is_called_so() -> None:
    columns = chosen_columns({"img": PICTURE, "category": datasets.Value("string")})
    assert columns.label_of("old nut") == "old nut"


def test_named_columns_come_before_guesses_and_packed_files_serve_as_pictures() -> None:
    features = {
        "image": PICTURE,
        "photo": PICTURE,
        "cut": datasets.Value("binary"),
        "label": datasets.ClassLabel(names=["a"]),
        "kind": datasets.Value("string"),
    }
    columns = chosen_columns(features, ColumnMap(image="photo", label="kind", mask="cut"))
    assert (columns.image, columns.label, columns.mask, columns.names) == ("photo", "kind", "cut", ())
    assert columns.note == "images from column 'photo', labels from 'kind', masks from 'cut'"


@pytest.mark.parametrize(
    ("features", "named", "message"),
    [
        ({"label": datasets.ClassLabel(names=["a"])}, ColumnMap(), "no column holds images"),
        ({"image": PICTURE}, ColumnMap(), "no column looks like a label; name it with .label=COLUMN"),
        (
            {"image": PICTURE, "label": datasets.Value("string")},
            ColumnMap(image="label"),
            "column 'label' holds no images",
        ),
    ],
)
def test_what_cannot_be_told_is_refused(features: dict[str, object], named: ColumnMap, message: str) -> None:
    with pytest.raises(SourceRefused, match=message):
        chosen_columns(features, named)


@pytest.mark.parametrize("part", ["image", "label", "mask"])
def test_a_misspelt_column_is_named_with_the_nearest_one(part: str) -> None:
    features = {"image": PICTURE, "label": datasets.ClassLabel(names=["a"]), "mask": PICTURE}
    with pytest.raises(UnknownName, match=f"there is no column '{part}s'; did you mean '{part}'"):
        chosen_columns(features, ColumnMap(**{part: f"{part}s"}))


def test_a_row_without_a_class_is_listed() -> None:
    picture = {"bytes": png(1), "path": None}
    rows = toy_rows(image=[picture] * 3, label=[0, -1, None])
    source = HubSource(rows, "ns/set", columns=chosen_columns(rows.features))
    assert [item.label for item in source.items()] == ["nut"]
    assert [(refusal.name, refusal.reason) for refusal in source.refused] == [
        ("ns/set#1", "the row has no label"),
        ("ns/set#2", "the row has no label"),
    ]


def test_a_row_cannot_name_a_file_of_this_machine(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(png(7))
    rows = toy_rows(
        image=[{"bytes": None, "path": str(secret)}, {"bytes": png(1), "path": None}], label=[0, 0]
    )
    source = HubSource(rows, "ns/set", columns=chosen_columns(rows.features))
    assert [item.data for item in source.items()] == [png(1)]
    assert [refusal.reason for refusal in source.refused] == [
        f"the row names a file outside the Hub ({secret})"
    ]


def test_an_address_names_a_data_set_its_version_and_a_part_of_it() -> None:
    assert hub_address("hf://datasets/ns/set") == HubAddress(repository="ns/set")
    assert hub_address("hf://datasets/mnist/?split=test&config=plain") == HubAddress(
        repository="mnist", config="plain", split="test"
    )
    assert hub_address("hf://datasets/ns/set@v2?image=photo&label=kind&mask=cut") == HubAddress(
        repository="ns/set", revision="v2", columns=ColumnMap(image="photo", label="kind", mask="cut")
    )


@pytest.mark.parametrize(
    ("address", "revision"),
    [
        ("hf://datasets/ns/set@v2", "v2"),
        ("hf://datasets/ns/set?revision=v2", "v2"),
        ("hf://datasets/ns/set@v2?revision=v2", "v2"),
        ("hf://datasets/ns/set@refs/pr/3", "refs/pr/3"),
        ("hf://datasets/ns/set@my%2Fbranch", "my/branch"),
        ("hf://datasets/ns/set?revision=my/branch", "my/branch"),
        ("hf://datasets/ns/set", None),
    ],
)
def test_a_revision_is_named_in_the_path_or_in_the_query(address: str, revision: str | None) -> None:
    assert hub_address(address).revision == revision


def test_what_was_read_is_named_by_its_commit_and_that_address_reads_it_again() -> None:
    address = hub_address("hf://datasets/ns/set@v2?split=test&image=photo")
    assert address.at("c0ffee") == "hf://datasets/ns/set@c0ffee?split=test"
    assert hub_address(address.at("c0ffee")) == HubAddress(
        repository="ns/set", revision="c0ffee", split="test"
    )
    assert (address.name, address.whole, hub_address("hf://datasets/ns/set@v2").whole) == (
        "ns/set@v2",
        False,
        True,
    )


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("hf://datasets/", "is not the address of a dataset"),
        ("hf://datasets/a/b/c", "is not the address of a dataset"),
        ("hf://datasets/a/b@v1/data/x.parquet", "names a file or a folder"),
        ("hf://datasets/a/b@v1?revision=v2", "names two revisions, 'v1' and 'v2'"),
        (
            "hf://datasets/a/b?splt=train",
            "there is no query key of a dataset address 'splt'; did you mean 'split'",
        ),
    ],
)
def test_a_wrong_address_is_refused(address: str, message: str) -> None:
    with pytest.raises(StudioError, match=message):
        hub_address(address)


def test_without_the_hub_the_refusal_is_one_sentence() -> None:
    with pytest.raises(SourceRefused) as refusal:
        open_source("hf://datasets/ns/set")
    assert str(refusal.value) == "HF_HUB_OFFLINE is set; unset it to import ns/set"


def test_columns_are_named_for_data_sets_only(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="has no columns"):
        open_source(str(tmp_path), ColumnMap(label="kind"))
