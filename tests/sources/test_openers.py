"""The table of sources: every kind has a row, and help and errors name it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.errors import SourceRefused
from pipeline.sources import Refusal, SourceItem, open_source
from pipeline.sources import openers as openers_module
from pipeline.sources.columns import ColumnMap
from pipeline.sources.openers import OPENERS, Opener


class OneBolt:
    """A source of one image."""

    refused: list[Refusal] = []  # noqa: RUF012
    note = ""
    count: int | None = 1
    address: str | None = None

    def items(self) -> Iterator[SourceItem]:
        yield SourceItem("bolt", "bolt/1.png", b"data")


def test_help_and_errors_name_every_kind_of_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["import", "--help"])
    text = "".join(capsys.readouterr().out.split())  # argparse breaks long words
    assert all("".join(opener.description.split()) in text for opener in OPENERS)
    for source in (str(tmp_path / "nowhere"), "ftp://host/photos", __file__):
        with pytest.raises(SourceRefused) as refused:
            open_source(source)
        assert all(opener.name in str(refused.value) for opener in OPENERS)


def test_every_module_with_a_source_is_opened_by_a_row() -> None:
    folder = Path(openers_module.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if "def items(" in path.read_text(encoding="utf-8")}
    modules.discard("item")
    imported = {getattr(value, "__module__", "") for value in vars(openers_module).values()}
    assert {f"pipeline.sources.{name}" for name in modules} <= imported
    assert len(OPENERS) == len(modules)


def test_a_kind_that_is_added_to_the_table_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    bolt = Opener(
        name="'bolt'",
        description="'bolt' for a bolt",
        accepts=lambda source: source == "bolt",
        open=lambda _source, _columns, _token: OneBolt(),
    )
    monkeypatch.setattr(openers_module, "OPENERS", (*OPENERS, bolt))
    opened = open_source("bolt")
    assert isinstance(opened, OneBolt)
    assert list(opened.items()) == [SourceItem("bolt", "bolt/1.png", b"data")]
    with pytest.raises(SourceRefused, match="bolt has no columns; name columns for datasets on the Hub only"):
        open_source("bolt", ColumnMap(image="photo"))
