"""The table of pages is complete, and both the app and the bar follow it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

import ui.pages
from pipeline.domain.people import Role
from pipeline.studio import Studio
from ui.access import check_declared
from ui.app import build_app
from ui.components.frame import bar_html
from ui.pages import table
from ui.pages.photos.starter_job import StarterJob
from ui.pages.table import PAGES, START_PAGE, Page, Screen

FOLDER = Path(ui.pages.__file__).parent


def page(path: str) -> Page:
    return next(entry for entry in PAGES if entry.path == path)


def test_every_folder_of_a_page_has_a_row_and_every_row_a_folder() -> None:
    folders = {module.parent.name for module in FOLDER.glob("*/page.py")}
    assert {entry.path or "photos" for entry in PAGES} == folders
    assert [name for name in folders if not (FOLDER / name / "__init__.py").is_file()] == []


def test_paths_and_titles_are_unique_and_parents_exist() -> None:
    paths = [entry.path for entry in PAGES]
    assert len(set(paths)) == len({entry.title for entry in PAGES}) == len(PAGES)
    assert (START_PAGE, START_PAGE.path) == (PAGES[0], "")
    assert {entry.parent for entry in PAGES} - {None} <= set(paths)


def test_the_app_serves_the_pages_of_the_table(studio: Studio) -> None:
    app = build_app(studio, StarterJob(studio))
    assert [(path, title) for path, title, *_ in app.pages[1:]] == [
        (entry.path, entry.title) for entry in PAGES[1:]
    ]


def test_a_page_is_added_by_one_row(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def build_hello_page(app: gr.Blocks, screen: Screen) -> None:
        gr.HTML("Hello", elem_id="hello")

    hello = Page(path="hello", title="Hello", build=build_hello_page)
    for module in (table, __import__("ui.app", fromlist=["app"])):
        monkeypatch.setattr(module, "PAGES", (*PAGES, hello))
    app = build_app(studio, StarterJob(studio))
    check_declared(app)
    assert app.pages[-1][:2] == ("hello", "Hello")
    assert [block.value for block in app.blocks.values() if block.elem_id == "hello"] == ["Hello"]
    bars = [block.value for block in app.blocks.values() if "bar-block" in (block.elem_classes or [])]
    assert len(bars) == len(PAGES) + 1
    assert all('href="./hello"' in bar for bar in bars)


def test_the_bar_marks_the_open_page_and_counts_undecided_samples() -> None:
    bar = bar_html(PAGES, page("review"), waiting=7)
    assert '<a href="./review" aria-current="page">Review<span class="badge">7</span></a>' in bar
    assert bar.count("aria-current") == 1


def test_the_bar_leaves_out_pages_with_a_parent_and_marks_the_parent() -> None:
    bar = bar_html(PAGES, page("reviewers"), waiting=0)
    assert "Reviewers" not in bar
    assert '<a href="./review" aria-current="page">Review</a>' in bar


def test_the_bar_hides_what_a_role_may_not_see() -> None:
    pages = [replace(entry, least_role=Role.LEAD) if entry.path == "train" else entry for entry in PAGES]
    assert "./train" not in bar_html(pages, page(""), waiting=0)
    assert "./train" not in bar_html(pages, page(""), waiting=0, role=Role.REVIEWER)
    assert "./train" in bar_html(pages, page(""), waiting=0, role=Role.LEAD)
