"""The studio on a Space: exactly the tracked files it needs, once, never over somebody else's work."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InvalidRequest, ReleaseRefused, UnknownName
from pipeline.publish.deploy import MANIFEST, DeployOptions, DeployReport, deploy, space_files
from tests.hub.child import run_python
from tests.hub.server import LoopbackHub

NAME = "ann/studio"
ROOT = Path(__file__).parents[2]
CHECKOUT = {
    "app.py": "print('app')\n",
    "requirements.txt": "gradio\n",
    "README.md": '---\ntitle: T\n---\n![One](docs/one.png)\n<img src="docs/two.png">\n',
    "LICENSE": "free\n",
    "ui/page.py": "PAGE = 1\n",
    "pipeline/nano/unet/weights.safetensors": "w" * 5000,
    "training/fit.py": "FIT = 1\n",
    "recipes/one.yaml": "name: one\n",
    "docs/one.png": "1",
    "docs/two.png": "2",
}
NOT_SENT = {
    "docs/three.png": "3",
    "tests/test_one.py": "",
    "benchmarks/one.py": "",
    "work/notes.txt": "",
    "Makefile": "",
    "requirements-dev.txt": "",
}


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with tracked files that a Space needs, tracked ones that it does not, and untracked ones."""
    folder = tmp_path / "checkout"
    for path, text in {**CHECKOUT, **NOT_SENT}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    (folder / "ui" / "untracked.py").write_text("secret = 1\n")
    return folder


def send(hub: LoopbackHub, checkout: Path, token: str | None, **options: Any) -> DeployReport:
    given = DeployOptions(token=token, endpoint=hub.address, **options)
    return deploy(NAME, root=checkout, options=given, pause=lambda _: None)


def there(hub: LoopbackHub) -> dict[str, bytes]:
    """The Space's files, without the Hub's own."""
    return {path: data for path, data in hub.files(NAME, kind="space").items() if path != ".gitattributes"}


def test_a_space_gets_exactly_the_tracked_files_that_it_needs_in_one_commit(
    hub: LoopbackHub, checkout: Path
) -> None:
    report = send(hub, checkout, hub.account("ann"), private=True, hardware="cpu-basic")
    files = there(hub)
    manifest = json.loads(files.pop(MANIFEST))
    assert files == {path: text.encode() for path, text in CHECKOUT.items()}
    assert set(manifest["files"]) == set(CHECKOUT)
    assert (report.created, report.kept, report.removed) == (True, 0, ())
    assert report.commit == hub.head(NAME, kind="space")
    assert [commit.title for commit in hub.commits(NAME, kind="space")] == [
        "Deploy Backlot",
        "initial commit",
    ]
    space = hub.repository(NAME, kind="space")
    assert (space.sdk, space.private, space.hardware) == ("gradio", True, "cpu-basic")


def test_a_second_deployment_sends_what_changed_and_one_without_a_change_makes_no_commit(
    hub: LoopbackHub, checkout: Path
) -> None:
    token = hub.account("ann")
    send(hub, checkout, token)
    head = hub.head(NAME, kind="space")
    again = send(hub, checkout, token)
    assert (again.files, again.removed, again.commit, again.kept) == ((), (), None, len(CHECKOUT))
    assert hub.head(NAME, kind="space") == head
    (checkout / "ui" / "page.py").write_text("PAGE = 22\n")
    git(checkout, "rm", "-q", "-f", "training/fit.py")
    hub.commit_as("ann", NAME, {"mine.txt": b"put there by hand"}, kind="space")
    hub.forget()
    changed = send(hub, checkout, token)
    assert (changed.files, changed.removed) == ((("ui/page.py", 10),), ("training/fit.py",))
    files = there(hub)
    assert files["ui/page.py"] == b"PAGE = 22\n"
    assert files["mine.txt"] == b"put there by hand"
    assert "training/fit.py" not in files
    assert hub.sent_objects == ()  # the weights were not sent again


def test_a_dry_run_lists_files_and_bytes_and_sends_nothing(hub: LoopbackHub, checkout: Path) -> None:
    report = send(hub, checkout, None, dry_run=True)
    assert report.files == tuple((path, len(text)) for path, text in sorted(CHECKOUT.items()))
    assert (report.commit, report.created, hub.names(kind="space")) == (None, True, [])
    assert {exchange.method for exchange in hub.requests} <= {"GET", "HEAD"}


def test_what_somebody_else_changed_is_not_written_over(hub: LoopbackHub, checkout: Path) -> None:
    token = hub.account("ann")
    send(hub, checkout, token)
    hub.commit_as("bob", NAME, {"app.py": b"bob's"}, kind="space")
    head = hub.head(NAME, kind="space")
    with pytest.raises(
        ReleaseRefused, match=r"somebody changed app\.py on ann/studio .* deploy with --replace"
    ):
        send(hub, checkout, token)
    assert hub.head(NAME, kind="space") == head
    assert send(hub, checkout, token, replace=True).files == (("app.py", 13),)
    assert there(hub)["app.py"] == b"print('app')\n"


