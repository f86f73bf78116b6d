"""Train: a study that compares the uses of a release, its training curves and the verdict."""

from __future__ import annotations

import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from pipeline.domain.arms import ARMS, Arm
from pipeline.domain.splits import shortage_of_test_photos
from pipeline.domain.studies import DEFAULT_NETWORK, MAX_SEEDS, NETWORK_TITLES, SEEDS_FOR_A_CLAIM
from pipeline.domain.texts import duration
from pipeline.errors import InvalidRequest
from pipeline.services.reports import StudyProgress
from pipeline.services.studies.process import StudyRequest
from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.charts import curves_svg
from ui.components.frame import build_head
from ui.components.html import capitalised, empty_html, note_html, progress_html, whole_number
from ui.components.marks import mark_of
from ui.errors import AT_ONCE, QUIET
from ui.pages.train.studies import build_studies

if TYPE_CHECKING:
    from pipeline.studio import Studio

_POLL_S = 2.0
_OWN_TEST = "the release's own test photos"
_ARMS = [(facts.title, arm) for arm, facts in ARMS.items()]
_PRESELECTED = [arm for arm, facts in ARMS.items() if facts.preselected]
_NETWORKS = [(title, str(network)) for network, title in NETWORK_TITLES.items()]
_NO_RELEASE = empty_html(
    "No release yet", "A study trains on a published release.", link=page_address("publish"), action="Publish"
)
_READY = empty_html("No study is running", "Choose a release and start; the training curves appear here.")


def study_html(progress: StudyProgress) -> str:
    """Build the verdict, the progress bar, what went wrong, and the training curves."""
    verdict = (
        f'<section class="verdict"><h2>Verdict</h2><p>{escape(progress.verdict)}</p></section>'
        if progress.verdict
        else ""
    )
    bar = ""
    if progress.running:
        label = f"{progress.done} of {progress.total} runs" if progress.total else "reading the release"
        if progress.network:
            label += f" with {progress.network}"
        if progress.stage:
            label += f" · {progress.stage}"
        elif progress.seconds_left is not None:
            label += f" · about {duration(progress.seconds_left)} left"
        bar = progress_html(progress.done, progress.total or None, label)
    problem = note_html([progress.sentence] if progress.sentence else [], kind="bad")
    return verdict + bar + problem + _curves_html(progress)


def _curves_html(progress: StudyProgress) -> str:
    """Draw the training curves with the titles and colours that the report uses."""
    facts = {name: Arm(name).facts for name in progress.curves}
    return curves_svg(
        {facts[name].title: points for name, points in progress.curves.items()},
        title="Accuracy on the test photos, first seed",
        colours={arm.title: arm.colour for arm in facts.values()},
    )


def report_frame(progress: StudyProgress) -> str:
    """Show the report of a finished study in a frame."""
    if not progress.report_html:
        return ""
    inside = escape(progress.report_html, quote=True)
    return (
        '<details class="report" open>'
        f"<summary>Full report <code>{escape(str(progress.out))}</code></summary>"
        f'<iframe title="Report of the study" sandbox="allow-same-origin" srcdoc="{inside}"></iframe>'
        "</details>"
    )


@dataclass(frozen=True, slots=True)
class Training:
    """The handlers of the page."""

    studio: Studio

    def opened(self, request: gr.Request) -> tuple[object, ...]:
        """List the releases, which can be chosen from then on; the address may name one."""
        releases = [str(path) for path in self.studio.releases.folders()]
        requested = request.query_params.get("release", "")
        at_home = not self.studio.settings.hosted  # a visitor must not learn which folders exist
        if at_home and requested not in releases and os.path.isdir(requested):
            releases.insert(0, requested)
        choices = [(Path(path).name, path) for path in releases]
        chosen = requested if requested in releases else releases[0] if releases else None
        return (
            gr.Dropdown(choices=choices, value=chosen, interactive=True),
            gr.Dropdown(choices=[(_OWN_TEST, ""), *choices], value="", interactive=True),
            gr.Button(interactive=bool(releases)),
        )

    def shortage(self, release: str | None, test: str | None) -> str:
        """Say which classes have too few test photos for a study, where the chosen release tells it."""
        place = test or release or ""
        known = place in map(str, self.studio.releases.folders())
        if not known and self.studio.settings.hosted:  # a visitor must not learn what is in other folders
            return ""
        counts = self.studio.releases.test_photos(Path(place), of_all_splits=bool(test))
        sentence = shortage_of_test_photos(counts)
        return note_html(
            [f"{capitalised(sentence)}: publish more, or test on another release."] if sentence else [],
            kind="bad",
        )

    def start(
        self,
        release: str | None,
        test: str,
        allow_leak: bool,
        seeds: int,
        arms: list[str],
        networks: list[str],
        steps: str,
    ) -> tuple[object, ...]:
        """Start the study and update the page."""
        if not release:
            raise InvalidRequest("no release is chosen; choose one, or publish one on the Publish page")
        if not arms:
            raise InvalidRequest("no use of the data is chosen; choose at least one under Train with")
        if not networks:
            raise InvalidRequest("no network is chosen; choose at least one under Network")
        self.studio.studies.start(
            StudyRequest(
                release=release,
                test=test or None,
                seeds=int(seeds),
                arms=tuple(arms),
                networks=tuple(network for _, network in _NETWORKS if network in networks),
                steps=whole_number(steps, "the number of steps"),
                allow_leak=allow_leak,
            )
        )
        return self.poll("")

    def stop(self) -> tuple[object, ...]:
        """Stop the study and update the page."""
        self.studio.studies.stop()
        return self.poll("")

    def poll(self, seen: str) -> tuple[object, ...]:
        """Update curves, verdict, report and buttons; nothing is sent when nothing changed."""
        progress = self.studio.studies.progress
        points = sum(len(curve) for curve in progress.curves.values())
        mark = mark_of(
            progress.running,
            str(progress.out),
            progress.done,
            progress.total,
            points,
            progress.sentence,
            progress.stage,
            progress.network,
        )
        if mark == seen:
            return (gr.skip(),) * 5
        empty = _READY if self.studio.releases.folders() else _NO_RELEASE
        return (
            study_html(progress) or empty,
            report_frame(progress),
            gr.Button(visible=not progress.running),
            gr.Button(visible=progress.running),
            mark,
        )


