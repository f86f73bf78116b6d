"""A studio whose machine dies: started again elsewhere with the same state, it is the same studio."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InvalidRequest, LibraryUnusable, ReleaseRefused
from pipeline.publish.state import take_token
from pipeline.services.opening import sentence_of
from pipeline.settings import Settings
from pipeline.store import Restored, SampleFilter, SampleOrder
from pipeline.studio import Studio
from tests.toy_library import die, filled

ROOT = Path(__file__).parents[2]
_WORK = """
import sys
from dataclasses import asdict
from pathlib import Path
from pipeline.domain.review import Verdict
from pipeline.settings import Settings
from pipeline.studio import Studio
from tests.toy_library import die, filled

folder = Path(sys.argv[1])
studio = Studio(Settings(library=folder / "library", state=str(folder / "state"), starter=False, overlap=2))
with studio.library.work_lock("generate"):
    ids = filled(studio.library, samples=6)
studio.library.replica.copy()
studio.review.decisions.decide(ids[0], Verdict.ACCEPT, reviewer="ann", client_id="1")
studio.review.decisions.decide(ids[0], Verdict.REJECT, reviewer="ben", reason="seam", client_id="2")
studio.review.decisions.decide(ids[0], Verdict.REJECT, reviewer="me", reason="seam", client_id="3")
studio.review.decisions.decide(ids[1], Verdict.FLAG, reviewer="ann", comment="why?", client_id="4")
studio.review.decisions.decide_all({"state": "pending"}, Verdict.ACCEPT, reviewer="ann", batch="b")
studio.review.decisions.undo("ann")
studio.review.queue.save("mine", {"state": "pending"}, "ann")
print(studio.library.counts().samples, flush=True)
sys.stdin.read()
"""


def settings(folder: Path) -> Settings:
    return Settings(library=folder / "library", state=str(folder / "state"), starter=False, overlap=2)


def seen(studio: Studio) -> tuple[object, ...]:
    """States, decisions and pixels."""
    rows = studio.library.samples.list(SampleFilter(order=SampleOrder.PLAN), limit=100)
    pictures = {row.image_id: studio.library.images.read(row.image_id or "").tobytes() for row in rows}
    votes = [studio.library.review.votes(row.id) for row in rows]
    return (
        rows,
        studio.library.photos.list(),
        list(studio.library.review.decision_rows()),
        pictures,
        votes,
        studio.library.queue.saved(),
    )


def test_a_killed_studio_is_the_same_on_another_disk(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _WORK, str(tmp_path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    counted = child.stdout.readline().strip()
    child.kill()
    assert child.wait() == -signal.SIGKILL
    child.stdin.close()
    child.stdout.close()
    with Studio(replace(settings(tmp_path), state="")) as studio:  # what the disk held, before it is lost
        before = seen(studio)
        assert str(studio.library.counts().samples) == counted
    shutil.rmtree(tmp_path / "library")
    with Studio(settings(tmp_path)) as studio:
        assert (
            studio.restored
            == "2 photos, 6 synthetic images and 10 decisions were restored from the state folder"
        )
        assert seen(studio) == before
        assert str(studio.library.counts().samples) == counted
        assert studio.library.verify() == []
    with Studio(settings(tmp_path)) as studio:
        assert studio.restored == ""
        assert seen(studio) == before


def test_masks_and_exclusions_of_people_are_kept_at_once(tmp_path: Path) -> None:
    studio = Studio(settings(tmp_path))
    filled(studio.library)
    first, second = studio.library.photos.list()
    mask = np.zeros((24, 24), np.uint8)
    mask[4:20, 4:20] = 255
    mended = studio.photos.save_mask(first.id, mask)
    studio.library.photos.set_excluded(second.id, True)
    kept = sorted(path.stem for path in (tmp_path / "state").rglob("*.webp"))
    assert {mended.cutout_id, mended.mask_id, second.image_id} <= set(kept)
    shutil.rmtree(tmp_path / "library")  # not closed: nothing more is written
    with Studio(settings(tmp_path)) as again:
        assert [photo.excluded for photo in again.library.photos.list()] == [False, True]
        assert again.library.photos.get(first.id) == mended
        assert (again.photos.mask(first.id) == studio_mask(tmp_path, mended.mask_id or "")).all()
    die(studio.library)
    studio.close()


def studio_mask(folder: Path, mask_id: str) -> np.ndarray:
    """The mask's file in the state folder, decoded."""
    from pipeline.domain.images import decode

    return decode((folder / "state" / "pictures" / mask_id[:2] / f"{mask_id}.webp").read_bytes())


def test_a_state_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(LibraryUnusable, match=r"the state folder .*state cannot be used"):
        Studio(settings(tmp_path))
    with pytest.raises(InvalidRequest, match="names no dataset on the Hub"):
        Studio(replace(settings(tmp_path), state="hf://models/ann/x"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(ReleaseRefused, match="set the Space's secret HF_TOKEN to a token that may write"):
        Studio(replace(settings(tmp_path), state="hf://datasets/ann/state"))


def test_the_token_of_the_state_is_found_by_nobody_else() -> None:
    environment = {"HF_TOKEN": "hf_secret ", "HOME": "/"}
    assert take_token(environment) == "hf_secret"
    assert environment == {"HOME": "/"}


def test_one_sentence_tells_what_was_restored() -> None:
    assert sentence_of(Restored()) == ""
    sentence = sentence_of(
        Restored(photos=2, lost=("a", "b"), left_out=1, damaged=("f:1", "f:2", "f:3", "f:4"))
    )
    assert sentence == (
        "2 photos, 0 synthetic images and 0 decisions were restored from the state folder; 2 reviewed images were "
        "lost; their decisions are kept and apply again once their recipe is run again; 1 decisions concern unknown "
        "images; they stay in the state folder; 4 damaged lines were skipped (f:1, f:2, f:3)"
    )
