"""The loopback Hub under the real clients: what it keeps, whom it refuses, how it breaks."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import (
    CommitInfo,
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    HfFileSystem,
    SpaceHardware,
)
from huggingface_hub.errors import (
    HfHubHTTPError,
    HTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.hub.child import run_python
from tests.hub.server import LoopbackHub

NAME = "lab/parts"
CARD = b"---\nlicense: mit\n---\n# Parts\n"
WEBP = b"RIFF" + bytes(range(256)) * 40
FIRST = {"README.md": CARD, "data/a.parquet": b"PAR1" * 500, "pictures/one.webp": WEBP}


def client(hub: LoopbackHub, role: str = "write", **given: Any) -> HfApi:
    token = hub.account("ann", role, **{"orgs": ("lab",), **given})
    return HfApi(endpoint=hub.address, token=token)


def send(api: HfApi, files: dict[str, bytes | None], **given: Any) -> CommitInfo:
    operations = [
        CommitOperationDelete(path) if content is None else CommitOperationAdd(path, content)
        for path, content in files.items()
    ]
    asked = {"repo_type": "dataset", "commit_message": "Release", **given}
    return api.create_commit(NAME, operations, **asked)


@pytest.fixture
def ann(hub: LoopbackHub) -> HfApi:
    """Who may write, with a private data set of her lab that has nothing in it yet."""
    api = client(hub)
    api.create_repo(NAME, repo_type="dataset", private=True)
    return api


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def status(refused: pytest.ExceptionInfo[HfHubHTTPError]) -> int:
    return refused.value.response.status_code


# what is kept


def test_a_push_arrives_byte_for_byte_in_one_commit_and_large_types_go_by_lfs(
    hub: LoopbackHub, ann: HfApi
) -> None:
    commit = send(ann, dict(FIRST))
    files = hub.files(NAME)
    del files[".gitattributes"]
    assert files == FIRST
    assert hub.commits(NAME)[0].oid == hub.head(NAME) == commit.oid
    assert [commit.title for commit in hub.commits(NAME)] == ["Release", "initial commit"]
    assert sorted(request.received for request in hub.sent_objects) == [2000, len(WEBP)]
    assert hub.repository(NAME).private


def test_the_tree_tells_sha256_of_lfs_files_and_the_git_blob_of_others(hub: LoopbackHub, ann: HfApi) -> None:
    send(ann, dict(FIRST))
    tree: dict[str, Any] = {
        entry.path: entry for entry in ann.list_repo_tree(NAME, repo_type="dataset", recursive=True)
    }
    assert tree["pictures/one.webp"].lfs.sha256 == sha256(WEBP)
    assert tree["pictures/one.webp"].size == len(WEBP)
    assert tree["README.md"].lfs is None
    assert tree["README.md"].blob_id == hashlib.sha1(b"blob %d\0" % len(CARD) + CARD).hexdigest()
    asked: list[Any] = ann.get_paths_info(
        NAME, ["data", "data/a.parquet", "no"], repo_type="dataset", expand=True
    )
    assert [entry.path for entry in asked] == ["data", "data/a.parquet"]
    assert asked[1].last_commit.title == "Release"


def test_a_tree_of_many_pages_is_listed_whole(hub: LoopbackHub, ann: HfApi) -> None:
    hub.state.page_length = 2
    hub.commit_as("bob", NAME, {f"data/{number}.txt": b"x" for number in range(5)})
    expected = [".gitattributes", *(f"data/{number}.txt" for number in range(5))]
    assert ann.list_repo_files(NAME, repo_type="dataset") == expected
    assert len(hub.seen("GET .*/tree/")) == 4


def test_a_second_commit_sends_only_what_is_new_and_none_at_all_is_made_of_nothing_new(
    hub: LoopbackHub, ann: HfApi
) -> None:
    first = send(ann, dict(FIRST)).oid
    hub.forget()
    second = send(ann, {**FIRST, "data/b.parquet": b"PAR1" * 30, "data/a.parquet": None})
    assert [request.received for request in hub.sent_objects] == [120]
    assert "data/a.parquet" not in hub.files(NAME)
    assert hub.files(NAME, first)["data/a.parquet"] == FIRST["data/a.parquet"]
    hub.forget()
    assert send(ann, {"README.md": CARD, "pictures/one.webp": WEBP}).oid == second.oid
    assert hub.seen("POST .*/commit/") == ()


def test_a_large_file_goes_in_parts(hub: LoopbackHub, ann: HfApi) -> None:
    hub.state.part_bytes = 4000
    send(ann, {"pictures/one.webp": WEBP})
    assert [request.received for request in hub.sent_objects] == [4000, 4000, len(WEBP) - 8000]
    assert hub.files(NAME)["pictures/one.webp"] == WEBP


def test_a_pull_request_waits_beside_main_until_it_is_merged(hub: LoopbackHub, ann: HfApi) -> None:
    before = hub.head(NAME)
    commit = send(ann, dict(FIRST), create_pr=True)
    assert (commit.pr_revision, commit.pr_num, hub.head(NAME)) == ("refs/pr/1", 1, before)
    assert hub.files(NAME, "refs/pr/1")["README.md"] == CARD
    assert [commit.title for commit in hub.pull_requests(NAME)] == ["Release"]
    references = ann.list_repo_refs(NAME, repo_type="dataset", include_pull_requests=True)
    assert [reference.ref for reference in references.pull_requests or ()] == ["refs/pr/1"]
    ann.merge_pull_request(NAME, 1, repo_type="dataset")
    assert hub.files(NAME)["README.md"] == CARD
    assert ann.get_discussion_details(NAME, 1, repo_type="dataset").merge_commit_oid == hub.head(NAME)


def test_a_tag_stays_where_it_was_set(hub: LoopbackHub, ann: HfApi) -> None:
    first = send(ann, dict(FIRST)).oid
    send(ann, {"README.md": CARD + b"more"})
    ann.create_tag(NAME, tag="v1", revision=first, repo_type="dataset")
    assert hub.tags(NAME) == {"v1": first}
    assert hub.files(NAME, "v1")["README.md"] == CARD
    with pytest.raises(HfHubHTTPError) as refused:
        ann.create_tag(NAME, tag="v1", repo_type="dataset")
    assert (status(refused), hub.tags(NAME)) == (409, {"v1": first})
    ann.delete_tag(NAME, tag="v1", repo_type="dataset")
    assert hub.tags(NAME) == {}
    with pytest.raises(RevisionNotFoundError):
        ann.create_tag(NAME, tag="v2", revision="v1", repo_type="dataset")


def test_a_branch_is_made_written_to_and_deleted(hub: LoopbackHub, ann: HfApi) -> None:
    before = hub.head(NAME)
    ann.create_branch(NAME, branch="next/one", repo_type="dataset")
    commit = send(ann, dict(FIRST), revision="next/one")
    assert hub.branches(NAME) == {"main": before, "next/one": commit.oid}
    ann.delete_branch(NAME, branch="next/one", repo_type="dataset")
    assert hub.branches(NAME) == {"main": before}


def test_a_space_is_created_filled_and_set_up(hub: LoopbackHub) -> None:
    api = client(hub)
    variables = [{"key": "BACKLOT_MODEL", "value": "nano"}]
    api.create_repo("lab/studio", repo_type="space", space_sdk="gradio", space_variables=variables)
    api.upload_file(
        path_or_fileobj=b"print(1)", path_in_repo="app.py", repo_id="lab/studio", repo_type="space"
    )
    api.add_space_variable("lab/studio", "BACKLOT_ROLE", "visitor")
    api.add_space_secret("lab/studio", "KEY", "never kept")
    api.request_space_hardware("lab/studio", SpaceHardware.ZERO_A10G)
    assert sorted(hub.files("lab/studio", kind="space")) == [".gitattributes", "README.md", "app.py"]
    assert api.space_info("lab/studio").sdk == "gradio"
    assert api.get_space_runtime("lab/studio").requested_hardware == "zero-a10g"
    assert sorted(api.get_space_variables("lab/studio")) == ["BACKLOT_MODEL", "BACKLOT_ROLE"]
    space = hub.repository("lab/studio", kind="space")
    assert space.variables == {"BACKLOT_MODEL": "nano", "BACKLOT_ROLE": "visitor"}
    assert space.secrets == ["KEY"]


def test_a_card_with_broken_yaml_is_refused_by_the_client_and_by_the_commit(
    hub: LoopbackHub, ann: HfApi
) -> None:
    broken = b"---\nlicense: [mit\n---\n"
    before = hub.head(NAME)
    with pytest.raises(ValueError, match="Invalid metadata in README"):
        send(ann, {"README.md": broken})
    hub.fail("validate-yaml", 200)
    with pytest.raises(HfHubHTTPError) as refused:
        send(ann, {"README.md": broken})
    assert (status(refused), hub.head(NAME)) == (400, before)
    hub.commit_as("bob", NAME, {"README.md": broken})
    assert ann.dataset_info(NAME).card_data is None


# who is refused


def test_create_tells_what_is_there_and_what_is_foreign(hub: LoopbackHub, ann: HfApi) -> None:
    assert str(ann.create_repo(NAME, repo_type="dataset", exist_ok=True)).endswith("/datasets/lab/parts")
    with pytest.raises(HfHubHTTPError) as taken:
        ann.create_repo(NAME, repo_type="dataset")
    with pytest.raises(HfHubHTTPError) as foreign:
        ann.create_repo("else/parts", repo_type="dataset")
    assert (status(taken), status(foreign), hub.names()) == (409, 403, [NAME])


def test_a_read_only_token_gets_403_and_changes_nothing(hub: LoopbackHub, ann: HfApi) -> None:
    reader, before = client(hub, "read"), hub.head(NAME)
    assert reader.whoami()["auth"]["accessToken"]["role"] == "read"
    for attempt in (
        lambda: send(reader, dict(FIRST)),
        lambda: send(reader, dict(FIRST), create_pr=True),
        lambda: reader.create_tag(NAME, tag="v1", repo_type="dataset"),
        lambda: reader.create_repo("ann/other", repo_type="dataset"),
    ):
        with pytest.raises(HfHubHTTPError) as refused:
            attempt()
        assert status(refused) == 403
    assert (hub.head(NAME), hub.tags(NAME), hub.sent_objects, hub.names()) == (before, {}, (), [NAME])


def test_unknown_and_expired_tokens_get_401(hub: LoopbackHub) -> None:
    stranger = HfApi(endpoint=hub.address, token="hf_nobody")
    with pytest.raises(HfHubHTTPError) as unknown:
        stranger.create_repo("ann/parts", repo_type="dataset")
    token = hub.account("ann")
    hub.expire(token)
    with pytest.raises(HfHubHTTPError) as refused:
        HfApi(endpoint=hub.address, token=token).create_repo("ann/parts", repo_type="dataset")
    assert (status(unknown), status(refused), hub.names()) == (401, 401, [])
    with pytest.raises(HTTPError, match="Invalid user token"):
        stranger.whoami()


def test_a_fine_grained_token_writes_to_its_scopes_only(hub: LoopbackHub, ann: HfApi) -> None:
    send(client(hub, "fineGrained", scopes=(NAME,)), dict(FIRST))
    with pytest.raises(HfHubHTTPError) as refused:
        send(client(hub, "fineGrained", scopes=("ann",)), {"README.md": b"other"})
    assert (status(refused), hub.files(NAME)["README.md"]) == (403, CARD)


def test_a_signed_in_visitor_writes_only_to_what_they_created(hub: LoopbackHub, ann: HfApi) -> None:
    visitor = client(hub, "contribute-repos")
    with pytest.raises(HfHubHTTPError) as refused:
        send(visitor, dict(FIRST))
    assert status(refused) == 403
    visitor.create_repo("ann/own", repo_type="dataset")
    visitor.create_tag("ann/own", tag="v1", repo_type="dataset")
    assert list(hub.tags("ann/own")) == ["v1"]


def test_a_private_data_set_looks_like_none_to_others(hub: LoopbackHub, ann: HfApi, tmp_path: Path) -> None:
    send(ann, dict(FIRST))
    bob = HfApi(endpoint=hub.address, token=hub.account("bob"))
    with pytest.raises(RepositoryNotFoundError):
        bob.dataset_info(NAME)
    nobody = HfApi(endpoint=hub.address, token=False)
    with pytest.raises(RepositoryNotFoundError):
        nobody.hf_hub_download(NAME, "README.md", repo_type="dataset", cache_dir=tmp_path)


# what is loaded


def test_a_file_is_loaded_at_a_revision_into_a_fresh_cache(
    hub: LoopbackHub, ann: HfApi, tmp_path: Path
) -> None:
    old = send(ann, dict(FIRST)).oid
    send(ann, {"pictures/one.webp": b"new", "README.md": None})
    source = f"""
