"""Releases pushed over HTTP with the real client: first, grown, broken off, proposed, refused; and loaded again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.domain.images import decode
from pipeline.domain.release import Subset
from pipeline.domain.review import Verdict
from pipeline.errors import InvalidRequest, ReleaseRefused
from pipeline.publish import PushOptions, PushReport, ReleaseOptions, hub_name, push_release
from pipeline.store import Library, SampleFilter
from tests.hub.child import run_python
from tests.hub.server import LoopbackHub
from tests.toy_library import add_subject, decision, render, spec

NAME = "ann/parts"
PICTURE_BYTES = 1_700  # about, of a toy picture
SMALL = ReleaseOptions(shard_bytes=10 * PICTURE_BYTES)  # a dozen shards in a toy release

_LOAD = """
import hashlib, json, sys
import numpy as np
from datasets import load_dataset
name, revision, streaming = sys.argv[1], sys.argv[2], sys.argv[3] == "streaming"
loaded_rows = {}
for config in ("real", "synthetic", "mixed"):
    for split, rows in load_dataset(name, config, revision=revision, streaming=streaming).items():
        for row in rows:
            pixels = np.asarray(row["image"].convert("RGB"))
            loaded_rows.setdefault(config, []).append([
                row["sample_id"], split, rows.features["label"].int2str(row["label"]),
                hashlib.sha256(pixels.tobytes()).hexdigest(), row["bbox"],
            ])
