from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

import builders
from panel.core.draft_edits import ScoreChange, TextChange, VerdictChange, apply_edits, make_edit
from panel.core.take import Verdict
from panel.core.text import one_line
from panel.report import (
    NOTHING,
    Editorial,
    html_report,
    json_report,
    markdown_report,
    render_report,
)
from panel.report.editorial import PLAIN
from panel.report.terminal import terminal_report
from report.pages import Page, words_of

if TYPE_CHECKING:
    from panel.core.draft_edits import Change

APPROVED: dict[str, Any] = {"approved_by": "Ada", "approved_at": builders.REVIEWED_AT}
DRAFT = "Draft: not approved by an editor yet"


def test_editor_who_approved_is_named_above_the_fold() -> None:
    review, known = builders.known(builders.smollm3(), **APPROVED)
    for words in words_of(review, known):
        assert words.index("Approved by Ada on 2026-11-22") < words.index("The primitive is one noun")
        assert "Draft" not in words
    main = html_report(review, PLAIN, (known,)).partition("<main>")[0]
    assert "AI personas" in main
    assert "Ada" in main


def test_draft_says_above_the_fold_that_it_is_one() -> None:
    for words in words_of(builders.smollm3(), NOTHING):
        assert words.index(DRAFT) < words.index("The primitive is one noun")


def test_day_of_an_approval_is_that_of_utc() -> None:
    late = datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=9)))
    known = Editorial(approved_by="Ada", approved_at=late)
    assert all("Approved by Ada on 2026-11-22" in words for words in words_of(builders.review(), known))
    assert json.loads(json_report(builders.review(), (known,)))["approval"] == {
        "by": "Ada",
        "at": "2026-11-22T16:00:00Z",
    }


def test_columns_that_differ_in_approval_are_told_apart() -> None:
    shown, approved = builders.seed_comparison(), Editorial(**APPROVED)
    for known, lines in (
        ((approved, approved), ["Approved by Ada on 2026-11-22"]),
        ((approved, NOTHING), ["SmolLM3: Approved by Ada on 2026-11-22", f"SkillClaw: {DRAFT}"]),
    ):
        html = one_line(Page(html_report(shown, PLAIN, known)).text)
        text = terminal_report(shown, 120, known, color=False)
        markdown = markdown_report(shown, PLAIN, known)
        assert [line for line in text.splitlines() if "pproved" in line] == lines
        assert [
            line[2:] for line in markdown.splitlines() if line.startswith("- ") and "pproved" in line
        ] == lines
        assert all(line in html for line in lines)


def test_linked_data_names_the_editors_once_all_is_approved() -> None:
    shown, approved = builders.seed_comparison(), Editorial(**APPROVED)
    other = approved.model_copy(update={"approved_by": "Kim"})
    assert editors(html_report(shown, PLAIN, (approved, other))) == ["Ada", "Kim"]
    assert editors(html_report(shown, PLAIN, (approved, NOTHING))) == []


def editors(html: str) -> list[str]:
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert block
    return [person["name"] for person in json.loads(block[1]).get("editor", [])]


EDITED = "Verdict and score edited by Kim; the model said 52/100 · skip"


@pytest.mark.parametrize(
    ("note", "after"),
    [
        (EDITED, "61/100 · ship"),
        ("Take edited by Kim", "the place where it stops to hold"),
        ("Quotes edited by Kim", "96/100 · ship"),
        ("Reason edited by Kim", "A base model gives a designer nothing to hold."),
        ("Price class edited by Kim; the listing said open source", "A small open model"),
        ("Checked facts edited by Kim", "A small open model"),
        ("1 verdict edited by Kim; unedited, the panel said Ship · 3 ship / 1 skip", "4 ship / 0 skip"),
    ],
)
def test_edit_is_named_at_its_place(note: str, after: str) -> None:
    review, known = builders.known(builders.doubtful(), *builders.everything_edited())
    for words in words_of(review, known):
        assert words.count(note) == 1
        assert words.index(after) < words.index(note)


def test_verdict_that_was_edited_is_marked_beside_it() -> None:
    review, known = builders.known(builders.doubtful(), *builders.everything_edited())
    shown, both = builders.comparison(builders.skillclaw(), review), (NOTHING, known)
    for text in (
        one_line(Page(html_report(shown, PLAIN, both)).text),
        one_line(markdown_report(shown, PLAIN, both).replace("\\", "")),
        one_line(terminal_report(review, 100, (known,), color=False)),
    ):
        assert re.search(rf"61/100 · ship\W+{EDITED}\W+There is a crowd here", text)


def test_edits_of_several_people_name_each() -> None:
    made = builders.smollm3()
    changes: list[tuple[Change, str]] = [
        (VerdictChange(persona="founder", value=Verdict.SHIP), "Kim"),
        (ScoreChange(persona="founder", value=60), "Ada"),
        (TextChange(persona="builder", value=builders.PROSE), "Kim"),
        (TextChange(persona="builder", value=builders.PROSE + " So it is."), "Ada"),
    ]
    shown = apply_edits(made, [make_edit(made, change, by) for change, by in changes])
    for words in words_of(shown.review, Editorial(marks=shown.marks)):
        assert "Verdict edited by Kim; the model said 52/100 · skip" in words
        assert "Score edited by Ada; the model said 52/100 · skip" in words
        assert "Take edited by Kim and Ada" in words


def test_what_nobody_edited_has_no_note() -> None:
    made = builders.smollm3()
    there, back = (VerdictChange(persona="founder", value=value) for value in (Verdict.SHIP, Verdict.SKIP))
    for known in (NOTHING, builders.known(made, there, back)[1]):
        assert all("edited by" not in words for words in words_of(made, known))


def test_edit_of_one_tool_by_two_panels_is_told_once() -> None:
    pairs = [
        builders.known(review, *builders.everything_edited()[-1:]) for review in builders.two_models().reviews
    ]
    shown = builders.comparison(*(review for review, _ in pairs))
    known = [known for _, known in pairs]
    for text in (
        html_report(shown, PLAIN, known),
        markdown_report(shown, PLAIN, known),
        terminal_report(shown, 120, known, color=False),
    ):
        assert text.count("Price class edited by") == 1


def test_a_report_is_rendered_by_its_ending() -> None:
    review, known = builders.known(builders.doubtful(), *builders.everything_edited())
    rendered = [render_report(review, ending, PLAIN, (known,)) for ending in ("html", "md", "json")]
    assert rendered == [
        html_report(review, PLAIN, (known,)),
        markdown_report(review, PLAIN, (known,)),
        json_report(review, (known,)),
    ]


@pytest.mark.parametrize("half", [{"approved_by": "Ada"}, {"approved_at": builders.REVIEWED_AT}])
def test_approval_without_a_name_or_a_time_is_none(half: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="a name and a time"):
        Editorial(**half)


def test_program_approves_nothing() -> None:
    with pytest.raises(ValidationError, match="a person's name"):
        Editorial(approved_by="panel", approved_at=builders.REVIEWED_AT)


def test_reviews_and_what_is_known_of_them_must_pair_up() -> None:
    with pytest.raises(ValueError, match="1 editorials for 2 reviews"):
        html_report(builders.seed_comparison(), PLAIN, (NOTHING,))
