"""The Publish page asks often what would be published; the library is read for it once for each state that it is in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from pipeline.errors import ReleaseRefused
from pipeline.services.releases.service import ReleaseService
from pipeline.settings import Settings
from pipeline.store import Library
from tests.toy_library import add_subject, decision, filled

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", create=True) as opened:
        yield opened


def release_service(library: Library) -> ReleaseService:
    return ReleaseService(library, Settings(library=library.path, runs=library.path / "runs"))


@pytest.fixture
def queries(library: Library) -> list[str]:
    """The SQL statements that are sent from now on."""
    sent: list[str] = []
    event.listen(library._database.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    return sent


def test_asking_again_reads_nothing(library: Library, queries: list[str]) -> None:
    library.review.record(decision(filled(library)[0]))
    releases = release_service(library)
    first = releases.preview("bolts")
    assert first.synthetic == {"train": {"bolt": 1}}
    queries.clear()
    assert releases.preview("bolts") == first
    assert "# nuts" in releases.preview("nuts").card
    assert queries == []


@pytest.mark.parametrize("change", ["decision", "photo", "exclusion"])
def test_a_change_is_seen_at_the_next_look(library: Library, change: str) -> None:
    ids = filled(library)
    library.review.record(decision(ids[0]))
    releases = release_service(library)
    releases.preview("bolts")
    if change == "decision":
        library.review.record(decision(ids[1]))
    elif change == "photo":
        add_subject(library, 77)
    else:
        library.photos.set_excluded(library.photos.list()[1].id, True)
    after = releases.preview("bolts")
    photos, samples = {"decision": (2, 2), "photo": (3, 1), "exclusion": (1, 1)}[change]
    assert (after.real, after.synthetic) == ({"train": {"bolt": photos}}, {"train": {"bolt": samples}})


def test_a_change_of_another_process_is_seen(library: Library) -> None:
    ids = filled(library)
    library.review.record(decision(ids[0]))
    releases = release_service(library)
    assert releases.preview("bolts").synthetic == {"train": {"bolt": 1}}
    code = (
        "import sys; from pathlib import Path; from pipeline.store import Library; "
        "from tests.toy_library import decision; "
        "Library.open(Path(sys.argv[1])).review.record(decision(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", code, str(library.path), ids[1]], cwd=ROOT, check=True)
    assert releases.preview("bolts").synthetic == {"train": {"bolt": 2}}


def test_a_refusal_is_not_kept(library: Library) -> None:
    releases = release_service(library)
    with pytest.raises(ReleaseRefused):
        releases.preview("bolts")
    add_subject(library, 1)
    assert releases.preview("bolts").real == {"train": {"bolt": 1}}


def test_a_release_that_is_just_being_written_or_goes_meanwhile_is_not_listed(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bolts", "gone", ".bolts.123-ab.part"):
        (tmp_path / "releases" / name).mkdir(parents=True)
        (tmp_path / "releases" / name / "README.md").write_text("# bolts")
    stat = Path.stat

    def going(path: Path, **options: bool) -> os.stat_result:
        if path.name == "gone":
            raise FileNotFoundError(path)
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", going)
    settings = Settings(library=library.path, releases=tmp_path / "releases")
    assert ReleaseService(library, settings).folders() == [tmp_path / "releases" / "bolts"]