print(json.dumps(loaded_rows))
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 photos of two classes, a sample of each; 40 accepted, 10 rejected, 10 undecided."""
    folder = tmp_path_factory.mktemp("template") / "library"
    with Library.open(folder, create=True) as opened:
        photos = [
            add_subject(
                opened,
                number,
                label=("bolt", "gear")[number % 2],
                split="test" if number % 5 == 0 else "train",
            )
            for number in range(60)
        ]
        specs = [spec(photo, seed=number) for number, photo in enumerate(photos)]
        opened.plans.add("floors", "name: floors\nseed: 0\n", specs)
        for number, planned in enumerate(specs):
            render(opened, planned)
            if number < 50:
                verdict = Verdict.ACCEPT if number < 40 else Verdict.REJECT
                opened.review.record(decision(planned.id, verdict))
    return folder


@pytest.fixture
def library(template: Path, tmp_path: Path) -> Iterator[Library]:
    """A copy of the template that the test may change."""
    shutil.copytree(template, tmp_path / "library")
    with Library.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def token(hub: LoopbackHub) -> str:
    return hub.account("ann", orgs=("works",))


def push(hub: LoopbackHub, library: Library, token: str, name: str = NAME, **options: Any) -> PushReport:
    """Push without waiting; what the Hub asked to wait for is in `WAITS`."""
    release = options.pop("release", SMALL)
    given = PushOptions(token=token, endpoint=hub.address, **options)
    return push_release(library, name, release=release, options=given, pause=WAITS.append)[1]


WAITS: list[float] = []


@pytest.fixture(autouse=True)
def _no_waits() -> None:
    WAITS.clear()


def loaded(
    hub: LoopbackHub, token: str, home: Path, *, revision: str = "main", how: str = "at once"
) -> dict[str, list[list[Any]]]:
    """What a fresh process with an empty cache reads: configuration → rows."""
    script = home.parent / "load.py"
    script.write_text(_LOAD)
    done = run_python(hub.environment(token, home), [str(script), NAME, revision, how])
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def wanted(library: Library, part: Subset) -> list[list[Any]]:
    """The same of the library."""
    return [
        [
            row.sample_id,
            row.split,
            row.label,
            hashlib.sha256(np.ascontiguousarray(decode(library.images.read_bytes(row.image_id)))).hexdigest(),
            list(row.boxes[0]),
        ]
        for split in ("test", "train")
        for row in library.releases.rows(part, split=split)
    ]


def accept_more(library: Library, count: int) -> None:
    """Decide on samples that were waiting."""
    for row in list(library.samples.list(SampleFilter(review="pending")))[:count]:
        library.review.record(decision(row.id))


def test_a_first_push_is_one_tagged_commit_and_loads_with_every_pixel_and_nothing_else(
    hub: LoopbackHub, library: Library, token: str, tmp_path: Path
) -> None:
    report = push(hub, library, token)
    assert [commit.title for commit in hub.commits(NAME)] == ["Release 1", "initial commit"]
    assert hub.tags(NAME) == {"v1": hub.head(NAME)} == {"v1": report.commit}
    assert hub.repository(NAME).private
    assert len(report.files) > 10
    for how in ("at once", "streaming"):
        loaded_rows = loaded(hub, token, tmp_path / how.replace(" ", "-"), how=how)
        for part in (Subset.REAL, Subset.SYNTHETIC):
            assert sorted(loaded_rows[part]) == sorted(wanted(library, part))
        assert len(loaded_rows["synthetic"]) == 40
        assert sorted(loaded_rows["mixed"]) == sorted(loaded_rows["real"] + loaded_rows["synthetic"])


def test_a_second_push_without_a_change_sends_nothing_and_makes_no_commit(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    push(hub, library, token)
    head = hub.head(NAME)
    hub.forget()
    report = push(hub, library, token)
    assert not report.changed
    assert hub.head(NAME) == head
    assert hub.sent_objects == ()
    assert not hub.seen("POST .*/(commit|preupload)/")
    assert hub.tags(NAME) == {"v1": head}


def test_a_tag_that_was_lost_is_made_by_the_same_command(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    hub.fail("POST .*/tag/", 500, times=99)
    with pytest.raises(ReleaseRefused, match="refused ann/parts with status 500"):
        push(hub, library, token)
    assert hub.tags(NAME) == {}
    hub.heal()
    push(hub, library, token)
    assert hub.tags(NAME) == {"v1": hub.head(NAME)}
    assert len(hub.commits(NAME)) == 2


def test_a_grown_release_sends_what_is_new_and_the_old_one_still_loads(
    hub: LoopbackHub, library: Library, token: str, tmp_path: Path
) -> None:
    before = {part: wanted(library, part) for part in (Subset.REAL, Subset.SYNTHETIC)}
    push(hub, library, token)
    first_bytes, shards = sum(request.received for request in hub.sent_objects), len(hub.sent_objects)
    hub.forget()
    accept_more(library, 2)  # 5 % of the samples
    report = push(hub, library, token)
    assert (report.changes.added, report.changes.removed, report.changes.changed) == (2, 0, 0)
    sent = [file for file in report.files if file[0].startswith("data/")]
    assert 1 <= len(sent) <= 2
    assert report.kept > shards // 2
    assert sum(request.received for request in hub.sent_objects) < first_bytes / 3
    assert set(hub.tags(NAME)) == {"v1", "v2"}
    log = hub.files(NAME)["CHANGELOG.md"].decode()
    assert log.index("## v2, ") < log.index("## v1, ")
    assert "60 real, 42 synthetic; rows: 2 added since v1." in log
    now = loaded(hub, token, tmp_path / "new")
    assert sorted(now["synthetic"]) == sorted(wanted(library, Subset.SYNTHETIC))
    then = loaded(hub, token, tmp_path / "old", revision="v1")
    assert all(sorted(then[part]) == sorted(rows) for part, rows in before.items())


def test_a_push_that_is_cut_in_its_third_shard_goes_on_where_it_stopped(
    hub: LoopbackHub, library: Library, token: str, tmp_path: Path
) -> None:
    push(hub, library, token)
    head, before = hub.head(NAME), hub.files(NAME)
    for number in range(100, 140):
        add_subject(library, number)
    hub.forget()
    hub.cut("PUT /storage/", 1000, skip=2, times=999)
    with pytest.raises(ReleaseRefused, match="run the same command again to resume"):
        push(hub, library, token)
    assert (hub.head(NAME), hub.files(NAME), set(hub.tags(NAME))) == (head, before, {"v1"})
    arrived = len(hub.sent_objects)
    assert arrived == 2
    hub.heal()
    hub.forget()
    report = push(hub, library, token)
    large = [path for path, _ in report.files if path.endswith((".parquet", ".webp", ".png"))]
    assert len(hub.sent_objects) == len(large) - arrived
    assert [commit.title for commit in hub.commits(NAME)] == ["Release 2", "Release 1", "initial commit"]
    assert len(loaded(hub, token, tmp_path / "hf")["real"]) == 100


def test_a_killed_command_leaves_the_old_release_and_the_same_command_goes_on(
    hub: LoopbackHub, library: Library, token: str, tmp_path: Path
) -> None:
    environment = hub.environment(token, tmp_path / "hf", patient=False)
    command = ["-m", "pipeline", "publish", "--library", str(library.path), "--to", f"hf://datasets/{NAME}"]
    library.close()
    hub.fail("POST .*/commit/", 500, times=999)
    done = run_python(environment, command)
    assert done.returncode == 1
    assert "the Hub refused ann/parts with status 500" in done.stderr
    assert "Traceback" not in done.stderr
    assert set(hub.files(NAME)) == {".gitattributes"}
    hub.heal()
    hub.forget()
    done = run_python(environment, [*command, "--json"])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["push"]["commit"] == hub.head(NAME)
    assert hub.sent_objects == ()  # all had arrived
    assert token not in done.stdout + done.stderr


def test_a_pull_request_leaves_main_alone(hub: LoopbackHub, library: Library, token: str) -> None:
    push(hub, library, token)
    head = hub.head(NAME)
    accept_more(library, 3)
    other = hub.account("ben")
    hub.repository(NAME).private = False
    report = push(hub, library, other, pull_request=True)
    (proposal,) = hub.pull_requests(NAME)
    assert report.pull_request is not None
    assert report.pull_request.endswith("/discussions/1")
    assert (hub.head(NAME), set(hub.tags(NAME))) == (head, {"v1"})
    proposed = hub.files(NAME, "refs/pr/1")
    assert json.loads(proposed["release.json"])["version"] == "2"
    assert proposal.title == "Release 2"


def test_a_proposal_needs_no_right_to_tag_what_was_merged(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    push(hub, library, token)
    hub.repository(NAME).private = False
    hub.repository(NAME).tags.clear()  # as after a merge on the website
    accept_more(library, 3)
    assert push(hub, library, hub.account("ben"), pull_request=True).pull_request is not None
    assert hub.tags(NAME) == {}


def test_a_push_of_somebody_else_in_between_is_not_written_over(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    push(hub, library, token)
    accept_more(library, 1)
    hub.before("POST .*/commit/", lambda: hub.commit_as("bob", NAME, {"note.txt": b"mine"}))
    with pytest.raises(ReleaseRefused, match="somebody else changed ann/parts at the same time"):
        push(hub, library, token)
    assert next(commit.title for commit in hub.commits(NAME)) == "somebody else's push"
    push(hub, library, token)
    assert hub.files(NAME)["note.txt"] == b"mine"
    assert hub.tags(NAME)["v2"] == hub.head(NAME)


def test_data_that_somebody_else_changed_is_named_and_replaced_only_when_told(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    push(hub, library, token)
    shard = next(path for path in hub.files(NAME) if path.startswith("data/real/train-"))
    hub.commit_as("bob", NAME, {shard: None, "data/real/train-extra.parquet": b"PAR1"})
    with pytest.raises(ReleaseRefused) as refusal:
        push(hub, library, token)
    assert "somebody changed data/real/train-extra.parquet" in str(refusal.value)
    assert shard in str(refusal.value)
    assert "replaces what others changed (--replace)" in str(refusal.value)
    push(hub, library, token, replace=True)
    assert shard in hub.files(NAME)
    assert "data/real/train-extra.parquet" not in hub.files(NAME)


def test_a_commit_whose_answer_was_lost_counts(hub: LoopbackHub, library: Library, token: str) -> None:
    hub.lose_answer("POST .*/commit/")
    push(hub, library, token)
    assert [commit.title for commit in hub.commits(NAME)] == ["Release 1", "initial commit"]
    assert hub.tags(NAME) == {"v1": hub.head(NAME)}


def test_the_hub_is_waited_for_as_long_as_it_asks(hub: LoopbackHub, library: Library, token: str) -> None:
    hub.fail("POST .*/commit/", 429, headers={"Retry-After": "17"})
    hub.fail("POST .*/commit/", 503)
    push(hub, library, token)
    assert WAITS[0] == 17.0
    assert 1.0 <= WAITS[1] <= 3.0
    assert hub.tags(NAME) == {"v1": hub.head(NAME)}


def test_a_dry_run_tells_the_difference_and_sends_nothing(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    assert len(push(hub, library, token, dry_run=True).files) > 10
    assert hub.names() == []
    push(hub, library, token)
    accept_more(library, 4)
    hub.forget()
    report = push(hub, library, token, dry_run=True)
    assert (report.changes.added, report.commit, report.tag) == (4, None, None)
    assert {request.method for request in hub.requests} <= {"GET", "HEAD"}
    assert report.sent_bytes == sum(size for _, size in report.files)


def test_what_a_person_wrote_on_the_hub_stays(hub: LoopbackHub, library: Library, token: str) -> None:
    push(hub, library, token)
    card = hub.files(NAME)["README.md"].decode()
    theirs = card.replace("---\n", "---\nlicense: cc-by-4.0\n", 1).replace(
        "# parts\n", "# Parts\n\nAsk Ann.\n"
    )
    hub.commit_as("ann", NAME, {"README.md": theirs.encode()})
    accept_more(library, 1)
    push(hub, library, token)
    card = hub.files(NAME)["README.md"].decode()
    assert "license: cc-by-4.0" in card
    assert "# Parts\n\nAsk Ann.\n" in card
    assert "and 41 synthetic images" in card


def test_the_card_is_valid_metadata_for_the_client_and_for_datasets(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    from datasets.info import DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCard

    push(hub, library, token, release=ReleaseOptions(rejected=True))
    card = DatasetCard(hub.files(NAME)["README.md"].decode())
    configs = MetadataConfigs.from_dataset_card_data(card.data)
    infos = DatasetInfosDict.from_dataset_card_data(card.data)
    assert set(configs) == set(infos) == {"mixed", "real", "synthetic", "rejected"}
    assert {split: info.num_examples for split, info in (infos["mixed"].splits or {}).items()} == {
        "train": 80,
        "test": 20,
    }
    assert infos["rejected"].features is not None
    assert "reason" in infos["rejected"].features
    assert hub.seen("POST .*/validate-yaml")


def test_a_card_with_broken_yaml_is_refused_and_the_old_release_stays(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    push(hub, library, token)
    head = hub.commit_as("ann", NAME, {"README.md": b"---\ntags: [a\n---\nmine\n"})
    accept_more(library, 1)
    with pytest.raises(
        ReleaseRefused,
        match=r"the front matter of the card of ann/parts is not valid YAML \(line \d\); correct it there",
    ):
        push(hub, library, token)
    assert hub.head(NAME) == head


def test_a_class_that_is_gone_is_refused(hub: LoopbackHub, library: Library, token: str) -> None:
    push(hub, library, token)
    for photo in library.photos.list(label="gear"):
        library.photos.set_excluded(photo.id, True)
    with pytest.raises(ReleaseRefused, match=r"release 1 has the class 'gear'.*--classes-changed"):
        push(hub, library, token)
    assert len(hub.commits(NAME)) == 2


def test_an_empty_selection_is_refused_before_the_hub_is_written(
    hub: LoopbackHub, token: str, tmp_path: Path
) -> None:
    with (
        Library.open(tmp_path / "empty", create=True) as empty,
        pytest.raises(ReleaseRefused, match="the library holds nothing to publish"),
    ):
        push(hub, empty, token)
    assert hub.names() == []


def test_a_data_set_of_somebody_else_is_not_taken_over(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    hub.create(NAME)
    hub.commit_as("ann", NAME, {"data/train-00000-of-00001.parquet": b"PAR1"})
    with pytest.raises(ReleaseRefused, match="holds a dataset that Backlot did not publish; choose another"):
        push(hub, library, token)


def test_a_token_that_may_not_write_says_so_before_anything_is_sent(
    hub: LoopbackHub, library: Library
) -> None:
    reading = hub.account("rea", role="read")
    expired = hub.account("exp")
    hub.expire(expired)
    cases = [
        (reading, "rea/parts", "the token of rea may only read; sign in with `hf auth login`"),
        (hub.account("cy"), "ann/parts", "cy may not write to 'ann'; choose one of cy, or publish as a pull"),
        ("hf_wrong", NAME, "the Hub does not know the token, or it has expired; sign in with"),
        (expired, "exp/parts", "the Hub does not know the token, or it has expired; sign in with"),
    ]
    for token, name, sentence in cases:
        with pytest.raises(ReleaseRefused) as refusal:
            push(hub, library, token, name)
        assert sentence in str(refusal.value)
        assert token not in str(refusal.value)
    assert {request.method for request in hub.requests} == {"GET"}
    assert hub.names() == []


@pytest.mark.parametrize(
    ("match", "status", "sentence"),
    [
        ("POST .*/repos/create", 403, "the token may not write to ann/parts"),
        ("POST .*/commit/", 409, "somebody else changed ann/parts at the same time"),
        ("POST .*/commit/", 429, "the Hub accepts no more from this account for now"),
        ("POST .*/commit/", 500, "the Hub refused ann/parts with status 500"),
        ("GET .*/tree/", 404, "the Hub has no ann/parts, or the token may not see it"),
    ],
)
def test_each_refusal_is_one_sentence_and_the_same_call_goes_on(
    hub: LoopbackHub, library: Library, token: str, match: str, status: int, sentence: str
) -> None:
    hub.fail(match, status, times=99)
    with pytest.raises(ReleaseRefused) as refusal:
        push(hub, library, token)
    assert sentence in str(refusal.value)
    hub.heal()
    push(hub, library, token)
    assert hub.tags(NAME) == {"v1": hub.head(NAME)}


def test_without_an_account_the_mend_is_named(hub: LoopbackHub, library: Library, tmp_path: Path) -> None:
    path = library.path
    library.close()
    command = ["-m", "pipeline", "publish", "--library", str(path), "--to", f"hf://datasets/{NAME}"]
    done = run_python(hub.environment(None, tmp_path / "hf"), command)
    assert done.returncode == 1
    assert (
        "an account on the Hub is needed to publish to ann/parts; sign in with `hf auth login`" in done.stderr
    )


def test_of_two_first_releases_at_once_one_is_refused(
    hub: LoopbackHub, library: Library, token: str, tmp_path: Path
) -> None:
    with Library.open(tmp_path / "other", create=True) as other:
        for number in range(200, 205):
            add_subject(other, number)
        hub.before("POST .*/repos/create", lambda: push(hub, other, token))
        with pytest.raises(ReleaseRefused, match="somebody else changed ann/parts at the same time"):
            push(hub, library, token)
    assert [commit.title for commit in hub.commits(NAME)] == ["Release 1", "initial commit"]
    assert json.loads(hub.files(NAME)["release.json"])["counts"]["real"]["train"] == 5


def test_a_version_that_was_ever_taken_is_not_taken_again(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    push(hub, library, token)
    first = hub.files(NAME)
    accept_more(library, 2)
    push(hub, library, token)
    second = hub.files(NAME)
    hub.commit_as("bob", NAME, {path: None for path in second if path not in first} | first)  # a revert
    accept_more(library, 2)
    report = push(hub, library, token)
    assert report.tag == "v3"
    assert hub.tags(NAME)["v3"] == hub.head(NAME)
    hub.commit_as("bob", NAME, {"release.json": None})
    assert push(hub, library, token, replace=True).tag == "v4"
    log = hub.files(NAME)["CHANGELOG.md"].decode()
    assert all(f"## v{number}, " in log for number in (1, 3, 4))


def test_a_release_without_its_tag_gets_it_with_the_next_push(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    hub.fail("POST .*/tag/", 403, times=99)
    with pytest.raises(ReleaseRefused):
        push(hub, library, token)
    hub.heal()
    first = hub.head(NAME)
    accept_more(library, 1)
    push(hub, library, token)
    assert hub.tags(NAME) == {"v1": first, "v2": hub.head(NAME)}


def test_a_data_set_of_another_layout_is_not_taken_over(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    hub.create(NAME)
    hub.commit_as("ann", NAME, {"train.parquet": b"PAR1", "CHANGELOG.md": b"precious"})
    with pytest.raises(ReleaseRefused, match="holds a dataset that Backlot did not publish"):
        push(hub, library, token)
    assert hub.files(NAME)["CHANGELOG.md"] == b"precious"


def test_an_empty_repository_with_a_card_and_a_licence_is_filled(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    hub.create(NAME)
    hub.commit_as("ann", NAME, {"README.md": b"Ask Ann.\n", "LICENSE": b"mine"})
    push(hub, library, token)
    assert hub.files(NAME)["README.md"].decode().split("---\n")[2].startswith("Ask Ann.\n")
    assert hub.files(NAME)["LICENSE"] == b"mine"


@pytest.mark.parametrize("status", [403, 429, 500])
def test_a_small_file_that_cannot_be_fetched_is_one_sentence(
    hub: LoopbackHub, library: Library, token: str, status: int
) -> None:
    push(hub, library, token)
    hub.fail("(GET|HEAD) .*/resolve/.*release.json", status, times=99)
    with pytest.raises(ReleaseRefused, match="ann/parts"):
        push(hub, library, token)
    hub.heal()
    assert not push(hub, library, token).changed


def test_a_card_that_the_hub_does_not_take_is_one_sentence(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    hub.fail("POST .*/validate-yaml", 400, times=99)
    with pytest.raises(ReleaseRefused, match=r"the Hub refuses ann/parts: Invalid metadata in README\.md"):
        push(hub, library, token)


def test_a_damaged_index_is_named_and_replaced_only_when_told(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    push(hub, library, token)
    hub.commit_as("bob", NAME, {"index.parquet": b"not parquet at all"})
    with pytest.raises(ReleaseRefused, match=r"release.json or index.parquet of ann/parts is damaged"):
        push(hub, library, token)
    push(hub, library, token, replace=True)
    assert hub.files(NAME)["index.parquet"].startswith(b"PAR1")


def test_an_upload_that_is_refused_is_no_broken_connection(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    hub.fail("PUT /storage/", 403, times=999)
    with pytest.raises(ReleaseRefused, match="the token may not write to ann/parts"):
        push(hub, library, token)


def test_a_proposal_whose_answer_was_lost_is_found_again(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    push(hub, library, token)
    accept_more(library, 2)
    hub.lose_answer("POST .*/commit/")
    with contextlib.suppress(ReleaseRefused):
        push(hub, library, token, pull_request=True)
    report = push(hub, library, token, pull_request=True)
    assert len(hub.pull_requests(NAME)) == 1
    assert report.pull_request is not None
    assert report.pull_request.endswith("/discussions/1")


def test_a_dry_run_does_not_call_new_what_it_may_not_see(
    hub: LoopbackHub, library: Library, token: str
) -> None:
    push(hub, library, token)
    with pytest.raises(ReleaseRefused, match="cy may not write to 'ann'"):
        push(hub, library, hub.account("cy"), dry_run=True)


def test_a_token_is_in_no_representation() -> None:
    assert "hf_secret" not in repr(PushOptions(token="hf_secret"))


@pytest.mark.parametrize(
    "address", ["hf://ann/parts", "hf://datasets/parts", "hf://datasets/ann/a--b", "hf://datasets/ann/p.git"]
)
def test_a_malformed_address_is_refused(address: str) -> None:
    with pytest.raises(
        InvalidRequest, match="names no dataset on the Hub; write hf://datasets/NAMESPACE/NAME"
    ):
        hub_name(address)


def test_addresses_and_folders_are_told_apart() -> None:
    assert hub_name("hf://datasets/ann/parts/") == "ann/parts"
    assert hub_name("releases/parts") is None
