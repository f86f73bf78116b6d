"""Like my field: upload photos of a place, see what was learnt from them, use it in the recipe."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
import numpy as np

from pipeline.domain.field_profile import USUAL_NAME, FieldProfile, profile_rows
from pipeline.domain.images import decode, fitted
from pipeline.domain.recipe import to_yaml
from pipeline.errors import InvalidRequest, StudioError
from pipeline.services.plans.fields import LEAST_PHOTOS, MOST_BACKGROUNDS, MOST_PHOTOS, FieldPart
from ui.access import Capability, build_hint, handler
from ui.components.addresses import inline_picture
from ui.components.html import capitalised, counted, note_html, progress_html, table_html
from ui.errors import AT_ONCE, LIVE, QUIET
from ui.pages.generate.field_job import FieldJob

if TYPE_CHECKING:
    from gradio.components import Component

    from pipeline.services.plans.fields import FieldChange, FieldReport
    from pipeline.studio import Studio

_POLL_S = 1.0
_SHEET_COLUMNS, _SHEET_MOST, _SHEET_PX = 4, 12, 96
_TITLES = {
    FieldPart.PLACEMENT: "number and scale of objects",
    FieldPart.BACKGROUNDS: "backgrounds",
    FieldPart.CAMERA: "camera",
    FieldPart.LIGHT: "words for the light",
}
_WHAT = (
    f"{LEAST_PHOTOS} to {MOST_PHOTOS} photos from where the objects will be seen, without labels. They must not be "
    "test photos."
)


@dataclass(frozen=True, slots=True)
class FieldPanel:
    """The handlers of the panel."""

    studio: Studio
    job: FieldJob

    def opened(self) -> tuple[object, ...]:
        """Return the profiles with the first chosen, what it holds, and the progress of one that is being learnt.

        Without one no progress is sent: on a slow machine this answer may come after that of `learn`, whose timer it
        would stop.
        """
        names = self.studio.library.fields.names()
        chosen = names[0] if names else None
        running = self.job.running
        return *self._chosen(chosen), *(self._in_progress(True) if running else (gr.skip(),) * 4)

    def learn(self, files: list[str] | None, name: str, empty: bool, licence: str) -> tuple[object, ...]:
        """Begin to learn a profile from uploaded photos.

        Raises:
            InvalidRequest: no photo was uploaded, or another profile is being learnt.
        """
        if not files:
            raise InvalidRequest("choose photos of the place first")
        self.job.start(
            [Path(file) for file in files],
            name=name.strip(),
            has_objects=not empty,
            licence=" ".join(licence.split()),
        )
        return *self._in_progress(True), ""  # the timer sees its end, however fast it is

    def stop(self) -> None:
        """Ask to stop learning."""
        self.job.stop()

    def poll(self, shown: str | None) -> tuple[object, ...]:
        """Return the progress, or the profile that was learnt, chosen, with what was refused."""
        running, report = self.job.running, self.job.report
        if running:
            return *(gr.skip(),) * 3, *self._in_progress(True), gr.skip()
        chosen = report.name if report else shown
        answer = *self._chosen(chosen), *self._in_progress(False), self._outcome(report)
        if self.job.running:
            return self.poll(shown)  # begun since: the page would lose it, as its timer would stop
        return answer

    def show(self, name: str | None) -> tuple[object, ...]:
        """Return what a profile holds, and the parts that a recipe can use."""
        return self._chosen(name)[1:]

    def use(self, text: str, name: str | None, parts: list[str]) -> str:
        """Return the recipe with parts of a profile; the same text where it has them already.

        Raises:
            InvalidRequest: no profile or no part is chosen.
            UnknownName: there is no such profile.
        """
        if not name or not parts:
            raise InvalidRequest("choose a profile and what of it the recipe shall use")
        change = self.studio.plans.recipe_like(text, name, [FieldPart(part) for part in parts])
        gr.Info(change_sentence(change, name))
        return to_yaml(change.recipe) if change.parts else text

    def _chosen(self, name: str | None) -> tuple[object, ...]:
        names = self.studio.library.fields.names()
        if name not in names:
            return gr.Dropdown(choices=names, value=None, visible=bool(names)), "", _parts([])
        dropdown = gr.Dropdown(choices=names, value=name, visible=True)
        try:
            profile = self.studio.library.fields.read(name)
        except StudioError as error:  # its file was changed by hand
            return dropdown, note_html([str(error)], kind="bad"), _parts([])
        return dropdown, self._shown(name, profile), _parts(_usable(profile))

    def _shown(self, name: str, profile: FieldProfile) -> str:
        table = table_html(["learnt", ""], list(profile_rows(profile)))
        return table + note_html([capitalised(note) for note in profile.notes]) + self._sheet(name)

    def _sheet(self, name: str) -> str:
        """Return the first backgrounds of a profile as one picture."""
        paths = list(self.studio.library.fields.backgrounds(name).values())
        small = []
        for path in paths[:_SHEET_MOST]:
            with suppress(OSError):  # changed by hand
                small.append(fitted(decode(path.read_bytes())[..., :3], (_SHEET_PX, _SHEET_PX)))
        if not small:
            return ""
        small += [np.full_like(small[0], 255)] * (-len(small) % _SHEET_COLUMNS)
        rows = [
            np.hstack(small[first : first + _SHEET_COLUMNS]) for first in range(0, len(small), _SHEET_COLUMNS)
        ]
        title = f"{min(len(paths), _SHEET_MOST)} of {counted(len(paths), 'background')}"
        return (
            f'<img class="sheet" src="{inline_picture(np.vstack(rows))}" alt="{escape(title, quote=True)}">'
        )

    def _in_progress(self, running: bool) -> tuple[object, ...]:
        """Return the progress bar, the buttons and the timer."""
        job = self.job
        sentence = f"{job.done} of {counted(job.total, 'photo')}"
        return (
            progress_html(job.done, job.total, sentence) if running else "",
            gr.Button(interactive=not running),
            gr.Button(visible=running),
            gr.Timer(active=running),
        )

    def _outcome(self, report: FieldReport | None) -> str:
        if self.job.is_stopped:
            return note_html(["Stopped; nothing was stored."])
        if report is None:
            return note_html([self.job.problem] if self.job.problem else [], kind="bad")
        refused = [f"{name}: {reason}" for name, reason in report.refused]
        return note_html([f"'{report.name}' is learnt."], kind="good") + note_html(refused, kind="bad")


def change_sentence(change: FieldChange, name: str) -> str:
    """Say what of a recipe is like a profile now, and why the words for the light are not."""
    if not change.parts and change.note:
        return f"Nothing was changed: {change.note}."
    if not change.parts:
        return f"Nothing to change: the recipe is like '{name}' already."
    titles = ", ".join(_TITLES[part] for part in change.parts)
    note = f" {capitalised(change.note)}." if change.note else ""
    return f"The recipe is like '{name}' now ({titles}).{note} Check its plan, then start the run."


def _usable(profile: FieldProfile) -> list[FieldPart]:
    placement = profile.placement
    usable = {
        FieldPart.PLACEMENT: placement.objects is not None and placement.scale is not None,
        FieldPart.BACKGROUNDS: bool(profile.backgrounds),
        FieldPart.CAMERA: any(profile.camera.values()),
        FieldPart.LIGHT: profile.light is not None,
    }
    return [part for part, is_usable in usable.items() if is_usable]


def _parts(parts: list[FieldPart]) -> gr.CheckboxGroup:
    return gr.CheckboxGroup(
        choices=[(_TITLES[part], str(part)) for part in parts],
        value=list(map(str, parts)),
        visible=bool(parts),
    )


def build_field(page: gr.Blocks, studio: Studio, recipe: gr.Code) -> None:
    """Build the panel.

    Args:
        recipe: the text that `use` changes.
    """
    panel = FieldPanel(studio, FieldJob(studio))
    with gr.Accordion("Like my field", open=False, elem_classes="pane", elem_id="field"):
        gr.HTML(note_html([_WHAT]))
        build_hint(page, studio, Capability.GENERATE, elem_id="field-hint")
        photos = _build_photos()
        with gr.Row(elem_classes="tight"):
            learn = gr.Button("Learn from these photos", size="sm", elem_id="learn-field")
            stop = gr.Button("Stop", size="sm", visible=False, elem_id="field-stop")
        progress, message = gr.HTML(elem_id="field-progress"), gr.HTML(elem_id="field-said")
        profile = gr.Dropdown([], label="Profile", visible=False, elem_id="field-profile")
        learnt = gr.HTML(elem_id="field-learnt")
        parts = gr.CheckboxGroup([], label="Use in the recipe", visible=False, elem_id="field-parts")
        use = gr.Button("Change the recipe", size="sm", elem_id="use-field")
    timer = gr.Timer(_POLL_S, active=False)
    chosen: list[Component] = [profile, learnt, parts]
    in_progress: list[Component] = [progress, learn, stop, timer]
    look, lead = handler(studio, Capability.LOOK), handler(studio, Capability.GENERATE, line=message)
    page.load(look(panel.opened), None, [*chosen, *in_progress], **AT_ONCE)
    learn.click(lead(panel.learn), photos, [*in_progress, message], **QUIET)
    stop.click(handler(studio, Capability.GENERATE)(panel.stop), **AT_ONCE)
    timer.tick(look(panel.poll), profile, [*chosen, *in_progress, message], **QUIET)
    profile.input(look(panel.show), profile, [learnt, parts], **LIVE)
    use.click(handler(studio, Capability.PLAN)(panel.use), [recipe, profile, parts], recipe, **QUIET)


def _build_photos() -> list[Component]:
    """Build what a profile is learnt from: photos, its name, whether they show no objects, their licence."""
    files = gr.File(
        file_count="multiple", file_types=["image"], height=120, show_label=False, elem_id="field-files"
    )
    name = gr.Textbox(USUAL_NAME, label="Name", max_lines=1, elem_id="field-name")
    empty = gr.Checkbox(
        False,
        label="The photos show no objects",
        info=f"Up to {MOST_BACKGROUNDS} of them become backgrounds as they are.",
    )
    licence = gr.Textbox(
        label="Licence of the photos",
        info="Stored with the profile, since its backgrounds are these photos",
        placeholder="own photos",
        max_lines=1,
        elem_id="field-licence",
    )
    return [files, name, empty, licence]
