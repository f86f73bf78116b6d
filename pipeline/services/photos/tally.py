"""What an import has done so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pipeline.domain.splits import TEST
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
    dry_run: bool = False  # what is counted is not stored
    undivided: tuple[str, ...] = ()
    _new_test_photos: Counter[str] = field(default_factory=Counter)  # class → photos

    def count_added(self, label: str, split: str) -> None:
        """Count a photo that was added."""
        self.added += 1
        self.classes[label] = self.classes.get(label, 0) + 1
        self._new_test_photos[label] += split == TEST
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

    def report(self, note: str, library: Library) -> ImportReport:
        """Return the result of an import into a library."""
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
            test_photos=self._test_photos(library),
            dry_run=self.dry_run,
            undivided=self.undivided,
        )

    def _test_photos(self, library: Library) -> dict[str, int]:
        """Count the test photos of every class after the import; excluded photos do not count."""
        counts = Counter(self._new_test_photos) if self.dry_run else Counter()
        included = [photo for photo in library.photos.list() if not photo.excluded]
        counts.update(photo.label for photo in included if photo.split == TEST)
        labels = {photo.label for photo in included} | set(self.classes)
        return {label: counts[label] for label in sorted(labels)}
