"""What the import panel says of an import that has ended: a table of classes and splits, and what needs attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.components.html import capitalised, note_html, table_html

if TYPE_CHECKING:
    from pipeline.services.reports import ImportReport

_NAMED_REFUSALS = 8
_SPLITS = ("train", "test")


def report_html(report: ImportReport) -> str:
    """Return what an import did, or would do: counts, a table, sentences on guesses and classes, refused files."""
    refused = [f"{name}: {reason}" for name, reason in report.refused[:_NAMED_REFUSALS]]
    if len(report.refused) > _NAMED_REFUSALS:
        refused.append(f"and {len(report.refused) - _NAMED_REFUSALS} more were refused")
    return (
        note_html([_counts(report)], kind="good")
        + _table(report)
        + note_html([capitalised(report.note)] if report.note else [])
        + note_html([f"{capitalised(warning)}." for warning in _warnings(report)], kind="bad")
        + note_html(refused, kind="bad")
    )


def _counts(report: ImportReport) -> str:
    parts = [_counted(report.added, "photo") + (" would be added" if report.dry_run else " added")]
    if report.already:
        parts.append(f"{report.already} already in the library")
    if report.samples:
        images = _counted(report.samples, "accepted synthetic image")
        parts.append(f"{images} {'would come' if report.dry_run else 'came'} with them")
    if report.repaired:
        parts.append(f"the files of {_counted(report.repaired, 'photo')} restored")
    if report.refused:
        parts.append(f"{_counted(len(report.refused), 'file')} refused")
    return ("Checked, nothing was written: " if report.dry_run else "") + ", ".join(parts) + "."


def _table(report: ImportReport) -> str:
    if not report.found:
        return ""
    rows: list[list[str | int]] = [
        [label, *(splits.get(split, 0) for split in _SPLITS)] for label, splits in report.found.items()
    ]
    return table_html(["class", *_SPLITS], rows)


def _warnings(report: ImportReport) -> list[str]:
    warnings = list(report.warnings)
    if report.doubtful:
        need = "mask needs checking; it is" if report.doubtful == 1 else "masks need checking; they are"
        warnings.append(f"{report.doubtful} {need} shown first")
    if report.other_class and not report.relabelled:
        warnings.append("tick “Give known photos the new class” and import again to change their class")
    return warnings


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
