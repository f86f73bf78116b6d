"""A dataset on the Hugging Face Hub, streamed, at one commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypedDict, cast

from pipeline.errors import SourceRefused, StudioError, UnknownName
from pipeline.sources.address import PREFIX, HubAddress, Token
from pipeline.sources.columns import ColumnMap, Columns, chosen_columns
from pipeline.sources.hub_read_errors import hub_errors_explained
from pipeline.sources.item import Refusal, SourceItem

if TYPE_CHECKING:
    from datasets import IterableDataset

_TIMEOUT_S = 60.0


class _EncodedImage(TypedDict, total=False):
    """An image as `datasets` stores it: its bytes, or the path of its file."""

    bytes: bytes | None
    path: str | None


Row = Mapping[str, object]


class HubSource:
    """Rows of a streamed dataset with images as they were uploaded.

    Args:
        rows: with known features.
        name: what the dataset is called in item names.
        note: how it was opened, for the person.
        address: of exactly what is read.
        token: for images in files of their own.
    """

    def __init__(
        self,
        rows: IterableDataset,
        name: str,
        *,
        columns: Columns,
        note: str = "",
        address: str | None = None,
        token: Token = None,
    ) -> None:
        self._token = token
        self._rows, self._name, self._columns = rows, name, columns
        self.refused: list[Refusal] = []
        self.note = "; ".join(text for text in (note, columns.note) if text)
        self.count: int | None = None
        self.address = address

    def items(self) -> Iterator[SourceItem]:
        """Yield every row in the order of the dataset."""
        rows = enumerate(_encoded(self._rows, self._columns))
        while True:
            try:
                number, row = next(rows)
            except StopIteration:
                return
            except Exception as error:
                raise self._interrupted(error) from error
            name = f"{self._name}#{number}"
            try:
                item = self._item(row, name)
            except (OSError, ValueError) as error:
                self.refused.append(Refusal(name, _first_line(error)))
            except Exception as error:  # a network error: the other rows would fail too
                raise self._interrupted(error) from error
            else:
                yield item

    def _interrupted(self, error: Exception) -> SourceRefused:
        return SourceRefused(
            f"reading {self._name} was interrupted: {_first_line(error)}; "
            "what was read is kept, run the same import again to resume"
        )

    def _item(self, row: Row, name: str) -> SourceItem:
        """Return a row's image with label and mask.

        Raises:
            ValueError, OSError: the row has none; the message says why.
        """
        columns = self._columns
        label = columns.label_of(row[columns.label])
        if label is None:
            raise ValueError("the row has no label")
        data = self._file(row[columns.image], name)
        if not data:
            raise ValueError("the row holds no image")
        mask = self._file(row[columns.mask], name) if columns.mask else None
        return SourceItem(label, name, data, mask)

    def _file(self, value: object, name: str) -> bytes | None:
        """Return an encoded image: from the row, or from a file on the Hub that the row names; no other is opened."""
        if value is None:
            return None
        image = cast("_EncodedImage", value)
        if image.get("bytes") is not None:
            return bytes(image["bytes"] or b"")
        path = image.get("path")
        if not path:
            return None
        if not path.split("::")[-1].startswith(PREFIX):
            raise ValueError(f"the row names a file outside the Hub ({path[:100]})")
        import fsspec

        try:
            with fsspec.open(path, "rb", hf={"token": self._token}) as file:
                return bytes(file.read())
        except OSError as error:
            raise OSError(f"cannot be read: {_first_line(error)}") from error


def resolved_commit(address: HubAddress, token: Token) -> str:
    """Return the commit that an address refers to now.

    Raises:
        SourceRefused: no such dataset, no access to it, or the Hub cannot be reached.
        UnknownName: it has no such revision.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RevisionNotFoundError

    api = HfApi(token=token)
    with hub_errors_explained(address.repository):
        try:
            info = api.dataset_info(address.repository, revision=address.revision, timeout=_TIMEOUT_S)
        except RevisionNotFoundError:
            refs = api.list_repo_refs(address.repository, repo_type="dataset")
            known = [ref.name for ref in (*refs.tags, *refs.branches)]
            raise UnknownName("revision", str(address.revision), known) from None
    return str(info.sha)


def open_hub_dataset(address: HubAddress, commit: str, columns: ColumnMap, token: Token) -> HubSource:
    """Open a dataset as it was at a commit.

    Raises:
        SourceRefused: the dataset cannot be read, or its columns cannot be guessed.
        UnknownName: it has no such configuration, split or column.
    """
    from datasets import load_dataset

    try:
        with hub_errors_explained(address.repository):
            splits = load_dataset(
                address.repository, name=address.config, revision=commit, streaming=True, token=token
            )
            used, note = _split_of(splits, address.split)
            rows = splits[used]
            features = rows.features or _resolved_features(rows)
    except StudioError:
        raise
    except Exception as error:  # of dozens of types; the cause is kept
        _refuse_config(address, commit, token)
        raise SourceRefused(f"{address.name} cannot be read: {_first_line(error)}") from error
    chosen = chosen_columns(features, columns.over(address.columns))
    note = f"version {commit[:12]}; {note}"
    return HubSource(
        rows, address.repository, columns=chosen, note=note, address=address.at(commit), token=token
    )


def _refuse_config(address: HubAddress, commit: str, token: Token) -> None:
    """Refuse a wrong or missing configuration, if that is what is wrong."""
    from datasets import get_dataset_config_names

    try:
        known = get_dataset_config_names(address.repository, revision=commit, token=token)
    except Exception:  # then something else is wrong, and its own message says what
        return
    if address.config is None and len(known) > 1:
        raise SourceRefused(
            f"{address.name} has the configurations {', '.join(known)}; choose one with ?config=NAME"
        )
    if address.config is not None and address.config not in known:
        raise UnknownName("configuration", address.config, known)


def _split_of(splits: Iterable[str], asked: str | None) -> tuple[str, str]:
    names = list(splits)
    if asked is not None:
        if asked not in names:
            raise UnknownName("split", asked, names)
        return asked, f"split '{asked}'"
    used = "train" if "train" in names else names[0]
    rest = [name for name in names if name != used]
    return used, f"split '{used}'" + (
        f" (also available: {', '.join(rest)}; add ?split=NAME)" if rest else ""
    )


def _resolved_features(rows: IterableDataset) -> Mapping[str, object]:
    resolved = rows._resolve_features()
    return resolved.features or {}


def _encoded(rows: IterableDataset, columns: Columns) -> IterableDataset:
    """Return the same rows with images as {"bytes", "path"} instead of decoded."""
    from datasets import Image

    for name in (columns.image, columns.mask):
        if name is not None:
            rows = rows.cast_column(name, Image(decode=False))
    return rows


def _first_line(error: BaseException) -> str:
    """Return the first line of an error message, without the library's further advice."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
