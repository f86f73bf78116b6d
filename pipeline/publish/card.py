"""The card of a release: what it is, how it was made and reviewed, what it cannot do, how to load it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.domain.methods import Method
from pipeline.domain.release import ReviewFacts, Subset
from pipeline.publish.credits import credit, is_rendered, source_credit
from pipeline.publish.grid import GRID_NAME
from pipeline.publish.markup import code, fenced, html_text, plain
from pipeline.publish.merging import framed
from pipeline.publish.plot import PLOT_NAME
from pipeline.publish.recipe_text import published_recipe
from pipeline.publish.source import ReleaseSource, Survey, survey

MIXED = "mixed"  # real and synthetic; what load_dataset gives without a name
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_COLUMNS = """\
| column | what it holds |
|---|---|
| `image` | the picture, lossless WebP |
| `label` | its class |
| `mask` | the object: 255 inside, 0 outside, soft edge between; null where it is not known |
| `bbox`, `boxes` | (x0, y0, x1, y1) in pixels, x1, y1 exclusive: of the front object (or null), of all back to front |
| `origin` | `real` (as imported) or `synthetic` (made by the methods below) |
| `method`, `prompt`, `seed`, `model`, `revision` | how a synthetic picture was made |
| `source_id`, `source_ids` | the photos whose objects it shows; splits never share one |
| `source` | where a photo was imported from; empty for what was made |
| `sample_id` | the hash of everything that decided the sample |
| `homography`, `homographies` | 3 x 3, photo pixels to picture pixels: of the first object, and of all |
| `scores` | automatic quality scores; null where one does not apply |"""
_REASON_COLUMN = "\n| `reason` | why the sample was rejected (configuration `rejected` only) |"


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What training on a release said of it."""

    sentence: str  # the verdict
    test: str  # the photographs that it was measured on
    seeds: int
    arms: tuple[tuple[str, float], ...]  # (title, mean balanced accuracy, 0 to 1)
    pictures: int = 0  # that the release held which was trained on; 0 where it is not at hand
    index: str = ""  # SHA-256 of its index


def release_card(source: ReleaseSource, *, name: str, version: str = "1", study: Study | None = None) -> str:
    """The card as a release of this library would have it: YAML front matter and Markdown.

    Raises:
        ReleaseRefused: there is nothing to release.
    """
    return card(survey(source), name=name, version=version, dataset_info=(), study=study)


def card(
    found: Survey,
    *,
    name: str,
    version: str,
    dataset_info: Sequence[dict[str, Any]],
    pictures: bool = False,
    study: Study | None = None,
    index: str = "",
    address: str = "FOLDER_OR_HUB_NAME",
) -> str:
    """The card of a survey.

    Args:
        found: what the release holds.
        name: what the person calls it.
        version: of the release.
        dataset_info: features and sizes per configuration, once written.
        pictures: the grid and the plot lie beside it.
        study: the verdict of a training on it, where there is one.
        index: SHA-256 of the index of this release, "" before it is written.
        address: what `load_dataset` is given.
    """
    from huggingface_hub import DatasetCardData  # slow to import

    total = sum(found.total(part) for part in (Subset.REAL, Subset.SYNTHETIC))
    data = DatasetCardData(
        pretty_name=name,
        task_categories=["image-classification", "object-detection", "image-segmentation"],
        size_categories=[next((size for limit, size in _SIZES if total < limit), "1M<n<10M")],
        tags=_tags(found),
        configs=[_config(config, found) for config in configs_of(found)],
        dataset_info=list(dataset_info) or None,  # None is left out
    )
    front = data.to_yaml(line_break="\n")
    sections = [
        _summary(found, version),
        _rendered_note(found),
        f"![Examples, one class a row: photos first, samples behind them]({GRID_NAME})" if pictures else "",
        "## What is in it\n\n" + _counts_table(found),
        f"![Pictures per class, by split and method]({PLOT_NAME})" if pictures else "",
        "## How it was made\n\n" + _making(found),
        "## How it was reviewed\n\n"
        + review_sentences(found.review, rejected=Subset.REJECTED in found.parts),
        "## What it is worth\n\n" + _worth(study, index) if study else "",
        "## Known limits\n\n" + _limits(found),
        "## How to load it\n\n" + _loading(found, address, version),
        "## Columns\n\n" + _COLUMNS + (_REASON_COLUMN if Subset.REJECTED in found.parts else ""),
        "## How to cite it\n\n" + _citation(name, address, version),
    ]
    return f"---\n{front}\n---\n\n" + framed(plain(name), "\n\n".join(part for part in sections if part))


def configs_of(found: Survey) -> tuple[str, ...]:
    """The configurations of a release; the first is the default."""
    return (MIXED, *(str(part) for part in found.parts))


