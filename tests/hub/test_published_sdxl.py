"""SDXL from the Hub: downloaded in part and resumed, used offline, completed and repaired."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import snapshot_download

from pipeline.rendering.checkpoints import CHECKPOINTS, Part
from tests.hub.child import run_python
from tests.hub.server import LoopbackHub
from tests.rendering.published import BASE_REPO, INPAINT_REPO, publish, published_files

PARTS = CHECKPOINTS["sdxl"].hub
Files = dict[Part, dict[str, bytes]]
VAE = "diffusion_pytorch_model.safetensors"
DRAW = """
import hashlib, json, sys
from pipeline.domain.methods import Method
from pipeline.errors import StudioError
from pipeline.rendering import load, model_facts
from pipeline.rendering.composite import exact
from tests.rendering.jobs import job
images = {}
try:
    generator = load("sdxl")
    for method in map(Method, sys.argv[1:]):
        revision = model_facts("sdxl").revision_for(method)
        wanted = job(3, method, model="sdxl", revision=revision, steps=10)
        image = generator.generate([wanted])[0]
        assert exact(image, wanted.layer)
        images[method] = hashlib.sha256(image.tobytes()).hexdigest()
    inner = generator._pipelines
    if "inpaint" in vars(inner) and vars(inner).get("text"):
        assert inner.inpaint.text_encoder_2 is inner.text.text_encoder_2
        assert inner.inpaint.vae is inner.text.vae
    print(json.dumps(images))
except StudioError as error:
    print(json.dumps(str(error)))
"""
FETCH = """
import json, sys
from pipeline.errors import StudioError
from pipeline.rendering.checkpoints import CHECKPOINTS, Part
from pipeline.rendering.downloads import fetched
for part in map(Part, sys.argv[1:]):
    try:
        fetched("sdxl", CHECKPOINTS["sdxl"].hub[part])
        print(json.dumps(""))
    except StudioError as error:
        print(json.dumps(str(error)))
