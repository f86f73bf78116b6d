"""How varied the images of each recipe and method are as their number grows, and whether more are worth their time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import gradio as gr

from pipeline.domain.methods import METHODS, Method
from ui.access import Capability, handler
from ui.components.charts import Axis, curves_svg
from ui.components.html import counted, note_html
from ui.errors import AT_ONCE, QUIET

if TYPE_CHECKING:
    from pipeline.domain.variety import SetVariety
    from pipeline.studio import Studio

_POLL_S = 5.0
_COMPARED_AT_ONCE = 48  # images; a second or two
_MOST_LINES = 8  # colours of the page


def variety_html(variety: Sequence[SetVariety]) -> str:
    """Return charts of variety and similarity over the number of images, with a sentence each; "" without images."""
    largest = sorted((each for each in variety if each.points), key=lambda each: -each.images)[:_MOST_LINES]
    if not largest:
        return ""
    methods = Counter(each.method for each in largest)
    names = {id(each): f"{each.recipe}, {METHODS[Method(each.method)].title}" for each in largest}
    colours = {
        names[id(each)]: METHODS[Method(each.method)].colour for each in largest if methods[each.method] == 1
    }
    most = max(point.vendi for each in largest for point in each.points)
    unit = "images of a class"
    different = curves_svg(
        {names[id(each)]: [(point.count, point.vendi) for point in each.points] for each in largest},
        title="As many different images they count as (cosine-Vendi)",
        unit=unit,
        colours=colours,
        axis=Axis.up_to(most),
    )
    alike = curves_svg(
        {
            names[id(each)]: [(point.count, max(0.0, point.mean_cosine)) for point in each.points]
            for each in largest
        },
        title="How similar two of them are on average",
        unit=unit,
        colours=colours,
    )
    full = any(curve.is_full for each in largest for curve in each.curves.values())
    summary = "Variety: more images of some classes add almost nothing" if full else "Variety of the images"
    return (
        f'<details class="variety"{" open" if full else ""}><summary>{summary}</summary>{different}'
        f"{note_html([each.sentence for each in largest])}{alike}</details>"
    )


def build_variety(page: gr.Blocks, studio: Studio) -> None:
    """Build the charts, which follow a run, and a button that compares images that are not compared yet."""
    charts = gr.HTML(elem_id="variety", elem_classes="plan")
    compare = gr.Button("Compare images", size="sm", visible=False, elem_id="compare-images")
    seen = gr.Textbox("", visible=False)

    def shown(mark: str) -> tuple[object, ...]:
        variety = studio.samples.variety.measured()
        left = sum(each.wanted - each.compared for each in variety)
        label = f"Measure the variety of {counted(left, 'more image')}"
        return variety_html(variety), gr.Button(label, visible=left > 0), mark

    @handler(studio, Capability.LOOK)
    def follow(before: str) -> tuple[object, ...]:
        mark = studio.samples.variety.mark
        return (gr.skip(),) * 3 if mark == before else shown(mark)

    @handler(studio, Capability.GENERATE)
    def embed_images() -> Iterator[tuple[object, ...]]:
        left, wanted = None, studio.samples.variety.uncompared()
        while left != (left := studio.samples.embeddings.embed_missing(_COMPARED_AT_ONCE, wanted=wanted)):
            yield shown(studio.samples.variety.mark)

    outputs = [charts, compare, seen]
    page.load(follow, seen, outputs, **AT_ONCE)
    compare.click(embed_images, None, outputs, show_progress="minimal")
    gr.Timer(_POLL_S).tick(follow, seen, outputs, **QUIET)
