"""Editors' changes to a draft, kept as data: the text that is shown is the panel's own with every edit applied to it."""

from __future__ import annotations

from functools import cached_property, reduce
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from panel.core.actor import PersonName
from panel.core.frozen import Frozen, digest_of
from panel.core.review import PanelReview
from panel.core.take import MAX_TAKE_CHARS, MIN_TAKE_CHARS, Flag, NoTake, NoTakeReason, Score, Take, Verdict
from panel.core.text import one_line, prose
from panel.core.tool import Fact, PriceClass
from panel.errors import GateError, InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from panel.core.tool import Tool

MAX_DETAIL_CHARS = 500


def _take_text(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = prose(value)
    if not MIN_TAKE_CHARS <= len(text) <= MAX_TAKE_CHARS:
        raise ValueError(f"{len(text)} characters; a take has {MIN_TAKE_CHARS} to {MAX_TAKE_CHARS:,}")
    return text


def _detail_text(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = one_line(value)
    if not 1 <= len(text) <= MAX_DETAIL_CHARS:
        raise ValueError(f"{len(text)} characters; the reason of a seat without a take has 1 to 500")
    return text


class _SeatChange(Frozen):
    persona: str


class TextChange(_SeatChange):
    """New wording of a take, 40-2,500 characters."""

    field: Literal["take"] = "take"
    value: Annotated[str, BeforeValidator(_take_text)]


class ScoreChange(_SeatChange):
    """A new score, a whole number of 0-100."""

    field: Literal["score"] = "score"
    value: Score


class VerdictChange(_SeatChange):
    """A new verdict."""

    field: Literal["verdict"] = "verdict"
    value: Verdict


class EvidenceChange(_SeatChange):
    """The quotes of a take, all of them, in their new order and wording."""

    field: Literal["evidence"] = "evidence"
    value: tuple[str, ...]


class DetailChange(_SeatChange):
    """New wording of the reason for which a persona recused itself, 1-500 characters."""

    field: Literal["detail"] = "detail"
    value: Annotated[str, BeforeValidator(_detail_text)]


class FactsChange(Frozen):
    """The checked facts of the tool, all of them."""

    field: Literal["facts"] = "facts"
    value: tuple[Fact, ...]


class PriceClassChange(Frozen):
    """A new price class of the tool."""

    field: Literal["price_class"] = "price_class"
    value: PriceClass


Change = Annotated[
    TextChange | ScoreChange | VerdictChange | EvidenceChange | DetailChange | FactsChange | PriceClassChange,
    Field(discriminator="field"),
]
"""A new value of one field of a seat or of the tool."""

_CHANGE: TypeAdapter[Change] = TypeAdapter(Change)


class Edit(Frozen):
    """A change with its author and reason.

    Attributes:
        original: the value that the panel gave, however often it was edited before.
    """

    author: PersonName
    reason: str | None = None
    change: Change
    original: Change

    @property
    def persona(self) -> str | None:
        """Persona of the seat; None if the edit is of the tool."""
        return persona_of(self.change)


class EditMark(Frozen):
    """A field whose value differs from the panel's own, which pages mark as edited.

    Attributes:
        persona: persona of the seat; None if the field is the tool's.
        field: such as `verdict`.
        by: names of those who edited it, in order, each once.
        original: the value that the panel gave.
    """

    persona: str | None
    field: str
    by: tuple[str, ...]
    original: Change

    @property
    def label(self) -> str:
        """The mark in words: `edited by Kim`."""
        return f"edited by {' and '.join(self.by)}"


class EditedReview(Frozen):
    """A review as it is shown, beside the review as the panel made it.

    Attributes:
        original: the panel's own.
        review: the original with every edit applied; its id is that of the tool as shown.
        marks: the fields in which the two differ.
    """

    original: PanelReview
    review: PanelReview
    marks: tuple[EditMark, ...] = ()

    @cached_property
    def hash(self) -> str:
        """Digest of the review and its marks; of the review alone where nothing was edited."""
        review = self.review.model_dump(mode="json")
        if not self.marks:
            return digest_of(review)
        return digest_of({"review": review, "marks": [mark.model_dump(mode="json") for mark in self.marks]})

    def mark(self, persona: str | None, field: str) -> EditMark | None:
        """Return the mark of a field, or None if it is as the panel made it."""
        return next((mark for mark in self.marks if (mark.persona, mark.field) == (persona, field)), None)


def parse_change(data: Mapping[str, Any], source: str = "edit") -> Change:
    """Return a change that was written down as `field`, `value` and, for a seat, `persona`.

    Args:
        data: as JSON or a form gives it.
        source: the name that error lines give it.

    Raises:
        InputError: it is not a change; each line names a fault.
    """
    try:
        return _CHANGE.validate_python(dict(data))
    except ValidationError as error:
        raise InputError(_problem(source, each) for each in error.errors()) from None


def _problem(source: str, error: Any) -> Problem:  # noqa: ANN401 - pydantic's typed dictionary
    words = error["msg"].removeprefix("Value error, ")
    return Problem(source, words, field=".".join(map(str, error["loc"])) or None)


def persona_of(change: Change) -> str | None:
    """Return the persona of the seat that a change is in, or None if it is of the tool."""
    return change.persona if isinstance(change, _SeatChange) else None


def current_value(review: PanelReview, change: Change) -> Change:
    """Return the same change with the value that the review has now.

    Raises:
        GateError: the review has no such field.
    """
    return change.model_copy(update={"value": getattr(_target(review, change), change.field)})


def apply_change(review: PanelReview, change: Change) -> PanelReview:
    """Return the review with one change applied.

    Raises:
        GateError: the review has no such field.
    """
    target = _target(review, change).model_copy(update={change.field: change.value})
    if not isinstance(change, _SeatChange):
        return review.model_copy(update={"tool": target})
    outcome = _with_flags(target) if isinstance(target, Take) else target
    seats = (
        seat.model_copy(update={"outcome": outcome}) if seat.persona == change.persona else seat
        for seat in review.seats
    )
    return review.model_copy(update={"seats": tuple(seats)})


def make_edit(original: PanelReview, change: Change, author: str, reason: str | None = None) -> Edit:
    """Return the edit that makes a change to a panel's review.

    Raises:
        GateError: the review has no such field.
    """
    return Edit(author=author, reason=reason, change=change, original=current_value(original, change))


def without_seat(edits: Iterable[Edit], persona: str) -> tuple[Edit, ...]:
    """Return the edits that stay in force when a seat was asked again: those of other seats and of the tool."""
    return tuple(edit for edit in edits if edit.persona != persona)


def apply_edits(original: PanelReview, edits: Iterable[Edit]) -> EditedReview:
    """Return the review as it is shown after its edits, in order. A field that was edited back has no mark.

    Raises:
        GateError: the review lacks a field that was edited.
    """
    applied = tuple(edits)
    review = reduce(apply_change, (edit.change for edit in applied), original)
    return EditedReview(original=original, review=review, marks=_marks(original, review, applied))


def _marks(original: PanelReview, review: PanelReview, edits: tuple[Edit, ...]) -> tuple[EditMark, ...]:
    fields: dict[tuple[str | None, str], list[Edit]] = {}
    for edit in edits:
        fields.setdefault((edit.persona, edit.change.field), []).append(edit)
    return tuple(
        EditMark(
            persona=persona,
            field=field,
            by=tuple(dict.fromkeys(edit.author for edit in of_field)),
            original=before,
        )
        for (persona, field), of_field in sorted(
            fields.items(), key=lambda item: (item[0][0] or "", item[0][1])
        )
        if (before := current_value(original, of_field[0].change))
        != current_value(review, of_field[0].change)
    )


def _target(review: PanelReview, change: Change) -> Take | NoTake | Tool:
    if not isinstance(change, _SeatChange):
        return review.tool
    seat = review.seat_of(change.persona)
    if seat is None:
        raise GateError(
            f"{change.persona} has no seat on this panel; it has {', '.join(review.setup.roster)}"
        )
    outcome = seat.outcome
    has = "no take" if isinstance(outcome, NoTake) else "a take"
    if isinstance(outcome, NoTake) != isinstance(change, DetailChange):
        raise GateError(f"{change.persona} has {has}, so that there is no {change.field} to edit")
    if isinstance(outcome, NoTake) and outcome.reason is not NoTakeReason.RECUSED:
        raise GateError(
            f"{change.persona} gave no answer, so that there is nothing to edit; ask the seat again"
        )
    return outcome


def _with_flags(take: Take) -> Take:
    others = tuple(flag for flag in take.flags if flag is not Flag.CONTRADICTION)
    flags = (*others, Flag.CONTRADICTION) if take.contradicts_itself else others
    return take.model_copy(update={"flags": flags})
