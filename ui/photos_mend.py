"""One photograph, large: its mask over it, and mending by click, by box or by brush."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from pipeline.domain.images import RGB, Mask
from pipeline.errors import InvalidRequest
from ui.addresses import page_address
from ui.events import shown_to_user
from ui.overlays import BRUSH_COLOURS, enlarged, mask_overlay, painted_mask, view_factor, with_corner
from ui.pieces import link_html, note_html
from ui.tiles import picked_id

if TYPE_CHECKING:
    from pipeline.library import Subject
    from pipeline.studio import Studio

_VIEWS = [("mask", "mask"), ("photo", "photo"), ("cut-out", "cutout")]
_TOOLS = [("click adds", "add"), ("click takes away", "remove"), ("box", "box"), ("brush", "brush")]
_HINTS = {
    "add": "Click a part that is missing.",
    "remove": "Click a part that does not belong.",
    "box": "Click two opposite corners round the object.",
    "brush": "Paint green what is missing, red what does not belong, then apply.",
}
_ORIGINS = {"given": "given", "ground": "found", "birefnet": "BiRefNet", "person": "by hand"}
_KEPT_PROPOSALS = 32
Key = tuple[str, str]  # session, subject id


@dataclass(frozen=True, slots=True)
class Mending:
    """Proposals for masks, one a session and subject, until they are saved or dropped."""

    studio: Studio
    proposals: OrderedDict[Key, Mask] = field(default_factory=OrderedDict)
    corners: dict[str, tuple[int, int]] = field(default_factory=dict)  # session → first corner of a box

    def picture(self, subject_id: str, view: str, request: gr.Request) -> RGB:
        """The large picture in one of its views, with the proposal where there is one."""
        subject = self.studio.subject(subject_id)
        mask = self._mask(subject_id, request)
        if view == "cutout":
            return enlarged(self.studio.cutout_preview(subject_id))
        photo = self.studio.picture(subject.photo_id)
        return enlarged(photo) if view == "photo" else mask_overlay(photo, mask)

    def editor(self, subject_id: str, request: gr.Request) -> dict[str, Any]:
        """The value of the brush editor: the mask over the photo, no strokes yet."""
        return {"background": self.picture(subject_id, "mask", request), "layers": [], "composite": None}

    def click(self, subject_id: str, tool: str, event: gr.SelectData, request: gr.Request) -> RGB:
        """A click into the picture with the tool add, remove or box; the picture after it."""
        shown = (int(event.index[0]), int(event.index[1]))
        factor = view_factor(self._mask(subject_id, request).shape)
        point = (shown[0] // factor, shown[1] // factor)
        if tool == "box":
            return self._corner(subject_id, point, shown, request)
        before = self._mask(subject_id, request)
        self._propose(
            subject_id, self.studio.mend_click(subject_id, point, add=tool == "add", mask=before), request
        )
        return self.picture(subject_id, "mask", request)

    def brush(self, subject_id: str, drawn: dict[str, Any] | None, request: gr.Request) -> RGB:
        """Apply the strokes of the editor."""
        layers = [np.asarray(layer) for layer in (drawn or {}).get("layers") or [] if layer is not None]
        painted = painted_mask(layers, self._mask(subject_id, request))
        self._propose(subject_id, painted, request)
        return self.picture(subject_id, "mask", request)

    def save(self, subject_id: str, request: gr.Request) -> None:
        """Store the proposal as the subject's mask."""
        key = (str(request.session_hash), subject_id)
        if key not in self.proposals:
            raise InvalidRequest("nothing has changed; mend the mask first, or go to the next photograph")
        self.studio.save_mask(subject_id, self.proposals[key])
        del self.proposals[key]

    def drop(self, subject_id: str, request: gr.Request) -> None:
        """Forget the proposal."""
        self.proposals.pop((str(request.session_hash), subject_id), None)
        self.corners.pop(str(request.session_hash), None)

    def _corner(
        self, subject_id: str, point: tuple[int, int], shown: tuple[int, int], request: gr.Request
    ) -> RGB:
        session = str(request.session_hash)
        first = self.corners.pop(session, None)
        if first is None:
            self.corners[session] = point
            return with_corner(self.picture(subject_id, "mask", request), shown)
        (x0, x1), (y0, y1) = sorted((first[0], point[0])), sorted((first[1], point[1]))
        self._propose(subject_id, self.studio.mend_box(subject_id, (x0, y0, x1 + 1, y1 + 1)), request)
        return self.picture(subject_id, "mask", request)

    def _mask(self, subject_id: str, request: gr.Request) -> Mask:
        kept = self.proposals.get((str(request.session_hash), subject_id))
        return self.studio.mask(subject_id) if kept is None else kept

    def _propose(self, subject_id: str, mask: Mask, request: gr.Request) -> None:
        self.proposals[(str(request.session_hash), subject_id)] = mask
        while len(self.proposals) > _KEPT_PROPOSALS:
            self.proposals.popitem(last=False)


