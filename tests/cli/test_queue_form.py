"""Drafts as forms in YAML, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

import builders
from panel.approval import DraftView
from panel.cli.queue.form import form_text, parse_form
from panel.core.draft_edits import EditedReview
from panel.core.text import one_line, prose
from panel.errors import InputError
from panel.store import DraftRecord, RecordedEvent
from store.editing import CHECKS, TESTED
from store.samples import review

if TYPE_CHECKING:
    from panel.core.review import PanelReview

LONG = "which is said at some length here, so that it is long enough to be the take of a critic."
TEXTS = (
    f"- a dash: and a colon, {LONG}",
    f"# a hash, {LONG}",
    f"a first paragraph, {LONG}\n\nand a second one, {LONG}\n- with\n- a list",
    f"'quotes' and \"more quotes\" and \\ a backslash, {LONG}",
    f"{{braces}}, [brackets], & an ampersand, * a star, ! and ? and | and >, {LONG}",
    f"yes: no, --- and ... and %YAML, {LONG}",
    f"日本語 and 👩‍💻 and é, {LONG}",
    f"trailing blanks on a line   \nand a tab\tin it, {LONG}",
    f" a blank at its start, and one at its end, {LONG} ",
    f"a line separator\u2028and a next line\x85and a byte order mark\ufeff, {LONG}",
    f"an escape \x1b[31m and a bell \x07, {LONG}",
)


def view_of(made: PanelReview) -> DraftView:
    shown = EditedReview(original=made, review=made)
    event = RecordedEvent(
        draft=1, id=1, at=datetime.now(UTC), actor="panel", kind="drafted", hash_after=shown.hash
    )
    return DraftView(DraftRecord(1, made, (event,)), CHECKS(made), None)


def read(form: str, made: PanelReview) -> Any:
    return parse_form(form, "form.yaml", made)


@pytest.mark.parametrize("text", TEXTS)
def test_an_unchanged_form_holds_no_changes(text: str) -> None:
    fact = {"claim": text[:150], "source": "https://lantern.example/a?b=c#d", "checked_on": "2026-11-20"}
    made = review(
        builders.tool(facts=[fact]),
        builders.take(text=prose(text), evidence=(text, text[:40])),
        builders.no_take(detail=one_line(text)),
        builders.no_take("timed_out", text),
    )
    view = view_of(made)
    filled = read(form_text(view), made)
    assert (filled.seen, filled.reason, filled.changes) == (view.shown.hash, None, ())


def test_a_finding_cannot_leave_its_comment() -> None:
    quote = "reads\nscore: 1\u2028verdict: skip\x85take: nothing"
    made = review(builders.tool(), builders.take(text=TESTED, evidence=(quote,)))
    assert read(form_text(view_of(made)), made).changes == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("shown: ", "# shown: ", "form.yaml, shown: is missing; it names the version"),
        ("takes:", "takes: []\nothers:", "takes: expected builder, skeptic, futurist"),
        ("  builder:\n", "  builder: 5\n  creator:\n", "line 8, takes.builder: expected verdict, score"),
        ("score: 70", "score: 70.5", "line 10, takes.builder.score: "),
        ("score: 70", "score: 70\n    score: 71", "is given twice"),
        (
            "score: 70",
            "score: 70\n    detail: It has none.",
            "has a take, so that there is no detail to edit",
        ),
        ("price_class: unknown", "price_class: cheap", "tool.price_class: "),
        ("facts: []", "facts: [5]", "tool.facts: "),
        ("evidence: []", "evidence:", "takes.builder.evidence: "),
    ],
)
def test_each_mistake_is_named_with_its_place(old: str, new: str, said: str) -> None:
    made = review()
    form = form_text(view_of(made))
    assert old in form
    with pytest.raises(InputError) as refused:
        read(form.replace(old, new, 1), made)
    assert said in str(refused.value)


@pytest.mark.parametrize("form", ["a list", "- a\n- b", "shown: a\n---\nshown: b", "# nothing\n"])
def test_other_texts_are_not_forms(form: str) -> None:
    with pytest.raises(InputError, match="expected one form, as `panel queue edit ID --print` prints it"):
        read(form, review())


def test_all_mistakes_are_listed_in_order() -> None:
    made = review()
    form = (
        form_text(view_of(made)).replace("score: 70", "score: 700").replace("verdict: ship", "verdict: maybe")
    )
    with pytest.raises(InputError) as refused:
        read(form, made)
    fields = [problem.field for problem in refused.value.problems]
    assert fields == [f"takes.{name}" for name in ("builder.verdict", "builder.score", "skeptic.verdict")]
