"""The list of studies on the Train page, without a browser."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from pipeline.errors import InvalidRequest
from pipeline.services.studies.listing import listed_studies
from pipeline.studio import Studio
from tests.toy_studies import right, write_study
from ui.pages.train.studies import Studies, studies_html

ARMS = {"real": right(*[0.6] * 6), "mixed": right(*[0.9] * 6)}


def click_on(name: str) -> Any:
    return SimpleNamespace(_data={"value": name})


def shown_buttons(update: tuple[Any, ...]) -> dict[str, bool]:
    _, _, report, compare, delete, confirm = update[:6]
    return {
        "report": report.visible,
        "compare": compare.visible,
        "delete": delete.visible,
        "confirm": confirm.visible,
    }


def test_a_row_tells_what_a_study_was_and_showed(studio: Studio) -> None:
    write_study(studio.settings.runs / "study-1", ARMS, dataset="/releases/<first>")
    listed = listed_studies(studio.settings.runs, running=None)
    table = studies_html(listed, ["study-1"])
    assert '<button type="button" data-pick="study-1" aria-pressed="true">study-1</button>' in table
    assert "<td>&lt;first&gt;</td><td>small (CPU)</td><td>2 × 6</td>" in table
    assert '<span class="state finished">finished</span>' in table
    assert "<td>Real + synthetic <b>90.0 %</b></td><td>Mixed is best: 80.0 % against 70.0 %.</td>" in table
    assert studies_html([], []) == ""


def test_buttons_appear_for_what_is_picked(studio: Studio) -> None:
    for number in (1, 2, 3):
        folder = write_study(studio.settings.runs / f"study-{number}", ARMS)
    (folder / "report.html").write_text("<p>whole</p>")
    studies = Studies(studio)
    none = {"report": False, "compare": False, "delete": False, "confirm": False}
    assert shown_buttons(studies.listed([])) == none
    one = studies.pick([], click_on("study-1"))
    assert one[1] == ["study-1"]
    assert shown_buttons(one) == none | {"delete": True}  # it has no report
    assert shown_buttons(studies.pick([], click_on("study-3"))) == none | {"delete": True, "report": True}
    two = studies.pick(["study-1"], click_on("study-2"))
    assert (two[1], shown_buttons(two)) == (["study-1", "study-2"], none | {"compare": True})
    assert studies.pick(["study-1", "study-2"], click_on("study-3"))[1] == ["study-2", "study-3"]
    assert studies.pick(["study-1", "study-2"], click_on("study-1"))[1] == ["study-2"]
    assert studies.pick([], click_on("elsewhere"))[1] == []


def test_the_list_is_sent_again_only_when_studies_change(studio: Studio) -> None:
    studies = Studies(studio)
    seen = str(studies.poll([], "")[-1])
    assert studies.poll([], seen) == (gr.skip(),) * 7
    write_study(studio.settings.runs / "study-1", ARMS)
    table, chosen, *_, mark = studies.poll(["gone"], seen)
    assert "study-1" in str(table)
    assert chosen == []
    assert studies.poll([], str(mark)) == (gr.skip(),) * 7


def test_a_picked_study_is_opened_asked_for_and_deleted(studio: Studio) -> None:
    folder = write_study(studio.settings.runs / "study-1", ARMS)
    (folder / "report.html").write_text("<p>'whole'</p>")
    studies = Studies(studio)
    assert 'srcdoc="&lt;p&gt;&#x27;whole&#x27;&lt;/p&gt;"' in studies.report(["study-1"])
    confirm, question, asked = studies.ask(["study-1"])
    assert isinstance(confirm, gr.Column)
    assert confirm.visible
    assert "Delete <b>study-1</b> with its runs and reports?" in str(question)
    assert folder.is_dir()
    table, chosen, *_, opened = studies.delete(str(asked), ["study-1"])
    assert (table, chosen, opened) == ("", [], "")
    assert not folder.exists()


def test_the_study_that_the_question_names_is_deleted_whatever_is_picked_since(studio: Studio) -> None:
    for number in (1, 2):
        write_study(studio.settings.runs / f"study-{number}", ARMS)
    studies = Studies(studio)
    *_, asked = studies.ask(["study-1"])
    _, chosen, *_ = studies.delete(str(asked), ["study-2"])
    assert [folder.name for folder in studio.settings.runs.iterdir()] == ["study-2"]
    assert chosen == ["study-2"]


def test_what_needs_one_study_or_two_says_so(studio: Studio) -> None:
    studies = Studies(studio)
    for act in (studies.report, studies.ask):
        with pytest.raises(InvalidRequest, match="pick one in the list"):
            act([])
    with pytest.raises(InvalidRequest, match="pick two in the list to compare them"):
        studies.comparison(["study-1"])


def test_the_older_of_two_studies_is_a(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(
        "ui.pages.train.studies.comparison_report",
        lambda a, b: asked.append([a.name, b.name]) or "<p>both</p>",
    )
    for number in (1, 2):
        write_study(studio.settings.runs / f"study-{number}", ARMS)
    frame = Studies(studio).comparison(["study-2", "study-1"])
    assert asked == [["study-1", "study-2"]]
    assert "study-1 compared with study-2" in frame
