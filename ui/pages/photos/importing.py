"""Import photos: dropped files and folders, any source by its name, the starter set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr
from gradio.events import Dependency

from pipeline.errors import InvalidRequest
from pipeline.sources import source_names
from ui.access import Capability, build_hint, handler
from ui.components.html import note_html, progress_html
from ui.components.scripts import widget_script
from ui.errors import AT_ONCE, QUIET
from ui.pages.photos.import_job import ImportJob, ImportRequest
from ui.pages.photos.import_report import report_html
from ui.theme import STATIC

if TYPE_CHECKING:
    from gradio.components import Component

    from pipeline.studio import Studio

_SPLITS = [("automatic", ""), ("train", "train"), ("test", "test")]
_POLL_S = 1.0
_HUB = "hf://"
_FIRST = '<span class="first-import"></span>'  # tells the stylesheet to show the panel before everything else


@dataclass(frozen=True, slots=True)
class ImportPanel:
    """The handlers of the panel."""

    studio: Studio
    job: ImportJob

    def opened(self) -> tuple[object, ...]:
        """Return whether the library has no photos, and the import that is in progress, if any.

        Without one nothing else is sent: on a slow machine this answer may come after that of `start_files`, whose
        timer it would stop.
        """
        running = self.job.running
        return self._first(), *(self._in_progress(True) if running else (gr.skip(),) * 4)

    def start_files(
        self, files: list[str] | None, label: str, split: str, check: bool, relabel: bool
    ) -> tuple[object, ...]:
        """Begin to import uploaded files: zips as they are, loose images under the class that the person names."""
        zips = tuple(path for path in files or [] if path.lower().endswith(".zip"))
        loose = tuple(path for path in files or [] if path not in zips)
        return self._started(
            ImportRequest(
                sources=zips,
                images=loose,
                label=label.strip(),
                split=split or None,
                relabel=relabel,
                dry_run=check,
                are_uploads=True,
            )
        )

    def start_source(
        self, source: str, split: str, check: bool, relabel: bool, token: gr.OAuthToken | None = None
    ) -> tuple[object, ...]:
        """Begin to import the source of this name; on a Space datasets on the Hub only."""
        source = source.strip()
        if self.studio.settings.hosted and not source.startswith(_HUB):
            raise InvalidRequest("enter a dataset on the Hub, such as hf://datasets/owner/name")
        if not source:
            raise InvalidRequest(f"enter where the photos are: {source_names()}")
        return self._started(
            ImportRequest(
                sources=(source,),
                split=split or None,
                relabel=relabel,
                dry_run=check,
                token=token.token if token else None,
            )
        )

    def start_starter_set(self, split: str, check: bool, relabel: bool) -> tuple[object, ...]:
        """Begin to import the rendered starter set."""
        return self._started(
            ImportRequest(sources=("starter",), split=split or None, relabel=relabel, dry_run=check)
        )

    def stop(self) -> None:
        """Ask the import to stop."""
        self.job.stop()

    def poll(self, seen: str) -> tuple[object, ...]:
        """Return the progress, or the end, of the import: what `opened` and `exclude` return, and what has changed."""
        running = self.job.running  # read first: what it leaves behind is complete once it has ended
        count = sum(self.studio.library.counts().classes.values())
        changed = f"{self.job.ended} {count}"
        answer = (
            self._first(),
            *self._in_progress(running),
            gr.skip() if running else self._outcome(),
            *((gr.skip(), gr.skip()) if running else self._exclusion()),
            gr.skip() if running or not self._is_imported() else None,
            gr.skip() if changed == seen else changed,
        )
        if not running and self.job.running:
            return self.poll(seen)  # begun since: the page would lose it, as its timer would stop
        return answer

    def exclude(self, photo_ids: list[str], seen: str) -> tuple[object, ...]:
        """Exclude test photos that look like training photos; return a sentence, the button, and what has changed."""
        known = self.studio.library.photos.ids()
        excluded = [photo_id for photo_id in photo_ids if photo_id in known]
        for photo_id in excluded:
            self.studio.library.photos.set_excluded(photo_id, True)
        photos = "test photo is" if len(excluded) == 1 else "test photos are"
        sentence = f"{len(excluded)} {photos} excluded; they stay in the library, out of plans and releases."
        return note_html([sentence], kind="good"), gr.Button(visible=False), [], f"{seen} excluded"

    def _started(self, request: ImportRequest) -> tuple[object, ...]:
        self.job.start(request)
        return (
            *self._in_progress(True),
            "",
            gr.Button(visible=False),
        )  # the timer sees its end, however fast it is

    def _in_progress(self, running: bool) -> tuple[object, ...]:
        """Return the progress bar, the Import and the Stop button, and the timer."""
        return (
            progress_html(self.job.done, self.job.total, self._doing()) if running else "",
            gr.Button(interactive=not running),
            gr.Button(visible=running),
            gr.Timer(active=running),
        )

    def _doing(self) -> str:
        job = self.job
        count = f"{job.done} of {job.total} · " if job.total else f"{job.done} · " if job.done else ""
        return f"{count}{job.doing or 'reading the photos'}"

    def _outcome(self) -> str:
        job = self.job
        return (
            "".join(report_html(report) for report in job.reports)
            + note_html([job.stopped] if job.stopped else [])
            + note_html([job.problem] if job.problem else [], kind="bad")
        )

    def _exclusion(self) -> tuple[gr.Button, list[str]]:
        """Return the button that excludes the test photos which look like training photos, and their ids."""
        photo_ids = [pair.test_id for report in self.job.reports[-1:] for pair in report.near_duplicates]
        photos = "the test photo" if len(photo_ids) == 1 else f"the {len(photo_ids)} test photos"
        return gr.Button(f"Exclude {photos}", visible=bool(photo_ids)), photo_ids

    def _is_imported(self) -> bool:
        job = self.job
        return bool(job.reports) and not (job.problem or job.stopped or job.reports[-1].dry_run)

    def _first(self) -> str:
        is_empty = not self.studio.library.counts().classes and not self.studio.photos.wants_starter
        return _FIRST if is_empty else ""


def build_import(page: gr.Blocks, studio: Studio) -> Callable[..., Dependency]:
    """Build the import panel; return the listener method that fires as photos come in, and when an import has ended."""
    panel = ImportPanel(studio, ImportJob(studio))
    with gr.Column(elem_classes="pane", elem_id="import"):
        gr.HTML("<h2>Import photos</h2>")
        first = gr.HTML(elem_id="import-first")
        build_hint(page, studio, Capability.IMPORT, elem_id="import-hint")
        files = _build_drop_zone()
        label = gr.Textbox(
            label="Class",
            info="of single images; the folders of a .zip name theirs",
            placeholder="bolt",
            max_lines=1,
        )
        split = gr.Radio(
            _SPLITS,
            value="",
            label="Split",
            info="automatic: as the source says, else at least 5 test photos of each class of 10 or more",
            elem_classes="pills",
            elem_id="import-split",
        )
        check = gr.Checkbox(
            False, label="Check first: say what would be imported", container=False, elem_id="import-check"
        )
        relabel = gr.Checkbox(False, label="Give known photos the new class", container=False)
        with gr.Row(elem_classes="tight"):
            add = gr.Button("Import files", variant="primary")
            stop = gr.Button("Stop", visible=False, elem_id="import-stop")
        progress = gr.HTML(elem_id="import-progress")
        message = gr.HTML(elem_id="import-said")
        exclude = gr.Button(visible=False, size="sm", elem_id="import-exclude")
        source, from_path, starter = _build_other_source(hosted=studio.settings.hosted)
    leaking, changed = gr.State([]), gr.State("")
    timer = gr.Timer(_POLL_S, active=False)
    in_progress: list[Component] = [progress, add, stop, timer]
    look, lead = handler(studio, Capability.LOOK), handler(studio, Capability.IMPORT, line=message)
    page.load(look(panel.opened), None, [first, *in_progress], **AT_ONCE)
    choices: list[Component] = [split, check, relabel]
    add.click(lead(panel.start_files), [files, label, *choices], [*in_progress, message, exclude], **QUIET)
    from_path.click(lead(panel.start_source), [source, *choices], [*in_progress, message, exclude], **QUIET)
    starter.click(lead(panel.start_starter_set), choices, [*in_progress, message, exclude], **QUIET)
    stop.click(handler(studio, Capability.IMPORT)(panel.stop), **AT_ONCE)
    polled = [first, *in_progress, message, exclude, leaking, files, changed]
    timer.tick(look(panel.poll), changed, polled, **QUIET)
    edit = handler(studio, Capability.EDIT_MASKS, line=message)
    exclude.click(edit(panel.exclude), [leaking, changed], [message, exclude, leaking, changed], **QUIET)
    return changed.change


def _build_drop_zone() -> gr.File:
    """Build the zone for files, which takes dropped folders, too, and the button that chooses a folder."""
    files = gr.File(
        file_count="multiple",
        file_types=["image", ".zip"],
        height=132,
        show_label=False,
        elem_classes="drop",
        elem_id="import-files",
    )
    gr.HTML(
        html_template=(STATIC / "photos" / "folder_choice.html").read_text(encoding="utf-8"),
        js_on_load=widget_script("photos/folder_choice.js"),
        elem_id="import-folder",
    )
    return files


def _build_other_source(*, hosted: bool) -> tuple[gr.Textbox, gr.Button, gr.Button]:
    """Build the sources that are named: on a Space those of the Hub only, for a path would be one of the server."""
    title = "From the Hugging Face Hub" if hosted else "From another source"
    with gr.Accordion(title, open=False, elem_id="import-other"):
        source = gr.Textbox(
            label="Source",
            info=f"{_HUB}datasets/owner/name" if hosted else source_names(),
            max_lines=1,
            elem_id="source",
        )
        from_path = gr.Button("Import", elem_id="import-path")
        starter = gr.Button("Add the starter set", elem_id="import-starter")
    return source, from_path, starter
