"""Publish: what a release would hold, its card, and writing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from pipeline.domain.sizes import file_size
from pipeline.domain.splits import TEST, shortage_of_test_photos
from pipeline.errors import InvalidRequest, ReleaseRefused
from pipeline.services.releases.reports import PublishReport
from pipeline.services.releases.service import PublishRequest
from pipeline.services.reports import ReleasePreview
from ui.access import Capability, build_hint, handler
from ui.components.addresses import page_address
from ui.components.charts import bar_chart_html
from ui.components.frame import build_head
from ui.components.html import capitalised, empty_html, link_html, note_html, table_html
from ui.errors import AT_ONCE, QUIET
from ui.pages.create.controls import Values

if TYPE_CHECKING:
    from pipeline.publish import PushReport
    from pipeline.studio import Studio

_FOLDER, _HUB = "folder", "hub"
_PLACES = [("a folder", _FOLDER), ("the Hugging Face Hub", _HUB)]
_HUB_PREFIX = "hf://datasets/"
_EMPTY = empty_html(
    "Nothing to publish yet",
    "A release needs photos.",
    link=page_address(""),
    action="Import photos",
)


def release_preview_html(preview: ReleasePreview) -> str:
    """Show what a release would hold: counts by split and class, the methods, what no person has reviewed."""
    real, synthetic = _total(preview.real), _total(preview.synthetic)
    if not real and not synthetic:
        return _EMPTY
    splits = sorted({*preview.real, *preview.synthetic}, key=lambda split: (split != "train", split))
    classes = sorted(
        {
            label
            for subset in (preview.real, preview.synthetic)
            for counts in subset.values()
            for label in counts
        }
    )
    head = ["", *(f"{kind}, {split}" for split in splits for kind in ("photos", "synthetic"))]
    rows: list[list[str | int]] = [[label, *_cells(preview, splits, label)] for label in classes]
    notes = []
    if shortage := shortage_of_test_photos(
        {label: preview.real.get(TEST, {}).get(label, 0) for label in classes}
    ):
        notes.append(f"{capitalised(shortage)}: import more photos as test.")
    if preview.decided_by_gate:
        notes.append(
            f"{preview.decided_by_gate:,} synthetic images were accepted automatically; no person has reviewed them."
        )
    none_accepted = note_html(["No synthetic image has been accepted yet."]) + link_html(
        "Review", page_address("review")
    )
    return (
        f'<p class="figure"><b>{real:,}</b> photos and <b>{synthetic:,}</b> accepted synthetic images</p>'
        + note_html(notes, kind="bad")
        + ("" if synthetic else none_accepted)
        + table_html(head, rows)
        + f'<div class="charts">{bar_chart_html(preview.methods, title="Methods")}</div>'
    )


def _cells(preview: ReleasePreview, splits: list[str], label: str) -> list[int]:
    subsets = (preview.real, preview.synthetic)
    return [subset.get(split, {}).get(label, 0) for split in splits for subset in subsets]


def _total(subset: Mapping[str, Mapping[str, int]]) -> int:
    return sum(sum(counts.values()) for counts in subset.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The widgets for the destination and the content of a release."""

    place: gr.Radio
    folder: gr.Textbox
    name: gr.Textbox
    private: gr.Checkbox
    proposed: gr.Checkbox
    rejected: gr.Checkbox
    classes: gr.Checkbox
    replace: gr.Checkbox

    @property
    def all(self) -> set[Block]:
        """All widgets, from which a request is built."""
        return {
            self.place, self.folder, self.name, self.private, self.proposed, self.rejected, self.classes,
            self.replace,
        }  # fmt: skip

    @property
    def of_hub(self) -> list[Component]:
        """The widgets that apply to the Hub only."""
        return [self.name, self.private, self.proposed, self.replace]