def facts_html(subject: Subject) -> str:
    """Name, class, split, how good the mask is and what is doubtful about it."""
    origin = _ORIGINS.get(str(subject.mask_origin), str(subject.mask_origin))
    rows = {
        "Class": subject.label,
        "Split": subject.split,
        "Mask": f"{origin}, score {subject.mask_score:.2f}",
        "Size": f"{subject.width} × {subject.height} px",
    }
    facts = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows.items())
    doubts = [*subject.mask_doubts, *(["left out of every plan and release"] if subject.excluded else [])]
    return (
        f'<h2 class="name">{escape(subject.name)}</h2><dl class="facts">{facts}</dl>'
        + note_html(doubts, kind="bad")
        + link_html("Use it in Create", page_address("create", subject=subject.id))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """The widgets of the close-up."""

    closeup: gr.Row
    picture: gr.Image
    editor: gr.ImageEditor
    facts: gr.HTML
    view: gr.Radio
    tool: gr.Radio
    hint: gr.Markdown
    apply: gr.Button
    save: gr.Button
    drop: gr.Button
    exclude: gr.Button
    back: gr.Button
    previous: gr.Button
    next: gr.Button


def build_closeup(
    page: gr.Blocks,
    studio: Studio,
    *,
    overview: gr.Row,
    tiles: gr.HTML,
    filters: tuple[gr.Radio, gr.Checkbox],
) -> Callable[..., Any]:
    """The close-up of a picked photograph; returns the listener that fires when something was stored."""
    chosen, stored = gr.State(""), gr.State(0)
    mending = Mending(studio)
    parts = _laid_out()
    show = _showing(mending)
    closeup = [
        chosen,
        overview,
        parts.closeup,
        parts.picture,
        parts.facts,
        parts.exclude,
        parts.view,
        parts.tool,
    ]
    quiet = {"show_progress": "hidden"}

    @shown_to_user
    def picked(event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        return show(picked_id(event), request)

    @shown_to_user
    def stepped(
        subject_id: str, label: str, doubtful: bool, request: gr.Request, *, by: int
    ) -> tuple[Any, ...]:
        ids = [one.id for one in studio.subjects(label=label or None, doubtful=True if doubtful else None)]
        at = ids.index(subject_id) if subject_id in ids else -by
        return show(ids[(at + by) % len(ids)], request)

    def forward(subject_id: str, label: str, doubtful: bool, request: gr.Request) -> tuple[Any, ...]:
        return stepped(subject_id, label, doubtful, request, by=1)

    def backward(subject_id: str, label: str, doubtful: bool, request: gr.Request) -> tuple[Any, ...]:
        return stepped(subject_id, label, doubtful, request, by=-1)

    tiles.pick(picked, None, closeup, **quiet)
    parts.next.click(forward, [chosen, *filters], closeup, **quiet)
    parts.previous.click(backward, [chosen, *filters], closeup, **quiet)
    parts.back.click(
        lambda: (gr.Row(visible=True), gr.Row(visible=False)), None, [overview, parts.closeup], **quiet
    )
    _wire_tools(mending, parts, chosen)
    _wire_storing(mending, parts, chosen, stored, show=show, closeup=closeup)
    return stored.change


def _laid_out() -> _Parts:
    with gr.Row(elem_classes="columns", visible=False) as closeup:
        with gr.Column(scale=5, elem_classes="main"):
            picture = gr.Image(
                type="numpy", interactive=False, show_label=False, elem_classes="large", elem_id="closeup",
                buttons=[], format="webp",
            )  # fmt: skip
            editor = gr.ImageEditor(
                type="numpy", visible=False, show_label=False, elem_classes="large", transforms=(),
                sources=(), height=560,
                brush=gr.Brush(colors=BRUSH_COLOURS, color_mode="fixed", default_size=24), layers=False,
            )  # fmt: skip
            hint = gr.Markdown(_HINTS["add"], elem_classes="hint")
        with gr.Column(scale=2, min_width=300, elem_classes="side"):
            with gr.Row(elem_classes="tight"):
                back = gr.Button("All photographs", size="sm")
                previous = gr.Button("‹", size="sm", min_width=40, scale=0, elem_id="previous-photo")
                following = gr.Button("›", size="sm", min_width=40, scale=0, elem_id="next-photo")
            with gr.Column(elem_classes="pane"):
                facts = gr.HTML()
            with gr.Column(elem_classes="pane"):
                view = gr.Radio(_VIEWS, value="mask", label="Show", elem_classes="pills")
                tool = gr.Radio(_TOOLS, value="add", label="Mend by", elem_classes="pills", elem_id="tool")
                apply = gr.Button("Apply the strokes", visible=False)
            with gr.Row(elem_classes="tight"):
                drop = gr.Button("Drop changes")
                save = gr.Button("Save mask", variant="primary", elem_id="save-mask")
            exclude = gr.Button("Leave this photo out", size="sm")
    return _Parts(
        closeup=closeup, picture=picture, editor=editor, facts=facts, view=view, tool=tool, hint=hint,
        apply=apply, save=save, drop=drop, exclude=exclude, back=back, previous=previous, next=following,
    )  # fmt: skip


def _showing(mending: Mending) -> Callable[..., tuple[Any, ...]]:
    def show(subject_id: str, request: gr.Request) -> tuple[Any, ...]:
        subject = mending.studio.subject(subject_id)
        return (
            subject_id,
            gr.Row(visible=False),
            gr.Row(visible=True),
            gr.Image(mending.picture(subject_id, "mask", request), visible=True),
            facts_html(subject),
            gr.Button("Take this photo back in" if subject.excluded else "Leave this photo out"),
            "mask",
            "add",
        )

    return show


def _wire_tools(mending: Mending, parts: _Parts, chosen: gr.State) -> None:
    quiet = {"show_progress": "hidden"}

    @shown_to_user
    def tool_changed(subject_id: str, tool: str, request: gr.Request) -> tuple[Any, ...]:
        brush = tool == "brush"
        editor = gr.ImageEditor(value=mending.editor(subject_id, request) if brush else None, visible=brush)
        return gr.Image(visible=not brush), editor, gr.Button(visible=brush), _HINTS[tool], "mask"

    @shown_to_user
    def clicked(subject_id: str, tool: str, event: gr.SelectData, request: gr.Request) -> RGB:
        return mending.click(subject_id, tool, event, request)

    @shown_to_user
    def brushed(subject_id: str, drawn: dict[str, Any], request: gr.Request) -> tuple[RGB, dict[str, Any]]:
        picture = mending.brush(subject_id, drawn, request)
        return picture, mending.editor(subject_id, request)

    shown = [parts.picture, parts.editor, parts.apply, parts.hint, parts.view]
    parts.tool.change(tool_changed, [chosen, parts.tool], shown, **quiet)
    parts.picture.select(clicked, [chosen, parts.tool], parts.picture, **quiet)
    parts.apply.click(brushed, [chosen, parts.editor], [parts.picture, parts.editor], **quiet)
    parts.view.input(shown_to_user(mending.picture), [chosen, parts.view], parts.picture, **quiet)


def _wire_storing(
    mending: Mending,
    parts: _Parts,
    chosen: gr.State,
    stored: gr.State,
    *,
    show: Callable[..., tuple[Any, ...]],
    closeup: list[Any],
) -> None:
    @shown_to_user
    def saved(subject_id: str, count: int, request: gr.Request) -> tuple[Any, ...]:
        mending.save(subject_id, request)
        gr.Info("The mask is saved.", duration=3)
        return (*show(subject_id, request), count + 1)

    @shown_to_user
    def dropped(subject_id: str, request: gr.Request) -> tuple[Any, ...]:
        mending.drop(subject_id, request)
        return show(subject_id, request)

    @shown_to_user
    def excluded(subject_id: str, count: int, request: gr.Request) -> tuple[Any, ...]:
        mending.studio.set_excluded(subject_id, not mending.studio.subject(subject_id).excluded)
        return (*show(subject_id, request), count + 1)

    parts.save.click(saved, [chosen, stored], [*closeup, stored])
    parts.drop.click(dropped, chosen, closeup, show_progress="hidden")
    parts.exclude.click(excluded, [chosen, stored], [*closeup, stored], show_progress="hidden")