import json
from pathlib import Path
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError
def load(path, revision):
    try:
        return Path(hf_hub_download("{NAME}", path, repo_type="dataset", revision=revision)).read_bytes().hex()
    except EntryNotFoundError:
        return None
print(json.dumps([load(p, r) for p in ("pictures/one.webp", "README.md") for r in ("{old}", "main")]))
"""
    done = run_python(hub.environment(str(ann.token), tmp_path / "home"), source)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [WEBP.hex(), b"new".hex(), CARD.hex(), None]


def test_a_piece_of_a_file_is_sent_alone(hub: LoopbackHub, ann: HfApi) -> None:
    send(ann, dict(FIRST))
    path = f"datasets/{NAME}/pictures/one.webp"
    files = HfFileSystem(endpoint=hub.address, token=str(ann.token))
    with files.open(path, "rb", block_size=100, cache_type="none") as opened:
        opened.seek(1000)
        assert opened.read(24) == WEBP[1000:1024]
    assert [(request.status, request.sent) for request in hub.seen("GET .*/resolve/")] == [(206, 24)]


def parquet(values: Sequence[int]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"value": pa.array(values, pa.int64())}), file)
    return file.getvalue()


CONFIGS = b"""---
configs:
- config_name: real
  data_files:
  - {split: train, path: data/real/train-*.parquet}
