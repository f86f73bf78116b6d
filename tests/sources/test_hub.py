import io

import datasets
import pytest
from PIL import Image

from pipeline.errors import SourceRefused
from pipeline.sources import SourceItem
from pipeline.sources.columns import chosen_columns
from pipeline.sources.hub import HubSource, hub_address

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
    columns = chosen_columns(rows.features, image=None, label=None)
    items = list(HubSource(rows, "ns/set", columns=columns).items())
    assert items == [SourceItem("bolt", "ns/set#0", png(1)), SourceItem("nut", "ns/set#1", png(1))]


def test_a_mask_column_is_used_and_a_row_without_picture_is_listed() -> None:
    picture = {"bytes": png(1), "path": None}
    rows = toy_rows(image=[picture, None], mask=[{"bytes": png(255), "path": None}, None], label=[0, 0])
    source = HubSource(rows, "ns/set", columns=chosen_columns(rows.features, image=None, label=None))
    assert [item.mask for item in source.items()] == [png(255)]
    assert [(refusal.name, refusal.reason) for refusal in source.refused] == [
        ("ns/set#1", "the row holds no picture")
    ]


def test_guesses_are_said_in_the_note() -> None:
    rows = toy_rows(image=[{"bytes": png(1), "path": None}], label=[0])
    source = HubSource(
        rows, "ns/set", columns=chosen_columns(rows.features, image=None, label=None), note="split 'train'"
    )
    assert source.note == "split 'train'; guessed: pictures from column 'image', labels from 'label'"


def test_columns_are_guessed_by_kind_before_name() -> None:
    features = {
        "mask": PICTURE,
        "front": PICTURE,
        "id": datasets.Value("string"),
        "fine": datasets.ClassLabel(names=["a"]),
    }
    columns = chosen_columns(features, image=None, label=None)
    assert (columns.image, columns.label, columns.mask) == ("front", "fine", "mask")


def test_a_text_column_serves_as_label_when_it_is_called_so() -> None:
    columns = chosen_columns({"img": PICTURE, "category": datasets.Value("string")}, image=None, label=None)
    assert columns.label_of("old nut") == "old nut"


@pytest.mark.parametrize(
    ("features", "image", "label", "said"),
    [
        ({"label": datasets.ClassLabel(names=["a"])}, None, None, "no column holds pictures"),
        ({"image": PICTURE}, None, None, "no column looks like a label"),
        ({"image": PICTURE}, "img", None, "there is no column 'img'"),
    ],
)
def test_what_cannot_be_told_is_refused(
    features: dict[str, object], image: str | None, label: str | None, said: str
) -> None:
    with pytest.raises(SourceRefused, match=said):
        chosen_columns(features, image=image, label=label)


def test_an_address_names_repository_config_and_split() -> None:
    assert hub_address("hf://datasets/ns/set") == ("ns/set", None, None)
    assert hub_address("hf://datasets/mnist/?split=test&config=plain") == ("mnist", "plain", "test")


@pytest.mark.parametrize("address", ["hf://datasets/", "hf://datasets/a/b/c", "hf://datasets/a/b?rows=3"])
def test_a_wrong_address_is_refused(address: str) -> None:
    with pytest.raises(SourceRefused):
        hub_address(address)


def test_a_set_that_cannot_be_reached_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("Couldn't reach 'ns/set' on the Hub\nwith much more text")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    from pipeline.sources import open_source

    with pytest.raises(
        SourceRefused, match=r"cannot be opened: Couldn't reach 'ns/set' on the Hub; check"
    ) as refusal:
        open_source("hf://datasets/ns/set")
    assert "\n" not in str(refusal.value)