def parts_of(config: str) -> tuple[Subset, ...]:
    """Which rows a configuration has."""
    return (Subset.REAL, Subset.SYNTHETIC) if config == MIXED else (Subset(config),)


def _config(config: str, found: Survey) -> dict[str, Any]:
    """`mixed` reads the files of the other two, so that no picture is stored twice."""
    files = [
        {"split": split, "path": [f"data/{part}/{split}-*.parquet" for part in parts_of(config)]}
        for split in found.splits_of(parts_of(config))
    ]
    return {"config_name": config, "data_files": files} | ({"default": True} if config == MIXED else {})


def _tags(found: Survey) -> list[str]:
    if not found.total(Subset.SYNTHETIC):
        return ["backlot"]
    return ["backlot", "synthetic", "stable-diffusion-xl", "data-augmentation"]


def _summary(found: Survey, version: str) -> str:
    real, synthetic = found.total(Subset.REAL), found.total(Subset.SYNTHETIC)
    number = len(found.labels)
    classes = f"{number} class{'es' * (number != 1)} ({', '.join(map(plain, found.labels))})"
    said = f"Release {version}: {real:,} real pictures of {classes}"
    if not synthetic:
        return (
            f"{said}. There are no synthetic pictures: the configuration `synthetic` is empty, and `datasets` refuses "
            "to load an empty one."
        )
    return (
        f"{said}, and {synthetic:,} synthetic ones made from them: the objects of the photos, cut out, "
        "placed anew and shown in surroundings that they were never photographed in."
    )


def _rendered_note(found: Survey) -> str:
    rendered = sum(number for source, number in found.sources.items() if is_rendered(source))
    if not rendered:
        return ""
    share = "The" if rendered == sum(found.sources.values()) else f"{rendered:,} of the"
    return (
        f"**{share} real pictures are rendered, not photographed**: they are the starter set that the studio draws "
        "itself. Here `real` means: not touched by a diffusion model."
    )


def _sources_table(found: Survey) -> str:
    lines = ["| imported from | pictures | licence |", "|---|---:|---|"]
    for name, licence in sorted({source_credit(source) for source in found.sources}):
        number = sum(n for source, n in found.sources.items() if source_credit(source) == (name, licence))
        lines.append(f"| {plain(name)} | {number:,} | {licence} |")
    return "\n".join(lines)


def _counts_table(found: Survey) -> str:
    columns = [(part, split) for part in found.parts for split in found.splits]
    head = "| class | " + " | ".join(f"{part}, {split}" for part, split in columns) + " |"
    lines = [head, "|---|" + "---:|" * len(columns)]
    for label in found.labels:
        numbers = [found.counts[part].get(split, {}).get(label, 0) for part, split in columns]
        lines.append(f"| {plain(label)} | " + " | ".join(f"{number:,}" for number in numbers) + " |")
    totals = [found.total(part, split) for part, split in columns]
    lines.append("| **all** | " + " | ".join(f"**{number:,}**" for number in totals) + " |")
    return "\n".join(lines) + (
        "\n\nThe configuration `mixed` holds the real and the synthetic ones. A synthetic picture lies in the "
        "split of the photo that it was made from; no photo is in two splits."
    )


_AS_IMPORTED = "Real pictures are as they were imported: turned upright, 8 bits, stored losslessly."


def _making(found: Survey) -> str:
    if not found.total(Subset.SYNTHETIC):
        return _sources_table(found) + f"\n\n{_AS_IMPORTED}"
    lines = ["| method | pictures | what it is |", "|---|---:|---|"]
    for method, number in sorted(found.methods.items()):
        lines.append(f"| `{method}` | {number:,} | {Method(method).facts.description} |")
    lines += ["", "| model | revision | pictures | licence |", "|---|---|---:|---|"]
    terms = []
    for (model, revision), number in sorted(found.models.items()):
        one = credit(model, revision)
        lines.append(f"| {one.title} | {code(revision) if revision else ''} | {number:,} | {one.licence} |")
        terms += [f"- {one.title}: {one.terms}."] if one.terms else []
    lines += ["", *terms] if terms else []
    lines += ["", _sources_table(found), "", _AS_IMPORTED]
    lines += ["", _recipes(found)]
    return "\n".join(lines).rstrip()


def _recipes(found: Survey) -> str:
    told = [(plan, published_recipe(plan.recipe_yaml).strip()) for plan in found.plans]
    blocks = [
        f"<details><summary>Recipe {html_text(plan.name)} ({plan.specs:,} samples planned)</summary>\n\n"
        f"{fenced(recipe, 'yaml')}\n\n</details>"
        for plan, recipe in told
        if recipe
    ]
    return "\n\n".join(blocks)


