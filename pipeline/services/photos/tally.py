"""What an import has done so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.services.reports import ImportReport
from pipeline.store import Library


@dataclass(slots=True)
class ImportTally:
    """The counts of an import in progress; see `ImportReport` for what they count."""

    added: int = 0
    already: int = 0
    doubtful: int = 0
    repaired: int = 0
    samples: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    classes: dict[str, int] = field(default_factory=dict)
    found: dict[str, dict[str, int]] = field(default_factory=dict)
    other_class: list[tuple[str, str, str]] = field(default_factory=list)

    def count_added(self, label: str, split: str) -> None:
        """Count a photo that was added."""
        self.added += 1
        self.classes[label] = self.classes.get(label, 0) + 1
        self._count_found(label, split)

    def count_already(self, label: str, split: str) -> None:
        """Count a photo that the library held before."""
        self.already += 1
        self._count_found(label, split)

    def _count_found(self, label: str, split: str) -> None:
        splits = self.found.setdefault(label, {})
        splits[split] = splits.get(split, 0) + 1

    def record_refusals(self, library: Library, address: str) -> None:
        """Store which files of a source were refused, and why."""
        for name, reason in self.refused:
            library.photos.record_refusal(address, name, reason)

    def report(self, note: str) -> ImportReport:
        """Return the result of the import."""
        return ImportReport(
            added=self.added,
            already=self.already,
            doubtful=self.doubtful,
            refused=tuple(self.refused),
            classes=dict(sorted(self.classes.items())),
            note=note,
            samples=self.samples,
            repaired=self.repaired,
            found={  # classes in order, train before test
                label: dict(sorted(self.found[label].items(), reverse=True)) for label in sorted(self.found)
            },
            other_class=tuple(self.other_class),
        )