assert "torch" not in sys.modules
"""
ASK = """
import json
from pipeline.rendering import model_choices, tokens_over
choice = next(choice for choice in model_choices() if choice.name == "sdxl")
print(json.dumps([choice.available, tokens_over("gravel floor, a b c", "sdxl").words]))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What the repositories hold."""
    return published_files(tmp_path_factory.mktemp("published"))


@pytest.fixture
def sdxl(hub: LoopbackHub, files: Files) -> LoopbackHub:
    """A Hub with the four repositories of `sdxl`."""
    publish(hub, files)
    return hub


def answers(
    hub: LoopbackHub, home: Path, script: str, *asked: str, more: Mapping[str, str] | None = None
) -> list[Any]:
    """What a child process prints, as JSON lines."""
    file = home.parent / "script.py"
    file.write_text(script)
    environment = hub.environment(None, home, patient=False) | dict(more or {})
    done = run_python(environment, [str(file), *asked])
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def downloaded(hub: LoopbackHub, repo: str) -> set[str]:
    """The files of a repository that were asked for."""
    marker = f"/{repo}/resolve/"
    return {request.path.split(marker)[1].partition("/")[2] for request in hub.seen(f"GET {marker}")}


def weights(files: Collection[str]) -> set[str]:
    return {file for file in files if file.endswith(".safetensors")}


def sent_bytes(hub: LoopbackHub, file: str) -> int:
    return sum(request.sent for request in hub.seen(f"GET .*/{file}"))


def blob(home: Path, part: Part, file: str) -> Path:
    """The stored bytes of a cached file."""
    name = f"models--{PARTS[part].repo.replace('/', '--')}"
    return (home / "hub" / name / "snapshots" / PARTS[part].revision / file).resolve()


def test_each_method_downloads_what_it_needs_and_all_draw_the_same_offline(
    sdxl: LoopbackHub, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (text,) = answers(sdxl, home, DRAW, "text_to_image")
    assert downloaded(sdxl, BASE_REPO) == set(PARTS[Part.TEXT].files)
    assert weights(downloaded(sdxl, INPAINT_REPO)) == weights(PARTS[Part.ENCODERS].files)
    (others,) = answers(sdxl, home, DRAW, "inpaint", "controlnet", "text_to_image")
    assert others["text_to_image"] == text["text_to_image"]
    assert weights(downloaded(sdxl, INPAINT_REPO)) == {
        *weights(PARTS[Part.ENCODERS].files),
        *weights(PARTS[Part.INPAINT].files),
    }
    assert downloaded(sdxl, PARTS[Part.CONTROLNET].repo) == set(PARTS[Part.CONTROLNET].files)
    sdxl.forget()
    offline = {"HF_HUB_OFFLINE": "1"}
    assert answers(sdxl, home, DRAW, "inpaint", "controlnet", "text_to_image", more=offline) == [others]
    assert answers(sdxl, home, ASK) == [[True, "c"]]
    assert sdxl.requests == ()


def test_a_download_goes_on_after_resets_and_refusals_and_sends_no_byte_twice(
    sdxl: LoopbackHub, tmp_path: Path
) -> None:
    sdxl.cut_answer(f"GET .*/{VAE}", 20_000, times=2)
    sdxl.lose_answer(f"GET .*/{VAE}", skip=2)
    sdxl.fail(f"HEAD .*/{VAE}", 503)
    sdxl.fail(f"GET .*/{VAE}", 429, headers={"Retry-After": "0"})
    assert answers(sdxl, tmp_path / "home", FETCH, "vae") == [""]
    assert blob(tmp_path / "home", Part.VAE, VAE).read_bytes() == content(sdxl, Part.VAE, VAE)


def test_a_later_process_resumes_where_the_first_one_broke_off(sdxl: LoopbackHub, tmp_path: Path) -> None:
    whole = content(sdxl, Part.VAE, VAE)
    sdxl.cut_answer(f"GET .*/{VAE}", 30_000)
    sdxl.fail(f"GET .*/{VAE}", 503, times=-1)
    (sentence,) = answers(sdxl, tmp_path / "home", FETCH, "vae")
    assert sentence.startswith(
        "model 'sdxl' is not on this machine and the Hub refuses madebyollin/sdxl-vae-fp16-fix: "
    )
    (kept,) = (tmp_path / "home" / "hub").rglob("*.incomplete")
    start = kept.stat().st_size
    assert 0 < start <= 30_000
    sdxl.heal()
    sdxl.forget()
    assert answers(sdxl, tmp_path / "home", FETCH, "vae") == [""]
    assert sent_bytes(sdxl, VAE) == len(whole) - start
    assert blob(tmp_path / "home", Part.VAE, VAE).read_bytes() == whole
    assert not kept.exists()


def test_a_cache_that_another_program_filled_in_part_is_completed(sdxl: LoopbackHub, tmp_path: Path) -> None:
    home, part = tmp_path / "home", PARTS[Part.ENCODERS]
    snapshot_download(
        part.repo,
        revision=part.revision,
        allow_patterns=["*.json", "text_encoder/*", "unet/*"],
        cache_dir=home / "hub",
        endpoint=sdxl.address,
    )
    sdxl.forget()
    assert answers(sdxl, home, ASK) == [[False, ""]]
    assert answers(sdxl, home, FETCH, "encoders", "inpaint", "vae") == ["", "", ""]
    assert downloaded(sdxl, part.repo) == {
        "text_encoder_2/model.fp16.safetensors",
        "tokenizer/merges.txt",  # the second tokenizer's is the same blob
    }
    assert answers(sdxl, home, ASK) == [[True, "c"]]


def test_a_damaged_file_is_downloaded_again_and_told_offline(sdxl: LoopbackHub, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert answers(sdxl, home, FETCH, "encoders", "vae", "inpaint") == ["", "", ""]
    damaged = blob(home, Part.INPAINT, "unet/diffusion_pytorch_model.fp16.safetensors")
    damaged.write_bytes(damaged.read_bytes()[:1000])
    blob(home, Part.VAE, "config.json").write_text("{")
    (sentence,) = answers(sdxl, home, DRAW, "inpaint", more={"HF_HUB_OFFLINE": "1"})
    assert sentence == (
        "model 'sdxl' is damaged on this machine and the Hub cannot be reached (HF_HUB_OFFLINE is set); "
        "connect once to download madebyollin/sdxl-vae-fp16-fix, or choose model 'nano'"
    )
    sdxl.forget()
    (images,) = answers(sdxl, home, DRAW, "inpaint")
    assert list(images) == ["inpaint"]
    assert downloaded(sdxl, INPAINT_REPO) == {"unet/diffusion_pytorch_model.fp16.safetensors"}
    assert downloaded(sdxl, PARTS[Part.VAE].repo) == {"config.json"}


def content(hub: LoopbackHub, part: Part, file: str) -> bytes:
    return hub.files(PARTS[part].repo, kind="model")[file]
