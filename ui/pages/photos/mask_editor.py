"""One photo, large, with its mask over it: edit the mask by click, by box or by brush."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import gradio as gr
from gradio.blocks import Block
from gradio.components.image_editor import EditorValue
from gradio.events import Dependency

from pipeline.domain.images import RGB
from ui.access import Capability, handler
from ui.components.addresses import page_address
from ui.components.html import link_html, note_html
from ui.components.overlays import BRUSH_COLOURS
from ui.components.tiles import picked_id
from ui.errors import QUIET
from ui.pages.photos.filters import PhotoFilter, shown_photos
from ui.pages.photos.mask_session import MaskEditing

if TYPE_CHECKING:
    from pipeline.domain.photos import Photo
    from pipeline.studio import Studio

_VIEWS = [("mask", "mask"), ("photo", "photo"), ("cut-out", "cutout")]
_TOOLS = [(name, name) for name in ("add", "remove", "box", "brush")]
_HINTS = {
    "add": "Click a part of the object that is missing.",
    "remove": "Click a part that does not belong to the object.",
    "box": "Click two opposite corners of a box around the object.",
    "brush": "Paint green what is missing, red what does not belong, then apply.",
}
_ORIGINS = {"given": "imported", "ground": "automatic", "person": "by hand"}


def facts_html(photo: Photo) -> str:
    """Return name, class, split, the quality of the mask and what is doubtful about it."""
    origin = _ORIGINS.get(str(photo.mask_origin), str(photo.mask_origin))
    rows = {
        "Class": photo.label,
        "Split": photo.split,
        "Mask": f"{origin}, score {photo.mask_score:.2f}"
        if photo.cutout_id
        else "none: test photos are not placed",
        "Size": f"{photo.width} × {photo.height} px",
    }
    facts = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows.items())
    doubts = [*photo.mask_doubts, *(["excluded from plans and releases"] if photo.excluded else [])]
    return (
        f'<h2 class="name">{escape(photo.name)}</h2><dl class="facts">{facts}</dl>'
        + note_html(doubts, kind="bad")
        + link_html("Use it in Create", page_address("create", subject=photo.id))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Widgets:
    """The widgets of the close-up."""

    closeup: gr.Row
    image: gr.Image
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
    studio: Studio,
    *,
    picks: Sequence[Callable[..., Dependency]],
    leave: Callable[..., Dependency],
) -> tuple[Callable[..., Dependency], Callable[..., Dependency]]:
    """Build the close-up of a photo.

    Args:
        picks: events that bring the id of the photo to show.
        leave: an event that closes the close-up.

    Returns:
        The events that something was stored, and that a person goes back to all photos.
    """
    chosen, stored = gr.State(""), gr.State(0)
    editing = MaskEditing(studio)
    widgets = _laid_out()
    show = _showing(editing)
    closeup = [
        chosen, widgets.closeup, widgets.image, widgets.facts, widgets.exclude, widgets.view, widgets.tool,
    ]  # fmt: skip
    look = handler(studio, Capability.LOOK)

    @look
    def picked(event: gr.EventData, request: gr.Request) -> tuple[object, ...]:
        return show(picked_id(event), request)

    for pick in picks:
        pick(picked, None, closeup, **QUIET)
    back = look(lambda: gr.Row(visible=False))
    for left in (widgets.back.click, leave):
        left(back, None, widgets.closeup, **QUIET)
    for button, by in ((widgets.previous, -1), (widgets.next, 1)):
        button.click(_stepping(studio, show, by), chosen, closeup, **QUIET)
    _wire_tools(editing, widgets, chosen)
    _wire_storing(editing, widgets, chosen, stored, show=show, closeup=closeup)
    return stored.change, widgets.back.click


def _stepping(
    studio: Studio, show: Callable[..., tuple[object, ...]], by: int
) -> Callable[..., tuple[object, ...]]:
    @handler(studio, Capability.LOOK)
    def stepped(photo_id: str, request: gr.Request) -> tuple[object, ...]:
        ids = [photo.id for photo in shown_photos(studio, PhotoFilter())] or [photo_id]
        at = ids.index(photo_id) if photo_id in ids else -by
        return show(ids[(at + by) % len(ids)], request)

    return stepped


def _laid_out() -> _Widgets:
    with gr.Row(elem_classes="columns", visible=False) as closeup:
        with gr.Column(scale=5, elem_classes="main"):
            image = gr.Image(
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
                back = gr.Button("All photos", size="sm", min_width=90)
                previous = gr.Button("Previous", size="sm", min_width=90, elem_id="previous-photo")
                following = gr.Button("Next", size="sm", min_width=90, elem_id="next-photo")
            with gr.Column(elem_classes="pane"):
                facts = gr.HTML()
            with gr.Column(elem_classes="pane"):
                view = gr.Radio(_VIEWS, value="mask", label="Show", elem_classes="pills")
                tool = gr.Radio(
                    _TOOLS, value="add", label="Edit the mask with", elem_classes="pills", elem_id="tool"
                )
                apply = gr.Button("Apply the strokes", visible=False)
            with gr.Row(elem_classes="tight"):
                drop = gr.Button("Discard")
                save = gr.Button("Save mask", variant="primary", elem_id="save-mask")
            exclude = gr.Button("Exclude this photo", size="sm")
    return _Widgets(
        closeup=closeup, image=image, editor=editor, facts=facts, view=view, tool=tool, hint=hint,
        apply=apply, save=save, drop=drop, exclude=exclude, back=back, previous=previous, next=following,
    )  # fmt: skip


def _showing(editing: MaskEditing) -> Callable[..., tuple[object, ...]]:
    def show(photo_id: str, request: gr.Request) -> tuple[object, ...]:
        photo = editing.studio.library.photos.get(photo_id)
        return (
            photo_id,
            gr.Row(visible=True),
            gr.Image(editing.view(photo_id, "mask", request), visible=True),
            facts_html(photo),
            gr.Button("Include this photo" if photo.excluded else "Exclude this photo"),
            "mask",
            "add",
        )

    return show


def _wire_tools(editing: MaskEditing, widgets: _Widgets, chosen: gr.State) -> None:
    look = handler(editing.studio, Capability.LOOK)
    edit = handler(editing.studio, Capability.EDIT_MASKS)

    @edit
    def tool_changed(photo_id: str, tool: str, request: gr.Request) -> tuple[object, ...]:
        brush = tool == "brush"
        drawing = editing.editor(photo_id, request) if brush else None
        editor = gr.ImageEditor(value=drawing, visible=brush)
        return gr.Image(visible=not brush), editor, gr.Button(visible=brush), _HINTS[tool], "mask"

    @edit
    def clicked(photo_id: str, tool: str, event: gr.SelectData, request: gr.Request) -> RGB:
        return editing.click(photo_id, tool, event, request)

    @edit
    def brushed(photo_id: str, drawn: EditorValue, request: gr.Request) -> tuple[RGB, EditorValue]:
        image = editing.brush(photo_id, drawn, request)
        return image, editing.editor(photo_id, request)

    shown = [widgets.image, widgets.editor, widgets.apply, widgets.hint, widgets.view]
    widgets.tool.change(tool_changed, [chosen, widgets.tool], shown, **QUIET)
    widgets.image.select(clicked, [chosen, widgets.tool], widgets.image, **QUIET)
    widgets.apply.click(brushed, [chosen, widgets.editor], [widgets.image, widgets.editor], **QUIET)
    widgets.view.input(look(editing.view), [chosen, widgets.view], widgets.image, **QUIET)


def _wire_storing(
    editing: MaskEditing,
    widgets: _Widgets,
    chosen: gr.State,
    stored: gr.State,
    *,
    show: Callable[..., tuple[object, ...]],
    closeup: list[Block],
) -> None:
    edit = handler(editing.studio, Capability.EDIT_MASKS)

    @edit
    def saved(photo_id: str, count: int, request: gr.Request) -> tuple[object, ...]:
        editing.save(photo_id, request)
        gr.Info("The mask is saved.", duration=3)
        return (*show(photo_id, request), count + 1)

    @handler(editing.studio, Capability.LOOK)
    def dropped(photo_id: str, request: gr.Request) -> tuple[object, ...]:
        editing.discard(photo_id, request)
        return show(photo_id, request)

    @edit
    def excluded(photo_id: str, count: int, request: gr.Request) -> tuple[object, ...]:
        editing.studio.library.photos.set_excluded(
            photo_id, not editing.studio.library.photos.get(photo_id).excluded
        )
        return (*show(photo_id, request), count + 1)

    widgets.save.click(saved, [chosen, stored], [*closeup, stored])
    widgets.drop.click(dropped, chosen, closeup, **QUIET)
    widgets.exclude.click(excluded, [chosen, stored], [*closeup, stored], **QUIET)
