from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import builders
from panel.approval.commands import DraftCommand
from panel.core.actor import Actor, Role
from panel.core.draft_edits import (
    Change,
    DetailChange,
    Edit,
    EditedReview,
    EvidenceChange,
    FactsChange,
    PriceClassChange,
    ScoreChange,
    TextChange,
    VerdictChange,
    apply_change,
    apply_edits,
    current_value,
    make_edit,
    parse_change,
    without_seat,
)
from panel.core.draft_state import Action
from panel.core.finding import Resolution
from panel.core.frozen import digest_of
from panel.core.take import Flag, Verdict
from panel.core.tool import Fact, PriceClass
from panel.errors import GateError, InputError

OTHER = "Another argument that a reader can check, and which says no more than the listing does."
REVIEW = builders.review(builders.take(), builders.take(30, "skip"), builders.no_take())
FACT = Fact.model_validate(
    {"claim": "It costs $9.", "source": "https://example.com/p", "checked_on": "2026-11-01"}
)
CHANGES: list[Change] = [
    TextChange(persona="builder", value=OTHER),
    ScoreChange(persona="builder", value=55),
    VerdictChange(persona="skeptic", value=Verdict.SHIP),
    EvidenceChange(persona="builder", value=("reads log files",)),
    DetailChange(persona="futurist", value="There is nothing to say."),
    FactsChange(value=(FACT,)),
    PriceClassChange(value=PriceClass.PAID),
]


def _edits(*changes: Change, by: str = "Kim") -> list[Edit]:
    return [make_edit(REVIEW, change, by, "to be exact") for change in changes]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.field)
def test_an_edit_keeps_what_the_panel_made(change: Change) -> None:
    (edit,) = _edits(change)
    shown = apply_edits(REVIEW, [edit])
    assert current_value(shown.review, change) == change
    assert edit.original == current_value(REVIEW, change) != change
    mark = shown.mark(edit.persona, change.field)
    assert mark is not None
    assert (mark.label, mark.original) == ("edited by Kim", edit.original)
    assert shown.original is REVIEW
    assert apply_change(shown.review, edit.original) == REVIEW


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.field)
def test_an_edit_is_kept_as_json(change: Change) -> None:
    (edit,) = _edits(change)
    assert Edit.model_validate(edit.model_dump(mode="json")) == edit


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.field)
def test_every_edit_changes_the_hash(change: Change) -> None:
    shown = [apply_edits(REVIEW, _edits(change, by=name)).hash for name in ("Kim", "Ada")]
    assert len({apply_edits(REVIEW, []).hash, *shown}) == 3


def test_without_edits_the_hash_is_that_of_the_review() -> None:
    assert apply_edits(REVIEW, []).hash == digest_of(REVIEW.model_dump(mode="json"))


def test_edits_accumulate() -> None:
    first, second = ScoreChange(persona="builder", value=60), ScoreChange(persona="builder", value=50)
    shown = apply_edits(REVIEW, [*_edits(first), *_edits(second, by="Ada"), *_edits(CHANGES[0])])
    seat = shown.review.seat_of("builder")
    assert seat is not None
    assert seat.take is not None
    assert (seat.take.score, seat.take.take) == (50, OTHER)
    mark = shown.mark("builder", "score")
    assert mark is not None
    assert (mark.label, mark.original) == ("edited by Kim and Ada", ScoreChange(persona="builder", value=70))
    assert shown.mark("builder", "verdict") is None


def test_a_field_that_was_edited_back_has_no_mark() -> None:
    away, back = ScoreChange(persona="builder", value=60), ScoreChange(persona="builder", value=70)
    assert apply_edits(REVIEW, _edits(away, back)) == EditedReview(original=REVIEW, review=REVIEW)


def test_an_edited_verdict_counts_in_the_tally() -> None:
    shown = apply_edits(REVIEW, _edits(VerdictChange(persona="skeptic", value=Verdict.SHIP)))
    assert (REVIEW.tally.ships, shown.review.tally.ships) == (1, 2)


