from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

from pipeline.domain.arms import Arm
from pipeline.errors import InvalidRequest
from pipeline.rendering import DownloadProgress
from pipeline.services.reports import PlanPreview, ReleasePreview, RunProgress, RunState, StudyProgress
from pipeline.services.studies.process import StudyRequest, StudyService
from pipeline.studio import Studio
from tests.toy_library import filled
from ui.pages.generate.page import plan_html, run_html
from ui.pages.publish.page import release_preview_html
from ui.pages.train.page import Training, report_frame, study_html

PREVIEW = PlanPreview(
    id="p1",
    name="surfaces",
    total=20,
    new=12,
    classes={"bolt": 20},
    methods={"inpaint": 20},
    slots={"light": {"warm light": 20}},
    prompts=("gravel floor, warm light",),
    seconds=130.0,
    size=256,
    size_sentence="256 x 256 px, as the recipe says",
    memory_sentence="about 1.1 GB of memory in batches of 4",
    warnings=("nano does not know: fog",),
)
DOWNLOAD = DownloadProgress(
    model="sdxl", repo="some/model", done_bytes=1_000_000_000, total_bytes=4_000_000_000, seconds=60.0
)


def test_a_plan_tells_how_many_how_long_and_what_is_wrong() -> None:
    shown = plan_html(PREVIEW)
    assert "<b>12</b> images to generate, about 2 min" in shown
    assert "8 of 20 are already in the library" in shown
    assert "Images of 256 x 256 px, as the recipe says; about 1.1 GB of memory in batches of 4" in shown
    assert PREVIEW.summary.endswith(
        "\n256 x 256 px, as the recipe says; about 2 min; about 1.1 GB of memory in batches of 4"
    )
    assert "nano does not know: fog" in shown


def test_a_plan_tells_how_many_images_show_distractors() -> None:
    crowded = replace(
        PREVIEW, distractors_note="about 6 of the images show 1 distractor besides: neutral shapes"
    )
    assert "About 6 of the images show 1 distractor besides: neutral shapes" in plan_html(crowded)
    assert crowded.summary.splitlines()[1] == crowded.distractors_note
    assert "distractor" not in plan_html(PREVIEW) + PREVIEW.summary


def test_a_plan_of_several_arrangements_shows_them_beside_the_methods() -> None:
    shown = plan_html(replace(PREVIEW, slots={"arrangement": {"single": 12, "heap": 8}}))
    assert "Arrangements" in shown
    assert "heap" in shown
    assert "Values of the prompt slots" not in shown


@pytest.mark.parametrize(
    ("progress", "sentence"),
    [
        (RunProgress(state=RunState.LOADING, total=4), "loading the model"),
        (
            RunProgress(state=RunState.LOADING, download=DOWNLOAD),
            "downloading some/model: 1.00 of 4.00 GB, about 3 min left",
        ),
        (RunProgress(state=RunState.LOADING, download=DOWNLOAD), 'aria-valuenow="25.0"'),
        (
            RunProgress(state=RunState.RUNNING, done=1, total=4, download=DOWNLOAD),
            "1 of 4 · downloading some/model",
        ),
        (RunProgress(state=RunState.RUNNING, done=1, total=4, seconds_left=9.0), "1 of 4 · about 9 s left"),
        (RunProgress(state=RunState.PAUSED, done=1, total=4), "paused at 1 of 4; finished images are kept"),
        (RunProgress(state=RunState.DONE, done=4, total=4), "done: 4 of 4 images"),
        (
            RunProgress(state=RunState.FAILED, done=1, total=4, sentence="the disk is full"),
            "the disk is full",
        ),
    ],
)
def test_a_run_says_where_it_stands(progress: RunProgress, sentence: str) -> None:
    assert sentence in run_html(progress)


def test_nothing_is_said_of_a_run_that_never_began() -> None:
    assert run_html(RunProgress()) == ""


def test_a_run_that_was_refused_before_its_plan_has_no_moving_bar() -> None:
    shown = run_html(RunProgress(state=RunState.FAILED, sentence="there is no folder models/nosuch"))
    assert "not started" in shown
    assert "there is no folder models/nosuch" in shown
    assert "progressbar" not in shown


