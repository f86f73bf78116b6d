"""The report of a study as Markdown, for a card or a pull request."""

from __future__ import annotations

import re
from html import escape
from typing import Any

_MARKUP = re.compile(r"([\\`*_\[\]|#~])")  # what Markdown takes for its own signs


def markdown_report(found: dict[str, Any]) -> str:
    """Verdict, table, comparisons, confusion matrices, settings and notes of what `study.json` holds."""
    parts = [
        "# Which use of the data is best?",
        f"**{_text(found['verdict'])}**",
        *_arms(found),
        *_comparisons(found),
        *_per_class(found),
        *_confusions(found),
        *_settings(found),
        "## Read with this in mind",
        "\n".join(f"- {_text(note)}" for note in found["notes"]),
    ]
    return "\n\n".join(parts) + "\n"


def percent_interval(spread: dict[str, Any]) -> str:
    """'71.2 % (68.0 to 74.4)', or only the mean where one seed gives no interval."""
    mean = f"{100 * spread['mean']:.1f} %"
    return (
        mean if spread["low"] is None else f"{mean} ({100 * spread['low']:.1f} to {100 * spread['high']:.1f})"
    )


def points_interval(one: dict[str, Any]) -> str:
    """'+6.2 (+4.1 to +8.3)' in percentage points."""
    mean = f"{100 * one['difference']:+.1f}"
    return mean if one["low"] is None else f"{mean} ({100 * one['low']:+.1f} to {100 * one['high']:+.1f})"


def picture_counts(arm: dict[str, Any]) -> str:
    """'96 real + 200 synthetic'."""
    return " + ".join(f"{count} {origin}" for origin, count in arm["counts"].items() if count)


def setting_lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    """What was trained, on what, how long: pairs of name and value."""
    settings, machine = found["settings"], found["machine"]
    seeds = ", ".join(str(seed) for seed in found["seeds"])
    return [
        ("data set", found["dataset"]),
        ("test photos", f"{sum(found['test_counts'].values())} from {found['test']}"),
        ("seeds", f"{len(found['seeds'])} ({seeds})"),
        ("network", f"{settings['network']} at {settings['image_size']} px, no pretrained weights"),
        ("training", f"{settings['steps']} steps of {settings['batch']} pictures"),
        (
            "optimiser",
            f"AdamW, learning rate {settings['lr']:g} (cosine), weight decay {settings['weight_decay']:g}",
        ),
        ("precision", settings["precision"]),
        ("time", f"{sum(a['seconds'] for a in found['arms']) / len(found['arms']):.1f} s an arm and seed"),
        ("machine", f"{machine['cpu']}; {machine['device']}; torch {machine['torch']}"),
    ]


def _arms(found: dict[str, Any]) -> list[str]:
    rows = [
        (arm["title"], arm["says"], picture_counts(arm), percent_interval(arm["balanced_accuracy"]))
        for arm in found["arms"]
    ]
    lines = [_table(("arm", "trains on", "pictures", "balanced accuracy (95 % interval)"), rows)]
    lines += [f"Left out: {_text(one['title'])}, {_text(one['reason'])}." for one in found["skipped"]]
    return lines


def _comparisons(found: dict[str, Any]) -> list[str]:
    if not found["comparisons"]:
        return []
    rows = [
        (
            one["title"],
            points_interval(one),
            f"{one['better_in']} of {one['of']}",
            f"{one['p']:.4f}",
            f"{one['p_adjusted']:.4f}",
        )
        for one in found["comparisons"]
    ]
    head = ("arm", "points over real photos (95 % interval)", "ahead in", "p", "p, corrected")
    return ["## Against real photos, seed by seed", _table(head, rows), tests_said(found)]


def tests_said(found: dict[str, Any]) -> str:
    """How the p values came about, in one paragraph."""
    smallest = found["comparisons"][0]["smallest_p"]
    few = " Fewer than six seeds can never reach p < 0.05." if len(found["seeds"]) < 6 else ""
    return (
        "p: exact two-sided paired sign-flip test over all sign patterns of the seeds; corrected for the "
        "number of comparisons by step-down max-T with joint flips. "
        "Each interval holds the differences that this test, uncorrected, does not refuse. "
        f"The smallest p that these seeds can reach is {smallest:.4f}.{few}"
    )


def _per_class(found: dict[str, Any]) -> list[str]:
    classes = [name for name in found["classes"] if name in found["arms"][0]["per_class"]]
    rows = [(name, *(f"{100 * arm['per_class'][name]:.0f} %" for arm in found["arms"])) for name in classes]
    return ["## Each class", _table(("class", *(arm["title"] for arm in found["arms"])), rows)]


def _confusions(found: dict[str, Any]) -> list[str]:
    parts = ["## Confusion (rows: true, columns: answered; summed over seeds)"]
    for arm in found["arms"]:
        rows = [
            (name, *map(str, counts)) for name, counts in zip(found["classes"], arm["confusion"], strict=True)
        ]
        parts += [f"### {_text(arm['title'])}", _table(("", *found["classes"]), rows)]
    return parts


def _settings(found: dict[str, Any]) -> list[str]:
    return ["## How it was done", _table(("", ""), setting_lines(found))]


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = ["| " + " | ".join(_text(title) for title in head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_text(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _text(value: str) -> str:
    """Text of people on one line, so that neither Markdown nor HTML takes a part of it for markup."""
    return _MARKUP.sub(r"\\\1", escape(" ".join(str(value).split()), quote=False))