def review_sentences(review: ReviewFacts, *, rejected: bool = False) -> str:
    """How the samples were decided, in words; `rejected`: the release holds the rejected ones too."""
    if not review.decided:
        return "There were no synthetic pictures to review."
    people = review.accepted_by_people + review.rejected_by_people
    gates = review.accepted_by_gates + review.rejected_by_gates
    imported = review.accepted_by_release
    helper = review.decided - people - gates - imported
    ways = (
        (people, f"by people ({review.reviewers} reviewer{'s' * (review.reviewers != 1)})"),
        (gates, "by the automatic gates alone"),
        (helper, "by a model that learned from the reviewers, alone"),
        (imported, "in an earlier release that was imported; its card says how"),
    )
    taken = [(number, how) for number, how in ways if number]
    by = taken[0][1] if len(taken) == 1 else ", ".join(f"{number:,} {how}" for number, how in taken)
    if not people and not imported:
        by += ": **no person has looked at the synthetic pictures**"
    share = f"{review.acceptance:.0%}" if review.decided_here else ""
    if share and imported:
        share += f" of the {review.decided_here:,} decided here"
    said = f"{review.decided:,} samples were decided {by}; {review.accepted:,} were accepted"
    said += f" ({share}). " if share else ". "
    said += (
        "The rejected ones are in the configuration `rejected` and in no other."
        if rejected
        else "Only accepted ones are in this release."
    )
    if review.pending:
        said += f" {review.pending:,} more were undecided and are not in it."
    if review.agreement is not None:
        said += (
            f" {review.shared:,} samples were seen by two people or more; their agreement is {review.agreement:.2f} "
            "(Krippendorff's alpha: 1 is full agreement, 0 is chance)."
        )
    if review.reasons:
        reasons = sorted(review.reasons.items(), key=lambda item: (-item[1], item[0]))
        said += (
            " Reasons for rejection: "
            + ", ".join(f"{plain(reason)} ({number:,})" for reason, number in reasons)
            + "."
        )
    return said


def _limits(found: Survey) -> str:
    lines = [
        "- Imported pictures keep the licence of where they came from; whoever imported them answers for it.",
        "- Masks were found automatically unless they came with the photos or were mended by a person.",
    ]
    if found.total(Subset.SYNTHETIC):
        lines += [
            "- Backgrounds are painted by a model: shadows and reflections of the object are only as good as "
            "it draws them, and what a prompt asks for is not always what is seen.",
            "- All synthetic pictures of an object come from its photos: sides that were never photographed "
            "are not in the set.",
            "- Whether the synthetic pictures help is to be measured on photographs from the field, not on "
            "the synthetic part of the test split.",
        ]
    return "\n".join(lines)


def _worth(study: Study, index: str) -> str:
    """The verdict in its own words, with the scores behind it."""
    lines = ["| trained on | balanced accuracy |", "|---|---:|"]
    lines += [f"| {plain(title)} | {score:.1%} |" for title, score in study.arms]
    other = ""
    if not study.index:
        other = " The release that it was trained on is not at hand, so it may be another selection than this one."
    elif index and index != study.index:
        other = f" It was trained on another selection than this one, of {study.pictures:,} pictures."
    return (
        f"{plain(study.sentence)}{other}\n\n"
        + "\n".join(lines)
        + f"\n\nSame network, hyper-parameters and steps for all; "
        f"{study.seeds} seed{'s' * (study.seeds != 1)}; measured on {plain(study.test)}."
    )


def _citation(name: str, address: str, version: str) -> str:
    key = re.sub(r"\W+", "_", name.lower()).strip("_") or "dataset"
    place = f"  howpublished = {{https://huggingface.co/datasets/{address}}},\n" if "/" in address else ""
    fields = f"  title = {{{name}}},\n{place}  note = {{Release v{version}, made with Backlot}}\n"
    return fenced(f"@misc{{{key},\n{fields}}}", "bibtex")


def _loading(found: Survey, address: str, version: str) -> str:
    pinned = f', revision="v{version}"' if "/" in address else ""
    further = ' or "rejected"' if Subset.REJECTED in found.parts else ""
    split = next((split for split in found.splits if found.total(Subset.REAL, split)), found.splits[0])
    return fenced(
        "from datasets import load_dataset\n\n"
        f'pictures = load_dataset("{address}", "mixed"{pinned})  # or "real", "synthetic"{further}\n'
        f'one = pictures["{split}"][0]\n'
        f'print(pictures["{split}"].features["label"].int2str(one["label"]), one["bbox"], one["origin"])',
        "python",
    )