def test_the_release_preview_has_a_column_for_each_split_and_origin() -> None:
    preview = ReleasePreview(
        real={"train": {"bolt": 3}, "test": {"bolt": 1}},
        synthetic={"train": {"bolt": 5}},
        methods={"inpaint": 5},
        card="# set",
        decided_by_gate=2,
    )
    shown = release_preview_html(preview)
    assert "<b>4</b> photos and <b>5</b> accepted synthetic images" in shown
    assert "<tr><th>bolt</th><td>3</td><td>5</td><td>1</td><td>0</td></tr>" in shown
    assert "2 synthetic images were accepted automatically" in shown
    assert (
        "Too few test photos of &#x27;bolt&#x27; (1); a study needs at least 5 of each class: "
        "import more photos as test."
    ) in shown


def test_the_release_preview_of_nothing_leads_to_the_photographs() -> None:
    preview = ReleasePreview(real={}, synthetic={}, methods={}, card="", decided_by_gate=0)
    assert 'href="./"' in release_preview_html(preview)


def test_a_study_shows_its_verdict_or_why_it_failed(tmp_path: Path) -> None:
    ended = StudyProgress(running=False, out=tmp_path, verdict="Mixed is best.", report_html="<p>'\"</p>")
    assert "<p>Mixed is best.</p>" in study_html(ended)
    assert 'srcdoc="&lt;p&gt;&#x27;&quot;&lt;/p&gt;"' in report_frame(ended)
    failed = StudyProgress(running=False, out=tmp_path, sentence="no release 'x'")
    assert "no release &#x27;x&#x27;" in study_html(failed)
    assert report_frame(failed) == ""


def test_classes_of_a_release_with_too_few_test_photos_are_named_before_a_study(studio: Studio) -> None:
    release = studio.settings.releases / "parts"
    shutil.copytree(Path(__file__).parents[1] / "fixtures" / "release_v1", release)
    training = Training(studio)
    assert "Too few test photos of" in training.shortage(str(release), "")
    assert "a study needs at least 5 of each class: publish more" in training.shortage(str(release), "")
    assert training.shortage(None, None) == ""
    assert training.shortage(str(release / "data"), "") == ""  # no release
    counts = studio.releases.test_photos(release)
    assert studio.releases.test_photos(release, of_all_splits=True) != counts
    assert (
        sum(counts.values()) == json.loads((release / "release.json").read_text())["counts"]["real"]["test"]
    )


def test_a_study_has_the_chosen_networks_in_the_order_of_the_page_and_needs_one(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[StudyRequest] = []
    monkeypatch.setattr(StudyService, "start", lambda _, request: requests.append(request))
    training = Training(studio)
    with pytest.raises(InvalidRequest, match="no network is chosen; choose at least one under Network"):
        training.start("release", "", False, 3, ["real"], [], "")
    assert requests == []
    training.start("release", "", False, 3, ["real"], ["small", "probe"], "")
    assert requests[0].networks == ("probe", "small")


def test_a_new_stage_is_shown_though_no_run_has_ended(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = "finding the objects of the test photos"
    monkeypatch.setattr(
        StudyService,
        "progress",
        property(lambda _: StudyProgress(running=True, out=tmp_path, total=4, stage=stage)),
    )
    training = Training(studio)
    seen = str(training.poll("")[-1])
    assert training.poll(seen)[0] == gr.skip()
    stage = "computing features"
    assert "computing features" in str(training.poll(seen)[0])


def test_the_curves_of_a_study_have_the_titles_and_colours_of_the_report(tmp_path: Path) -> None:
    early = StudyProgress(running=True, out=tmp_path, done=0, total=24, stage="computing features")
    assert "0 of 24 runs · computing features" in study_html(early)
    later = StudyProgress(running=True, out=tmp_path, done=4, total=24, seconds_left=130)
    assert "4 of 24 runs · about 2 min left" in study_html(later)
    further = StudyProgress(running=True, out=tmp_path, done=4, total=24, network="small", seconds_left=130)
    assert "4 of 24 runs with small · about 2 min left" in study_html(further)
    running = StudyProgress(running=True, out=tmp_path, curves={"mixed": [(10, 0.5)], "sdxl": [(10, 0.25)]})
    shown = study_html(running)
    assert ">Real + synthetic 50%</li>" in shown
    assert ">Text to image 25%</li>" in shown  # the arm's old name is still read
    assert f'style="--curve: {Arm.MIXED.facts.colour}"' in shown


def test_the_thumbnails_of_a_run_are_those_of_its_samples(studio: Studio) -> None:
    ids = filled(studio.library, samples=1)
    assert studio.photos.thumbnail_path(studio.library.samples.get(ids[0]).image_id or "").is_file()