- config_name: mixed
  data_files:
  - {split: train, path: data/mixed/train-*.parquet}
  - {split: test, path: data/mixed/test-*.parquet}
---
"""


def test_datasets_loads_a_configuration_plain_streaming_and_at_an_old_tag(
    hub: LoopbackHub, ann: HfApi, tmp_path: Path
) -> None:
    send(
        ann,
        {
            "README.md": CONFIGS,
            "data/real/train-0.parquet": parquet([1]),
            "data/mixed/train-0.parquet": parquet([2, 3]),
            "data/mixed/train-1.parquet": parquet([4]),
            "data/mixed/test-0.parquet": parquet([5]),
        },
    )
    ann.create_tag(NAME, tag="v1", repo_type="dataset")
    send(ann, {"data/mixed/train-1.parquet": parquet([40])})
    source = f"""
import json
from datasets import get_dataset_config_names, load_dataset
plain = load_dataset("{NAME}", "mixed")
flow = load_dataset("{NAME}", "mixed", streaming=True, revision="v1")
rows = {{f"plain {{k}}": v["value"][:] for k, v in plain.items()}}
rows |= {{f"flow {{k}}": [row["value"] for row in v] for k, v in flow.items()}}
print(json.dumps([get_dataset_config_names("{NAME}"), rows]))
"""
    without_torch = {**hub.environment(str(ann.token), tmp_path / "home"), "USE_TORCH": "0"}
    done = run_python(without_torch, source)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        ["real", "mixed"],
        {"plain train": [2, 3, 40], "plain test": [5], "flow train": [2, 3, 4], "flow test": [5]},
    ]


def test_datasets_says_not_found_of_a_private_set_to_who_is_not_signed_in(
    hub: LoopbackHub, ann: HfApi, tmp_path: Path
) -> None:
    send(ann, {"README.md": CONFIGS, "data/real/train-0.parquet": parquet([1])})
    source = f'import datasets; datasets.load_dataset("{NAME}", "real")'
    done = run_python(hub.environment(None, tmp_path / "home"), source)
    assert done.returncode == 1
    assert "DatasetNotFoundError" in done.stderr
    assert not [request for request in hub.seen("resolve") if request.status == 200]


# how it breaks


def test_a_conflict_is_412_and_leaves_the_others_push(hub: LoopbackHub, ann: HfApi) -> None:
    parent = hub.head(NAME)
    hub.before("POST .*/commit/", lambda: hub.commit_as("bob", NAME, {"note.txt": b"hi"}))
    with pytest.raises(HfHubHTTPError) as refused:
        send(ann, dict(FIRST), parent_commit=parent)
    assert status(refused) == 412
    assert sorted(hub.files(NAME)) == [".gitattributes", "note.txt"]
    assert [commit.author for commit in hub.commits(NAME)] == ["bob", "system"]
    send(ann, dict(FIRST), parent_commit=hub.head(NAME))
    assert hub.files(NAME)["note.txt"] == b"hi"


def test_an_action_may_ask_the_hub_itself_and_strikes_only_its_request(hub: LoopbackHub, ann: HfApi) -> None:
    hub.before("POST .*/commit/", lambda: ann.create_tag(NAME, tag="mid", repo_type="dataset"), skip=1)
    first = send(ann, {"a.txt": b"a"}).oid
    assert hub.tags(NAME) == {}
    send(ann, {"b.txt": b"b"})
    assert hub.tags(NAME) == {"mid": first}


def test_429_with_retry_after_is_answered_by_the_clients_own_patience(hub: LoopbackHub, ann: HfApi) -> None:
    hub.fail("POST .*/preupload/", 429, times=2, headers={"Retry-After": "0"})
    send(ann, dict(FIRST))
    assert [request.status for request in hub.seen("POST .*/preupload/")] == [429, 429, 200]
    assert len(hub.commits(NAME)) == 2


@pytest.mark.parametrize("wanted", [401, 403, 404, 409, 412, 429, 500, 503])
def test_a_commit_is_refused_with_any_status_and_goes_through_afterwards(
    hub: LoopbackHub, ann: HfApi, wanted: int
) -> None:
    hub.fail("POST .*/commit/", wanted)
    before = hub.head(NAME)
    with pytest.raises(HfHubHTTPError) as refused:
        send(ann, dict(FIRST))
    assert (status(refused), hub.head(NAME)) == (wanted, before)
    assert send(ann, dict(FIRST)).oid == hub.head(NAME)


def test_an_upload_cut_in_the_middle_leaves_nothing_and_the_repeat_sends_only_what_is_missing(
    hub: LoopbackHub, ann: HfApi
) -> None:
    before = hub.head(NAME)
    hub.cut(f"PUT .*/{sha256(WEBP)}", 5000, times=-1)
    with pytest.raises(RuntimeError, match=r"Error while uploading 'pictures/one\.webp'"):
        send(ann, dict(FIRST))
    cut = hub.seen(f"PUT .*/{sha256(WEBP)}")
    assert {request.status for request in cut} == {None}
    assert len(cut) == 6
    assert (hub.head(NAME), list(hub.repository(NAME).objects.values())) == (before, [2000])
    hub.heal()
    hub.forget()
    send(ann, dict(FIRST))
    assert [request.received for request in hub.sent_objects] == [len(WEBP)]
    assert len(hub.commits(NAME)) == 2


def test_a_lost_answer_hides_a_commit_that_was_made(hub: LoopbackHub, ann: HfApi) -> None:
    hub.lose_answer("POST .*/commit/")
    with pytest.raises(HTTPError):
        send(ann, dict(FIRST))
    assert hub.files(NAME)["README.md"] == CARD
    hub.fail("POST .*/commit/", 500, after=True)
    with pytest.raises(HfHubHTTPError) as refused:
        send(ann, {"README.md": CARD + b"more"})
    assert (status(refused), hub.files(NAME)["README.md"]) == (500, CARD + b"more")
    commit = hub.head(NAME)
    assert send(ann, {**FIRST, "README.md": CARD + b"more"}).oid == commit


def test_an_answer_cut_in_the_middle_is_asked_for_again_by_the_client(
    hub: LoopbackHub, ann: HfApi, tmp_path: Path
) -> None:
    send(ann, dict(FIRST))
    hub.cut_answer("GET .*/resolve/", 3000)
    source = f"""
