"""The list of studies on the Train page: pick one to open or delete it, two to compare them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from pipeline.domain.studies import NETWORK_TITLES, Network
from pipeline.errors import InvalidRequest
from pipeline.services.studies.comparing import comparison_report
from pipeline.services.studies.listing import (
    ListedStudy,
    listed_studies,
    studies_mark,
    study_folder,
    study_report,
)
from ui.access import Capability, handler
from ui.components.marks import mark_of
from ui.components.scripts import widget_script
from ui.errors import AT_ONCE, QUIET

if TYPE_CHECKING:
    from pipeline.studio import Studio

_HEAD = ("study", "release", "network", "runs", "state", "when", "best arm", "verdict")
_TO_COMPARE = 2


def studies_html(studies: Sequence[ListedStudy], chosen: Sequence[str]) -> str:
    """Return the list as a table whose names can be picked; "" without studies."""
    if not studies:
        return ""
    top = "".join(f"<th>{title}</th>" for title in _HEAD)
    rows = "".join(_row(study, chosen=study.name in chosen) for study in studies)
    table = f'<table class="plain"><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<h2>Studies</h2><div class="scroll">{table}</div>'


def _row(study: ListedStudy, *, chosen: bool) -> str:
    name = escape(study.name, quote=True)
    pick = f'<button type="button" data-pick="{name}" aria-pressed="{str(chosen).lower()}">{name}</button>'
    cells = [
        escape(study.release),
        escape(_network(study.network)),
        f"{study.arms} × {study.seeds}" if study.arms else "",
        f'<span class="state {study.state}">{study.state}</span>',
        f"<time>{study.at:%Y-%m-%d %H:%M}</time>",
        _best(study),
        escape(study.verdict),
    ]
    marked = ' class="chosen"' if chosen else ""
    return f"<tr{marked}><th>{pick}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _network(name: str) -> str:
    return NETWORK_TITLES[Network(name)] if name in list(Network) else name


def _best(study: ListedStudy) -> str:
    if study.accuracy is None:
        return ""
    doubt = "" if study.certain else "<small>not certain</small>"
    return f"{escape(study.best)} <b>{100 * study.accuracy:.1f} %</b>{doubt}"


def page_frame(title: str, html: str) -> str:
    """Show a page of its own in a frame in which no script runs."""
    inside = escape(html, quote=True)
    return (
        f'<div class="report"><h2>{escape(title)}</h2>'
        f'<iframe title="{escape(title, quote=True)}" sandbox="allow-same-origin" srcdoc="{inside}"></iframe></div>'
    )


@dataclass(frozen=True, slots=True)
class Studies:
    """The handlers of the list. The state of a page holds the names of the studies that are picked."""

    studio: Studio

    def listed(self, chosen: list[str]) -> tuple[object, ...]:
        """Return the list, the names that are still picked, and the buttons for them."""
        listed = listed_studies(self.studio.settings.runs, running=self.studio.studies.running)
        known = {study.name: study for study in listed}
        chosen = [name for name in chosen if name in known]
        alone = known[chosen[0]] if len(chosen) == 1 else None
        return (
            studies_html(listed, chosen),
            chosen,
            gr.Button(visible=alone is not None and alone.has_report),
            gr.Button(visible=len(chosen) == _TO_COMPARE),
            gr.Button(visible=alone is not None),
            gr.Column(visible=False),
        )

    def poll(self, chosen: list[str], seen: str) -> tuple[object, ...]:
        """Return the list again where a study has begun, ended or gone; nothing is sent when nothing changed."""
        mark = mark_of(studies_mark(self.studio.settings.runs, running=self.studio.studies.running))
        return (gr.skip(),) * 7 if mark == seen else (*self.listed(chosen), mark)

    def pick(self, chosen: list[str], event: gr.EventData) -> tuple[object, ...]:
        """Pick a study, or drop it; a third one replaces the first."""
        name = str(event._data.get("value", ""))
        rest = [other for other in chosen if other != name]
        return self.listed(rest if name in chosen else [*rest, name][-_TO_COMPARE:])

    def report(self, chosen: list[str]) -> str:
        """Return the report of the picked study.

        Raises:
            InvalidRequest: none is picked, it is gone, or it has no report.
        """
        name = _only(chosen)
        return page_frame(name, study_report(study_folder(self.studio.settings.runs, name)))

    def comparison(self, chosen: list[str]) -> str:
        """Return the comparison of two picked studies, the older one first.

        Raises:
            InvalidRequest: there are not two, or one is gone.
            StudioError: they cannot be compared.
        """
        if len(chosen) != _TO_COMPARE:
            raise InvalidRequest(
                f"{len(chosen)} of {_TO_COMPARE} studies are picked; pick two in the list to compare them"
            )
        runs = self.studio.settings.runs
        newest_first = [study.name for study in listed_studies(runs, running=None)]
        newer, older = (study_folder(runs, name) for name in sorted(chosen, key=_place_in(newest_first)))
        return page_frame(f"{older.name} compared with {newer.name}", comparison_report(older, newer))

    def ask(self, chosen: list[str]) -> tuple[object, ...]:
        """Ask whether the picked study shall be deleted; return the pane, the question, and the name in it."""
        name = _only(chosen)
        question = f"Delete <b>{escape(name)}</b> with its runs and reports? This cannot be undone."
        return gr.Column(visible=True), f'<p class="said bad">{question}</p>', name

    def delete(self, name: str, chosen: list[str]) -> tuple[object, ...]:
        """Delete the study that the question names, whatever is picked since, and return the list without it.

        Raises:
            InvalidRequest: there is none of this name, or it is in progress.
            StudioError: its folder cannot be deleted.
        """
        self.studio.studies.delete(name)
        return *self.listed(chosen), ""


def _place_in(names: Sequence[str]) -> Callable[[str], int]:
    return lambda name: names.index(name) if name in names else len(names)


def _only(chosen: Sequence[str]) -> str:
    if len(chosen) != 1:
        raise InvalidRequest("no study is picked, or several are; pick one in the list")
    return chosen[0]


def build_studies(page: gr.Blocks, timer: gr.Timer, studio: Studio) -> None:
    """Build the list, and read it again when a study has begun, ended or gone."""
    studies, chosen, seen = Studies(studio), gr.State([]), gr.Textbox("", visible=False)
    table = gr.HTML("", js_on_load=widget_script("pick.js"), elem_id="studies", elem_classes="studies")
    with gr.Row(elem_classes="tight"):
        report = gr.Button("Open the report", size="sm", visible=False, elem_id="open-study")
        compare = gr.Button("Compare", size="sm", visible=False, elem_id="compare-studies")
        delete = gr.Button("Delete …", size="sm", visible=False, elem_id="delete-study")
    with gr.Column(visible=False, elem_classes="pane", elem_id="confirm-delete") as confirm:
        question = gr.HTML()
        with gr.Row(elem_classes="tight"):
            sure = gr.Button("Delete", variant="stop", size="sm", elem_id="delete-study-now")
            keep = gr.Button("Keep it", size="sm")
    # the study that the question names; held by the browser, so Delete deletes that one
    asked = gr.Textbox("", visible=False)
    opened = gr.HTML(elem_id="opened-study")
    shown = [table, chosen, report, compare, delete, confirm]
    look, lead = handler(studio, Capability.LOOK), handler(studio, Capability.TRAIN)
    # one listener: a tick while the first list is still on its way would undo a pick that comes before its answer
    gr.on(
        [page.load, timer.tick],
        look(studies.poll),
        [chosen, seen],
        [*shown, seen],
        trigger_mode="once",
        **AT_ONCE,
    )
    table.pick(look(studies.pick), chosen, shown, **AT_ONCE)
    report.click(look(studies.report), chosen, opened, **QUIET)
    compare.click(lead(studies.comparison), chosen, opened, concurrency_limit=1)  # starts a process
    delete.click(lead(studies.ask), chosen, [confirm, question, asked], **QUIET)
    keep.click(look(studies.listed), chosen, shown, **QUIET)
    sure.click(lead(studies.delete), [asked, chosen], [*shown, opened], **QUIET)
