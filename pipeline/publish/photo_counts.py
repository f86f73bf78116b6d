"""How many photos a release folder holds, read from the labels alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.domain.release import Subset
from pipeline.publish.release_facts import read_facts


def released_photos(folder: Path) -> dict[str, Counter[str]]:
    """Count the photos of a release, split → class → photos; empty where a folder holds no readable release."""
    counts: dict[str, Counter[str]] = {}
    try:
        facts = read_facts(folder)
        if facts is None:
            return {}
        for shard in sorted((folder / "data" / Subset.REAL).glob("*.parquet")):
            split, _, _ = shard.name.partition("-")
            labels = pq.read_table(shard, columns=["label"])["label"].to_pylist()
            counts.setdefault(split, Counter(dict.fromkeys(facts.classes, 0))).update(
                facts.classes[label] for label in labels
            )
    except (OSError, ValueError, KeyError, IndexError, TypeError):  # ArrowInvalid is a ValueError
        return {}
    return counts