from huggingface_hub import hf_hub_download
print(open(hf_hub_download("{NAME}", "pictures/one.webp", repo_type="dataset"), "rb").read().hex())
"""
    done = run_python(hub.environment(str(ann.token), tmp_path / "home", patient=False), source)
    assert done.stdout.strip() == WEBP.hex(), done.stderr
    asked = [(request.status, request.sent) for request in hub.seen("GET .*/resolve/")]
    assert asked == [(None, 3000), (200, len(WEBP))]


def test_a_slow_answer_arrives_whole(hub: LoopbackHub, ann: HfApi, tmp_path: Path) -> None:
    send(ann, dict(FIRST))
    hub.slow("GET .*/resolve/", piece_bytes=1000, pause_s=0.001)
    place = ann.hf_hub_download(NAME, "pictures/one.webp", repo_type="dataset", cache_dir=tmp_path / "cache")
    assert Path(place).read_bytes() == WEBP


def test_a_child_waits_no_time_for_its_back_off_when_told_so(hub: LoopbackHub, tmp_path: Path) -> None:
    api = client(hub)
    hub.create("ann/open")
    hub.fail("GET .*/tree/", 503, times=5)
    source = """
import sitecustomize
waits = []
sitecustomize._sleep = waits.append
from huggingface_hub import HfApi
print(HfApi().list_repo_files("ann/open", repo_type="dataset"), waits)
"""
    done = run_python(hub.environment(str(api.token), tmp_path / "home", patient=False), source)
    assert done.stdout.strip() == f"['.gitattributes'] {[0.0] * 5}", done.stderr
    assert len(hub.seen("GET .*/tree/")) == 6


# what is recorded


def test_no_token_is_kept_anywhere(hub: LoopbackHub, ann: HfApi) -> None:
    send(ann, dict(FIRST))
    token = str(ann.token)
    assert token.startswith("hf_")
    assert token not in repr((hub.requests, vars(hub.state.accounts), hub.state.repositories))
    kept = [path.read_bytes() for path in hub.state.folder.iterdir()]
    assert kept
    assert not any(token.encode() in content for content in kept)


def test_the_bytes_received_are_those_that_were_sent(hub: LoopbackHub, ann: HfApi) -> None:
    hub.forget()
    send(ann, dict(FIRST))
    assert sum(request.received for request in hub.sent_objects) == 2000 + len(WEBP)
    assert hub.received_bytes == sum(request.received for request in hub.requests) > 2000 + len(WEBP)
