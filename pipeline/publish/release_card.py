"""The card of a release: what it is, how it was made and reviewed, its limits, how to load it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.domain.contexts import DISTRACTORS_NOTE, context_tables
from pipeline.domain.methods import Method
from pipeline.domain.release import Subset
from pipeline.domain.slots import shown_value
from pipeline.publish.card_merging import framed
from pipeline.publish.contents import ReleaseContents
from pipeline.publish.counts_plot import PLOT_NAME
from pipeline.publish.credits import credit, is_rendered, source_credit
from pipeline.publish.example_grid import GRID_NAME
from pipeline.publish.front_matter import DatasetInfo, front_matter
from pipeline.publish.markup import code, fenced, html_text, plain
from pipeline.publish.published_recipe import published_recipe
from pipeline.publish.review_text import review_text

NO_ADDRESS = "FOLDER_OR_HUB_NAME"
_COLUMNS = """\
| column | content |
|---|---|
| `image` | the image, lossless WebP |
| `label` | its class |
| `mask` | the object: 255 inside, 0 outside, a soft edge between; null where it is not known |
| `bbox`, `boxes` | (x0, y0, x1, y1) in pixels, x1, y1 exclusive: of the front object (or null), of all back to front |
| `origin` | `real` (as imported) or `synthetic` (made by the methods below) |
| `method`, `prompt`, `seed`, `model`, `revision` | how a synthetic image was made |
| `source_id`, `source_ids` | the photos whose objects it shows; splits never share one |
| `source` | where a photo was imported from; empty for synthetic images |
| `sample_id` | the hash of everything that determined the sample |
| `homography`, `homographies` | 3 x 3, photo pixels to image pixels: of the front object, and of all |
| `scores` | automatic quality scores; null where one does not apply |"""
_DISTRACTOR_COLUMN = """
| `distractors` | what else it shows, back to front: `label`, its class, or `shape`, the form of a neutral shape; \
`bbox`; `source_id`, its photo; `runs`, the run lengths of its visible mask, row by row, background first |"""
_REASON_COLUMN = "\n| `reason` | why the sample was rejected (configuration `rejected` only) |"
_AS_IMPORTED = "Photos are as they were imported: turned upright, 8 bits, stored losslessly."


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What a study concluded about a release."""

    sentence: str  # the verdict
    test: str  # the photos that it was measured on
    seeds: int
    arms: tuple[tuple[str, float], ...]  # (title, mean balanced accuracy, 0 to 1)
    pictures: int = 0  # images of the release that it was trained on; 0 where that is not known
    index: str = ""  # SHA-256 of the index of that release


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDetails:
    """What a card tells besides the contents of the release."""

    name: str  # the title
    version: str = "1"
    address: str = NO_ADDRESS  # the argument of `load_dataset`
    study: Study | None = None
    index: str = ""  # SHA-256 of the index of this release, "" before it is written
    with_images: bool = False  # the grid and the plot lie beside the card
    dataset_info: tuple[DatasetInfo, ...] = ()  # columns and sizes, once written


def card(contents: ReleaseContents, details: CardDetails) -> str:
    """Return the card of a release: YAML front matter and Markdown."""
    rejected = Subset.REJECTED in contents.subsets
    grid = f"![Examples, one class a row: photos first, then samples]({GRID_NAME})"
    plot = f"![Images per class, by split and method]({PLOT_NAME})"
    sections = [
        _summary(contents, details.version),
        _rendered_note(contents),
        grid if details.with_images else "",
        "## What is in it\n\n" + _counts_table(contents),
        plot if details.with_images else "",
        "## How it was made\n\n" + _making(contents),
        "## Contexts of the classes\n\n" + contexts if (contexts := _contexts(contents)) else "",
        "## How it was reviewed\n\n" + review_text(contents.review, rejected=rejected),
        "## Results of training on it\n\n" + _results(details.study, details.index) if details.study else "",
        "## Known limits\n\n" + _limits(contents),
        "## How to load it\n\n" + _loading(contents, details.address, details.version),
        "## Columns\n\n" + _columns(contents),
        "## How to cite it\n\n" + _citation(details.name, details.address, details.version),
    ]
    text = framed(plain(details.name), "\n\n".join(section for section in sections if section))
    return f"---\n{front_matter(contents, details.name, details.dataset_info)}\n---\n\n{text}"


def _columns(contents: ReleaseContents) -> str:
    distractors = _DISTRACTOR_COLUMN if contents.with_distractors else ""
    return _COLUMNS + distractors + (_REASON_COLUMN if Subset.REJECTED in contents.subsets else "")


