"""The state of a Space in a data set: fetched at the start, sent in the background, nothing sent twice."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pipeline.errors import ReleaseRefused
from pipeline.publish.state import DatasetState
from pipeline.store import Library, ReplicaFolder
from tests.hub.server import LoopbackHub
from tests.toy_library import decision, die, filled, replica_of

NAME = "ann/state"
SELDOM = 600.0  # minutes: the test says when


def opened(hub: LoopbackHub, folder: Path, token: str) -> tuple[DatasetState, Library]:
    """A library on an empty disk, kept in the data set."""
    state = DatasetState(NAME, folder / "state", token=token, endpoint=hub.address, every_minutes=SELDOM)
    library = Library.open(folder / "library", create=True)
    library.replicate_to(ReplicaFolder(folder / "state", state.guard), every_s=1e6)
    return state, library


def test_a_lost_machine_comes_back_from_the_data_set_and_nothing_is_sent_twice(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    token = hub.account("ann")
    state, library = opened(hub, tmp_path, token)
    first, second, *_ = filled(library)
    library.review.record(decision(first, client_id="1"))
    replica_of(library).copy()
    state.send()
    library.review.record(decision(second, client_id="2"))  # in the minute that is lost
    die(library)
    state._scheduler.stop()
    shutil.rmtree(tmp_path / "library")
    shutil.rmtree(tmp_path / "state")
    sent = hub.files(NAME)
    assert hub.repository(NAME).private
    assert not [path for path in sent if path.startswith(("tmp/", ".cache"))]

    hub.forget()
    state, library = opened(hub, tmp_path, token)
    assert [decision.client_id for decision in library.review.decisions()] == ["1"]
    assert library.verify() == []
    head = hub.head(NAME)
    state.send()
    assert hub.head(NAME) == head
    library.review.record(decision(second, client_id="3"))
    library.close()
    state.close()
    assert sorted(set(hub.files(NAME)) - set(sent)) == [
        path.name for path in sorted((tmp_path / "state").glob("events-*"))[-1:]
    ]
    assert {path: data for path, data in hub.files(NAME).items() if path in sent} == sent
    assert len(hub.seen("POST .*/commit/")) == 1


def test_a_public_dataset_is_no_place_for_a_state(hub: LoopbackHub, tmp_path: Path) -> None:
    token = hub.account("ann")
    hub.create(NAME)
    with pytest.raises(
        ReleaseRefused, match=f"{NAME} is public, but the state is private; make the dataset private"
    ):
        opened(hub, tmp_path, token)
    assert not hub.seen("POST .*/commit/")


def test_a_state_that_the_token_may_not_write_is_refused_in_one_sentence(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    token = hub.account("ann", "read")
    with pytest.raises(
        ReleaseRefused, match=r"the token may not write to ann/state .*; set the Space's secret HF_TOKEN"
    ):
        opened(hub, tmp_path, token)
    with pytest.raises(ReleaseRefused, match="the Hub does not know the token") as refused:
        opened(hub, tmp_path, "hf_wrong")
    assert "hf_wrong" not in str(refused.value)


def test_the_token_is_written_nowhere(
    hub: LoopbackHub, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    token = hub.account("ann")
    state, library = opened(hub, tmp_path / "disk", token)
    filled(library)
    hub.fail("POST .*/commit/", 500)
    library.close()
    with pytest.raises(ReleaseRefused, match="status 500"):
        state.close()
    output = capfd.readouterr()
    assert token not in output.out + output.err
    for folder, _, names in os.walk(tmp_path / "disk"):
        for name in names:
            assert token.encode() not in (Path(folder) / name).read_bytes()