def build_train_page(page: gr.Blocks, studio: Studio) -> None:
    """Lay out and wire the page."""
    build_head(
        "Train",
        "The same network on real, synthetic and mixed data: which use is best, or that none is.",
    )
    training, seen = Training(studio), gr.Textbox("", visible=False)
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, elem_classes="main"):
            study = gr.HTML(elem_id="study")
            timer = gr.Timer(_POLL_S)
            build_studies(page, timer, studio)
            report = gr.HTML(elem_id="report")
        with gr.Column(scale=3, min_width=320, elem_classes="side"):
            release, test, shortage, allow_leak, arms, seeds = _build_data_pane()
            networks, steps = _build_network_pane()
            start = gr.Button("Start the study", variant="primary", elem_id="start-study")
            stop = gr.Button("Stop", visible=False, elem_id="stop-study")
    shown = [study, report, start, stop, seen]
    look, lead = handler(studio, Capability.LOOK), handler(studio, Capability.TRAIN)
    chosen = page.load(look(training.opened), None, [release, test, start], **AT_ONCE)
    say = look(training.shortage)
    for event in (chosen.then, release.change, test.change):
        event(say, [release, test], shortage, **QUIET)
    page.load(look(training.poll), seen, shown, **AT_ONCE)
    start.click(
        lead(training.start), [release, test, allow_leak, seeds, arms, networks, steps], shown, **QUIET
    )
    stop.click(lead(training.stop), None, shown, **QUIET)
    timer.tick(look(training.poll), seen, shown, **AT_ONCE)


def _build_data_pane() -> tuple[gr.Dropdown, gr.Dropdown, gr.HTML, gr.Checkbox, gr.CheckboxGroup, gr.Slider]:
    """Build what is compared: release, test set and what is said of it, arms and seeds."""
    with gr.Column(elem_classes="pane"):
        # the answer that fills them in lets them be changed: what was chosen before would be lost
        release = gr.Dropdown(
            [], label="Release", allow_custom_value=True, interactive=False, elem_id="release"
        )
        test = gr.Dropdown(
            [(_OWN_TEST, "")], value="", label="Test on", allow_custom_value=True, interactive=False
        )
        shortage = gr.HTML(elem_id="shortage")
        allow_leak = gr.Checkbox(
            False,
            label="Train even if test photos look like training photos",
            container=False,
            elem_id="allow-leak",
        )
        arms = gr.CheckboxGroup(
            _ARMS, value=_PRESELECTED, label="Train with", elem_classes="pills", elem_id="arms"
        )
        seeds = gr.Slider(
            1,
            MAX_SEEDS,
            SEEDS_FOR_A_CLAIM,
            step=1,
            label="Seeds",
            info=f"at least {SEEDS_FOR_A_CLAIM} for a conclusion",
            elem_id="seeds",
            buttons=[],
        )
    return release, test, shortage, allow_leak, arms, seeds


def _build_network_pane() -> tuple[gr.CheckboxGroup, gr.Textbox]:
    """Build what is trained: networks and number of steps."""
    with gr.Accordion("Network", open=False, elem_classes="pane"):
        networks = gr.CheckboxGroup(
            _NETWORKS,
            value=[str(DEFAULT_NETWORK)],
            label="Networks",
            info="The uppermost one chosen gives the verdict; further ones train the same arms again "
            "and tell whether their order holds.",
            elem_classes="pills",
            elem_id="networks",
        )
        steps = gr.Textbox(label="Steps", placeholder="default of the network", max_lines=1, elem_id="steps")
    return networks, steps
