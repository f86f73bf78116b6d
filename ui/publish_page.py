"""Publish: what is in, what the card says, and writing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.domain.sizes import file_size
from pipeline.errors import InvalidRequest
from pipeline.studio import PublishRequest
from pipeline.studio.reports import ReleaseOutlook
from ui.addresses import page_address
from ui.events import AT_ONCE, QUIET, shown_to_user
from ui.frame import build_bar, build_head
from ui.pieces import bar_chart_html, empty_html, link_html, note_html, table_html
from ui.rights import for_leads

if TYPE_CHECKING:
    from pipeline.studio import Studio

_FOLDER, _HUB = "folder", "hub"
_PLACES = [("a folder", _FOLDER), ("the Hugging Face Hub", _HUB)]
_HUB_PREFIX = "hf://datasets/"
_EMPTY = empty_html(
    "Nothing to publish yet",
    "A release needs photographs.",
    link=page_address(""),
    action="Bring photographs",
)


def outlook_html(outlook: ReleaseOutlook) -> str:
    """What a release would hold: a table of splits and classes, the methods, what no person has seen."""
    real, synthetic = _total(outlook.real), _total(outlook.synthetic)
    if not real and not synthetic:
        return _EMPTY
    splits = sorted({*outlook.real, *outlook.synthetic}, key=lambda split: (split != "train", split))
    classes = sorted(
        {label for part in (outlook.real, outlook.synthetic) for counts in part.values() for label in counts}
    )
    head = ["", *(f"{kind}, {split}" for split in splits for kind in ("photos", "made"))]
    rows: list[list[str | int]] = [[label, *_cells(outlook, splits, label)] for label in classes]
    notes = []
    if outlook.decided_by_gate:
        notes.append(
            f"{outlook.decided_by_gate} pictures were accepted automatically; no person has seen them."
        )
    nothing_made = note_html(["No picture has been accepted yet."]) + link_html(
        "Review", page_address("review")
    )
    return (
        f'<p class="figure"><b>{real}</b> photos and <b>{synthetic}</b> accepted pictures</p>'
        + note_html(notes, kind="bad")
        + ("" if synthetic else nothing_made)
        + table_html(head, rows)
        + f'<div class="charts">{bar_chart_html(outlook.methods, title="Made by")}</div>'
    )


def _cells(outlook: ReleaseOutlook, splits: list[str], label: str) -> list[int]:
    parts = (outlook.real, outlook.synthetic)
    return [part.get(split, {}).get(label, 0) for split in splits for part in parts]


def _total(part: Mapping[str, Mapping[str, int]]) -> int:
    return sum(sum(counts.values()) for counts in part.values())


@dataclass(frozen=True, slots=True)
class Publishing:
    """What the page does."""

    studio: Studio

    def outlook(self, place: str, folder: str, name: str) -> tuple[str, str]:
        """What is in, and the card."""
        title = Path(folder).name if place == _FOLDER else name.split("/")[-1]
        outlook = self.studio.release_outlook(title or "my-dataset")
        return outlook_html(outlook), _without_front_matter(outlook.card)

    def opened(self) -> tuple[str, str, str]:
        """A proposed folder, what is in, and the card."""
        folder = self.proposed_folder()
        return (folder, *self.outlook(_FOLDER, folder, ""))

    def publish(
        self,
        place: str,
        folder: str,
        name: str,
        private: bool,
        pull_request: bool,
        rejected: bool,
        classes_changed: bool,
        replace: bool,
        token: gr.OAuthToken | None = None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> str:
        """Write the release; where it lies."""
        request = PublishRequest(
            to=_destination(place, folder, name),
            private=private,
            pull_request=pull_request,
            rejected=rejected,
            classes_changed=classes_changed,
            replace=replace,
            token=token.token if token else None,
        )
        report = self._published(request, progress)
        said = note_html([report["sentence"]], kind="good")
        if place == _HUB:
            address = report["push"]["pull_request"] or report["push"]["url"]
            return said + link_html("Open it", address, new_tab=True)
        return said + link_html("Train on it", page_address("train", release=str(report["path"])))

    def compare(
        self,
        place: str,
        folder: str,
        name: str,
        rejected: bool,
        classes_changed: bool,
        replace: bool,
        token: gr.OAuthToken | None = None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> str:
        """What publishing would change; nothing is written."""
        request = PublishRequest(
            to=_destination(place, folder, name),
            dry_run=True,
            rejected=rejected,
            classes_changed=classes_changed,
            replace=replace,
            token=token.token if token else None,
        )
        report = self._published(request, progress)
        sentence, *_ = report["sentence"].splitlines()
        push = report.get("push")
        return note_html([sentence]) + (_files_html(push) if push else "")

    def _published(self, request: PublishRequest, progress: gr.Progress) -> dict[str, Any]:
        return self.studio.publish(
            request, on_progress=lambda done, total, _name: progress((done, total), desc="reading pictures")
        )

    def proposed_folder(self) -> str:
        """A new folder under the releases."""
        return str(
            self.studio.settings.releases
            / f"{self.studio.settings.library.name}-{datetime.now():%Y%m%d-%H%M}"
        )


def _destination(place: str, folder: str, name: str) -> str:
    to = folder.strip() if place == _FOLDER else _HUB_PREFIX + name.strip().removeprefix(_HUB_PREFIX)
    if not to or to == _HUB_PREFIX:
        raise InvalidRequest("say where to: a folder, or a name such as my-name/my-dataset")
    return to


def _files_html(push: Mapping[str, Any]) -> str:
    """The files that would be sent and removed."""
    rows: list[list[str | int]] = [[path, file_size(size)] for path, size in push["files"]]
    rows += [[path, "removed"] for path in push["removed"]]
    return table_html(["file", ""], rows) if rows else ""


def _without_front_matter(card: str) -> str:
    if card.startswith("---"):
        _, _, rest = card[3:].partition("\n---")
        return rest.lstrip("-\n")
    return card


def build_publish_page(page: gr.Blocks, studio: Studio) -> None:
    """Lay out and wire the page."""
    build_bar(page, studio, "publish")
    build_head("Publish", "Photographs and accepted pictures become a data set that anyone can load.")
    publishing = Publishing(studio)
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, elem_classes="main"):
            inside = gr.HTML(elem_id="outlook")
            with gr.Accordion("The card, as it will be written", open=True, elem_classes="pane card"):
                card = gr.Markdown(elem_id="card")
        with gr.Column(scale=3, min_width=320, elem_classes="side"):
            with gr.Column(elem_classes="pane"):
                place = gr.Radio(_PLACES, value=_FOLDER, label="To", elem_classes="pills")
                folder = gr.Textbox(label="Folder", max_lines=1, elem_id="folder")
                name = gr.Textbox(
                    label="Name",
                    placeholder="my-name/my-dataset",
                    max_lines=1,
                    visible=False,
                    elem_id="hub-name",
                )
                private = gr.Checkbox(True, label="Private", visible=False, container=False)
                proposed = gr.Checkbox(
                    False, label="Propose it as a pull request", visible=False, container=False
                )
                rejected = gr.Checkbox(
                    False, label="The rejected ones too, with their reasons", container=False
                )
                with gr.Accordion("More", open=False):
                    classes = gr.Checkbox(False, label="Classes may be missing", container=False)
                    replace = gr.Checkbox(False, label="Replace what others changed", container=False)
            publish = gr.Button("Publish", variant="primary", elem_id="publish")
            compare = gr.Button("What would change?", elem_id="compare")
            said = gr.HTML(elem_id="publish-said")

    def placed(where: str) -> tuple[Any, ...]:
        hub = where == _HUB
        seen = gr.Checkbox(visible=hub)
        return gr.Textbox(visible=not hub), gr.Textbox(visible=hub), seen, seen

    look = shown_to_user(publishing.outlook)
    asked = [place, folder, name]
    page.load(shown_to_user(publishing.opened), None, [folder, inside, card], **AT_ONCE)
    place.change(placed, place, [folder, name, private, proposed], **AT_ONCE)
    guarded = for_leads(studio, "publish")
    publish.click(
        shown_to_user(guarded(publishing.publish)),
        [*asked, private, proposed, rejected, classes, replace],
        said,
        concurrency_id="publish",
    ).then(look, asked, [inside, card], **QUIET)
    compare.click(
        shown_to_user(guarded(publishing.compare)),
        [*asked, rejected, classes, replace],
        said,
        concurrency_id="publish",
    )