def _summary(contents: ReleaseContents, version: str) -> str:
    photos, synthetic = contents.total(Subset.REAL), contents.total(Subset.SYNTHETIC)
    number = len(contents.labels)
    classes = f"{number} class{'es' * (number != 1)} ({', '.join(map(plain, contents.labels))})"
    summary = f"Release {version}: {photos:,} photo{'s' * (photos != 1)} of {classes}"
    if not synthetic:
        return (
            f"{summary}. There are no synthetic images: the configuration `synthetic` is empty, and `datasets` does "
            "not load an empty configuration."
        )
    return (
        f"{summary}, and {synthetic:,} synthetic image{'s' * (synthetic != 1)} made from them: the objects were cut "
        "out of the photos, placed anew and given backgrounds that they were never photographed in."
    )


def _rendered_note(contents: ReleaseContents) -> str:
    rendered = sum(count for source, count in contents.sources.items() if is_rendered(source))
    if not rendered:
        return ""
    share = "The" if rendered == sum(contents.sources.values()) else f"{rendered:,} of the"
    return (
        f"**{share} photos are rendered, not photographed**: they are the starter set, which the studio draws itself. "
        "Here `real` means: not generated by a diffusion model."
    )


def _sources_table(contents: ReleaseContents) -> str:
    lines = ["| imported from | photos | licence |", "|---|---:|---|"]
    for name, licence in sorted({source_credit(source) for source in contents.sources}):
        count = sum(n for source, n in contents.sources.items() if source_credit(source) == (name, licence))
        lines.append(f"| {plain(name)} | {count:,} | {licence} |")
    return "\n".join(lines)


def _counts_table(contents: ReleaseContents) -> str:
    columns = [(subset, split) for subset in contents.subsets for split in contents.splits]
    head = "| class | " + " | ".join(f"{subset}, {split}" for subset, split in columns) + " |"
    lines = [head, "|---|" + "---:|" * len(columns)]
    for label in contents.labels:
        counts = [contents.counts[subset].get(split, {}).get(label, 0) for subset, split in columns]
        lines.append(f"| {plain(label)} | " + " | ".join(f"{count:,}" for count in counts) + " |")
    totals = [contents.total(subset, split) for subset, split in columns]
    lines.append("| **all** | " + " | ".join(f"**{total:,}**" for total in totals) + " |")
    return "\n".join(lines) + (
        "\n\nThe configuration `mixed` holds the real and the synthetic ones. A synthetic image is in the same "
        "split as the photo that it was made from; no photo is in two splits."
    )


def _making(contents: ReleaseContents) -> str:
    if not contents.total(Subset.SYNTHETIC):
        return _sources_table(contents) + f"\n\n{_AS_IMPORTED}"
    methods = ["| method | images | description |", "|---|---:|---|"]
    for method, count in sorted(contents.methods.items()):
        methods.append(f"| `{method}` | {count:,} | {Method(method).facts.description} |")
    models, terms = ["| model | revision | images | licence |", "|---|---|---:|---|"], []
    for (model, revision), count in sorted(contents.models.items()):
        named = credit(model, revision)
        shown = code(revision) if revision else ""
        models.append(f"| {named.title} | {shown} | {count:,} | {named.licence} |")
        if named.terms:
            terms.append(f"- {named.title}: {named.terms}.")
    blocks = [methods, models, terms, [_sources_table(contents)], [_AS_IMPORTED], [_recipes(contents)]]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines).rstrip()


def _contexts(contents: ReleaseContents) -> str:
    """Tell how much the background tells about the class, and the counts behind it."""
    tables = context_tables(contents.contexts)
    if not tables:
        return ""
    lines = ["| prompt slot | values | bits shared with the class | bits by chance |", "|---|---:|---:|---:|"]
    blocks = []
    for table in tables:
        lines.append(f"| {plain(table.slot)} | {len(table.values)} | {table.bits:.3f} | {table.chance:.3f} |")
        rows = [f"| {plain(table.slot)} | " + " | ".join(map(plain, table.labels)) + " |"]
        rows.append("|---|" + "---:|" * len(table.labels))
        rows += [
            f"| {plain(shown_value(value))} | " + " | ".join(map(str, counts)) + " |"
            for value, counts in table.rows
        ]
        title = f"<details><summary>Synthetic images by {html_text(table.slot)} and class</summary>"
        blocks.append("\n".join([title, "", *rows, "", "</details>"]))
    note = f" {DISTRACTORS_NOTE}" if contents.with_distractors else ""
    return (
        "What the background of a synthetic image tells about its class, as mutual information: 0 where every class "
        "comes in every context equally often. Values drawn without regard to the class would have the bits by "
        f"chance.{note}\n\n" + "\n\n".join(["\n".join(lines), *blocks])
    )