def test_a_push_of_somebody_else_in_the_same_moment_is_noticed(hub: LoopbackHub, checkout: Path) -> None:
    token = hub.account("ann")
    send(hub, checkout, token)
    (checkout / "app.py").write_text("new\n")
    hub.before("POST .*/commit/", lambda: hub.commit_as("bob", NAME, {"ui/page.py": b"bob's"}, kind="space"))
    with pytest.raises(
        ReleaseRefused, match="somebody else changed ann/studio at the same time; nothing was overwritten"
    ):
        send(hub, checkout, token)
    assert there(hub)["app.py"] == b"print('app')\n"


def test_a_space_of_another_program_is_not_taken_over(hub: LoopbackHub, checkout: Path) -> None:
    hub.create(NAME, kind="space")
    hub.commit_as("ann", NAME, {"main.py": b"another"}, kind="space")
    with pytest.raises(ReleaseRefused, match="holds a Space that Backlot did not deploy"):
        send(hub, checkout, hub.account("ann"))


def test_a_busy_hub_is_asked_again(hub: LoopbackHub, checkout: Path) -> None:
    hub.fail("POST .*/commit/", 503, times=2)
    assert send(hub, checkout, hub.account("ann")).commit == hub.head(NAME, kind="space")


def test_a_commit_whose_answer_was_lost_is_not_somebody_elses(hub: LoopbackHub, checkout: Path) -> None:
    hub.lose_answer("POST .*/commit/")
    assert send(hub, checkout, hub.account("ann")).commit == hub.head(NAME, kind="space")
    assert len(hub.commits(NAME, kind="space")) == 2


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("read", "the token of ann may only read; sign in"),
        ("other", "bob may not write to 'ann'; choose one of bob"),
        ("wrong", "the Hub does not know the token"),
    ],
)
def test_who_may_not_deploy_reads_one_sentence(
    hub: LoopbackHub, checkout: Path, role: str, message: str
) -> None:
    token = {"read": lambda: hub.account("ann", "read"), "other": lambda: hub.account("bob")}.get(
        role, lambda: "hf_unknown"
    )()
    with pytest.raises(ReleaseRefused, match=message) as refused:
        send(hub, checkout, token)
    assert token not in str(refused.value)
    assert hub.names(kind="space") == []


def test_a_large_file_a_wrong_name_and_no_checkout_are_refused_before_anything_is_asked(
    hub: LoopbackHub, checkout: Path, tmp_path: Path
) -> None:
    with (checkout / "pipeline" / "big.bin").open("wb") as file:
        file.truncate(10_000_001)
    git(checkout, "add", "pipeline/big.bin")
    with pytest.raises(ReleaseRefused, match=r"no file over 10,000,000 bytes; split pipeline/big\.bin"):
        send(hub, checkout, "hf_x")
    with pytest.raises(InvalidRequest, match="'studio' names no Space; write NAMESPACE/NAME"):
        deploy("studio", root=checkout)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReleaseRefused, match="is not a git checkout"):
        deploy(NAME, root=tmp_path / "empty", options=DeployOptions(endpoint=hub.address))
    assert hub.requests == ()


def test_a_readme_that_the_hub_refuses_is_said_in_one_sentence(hub: LoopbackHub, checkout: Path) -> None:
    (checkout / "README.md").write_text("---\ntitle: [\n---\n")
    with pytest.raises(ReleaseRefused, match=r"the Hub refuses the front matter of README\.md: "):
        send(hub, checkout, hub.account("ann"))
    assert MANIFEST not in there(hub)


def test_this_checkout_can_be_deployed_from_the_command_line(hub: LoopbackHub, tmp_path: Path) -> None:
    environment = hub.environment(hub.account("ann"), tmp_path / "home", patient=False)
    command = ["-m", "pipeline", "deploy", "--space", NAME, "--json"]
    would = json.loads(run_python(environment, [*command, "--dry-run"]).stdout)
    wanted = space_files(ROOT)
    assert [path for path, _ in would["files"]] == wanted
    assert {"app.py", "pipeline/nano/vocabulary.json", "docs/screenshots/create.png"} <= set(wanted)
    assert not [path for path in wanted if path.startswith(("tests/", "benchmarks/", "work/"))]
    assert hub.names(kind="space") == []
    sent = json.loads(run_python(environment, command).stdout)
    assert (sent["bytes"], sent["commit"]) == (would["bytes"], hub.head(NAME, kind="space"))
    assert set(there(hub)) == {*wanted, MANIFEST}
    assert max(map(len, there(hub).values())) <= 10_000_000
    told = run_python(environment, [part for part in command if part != "--json"])
    assert (told.returncode, told.stdout.strip()) == (
        0,
        f"nothing sent: {sent['url']} equals this checkout",
    )


def test_hardware_that_is_none_is_refused_before_anything_is_asked(hub: LoopbackHub, checkout: Path) -> None:
    with pytest.raises(UnknownName, match="there is no hardware 'cpu-basik'; did you mean 'cpu-basic'"):
        send(hub, checkout, hub.account("ann"), hardware="cpu-basik")
    assert hub.requests == ()
