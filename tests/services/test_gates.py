"""What the quality gates decide by themselves, and what they leave to people."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.domain.review import Policy, Verdict
from pipeline.services.review import gates
from pipeline.services.review.gates import decide_by_gates
from pipeline.store import Library
from tests.toy_library import add_subject, decision, render, spec


def rendered(library: Library, number: int) -> list[str]:
    """The ids of rendered samples that pass all gates."""
    specs = [spec(add_subject(library, 1), seed=seed) for seed in range(number)]
    library.plans.add("toy", "", specs)
    return [render(library, planned) for planned in specs]


def test_gates_leave_a_sample_on_which_a_person_has_voted_to_people(tmp_path: Path) -> None:
    with Library.open(tmp_path, create=True) as library:
        first, *_ = rendered(library, 3)
        library.review.set_policy(Policy(overlap=2))
        library.review.record(decision(first, Verdict.REJECT))
        report = decide_by_gates(library)
        assert (report.accepted, report.rejected) == (2, 0)
        assert library.review.state(first) == "pending"
        events = library.review.last_event()
        assert decide_by_gates(library).accepted == 0
        assert library.review.last_event() == events  # nothing more of it was stored


def test_gates_do_not_count_a_sample_that_a_person_decides_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library.open(tmp_path, create=True) as library:
        rendered(library, 2)
        record, made = library.review.record, gates._gate_decision

        def meanwhile(sample_id: str, failures: object) -> object:
            if not library.review.decisions():
                record(decision(sample_id, Verdict.REJECT))
            return made(sample_id, failures)  # type: ignore[arg-type]

        monkeypatch.setattr(gates, "_gate_decision", meanwhile)
        report = decide_by_gates(library)
        assert (report.accepted, report.rejected) == (1, 0)
        assert (library.counts().samples["accepted"], library.counts().samples["rejected"]) == (1, 1)