def _recipes(contents: ReleaseContents) -> str:
    recipes = [(plan, published_recipe(plan.recipe_yaml).strip()) for plan in contents.plans]
    blocks = [
        f"<details><summary>Recipe {html_text(plan.name)} ({plan.specs:,} samples planned)</summary>\n\n"
        f"{fenced(recipe, 'yaml')}\n\n</details>"
        for plan, recipe in recipes
        if recipe
    ]
    return "\n\n".join(blocks)


def _results(study: Study, index: str) -> str:
    """The verdict in its own words, with the scores behind it."""
    lines = ["| trained on | balanced accuracy |", "|---|---:|"]
    lines += [f"| {plain(title)} | {score:.1%} |" for title, score in study.arms]
    note = ""
    if not study.index:
        note = " The release that was trained on is not available any more; it may hold other images than this one."
    elif index and index != study.index:
        note = (
            f" The release that was trained on holds other images than this one, {study.pictures:,} in all."
        )
    table = "\n".join(lines)
    return (
        f"{plain(study.sentence)}{note}\n\n{table}\n\n"
        "Network, hyper-parameters and number of steps are the same for all; "
        f"{study.seeds} seed{'s' * (study.seeds != 1)}; measured on {plain(study.test)}."
    )


_CAMERA, _OBJECT_LIGHT = (re.compile(rf"^{key}:\s*$", re.MULTILINE) for key in ("camera", "object"))
_RELIT = re.compile(r"^match_object:\s*true\s*$", re.MULTILINE)


def _limits(contents: ReleaseContents) -> str:
    lines = [
        "- Imported photos keep the licence of their origin; whoever imported them is responsible for it.",
        "- Masks were found automatically unless they came with the photos or were edited by a person.",
    ]
    if contents.total(Subset.SYNTHETIC):
        lines += [
            "- Backgrounds are generated by a model: shadows and reflections of the object are only as good as "
            "the model draws them, and an image does not always show everything that its prompt asks for.",
            "- All synthetic images of an object are made from its photos: sides that were never photographed "
            "are not in the set.",
            "- Measure whether the synthetic images help on photos from the field, not on the synthetic images of "
            "the test split.",
        ]
    if number := contents.with_distractors:
        lines.append(
            f"- {number:,} synthetic image{'s show' if number != 1 else ' shows'} distractors: objects of other "
            "classes or neutral shapes behind and beside its own object. `label`, `mask` and `boxes` are of the "
            "object; a detector should be trained with the boxes in `distractors` as well."
        )
    if any(_CAMERA.search(plan.recipe_yaml) for plan in contents.plans):
        lines.append(
            "- A recipe has a camera step: blur, noise and JPEG change the pixels of the objects in its images."
        )
    if any(_RELIT.search(plan.recipe_yaml) for plan in contents.plans):
        lines.append(
            "- A recipe matches objects to the light of their backgrounds, which changes the objects' pixels."
        )
    if any(_OBJECT_LIGHT.search(plan.recipe_yaml) for plan in contents.plans):
        lines.append(
            "- A recipe varies the light on the objects: their pixels are brighter, darker or of another colour."
        )
    return "\n".join(lines)


def _citation(name: str, address: str, version: str) -> str:
    key = re.sub(r"\W+", "_", name.lower()).strip("_") or "dataset"
    place = f"  howpublished = {{https://huggingface.co/datasets/{address}}},\n" if "/" in address else ""
    fields = f"  title = {{{name}}},\n{place}  note = {{Release v{version}, made with Backlot}}\n"
    return fenced(f"@misc{{{key},\n{fields}}}", "bibtex")


def _loading(contents: ReleaseContents, address: str, version: str) -> str:
    pinned = f', revision="v{version}"' if "/" in address else ""
    further = ' or "rejected"' if Subset.REJECTED in contents.subsets else ""
    filled = (split for split in contents.splits if contents.total(Subset.REAL, split))
    split = next(filled, contents.splits[0])
    return fenced(
        "from datasets import load_dataset\n\n"
        f'images = load_dataset("{address}", "mixed"{pinned})  # or "real", "synthetic"{further}\n'
        f'row = images["{split}"][0]\n'
        f'print(images["{split}"].features["label"].int2str(row["label"]), row["bbox"], row["origin"])',
        "python",
    )
