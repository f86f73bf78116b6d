"""A data set on the Hugging Face Hub, streamed: hf://datasets/ns/name, with ?split= and ?config=."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline.errors import SourceRefused
from pipeline.sources.columns import Columns, chosen_columns
from pipeline.sources.item import Refusal, SourceItem

PREFIX = "hf://datasets/"


class HubSource:
    """Rows of a streamed data set, pictures as they were uploaded.

    Args:
        rows: a `datasets` iterable data set whose features are known.
        name: what the data set is called in item names.
        note: what the person should know about how it was opened.
    """

    def __init__(self, rows: Any, name: str, *, columns: Columns, note: str = "") -> None:
        self._rows, self._name, self._columns = rows, name, columns
        self.refused: list[Refusal] = []
        self.note = "; ".join(part for part in (note, columns.note) if part)
        self.count: int | None = None

    def items(self) -> Iterator[SourceItem]:
        """Every row, in the order of the data set."""
        columns = self._columns
        rows = enumerate(_encoded(self._rows, columns))
        while True:
            try:
                number, row = next(rows)
            except StopIteration:
                return
            except Exception as error:
                raise SourceRefused(f"{self._name} broke off while it was read: {_plain(error)}") from error
            name = f"{self._name}#{number}"
            try:
                mask = _file_bytes(row[columns.mask]) if columns.mask else None
                item = SourceItem(
                    columns.label_of(row[columns.label]), name, _file_bytes(row[columns.image]) or b"", mask
                )
            except OSError as error:
                self.refused.append(Refusal(name, f"cannot be read: {_plain(error)}"))
                continue
            if item.data:
                yield item
            else:
                self.refused.append(Refusal(name, "the row holds no picture"))


def opened_hub(source: str, *, image_column: str | None, label_column: str | None) -> HubSource:
    """A data set by its hf:// address.

    Raises:
        SourceRefused: the address is wrong, the data set cannot be reached, or its columns cannot be told.
    """
    repository, config, split = hub_address(source)
    from datasets import load_dataset

    try:
        splits = load_dataset(repository, name=config, streaming=True)
        used, note = _split_of(splits, split)
        rows = splits[used]
        features = rows.features or _seen_features(rows)
    except SourceRefused:
        raise
    except (
        Exception
    ) as error:  # the client raises dozens of types; the person needs the sentence, we keep the cause
        raise SourceRefused(
            f"{source} cannot be opened: {_plain(error)}; "
            "check the name, the network and, for private sets, the token"
        ) from error
    columns = chosen_columns(features, image=image_column, label=label_column)
    return HubSource(rows, repository, columns=columns, note=note)


def hub_address(source: str) -> tuple[str, str | None, str | None]:
    """(repository "ns/name", config, split) of an address; config and split may be None.

    Raises:
        SourceRefused: it is no such address.
    """
    address = urlsplit(source.removeprefix(PREFIX))
    repository = address.path.strip("/")
    if not source.startswith(PREFIX) or repository.count("/") > 1 or not repository:
        raise SourceRefused(f"'{source}' is no data set address; it looks like hf://datasets/owner/name")
    asked = parse_qs(address.query)
    unknown = sorted(set(asked) - {"config", "split"})
    if unknown:
        raise SourceRefused(f"'{source}' asks for '{unknown[0]}'; only split and config can be given")
    return repository, asked.get("config", [None])[0], asked.get("split", [None])[0]


def _split_of(splits: Mapping[str, Any], asked: str | None) -> tuple[str, str]:
    names = list(splits)
    if asked is not None:
        if asked not in names:
            raise SourceRefused(f"there is no split '{asked}'; the data set has {', '.join(names)}")
        return asked, f"split '{asked}'"
    used = "train" if "train" in names else names[0]
    rest = [name for name in names if name != used]
    return used, f"split '{used}'" + (f" (also there: {', '.join(rest)}; add ?split=NAME)" if rest else "")


def _seen_features(rows: Any) -> Mapping[str, Any]:
    resolved = rows._resolve_features()
    return resolved.features or {}


def _encoded(rows: Any, columns: Columns) -> Any:
    """The same rows with pictures as {"bytes", "path"} instead of decoded."""
    from datasets import Image

    for name in (columns.image, columns.mask):
        if name is not None:
            rows = rows.cast_column(name, Image(decode=False))
    return rows


def _file_bytes(value: Mapping[str, Any] | None) -> bytes | None:
    if value is None:
        return None
    if value.get("bytes") is not None:
        return bytes(value["bytes"])
    if not value.get("path"):
        return None
    import fsspec

    with fsspec.open(value["path"], "rb") as file:
        return bytes(file.read())


def _plain(error: BaseException) -> str:
    """The first line of an error's text, without the library's further advice."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
