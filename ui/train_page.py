"""Train: a study over the uses of a release, its curves, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import InvalidRequest
from pipeline.studio.reports import StudyProgress
from ui.addresses import page_address
from ui.charts import curves_svg
from ui.events import AT_ONCE, QUIET, shown_to_user
from ui.frame import build_bar, build_head
from ui.pieces import empty_html, note_html, progress_html, whole_number
from ui.rights import for_leads

if TYPE_CHECKING:
    from pipeline.studio import Studio

_POLL_S = 2.0
_OWN_TEST = "the release's own test photographs"
_MOST_SEEDS = 16  # more are refused, see training.statistics
_ARMS = [  # as `python -m training study --arms` names them
    ("real", "real"),
    ("real, augmented", "real_augmented"),
    ("made", "synthetic"),
    ("mixed", "mixed"),
    ("prompt alone", "sdxl"),
    ("pasted", "paste"),
]
_FIRST_ARMS = ["real", "real_augmented", "synthetic", "mixed"]
_NETWORKS = [("small (CPU)", "small"), ("MobileNetV3", "mobilenet_v3"), ("ResNet-18", "resnet18")]
_NO_RELEASE = empty_html(
    "No release yet", "A study trains on what was published.", link=page_address("publish"), action="Publish"
)
_READY = empty_html("No study yet", "Choose a release and start; the curves come in here.")


def study_html(progress: StudyProgress) -> str:
    """The verdict large, then the bar, the curves, and what went wrong."""
    verdict = (
        f'<section class="verdict"><h2>Verdict</h2><p>{escape(progress.verdict)}</p></section>'
        if progress.verdict
        else ""
    )
    bar = ""
    if progress.running:
        said = f"{progress.done} of {progress.total} trainings" if progress.total else "reading the release"
        bar = progress_html(progress.done, progress.total or None, said)
    problem = note_html([progress.sentence] if progress.sentence else [], kind="bad")
    title = "Accuracy on the test photographs, first seed"
    return verdict + bar + problem + curves_svg(progress.curves, title=title)


def report_frame(progress: StudyProgress) -> str:
    """The report of an ended study, in a frame of its own."""
    if not progress.report_html:
        return ""
    inside = escape(progress.report_html, quote=True)
    return (
        '<details class="report" open>'
        f"<summary>The whole report <code>{escape(str(progress.out))}</code></summary>"
        f'<iframe title="Report of the study" sandbox="allow-same-origin" srcdoc="{inside}"></iframe>'
        "</details>"
    )


@dataclass(frozen=True, slots=True)
class Training:
    """What the page does."""

    studio: Studio

    def opened(self, request: gr.Request) -> tuple[Any, ...]:
        """The releases to choose from; the address may name one."""
        releases = [str(path) for path in self.studio.releases()]
        asked = request.query_params.get("release", "")
        if asked and asked not in releases and Path(asked).is_dir():
            releases.insert(0, asked)
        choices = [(Path(path).name, path) for path in releases]
        chosen = asked if asked in releases else releases[0] if releases else None
        return (
            gr.Dropdown(choices=choices, value=chosen),
            gr.Dropdown(choices=[(_OWN_TEST, ""), *choices], value=""),
            gr.Button(interactive=bool(releases)),
        )

    def start(
        self, release: str | None, test: str, seeds: int, arms: list[str], network: str, steps: str
    ) -> tuple[Any, ...]:
        """Start the study; the page after it."""
        if not release:
            raise InvalidRequest("choose a release first; the Publish page writes one")
        if not arms:
            raise InvalidRequest("choose at least one use of the data to train with")
        self.studio.start_study(
            release,
            test=test or None,
            seeds=int(seeds),
            arms=arms,
            network=network,
            steps=whole_number(steps, "the number of steps"),
        )
        return self.poll("")

    def stop(self) -> tuple[Any, ...]:
        """Stop the study."""
        self.studio.stop_study()
        return self.poll("")

    def poll(self, seen: str) -> tuple[Any, ...]:
        """Curves and verdict, the report, the buttons; nothing is sent when nothing changed."""
        progress = self.studio.study_progress()
        points = sum(len(curve) for curve in progress.curves.values())
        mark = repr(
            (progress.running, str(progress.out), progress.done, progress.total, points, progress.sentence)
        )
        if mark == seen:
            return (gr.skip(),) * 5
        nothing = _READY if self.studio.releases() else _NO_RELEASE
        return (
            study_html(progress) or nothing,
            report_frame(progress),
            gr.Button(visible=not progress.running),
            gr.Button(visible=progress.running),
            mark,
        )


def build_train_page(page: gr.Blocks, studio: Studio) -> None:
    """Lay out and wire the page."""
    build_bar(page, studio, "train")
    build_head("Train", "The same network on real, made and mixed data: which use is best, or that none is.")
    training, seen = Training(studio), gr.State("")
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, elem_classes="main"):
            study = gr.HTML(elem_id="study")
            report = gr.HTML(elem_id="report")
        with gr.Column(scale=3, min_width=320, elem_classes="side"):
            with gr.Column(elem_classes="pane"):
                release = gr.Dropdown([], label="Release", allow_custom_value=True, elem_id="release")
                test = gr.Dropdown([(_OWN_TEST, "")], value="", label="Tested on", allow_custom_value=True)
                arms = gr.CheckboxGroup(
                    _ARMS, value=_FIRST_ARMS, label="Train with", elem_classes="pills", elem_id="arms"
                )
                seeds = gr.Slider(
                    1,
                    _MOST_SEEDS,
                    6,
                    step=1,
                    label="Seeds",
                    info="fewer than 6 can prove nothing",
                    elem_id="seeds",
                    buttons=[],
                )
            with gr.Accordion("Network", open=False, elem_classes="pane"):
                network = gr.Radio(
                    _NETWORKS, value="small", show_label=False, elem_classes="pills", container=False
                )
                steps = gr.Textbox(label="Steps", placeholder="300", max_lines=1, elem_id="steps")
            start = gr.Button("Start the study", variant="primary", elem_id="start-study")
            stop = gr.Button("Stop", visible=False, elem_id="stop-study")
    shown = [study, report, start, stop, seen]
    page.load(shown_to_user(training.opened), None, [release, test, start], **AT_ONCE)
    page.load(training.poll, seen, shown, **AT_ONCE)
    guarded = for_leads(studio, "start or stop trainings")
    start.click(
        shown_to_user(guarded(training.start)), [release, test, seeds, arms, network, steps], shown, **QUIET
    )
    stop.click(shown_to_user(guarded(training.stop)), None, shown, **QUIET)
    gr.Timer(_POLL_S).tick(training.poll, seen, shown, **AT_ONCE)
