"""Import photos: uploaded files, any source by its name, the starter set."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
from gradio.events import Dependency

from pipeline.errors import Cancelled, InvalidRequest
from pipeline.sources import source_names
from ui.access import Capability, build_hint, handler
from ui.components.html import note_html
from ui.errors import AT_ONCE, QUIET

if TYPE_CHECKING:
    from pipeline.services.reports import ImportReport
    from pipeline.studio import Studio

_SPLITS = [("random, 80 % train", ""), ("train", "train"), ("test", "test")]
_UPLOADED = "uploaded"  # the source of images that came without a folder
_NAMED_REFUSALS = 8


@dataclass(frozen=True, slots=True)
class Importing:
    """Runs an import; `stop` ends it after the current photo."""

    studio: Studio
    stop: threading.Event = field(default_factory=threading.Event)

    def from_path(
        self,
        source: str,
        split: str,
        token: gr.OAuthToken | None = None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> str:
        """Import the source of this name; return the report as HTML."""
        if not source.strip():
            raise InvalidRequest(f"enter where the photos are: {source_names()}")
        return self._run(source.strip(), split, progress, token)

    def starter_set(self, split: str, progress: gr.Progress = gr.Progress()) -> str:  # noqa: B008
        """Import the rendered starter set."""
        return self._run("starter", split, progress)

    def from_files(
        self,
        files: list[str] | None,
        label: str,
        split: str,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> str:
        """Import uploaded files: zips as they are, loose images under the class that the person names."""
        zips = [path for path in files or [] if path.lower().endswith(".zip")]
        loose = [path for path in files or [] if path not in zips]
        if not files:
            raise InvalidRequest("choose a .zip or some image files first")
        if loose and not label.strip():
            raise InvalidRequest(
                "name the class of these images, e.g. bolt; or upload a .zip with one folder per class"
            )
        reports = [self._run(path, split, progress) for path in zips]
        if loose:
            reports.append(self._loose(loose, label.strip(), split, progress))
        return "".join(reports)

    def _loose(self, images: list[str], label: str, split: str, progress: gr.Progress) -> str:
        if any(sign in label for sign in "/\\:\0") or label.startswith("."):
            raise InvalidRequest(
                f"class '{label}' cannot be a folder name; use letters, digits, spaces, - and _"
            )
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / _UPLOADED
            (folder / label).mkdir(parents=True)
            for path, name in zip(images, distinct_names([Path(path).name for path in images]), strict=True):
                shutil.copy(path, folder / label / name)
            return self._run(str(folder), split, progress)

    def _run(self, source: str, split: str, progress: gr.Progress, token: gr.OAuthToken | None = None) -> str:
        self.stop.clear()
        try:
            report = self.studio.photos.import_source(
                source,
                split=split or None,
                token=token.token if token else None,
                on_progress=lambda done, total, name: progress((done, total), desc=name),
                cancelled=self.stop.is_set,
            )
        except Cancelled as stopped:
            return note_html([f"Stopped after {stopped.done} photos, which are in the library."])
        return report_html(report)


def distinct_names(names: Sequence[str]) -> list[str]:
    """Return file names that can share a folder: a.jpg, and "a (2).jpg" for another a.jpg or A.jpg."""
    taken = {name.casefold() for name in names}
    seen: set[str] = set()
    distinct = []
    for name in names:
        free, number = name, 1
        if name.casefold() in seen:
            while free.casefold() in taken:
                number += 1
                free = f"{Path(name).stem} ({number}){Path(name).suffix}"
        seen.add(name.casefold())
        taken.add(free.casefold())
        distinct.append(free)
    return distinct


def report_html(report: ImportReport) -> str:
    """Return what an import did: counts, the note on a guess, refused files with the reason."""
    sentences = [
        f"{report.added} photos added"
        + (f", {report.already} already in the library" if report.already else "")
    ]
    if report.samples:
        sentences.append(f"{report.samples} accepted synthetic images came with them.")
    if report.note:
        sentences.append(report.note)
    sentences += report.warnings
    if report.doubtful:
        sentences.append(f"{report.doubtful} masks need checking; they are shown first.")
    sentences.append(report.summary)
    refused = [f"{name}: {reason}" for name, reason in report.refused[:_NAMED_REFUSALS]]
    if len(report.refused) > _NAMED_REFUSALS:
        refused.append(f"and {len(report.refused) - _NAMED_REFUSALS} more were refused")
    return note_html(sentences, kind="good") + note_html(refused, kind="bad")


def build_import(page: gr.Blocks, studio: Studio) -> Callable[..., Dependency]:
    """Build the import panel; return the listener method that fires when an import has ended."""
    importing = Importing(studio)
    look = handler(studio, Capability.LOOK)
    with gr.Column(elem_classes="pane", elem_id="import"):
        gr.HTML("<h2>Import photos</h2>")
        build_hint(page, studio, Capability.IMPORT, elem_id="import-hint")
        files = gr.File(
            file_count="multiple",
            file_types=["image", ".zip"],
            height=132,
            show_label=False,
            elem_classes="drop",
        )
        label = gr.Textbox(
            label="Class", info="for single images; a zip names its own", placeholder="bolt", max_lines=1
        )
        add = gr.Button("Import files", variant="primary")
    with gr.Accordion("From another source", open=False, elem_classes="pane"):
        source = gr.Textbox(label="Source", info=source_names(), max_lines=1, elem_id="source")
        split = gr.Radio(_SPLITS, value="", label="Split", elem_classes="pills")
        from_path = gr.Button("Import", elem_id="import-path")
        starter = gr.Button("Add the starter set", elem_id="import-starter")
    message = gr.HTML(elem_id="import-said")
    stop = gr.Button("Stop", size="sm", visible=False)
    lead = handler(studio, Capability.IMPORT, line=message)
    ended = gr.State(0)  # imports so far: two equal sentences in a row would fire no `change`
    for button, run, asked in (
        (add, importing.from_files, [files, label, split]),
        (from_path, importing.from_path, [source, split]),
        (starter, importing.starter_set, [split]),
    ):
        begun = button.click(look(lambda: gr.Button(visible=True)), None, stop, **AT_ONCE)
        done = begun.then(lead(run), asked, message, concurrency_id="import")
        done.then(look(lambda count: (count + 1, gr.Button(visible=False))), ended, [ended, stop], **QUIET)
    stop.click(handler(studio, Capability.IMPORT)(lambda: importing.stop.set()), queue=False)
    return ended.change
