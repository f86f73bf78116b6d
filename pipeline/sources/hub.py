"""A data set on the Hugging Face Hub, streamed, at one commit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import SourceRefused, StudioError, UnknownName
from pipeline.sources.address import PREFIX, HubAddress, Token
from pipeline.sources.columns import ColumnMap, Columns, chosen_columns
from pipeline.sources.hub_faults import plain_faults
from pipeline.sources.item import Refusal, SourceItem


class HubSource:
    """Rows of a streamed data set, images as they were uploaded.

    Args:
        rows: a `datasets` iterable data set whose features are known.
        name: what the data set is called in item names.
        note: what the person should know about how it was opened.
        address: of exactly what is read.
        token: for pictures that lie in files of their own.
    """

    def __init__(
        self,
        rows: Any,
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
        self.note = "; ".join(part for part in (note, columns.note) if part)
        self.count: int | None = None
        self.address = address

    def items(self) -> Iterator[SourceItem]:
        """Every row, in the order of the data set."""
        rows = enumerate(_encoded(self._rows, self._columns))
        while True:
            try:
                number, row = next(rows)
            except StopIteration:
                return
            except Exception as error:
                raise self._broken_off(error) from error
            name = f"{self._name}#{number}"
            try:
                item = self._item(row, name)
            except (OSError, ValueError) as error:
                self.refused.append(Refusal(name, _plain(error)))
            except Exception as error:  # the network fell: the other rows would fare no better
                raise self._broken_off(error) from error
            else:
                yield item

    def _broken_off(self, error: Exception) -> SourceRefused:
        return SourceRefused(
            f"{self._name} broke off while it was read: {_plain(error)}; "
            "what was read is kept, the same import goes on"
        )

    def _item(self, row: Mapping[str, Any], name: str) -> SourceItem:
        """A row's image with label and mask. ValueError or OSError: why there is none."""
        columns = self._columns
        label, picture = columns.label_of(row[columns.label]), row[columns.image]
        if label is None:
            raise ValueError("the row has no label")
        data = self._file(picture, name)
        if not data:
            raise ValueError("the row holds no picture")
        mask = self._file(row[columns.mask], name) if columns.mask else None
        return SourceItem(label, name, data, mask)

    def _file(self, value: Mapping[str, Any] | None, name: str) -> bytes | None:
        """An encoded image: in the row, or in a file of the Hub that the row names; no other is opened."""
        if value is None:
            return None
        if value.get("bytes") is not None:
            return bytes(value["bytes"])
        path = value.get("path")
        if not path:
            return None
        if not path.split("::")[-1].startswith(PREFIX):
            raise ValueError(f"the row names a file that lies elsewhere ({path[:100]})")
        import fsspec

        try:
            with fsspec.open(path, "rb", hf={"token": self._token}) as file:
                return bytes(file.read())
        except OSError as error:
            raise OSError(f"cannot be read: {_plain(error)}") from error


def resolved_commit(address: HubAddress, token: Token) -> str:
    """The commit that an address stands for now.

    Raises:
        SourceRefused: no such data set, no access to it, or the Hub cannot be reached.
        UnknownName: it has no such revision.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RevisionNotFoundError

    api = HfApi(token=token)
    with plain_faults(address.repository):
        try:
            found = api.dataset_info(address.repository, revision=address.revision, timeout=_PATIENCE_S)
        except RevisionNotFoundError:
            refs = api.list_repo_refs(address.repository, repo_type="dataset")
            known = [ref.name for ref in (*refs.tags, *refs.branches)]
            raise UnknownName("revision", str(address.revision), known) from None
    return str(found.sha)


_PATIENCE_S = 60.0


def opened_hub(address: HubAddress, commit: str, columns: ColumnMap, token: Token) -> HubSource:
    """A data set by its address, as it was at a commit.

    Raises:
        SourceRefused: the data set cannot be read, or its columns cannot be told.
        UnknownName: it has no such configuration, split or column.
    """
    from datasets import load_dataset

    try:
        with plain_faults(address.repository):
            splits = load_dataset(
                address.repository, name=address.config, revision=commit, streaming=True, token=token
            )
            used, note = _split_of(splits, address.split)
            rows = splits[used]
            features = rows.features or _seen_features(rows)
    except StudioError:
        raise
    except Exception as error:  # of dozens of types; the person needs the sentence, we keep the cause
        _refuse_config(address, commit, token)
        raise SourceRefused(f"{address.name} cannot be read: {_plain(error)}") from error
    chosen = chosen_columns(features, columns.over(address.columns))
    note = f"version {commit[:12]}; {note}"
    return HubSource(
        rows, address.repository, columns=chosen, note=note, address=address.at(commit), token=token
    )


def _refuse_config(address: HubAddress, commit: str, token: Token) -> None:
    """Refuse a wrong or missing configuration, if that is what was wrong."""
    from datasets import get_dataset_config_names

    try:
        known = get_dataset_config_names(address.repository, revision=commit, token=token)
    except Exception:  # then something else is wrong, and its own sentence says what
        return
    if address.config is None and len(known) > 1:
        raise SourceRefused(
            f"{address.name} has the configurations {', '.join(known)}; choose one with ?config=NAME"
        )
    if address.config is not None and address.config not in known:
        raise UnknownName("configuration", address.config, known)


def _split_of(splits: Mapping[str, Any], asked: str | None) -> tuple[str, str]:
    names = list(splits)
    if asked is not None:
        if asked not in names:
            raise UnknownName("split", asked, names)
        return asked, f"split '{asked}'"
    used = "train" if "train" in names else names[0]
    rest = [name for name in names if name != used]
    return used, f"split '{used}'" + (f" (also there: {', '.join(rest)}; add ?split=NAME)" if rest else "")


def _seen_features(rows: Any) -> Mapping[str, Any]:
    resolved = rows._resolve_features()
    return resolved.features or {}


def _encoded(rows: Any, columns: Columns) -> Any:
    """The same rows with images as {"bytes", "path"} instead of decoded."""
    from datasets import Image

    for name in (columns.image, columns.mask):
        if name is not None:
            rows = rows.cast_column(name, Image(decode=False))
    return rows


def _plain(error: BaseException) -> str:
    """The first line of an error's text, without the library's further advice."""
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
