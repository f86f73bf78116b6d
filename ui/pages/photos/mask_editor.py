"""One photo, large, with its mask over it: edit the mask by click, by box or by brush."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.domain.images import RGB
from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.html import link_html, note_html
from ui.components.overlays import BRUSH_COLOURS
from ui.components.tiles import picked_id
from ui.errors import QUIET
from ui.pages.photos.mask_session import Mending

if TYPE_CHECKING:
    from pipeline.domain.photos import Photo
    from pipeline.studio import Studio

_VIEWS = [("mask", "mask"), ("photo", "photo"), ("cut-out", "cutout")]
_TOOLS = [("click adds", "add"), ("click takes away", "remove"), ("box", "box"), ("brush", "brush")]
_HINTS = {
    "add": "Click a part of the object that is missing.",
    "remove": "Click a part that does not belong to the object.",
    "box": "Click two opposite corners of a box around the object.",
    "brush": "Paint green what is missing, red what does not belong, then apply.",
}
_ORIGINS = {"given": "given", "ground": "found", "person": "by hand"}


def shown_subjects(studio: Studio, label: str, doubtful: bool) -> list[Photo]:
    """The photographs that pass the filters, in the order of the page: doubtful first, excluded last."""
    subjects = studio.library.photos.list(label=label or None, doubtful=True if doubtful else None)
    return sorted(subjects, key=lambda one: (one.excluded, not one.mask_doubts, one.mask_score, one.name))


def facts_html(subject: Photo) -> str:
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
    studio: Studio, *, overview: gr.Row, tiles: gr.HTML, filters: tuple[gr.Radio, gr.Checkbox]
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

    look = handler(studio, Capability.LOOK)

    @look
    def picked(event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        return show(picked_id(event), request)

    tiles.pick(picked, None, closeup, **QUIET)
    parts.back.click(
        look(lambda: (gr.Row(visible=True), gr.Row(visible=False))), None, [overview, parts.closeup], **QUIET
    )
    for button, by in ((parts.previous, -1), (parts.next, 1)):
        button.click(_stepping(studio, show, by), [chosen, *filters], closeup, **QUIET)
    _wire_tools(mending, parts, chosen)
    _wire_storing(mending, parts, chosen, stored, show=show, closeup=closeup)
    return stored.change


def _stepping(
    studio: Studio, show: Callable[..., tuple[Any, ...]], by: int
) -> Callable[..., tuple[Any, ...]]:
    @handler(studio, Capability.LOOK)
    def stepped(subject_id: str, label: str, doubtful: bool, request: gr.Request) -> tuple[Any, ...]:
        ids = [one.id for one in shown_subjects(studio, label, doubtful)] or [subject_id]
        at = ids.index(subject_id) if subject_id in ids else -by
        return show(ids[(at + by) % len(ids)], request)

    return stepped


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
                back = gr.Button("All photos", size="sm")
                previous = gr.Button("‹", size="sm", min_width=40, scale=0, elem_id="previous-photo")
                following = gr.Button("›", size="sm", min_width=40, scale=0, elem_id="next-photo")
            with gr.Column(elem_classes="pane"):
                facts = gr.HTML()
            with gr.Column(elem_classes="pane"):
                view = gr.Radio(_VIEWS, value="mask", label="Show", elem_classes="pills")
                tool = gr.Radio(
                    _TOOLS, value="add", label="Edit the mask with", elem_classes="pills", elem_id="tool"
                )
                apply = gr.Button("Apply the strokes", visible=False)
            with gr.Row(elem_classes="tight"):
                drop = gr.Button("Discard changes")
                save = gr.Button("Save mask", variant="primary", elem_id="save-mask")
            exclude = gr.Button("Leave this photo out", size="sm")
    return _Parts(
        closeup=closeup, picture=picture, editor=editor, facts=facts, view=view, tool=tool, hint=hint,
        apply=apply, save=save, drop=drop, exclude=exclude, back=back, previous=previous, next=following,
    )  # fmt: skip


def _showing(mending: Mending) -> Callable[..., tuple[Any, ...]]:
    def show(subject_id: str, request: gr.Request) -> tuple[Any, ...]:
        subject = mending.studio.library.photos.get(subject_id)
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
    look = handler(mending.studio, Capability.LOOK)
    edit = handler(mending.studio, Capability.EDIT_MASKS)

    @edit
    def tool_changed(subject_id: str, tool: str, request: gr.Request) -> tuple[Any, ...]:
        brush = tool == "brush"
        shown: Any = mending.editor(subject_id, request) if brush else None
        editor = gr.ImageEditor(value=shown, visible=brush)
        return gr.Image(visible=not brush), editor, gr.Button(visible=brush), _HINTS[tool], "mask"

    @edit
    def clicked(subject_id: str, tool: str, event: gr.SelectData, request: gr.Request) -> RGB:
        return mending.click(subject_id, tool, event, request)

    @edit
    def brushed(subject_id: str, drawn: dict[str, Any], request: gr.Request) -> tuple[RGB, dict[str, Any]]:
        picture = mending.brush(subject_id, drawn, request)
        return picture, mending.editor(subject_id, request)

    shown = [parts.picture, parts.editor, parts.apply, parts.hint, parts.view]
    parts.tool.change(tool_changed, [chosen, parts.tool], shown, **QUIET)
    parts.picture.select(clicked, [chosen, parts.tool], parts.picture, **QUIET)
    parts.apply.click(brushed, [chosen, parts.editor], [parts.picture, parts.editor], **QUIET)
    parts.view.input(look(mending.picture), [chosen, parts.view], parts.picture, **QUIET)


def _wire_storing(
    mending: Mending,
    parts: _Parts,
    chosen: gr.State,
    stored: gr.State,
    *,
    show: Callable[..., tuple[Any, ...]],
    closeup: list[Any],
) -> None:
    edit = handler(mending.studio, Capability.EDIT_MASKS)

    @edit
    def saved(subject_id: str, count: int, request: gr.Request) -> tuple[Any, ...]:
        mending.save(subject_id, request)
        gr.Info("The mask is saved.", duration=3)
        return (*show(subject_id, request), count + 1)

    @handler(mending.studio, Capability.LOOK)
    def dropped(subject_id: str, request: gr.Request) -> tuple[Any, ...]:
        mending.drop(subject_id, request)
        return show(subject_id, request)

    @edit
    def excluded(subject_id: str, count: int, request: gr.Request) -> tuple[Any, ...]:
        mending.studio.library.photos.set_excluded(
            subject_id, not mending.studio.library.photos.get(subject_id).excluded
        )
        return (*show(subject_id, request), count + 1)

    parts.save.click(saved, [chosen, stored], [*closeup, stored])
    parts.drop.click(dropped, chosen, closeup, **QUIET)
    parts.exclude.click(excluded, [chosen, stored], [*closeup, stored], **QUIET)
