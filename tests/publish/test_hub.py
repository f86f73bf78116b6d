"""Pushing with the real client to a small server on this machine that speaks as much of the Hub as one push needs."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from huggingface_hub import constants

from pipeline.errors import InvalidRequest, ReleaseRefused
from pipeline.library import Library
from pipeline.publish import hub_name, push, write_release
from tests.toy_library import add_subject

_ROOT = Path(__file__).parents[2]
_OID = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class LoopbackHub:
    """One dataset repository in memory, and what was asked of it."""

    address: str = ""
    role: str = "write"
    refuse: dict[str, int] = field(default_factory=dict)  # part of a path → status
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    private: bool | None = None
    commits: int = 0

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        self.asked.append(f"{method} {path.split('?')[0]}")
        for part, status in self.refuse.items():
            if part in path:
                return status, {"error": "the server said no"}
        if "whoami" in path:
            me = {"name": "ann", "orgs": [{"name": "works"}], "type": "user"}
            return 200, {**me, "auth": {"accessToken": {"role": self.role}}}
        if "repos/create" in path:
            wanted = json.loads(body)
            self.private = wanted.get("private", wanted.get("visibility") == "private")
            return 200, {"url": f"{self.address}/datasets/ann/parts"}
        if "preupload" in path:
            asked = json.loads(body)["files"]
            plain = {"uploadMode": "regular", "shouldIgnore": False, "oid": None}
            return 200, {"files": [{"path": one["path"], **plain} for one in asked]}
        if "/commit/" in path:
            return 200, self._commit(body)
        if "validate-yaml" in path:
            return 200, {"errors": [], "warnings": []}
        if "/tree/" in path:
            return 200, [{"type": "file", "path": name, "size": 1, "oid": _OID} for name in self.files]
        return 404, {"error": "nothing here"}

    def _commit(self, body: bytes) -> object:
        self.commits += 1
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "deletedFile":
                del self.files[line["value"]["path"]]
        return {"commitUrl": f"{self.address}/datasets/ann/parts/commit/{_OID}", "commitOid": _OID}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    state = LoopbackHub()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, said = state.answer(self.command, self.path, body)
            packed = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}"
    Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True).start()
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def release(library: Library, tmp_path: Path) -> Path:
    add_subject(library, 1)
    write_release(library, tmp_path / "release", name="Parts")
    return tmp_path / "release"


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_push_is_one_commit_of_exactly_the_release(hub: LoopbackHub, release: Path) -> None:
    report = push(release, "ann/parts", token="hf_test", endpoint=hub.address)
    assert hub.files == content(release)
    assert (hub.commits, hub.private) == (1, True)
    assert (report.commit, report.url) == (_OID, f"{hub.address}/datasets/ann/parts")
    assert {name for name, _ in report.files} == set(hub.files)


def test_shards_of_the_release_before_go_away_and_other_files_stay(hub: LoopbackHub, release: Path) -> None:
    hub.files = {"data/real/train-00000-of-00009.parquet": b"old", "notes.txt": b"a person's own"}
    report = push(release, "works/parts", private=False, token="hf_test", endpoint=hub.address)
    assert report.removed == ("data/real/train-00000-of-00009.parquet",)
    assert hub.files == {**content(release), "notes.txt": b"a person's own"}
    assert hub.private is False


def test_a_dry_run_names_the_files_and_asks_nothing(hub: LoopbackHub, release: Path) -> None:
    report = push(release, "ann/parts", dry_run=True, endpoint=hub.address)
    assert dict(report.files) == {name: len(data) for name, data in content(release).items()}
    assert report.commit is None
    assert hub.asked == []


@pytest.mark.parametrize(
    ("refuse", "name", "role", "sentence"),
    [
        ({}, "bob/parts", "write", "ann may not write to 'bob'; choose one of ann, works"),
        ({}, "ann/parts", "read", "the token of ann may only read; sign in with `hf auth login`"),
        ({"whoami": 401}, "ann/parts", "write", "the Hub does not know the token; sign in with"),
        ({"create": 403}, "ann/parts", "write", "the token may not write to ann/parts (the server said no)"),
        (
            {"commit": 412},
            "ann/parts",
            "write",
            "the Hub refused ann/parts with status 412 (the server said no)",
        ),
    ],
    ids=["foreign namespace", "read-only token", "wrong token", "no right", "conflict"],
)
def test_a_refusal_is_one_sentence_and_publishes_nothing(
    hub: LoopbackHub, release: Path, refuse: dict[str, int], name: str, role: str, sentence: str
) -> None:
    hub.refuse, hub.role = refuse, role
    with pytest.raises(ReleaseRefused) as refusal:
        push(release, name, token="hf_secret", endpoint=hub.address)
    assert sentence in str(refusal.value)
    assert "hf_secret" not in str(refusal.value)
    assert hub.files == {}


def test_offline_mode_is_named(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ReleaseRefused, match="HF_HUB_OFFLINE is set; unset it to publish to ann/parts"):
        push(release, "ann/parts", token="hf_test", endpoint="http://127.0.0.1:9")


def test_a_hub_that_cannot_be_reached_is_one_sentence(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(ReleaseRefused, match="the Hub cannot be reached for ann/parts"):
        push(release, "ann/parts", token="hf_test", endpoint="http://127.0.0.1:9")


def test_without_a_token_the_mend_is_named(hub: LoopbackHub, release: Path, tmp_path: Path) -> None:
    work = """
import sys
from pathlib import Path
from pipeline.errors import ReleaseRefused
from pipeline.publish import push
try:
    push(Path(sys.argv[1]), "ann/parts", endpoint=sys.argv[2])
except ReleaseRefused as refusal:
    print(refusal)
"""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("HF_TOKEN", "HF_HUB_OFFLINE")
    }
    done = subprocess.run(
        [sys.executable, "-c", work, str(release), hub.address],
        env={**environment, "HF_HOME": str(tmp_path / "hf")},
        cwd=_ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("publishing to ann/parts needs an account of the Hub; sign in with"), (
        done.stderr
    )


def test_only_a_release_is_pushed(tmp_path: Path) -> None:
    with pytest.raises(ReleaseRefused, match="is no release; publish to a folder first"):
        push(tmp_path, "ann/parts", dry_run=True)


@pytest.mark.parametrize("text", ["hf://datasets/ann/parts", "hf://datasets/ann/parts/"])
def test_a_hub_address_names_its_dataset(text: str) -> None:
    assert hub_name(text) == "ann/parts"
    assert hub_name("releases/parts") is None


@pytest.mark.parametrize(
    "text", ["hf://ann/parts", "hf://datasets/ann", "hf://datasets/ann/../x", "hf://datasets/a b/c"]
)
def test_a_malformed_hub_address_is_refused(text: str) -> None:
    with pytest.raises(
        InvalidRequest, match="names no dataset on the Hub; write hf://datasets/NAMESPACE/NAME"
    ):
        hub_name(text)
