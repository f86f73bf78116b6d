"""A plot of a release: pictures per class, photographs and each method stacked, one panel a split."""

from __future__ import annotations

from pathlib import Path

from pipeline.domain.release import Subset
from pipeline.publish.source import Survey

PLOT_NAME = "counts.png"
_MOST_CLASSES = 40
_ROW_IN, _HEAD_IN, _WIDTH_IN = 0.28, 1.2, 8.0
_COLOURS = {
    "photos": "#3f3f46",
    "inpaint": "#e07a3f",
    "controlnet": "#f0b76a",
    "text_to_image": "#7a9cc6",
    "paste": "#a8b89a",
}


def write_plot(found: Survey, folder: Path) -> None:
    """Write the plot of a release into its folder."""
    from matplotlib.figure import Figure  # slow to import; no pyplot: nothing global is touched

    labels = found.labels[:_MOST_CLASSES]
    names = [label.replace("$", r"\$") for label in labels]  # no formula
    figure = Figure(figsize=(_WIDTH_IN, _HEAD_IN + _ROW_IN * len(labels)), layout="constrained")
    panels = figure.subplots(1, len(found.splits), sharey=True, squeeze=False)[0]
    for panel, split in zip(panels, found.splits, strict=True):
        left = [0] * len(labels)
        for name, counts in _bars(found, split).items():
            widths = [counts.get(label, 0) for label in labels]
            panel.barh(names, widths, left=left, color=_COLOURS.get(name, "#999999"), label=name, height=0.7)
            left = [start + width for start, width in zip(left, widths, strict=True)]
        panel.set_title(split, loc="left", fontsize=10)
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.tick_params(length=0, labelsize=8)
        panel.xaxis.get_major_locator().set_params(integer=True, nbins=4)
    panels[0].invert_yaxis()
    handles, titles = panels[0].get_legend_handles_labels()
    figure.legend(handles, titles, loc="outside lower left", ncols=len(titles), frameon=False, fontsize=8)
    figure.savefig(folder / PLOT_NAME, dpi=110, metadata={"Software": None})


def _bars(found: Survey, split: str) -> dict[str, dict[str, int]]:
    """Name of a bar → class → pictures."""
    bars = {"photos": found.counts[Subset.REAL].get(split, {})}
    for method in sorted(found.methods):
        bars[method] = {
            label: number
            for (where, label, how), number in found.by_method.items()
            if where == split and how == method
        }
    return bars