@dataclass(frozen=True, slots=True)
class Publishing:
    """The handlers of the page."""

    studio: Studio
    form: Form

    def preview(self, place: str | None, folder: str | None, name: str | None) -> tuple[str, str]:
        """Preview the content and the card."""
        if not self.studio.library.counts().classes:
            return _EMPTY, ""
        title = Path(folder or "").name if place == _FOLDER else (name or "").split("/")[-1]
        try:
            preview = self.studio.releases.preview(title.strip() or "my-dataset")
        except (
            ReleaseRefused
        ) as refusal:  # not what a person asked for: it stands in the place of the preview
            return note_html([str(refusal)]), ""
        return release_preview_html(preview), _without_front_matter(preview.card)

    def opened(self, place: str) -> tuple[gr.Textbox, str, str]:
        """Propose a folder, which can be changed from then on, and preview the content and the card."""
        folder = self.proposed_folder()
        return (gr.Textbox(value=folder, interactive=True), *self.preview(place, folder, ""))

    def publish(
        self,
        values: Values,
        token: gr.OAuthToken | None = None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> str:
        """Write the release and link to it."""
        report = self._published(self._request(values, token), progress)
        outcome = note_html([report.sentence], kind="good")
        if push := report.push:
            return outcome + link_html("Open it", push.pull_request or push.url, new_tab=True)
        return outcome + link_html("Train on it", page_address("train", release=report.path))

    def compare(
        self,
        values: Values,
        token: gr.OAuthToken | None = None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> str:
        """Show what publishing would change; nothing is written."""
        report = self._published(replace(self._request(values, token), dry_run=True), progress)
        sentence, *_ = report.sentence.splitlines()
        return note_html([sentence]) + (_files_html(report.push) if report.push else "")

    def _request(self, values: Values, token: gr.OAuthToken | None) -> PublishRequest:
        form, hub = self.form, values[self.form.place] == _HUB
        return PublishRequest(
            to=self._address(values[form.name]) if hub else self._folder(values[form.folder]),
            private=values[form.private],
            pull_request=hub and values[form.proposed],
            replace=hub and values[form.replace],
            rejected=values[form.rejected],
            classes_changed=values[form.classes],
            token=token.token if token else None,
        )

    def _address(self, name: str) -> str:
        name = name.strip().removeprefix(_HUB_PREFIX)
        if not name:
            raise InvalidRequest("the name of the repository is empty; enter one such as my-name/my-dataset")
        return _HUB_PREFIX + name

    def _folder(self, folder: str) -> str:
        """Return the folder; on a Space a name below the releases is given."""
        folder = folder.strip()
        if not folder:
            raise InvalidRequest("the folder is empty; enter one")
        return str(self.studio.settings.releases / folder) if self.studio.settings.hosted else folder

    def _published(self, request: PublishRequest, progress: gr.Progress) -> PublishReport:
        return self.studio.releases.publish(
            request, on_progress=lambda done, total, _name: progress((done, total), desc="reading images")
        )

    def proposed_folder(self) -> str:
        """Propose a new folder below the releases; on a Space only its name, since visitors see it."""
        settings = self.studio.settings
        name = f"{settings.library.name}-{datetime.now():%Y%m%d-%H%M}"
        return name if settings.hosted else str(settings.releases / name)


def _files_html(push: PushReport) -> str:
    """List the files that would be uploaded and removed."""
    rows: list[list[str | int]] = [[path, file_size(size)] for path, size in push.files]
    rows += [[path, "removed"] for path in push.removed]
    return table_html(["file", ""], rows) if rows else ""


def _without_front_matter(card: str) -> str:
    if card.startswith("---"):
        _, _, rest = card[3:].partition("\n---")
        return rest.lstrip("-\n")
    return card


def build_publish_page(page: gr.Blocks, studio: Studio) -> None:
    """Lay out and wire the page."""
    build_head("Publish", "Photos and accepted synthetic images become a dataset that anyone can load.")
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=5, elem_classes="main"):
            inside = gr.HTML(elem_id="release-preview")
            with gr.Accordion("Dataset card (preview)", open=True, elem_classes="pane card"):
                card = gr.Markdown(elem_id="card")
        with gr.Column(scale=3, min_width=320, elem_classes="side"):
            form = _build_form(hub_first=studio.settings.hosted)
            build_hint(page, studio, Capability.PUBLISH, elem_id="publish-hint")
            publish = gr.Button("Publish", variant="primary", elem_id="publish")
            compare = gr.Button("What would change?", elem_id="compare")
            outcome = gr.HTML(elem_id="publish-said")
    _wire(page, Publishing(studio, form), [inside, card], outcome, publish, compare)


def _wire(
    page: gr.Blocks,
    publishing: Publishing,
    preview: list[Component],
    outcome: gr.HTML,
    publish: gr.Button,
    compare: gr.Button,
) -> None:
    """Connect the widgets; `preview` shows the content and the card."""
    studio, form = publishing.studio, publishing.form
    looking, lead = handler(studio, Capability.LOOK), handler(studio, Capability.PUBLISH)
    look = looking(publishing.preview)
    destination = [form.place, form.folder, form.name]
    page.load(looking(publishing.opened), form.place, [form.folder, *preview], **AT_ONCE)
    # the shown answer is out of date: cleared before anything that is waited for
    form.place.input(
        None, form.place, [outcome, form.folder, *form.of_hub], js=_placed_js(len(form.of_hub)), **AT_ONCE
    )
    for event in (publish.click, compare.click):
        event(None, None, outcome, js="() => ''", **AT_ONCE)
    # Not on `place.input`: what comes while it waits, it answers by its first event once more, with all listeners
    # of that event, so an outcome shown meanwhile would be cleared.
    gr.on(
        [form.place.change, form.name.blur, form.name.submit, form.folder.blur, form.folder.submit],
        look,
        destination,
        preview,
        trigger_mode="always_last",
        **QUIET,
    )
    published = publish.click(lead(publishing.publish), form.all, outcome, concurrency_id="publish")
    published.then(look, destination, preview, **QUIET)
    compare.click(lead(publishing.compare), form.all, outcome, concurrency_id="publish")


def _placed_js(of_hub: int) -> str:
    """Return a script that clears the outcome, and shows the folder or the widgets of the Hub, by the place."""
    return f"""(place) => {{
        const shown = (visible) => ({{ __type__: 'update', visible }});
        return ['', shown(place !== '{_HUB}'), ...Array({of_hub}).fill(shown(place === '{_HUB}'))];
    }}"""


def _build_form(*, hub_first: bool) -> Form:
    places = _PLACES[::-1] if hub_first else _PLACES
    plain: dict[str, Any] = {"container": False}
    with gr.Column(elem_classes="pane"):
        place = gr.Radio(places, value=places[0][1], label="To", elem_classes="pills", elem_id="place")
        # the answer that fills it in lets it be changed: what was typed before would be lost
        folder = gr.Textbox(
            label="Folder", max_lines=1, visible=not hub_first, interactive=False, elem_id="folder"
        )
        name = gr.Textbox(
            label="Name",
            placeholder="my-name/my-dataset",
            max_lines=1,
            visible=hub_first,
            elem_id="hub-name",
        )
        private = gr.Checkbox(True, label="Private if it is new", visible=hub_first, **plain)
        proposed = gr.Checkbox(False, label="Propose it as a pull request", visible=hub_first, **plain)
        rejected = gr.Checkbox(False, label="Include rejected synthetic images with their reasons", **plain)
        with gr.Accordion("More", open=False, elem_id="more"):
            classes = gr.Checkbox(False, label="Allow missing classes", **plain)
            replaces = gr.Checkbox(
                False,
                label="Overwrite changes that others made",
                visible=hub_first,
                elem_id="replaces",
                **plain,
            )
    return Form(
        place=place, folder=folder, name=name, private=private, proposed=proposed, rejected=rejected,
        classes=classes, replace=replaces,
    )  # fmt: skip