def test_an_edit_sets_and_clears_the_contradiction_flag() -> None:
    made = (
        apply_edits(REVIEW, _edits(VerdictChange(persona="skeptic", value=Verdict.SHIP))).review.seats[1].take
    )
    assert made is not None
    assert made.flags == (Flag.CONTRADICTION,)
    flagged = builders.review(builders.contradiction())
    mended = apply_change(flagged, ScoreChange(persona="builder", value=80)).seats[0].take
    assert mended is not None
    assert mended.flags == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            TextChange(persona="futurist", value=OTHER),
            "futurist has no take, so that there is no take to edit",
        ),
        (ScoreChange(persona="futurist", value=1), "futurist has no take, so that there is no score to edit"),
        (
            DetailChange(persona="builder", value="x"),
            "builder has a take, so that there is no detail to edit",
        ),
        (ScoreChange(persona="nobody", value=1), "nobody has no seat on this panel; it has builder, skeptic"),
    ],
)
def test_fields_that_a_review_lacks_cannot_be_edited(change: Change, words: str) -> None:
    with pytest.raises(GateError, match=words):
        make_edit(REVIEW, change, "Kim")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"field": "take", "persona": "builder", "value": "short"},
            "edit, take.value: 5 characters; a take has 40 to 2,500",
        ),
        (
            {"field": "detail", "persona": "builder", "value": " "},
            "edit, detail.value: 0 characters; the reason of a seat without a take has 1 to 500",
        ),
        ({"field": "score", "persona": "builder", "value": 101}, "edit, score.value: Input should be less"),
        (
            {"field": "score", "persona": "builder", "value": "70"},
            "edit, score.value: Input should be a valid int",
        ),
        (
            {"field": "verdict", "persona": "builder", "value": "maybe"},
            "edit, verdict.value: Input should be",
        ),
        ({"field": "price_class", "value": "cheap"}, "edit, price_class.value: Input should be"),
        ({"field": "name", "value": "x"}, "edit: Input tag 'name'"),
        (
            {"field": "take", "persona": "builder", "value": 7},
            "edit, take.value: Input should be a valid string",
        ),
    ],
)
def test_a_change_is_validated(data: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_change(data)
    assert str(refused.value).startswith(words)


def test_a_change_is_cleaned_as_a_listing_is() -> None:
    change = parse_change({"field": "take", "persona": "builder", "value": f"  {OTHER}\u200b\x00\r\n"})
    assert change == TextChange(persona="builder", value=OTHER)


def test_edits_of_a_seat_end_when_it_is_asked_again() -> None:
    edits = _edits(*CHANGES)
    left = without_seat(edits, "builder")
    assert [edit.persona for edit in left] == ["skeptic", "futurist", None, None]


@given(st.lists(st.sampled_from(CHANGES), max_size=8), st.lists(st.sampled_from(["Kim", "Ada"]), min_size=8))
def test_marks_hold_exactly_the_differences(changes: list[Change], names: list[str]) -> None:
    edits = [make_edit(REVIEW, change, name) for change, name in zip(changes, names, strict=False)]
    shown = apply_edits(REVIEW, edits)
    restored = shown.review
    for mark in shown.marks:
        restored = apply_change(restored, mark.original)
    assert restored == REVIEW
    assert bool(shown.marks) == (shown.review != REVIEW)


@pytest.mark.parametrize(
    ("action", "parts"),
    [
        (Action.EDIT, {}),
        (Action.APPROVE, {"changes": CHANGES[:1]}),
        (Action.RESOLVE, {}),
        (Action.OPEN, {"resolution": {"finding": "f", "kind": "opinion"}}),
        (Action.RERUN_SEAT, {}),
        (Action.EDIT, {"changes": CHANGES[:1], "persona": "skeptic"}),
        (Action.TAKE_OVER, {"persona": "skeptic"}),
    ],
)
def test_a_command_has_the_parts_of_its_action(action: Action, parts: dict[str, Any]) -> None:
    actor = Actor(name="Kim", role=Role.EDITOR)
    nothing = action is Action.EDIT and not parts
    message = "nothing was changed" if nothing else "a part of the form is missing; open the draft again"
    with pytest.raises(ValidationError, match=message):
        DraftCommand.model_validate({"action": action, "actor": actor, "seen": "a", **parts})


def test_a_command_gives_back_the_texts_of_its_author() -> None:
    command = DraftCommand(
        action=Action.EDIT,
        actor=Actor(name="Kim", role=Role.EDITOR),
        seen="a",
        reason=" to be exact\x00 ",
        changes=tuple(CHANGES[:2] + CHANGES[3:6]),
    )
    assert command.written == (
        f"builder, take: {OTHER}\nbuilder, score: 55\nbuilder, evidence: reads log files\n"
        "futurist, detail: There is nothing to say.\ntool, facts: It costs $9. (https://example.com/p, checked 2026-11-01)\n"
        "reason: to be exact"
    )


def test_changes_are_told_apart_by_their_field() -> None:
    adapter: TypeAdapter[Change] = TypeAdapter(Change)
    assert [adapter.validate_python(change.model_dump(mode="json")) for change in CHANGES] == CHANGES


@pytest.mark.parametrize(
    "tick", [{"kind": "supported"}, {"kind": "opinion", "source": "https://example.com"}]
)
def test_only_support_has_a_source(tick: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="give a source with supported, and none with opinion"):
        Resolution.model_validate({"finding": "f", **tick})


@pytest.mark.parametrize("source", ["notes", "http://localhost/a", "ftp://example.com"])
def test_a_source_is_a_public_address(source: str) -> None:
    with pytest.raises(ValidationError):
        Resolution.model_validate({"finding": "f", "kind": "supported", "source": source})
