"""Writes the reports of a study into its folder."""

from __future__ import annotations

from pathlib import Path

from training.fit.run_folder import write_text
from training.report.html import html_report
from training.report.markdown import markdown_report
from training.study.result import StudyResult

MARKDOWN_FILE = "report.md"
HTML_FILE = "report.html"


def write_reports(result: StudyResult, out: Path) -> None:
    """Write `report.md` and `report.html`."""
    write_text(out / MARKDOWN_FILE, markdown_report(result))
    write_text(out / HTML_FILE, html_report(result, out))
