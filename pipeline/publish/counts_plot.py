"""A plot of a release: images per class, photos and each method stacked, one panel for each split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.arms import Arm
from pipeline.domain.methods import Method
from pipeline.domain.release import Subset
from pipeline.publish.contents import ReleaseContents

PLOT_NAME = "counts.png"
_MOST_CLASSES = 40
_ROW_IN, _HEAD_IN, _WIDTH_IN = 0.28, 1.2, 8.0


@dataclass(frozen=True, slots=True)
class _Bars:
    """The bars of one kind of image in one panel."""

    title: str
    colour: str
    counts: Mapping[str, int]  # class → images


def write_plot(contents: ReleaseContents, folder: Path) -> None:
    """Write the plot of a release into its folder."""
    from matplotlib.figure import Figure  # slow to import; pyplot would change global state

    labels = contents.labels[:_MOST_CLASSES]
    names = [label.replace("$", r"\$") for label in labels]  # not a formula
    figure = Figure(figsize=(_WIDTH_IN, _HEAD_IN + _ROW_IN * len(labels)), layout="constrained")
    panels = figure.subplots(1, len(contents.splits), sharey=True, squeeze=False)[0]
    for panel, split in zip(panels, contents.splits, strict=True):
        left = [0] * len(labels)
        for bars in _bars(contents, split):
            widths = [bars.counts.get(label, 0) for label in labels]
            panel.barh(names, widths, left=left, color=bars.colour, label=bars.title, height=0.7)
            left = [start + width for start, width in zip(left, widths, strict=True)]
        panel.set_title(split, loc="left", fontsize=10)
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.tick_params(length=0, labelsize=8)
        panel.xaxis.get_major_locator().set_params(integer=True, nbins=4)
    panels[0].invert_yaxis()
    handles, titles = panels[0].get_legend_handles_labels()
    figure.legend(handles, titles, loc="outside lower left", ncols=len(titles), frameon=False, fontsize=8)
    figure.savefig(folder / PLOT_NAME, dpi=110, metadata={"Software": None})


def _bars(contents: ReleaseContents, split: str) -> list[_Bars]:
    """Return the photos, then each method of the release, in order of name."""
    bars = [_Bars("photos", Arm.REAL.facts.colour, contents.counts[Subset.REAL].get(split, {}))]
    for method in sorted(contents.methods):
        counts = {
            label: count
            for (where, label, how), count in contents.by_method.items()
            if where == split and how == method
        }
        bars.append(_Bars(method, Method(method).facts.colour, counts))
    return bars
