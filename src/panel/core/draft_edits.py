"""Editors' changes to a draft, kept as data: the text that is shown is the panel's own with every edit applied to it."""

from __future__ import annotations

from functools import cached_property
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
    from collections.abc import Callable, Iterable, Mapping

    from panel.core.tool import Tool


def _cleaned(clean: Callable[[str], str], least: int, most: int, what: str) -> BeforeValidator:
    def validate(value: object) -> object:
        if not isinstance(value, str):
            return value
        text = clean(value)
        if not least <= len(text) <= most:
            raise ValueError(f"{len(text)} characters; {what} has {least} to {most:,}")
        return text

    return BeforeValidator(validate)


_TakeText = Annotated[str, _cleaned(prose, MIN_TAKE_CHARS, MAX_TAKE_CHARS, "a take")]
_Detail = Annotated[str, _cleaned(one_line, 1, 500, "the reason of a seat without a take")]


class _SeatChange(Frozen):
    persona: str


class TextChange(_SeatChange):
    """New wording of a take."""

    field: Literal["take"] = "take"
    value: _TakeText


class ScoreChange(_SeatChange):
    """A new score."""

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
    """New wording of the reason for which a persona recused itself."""

    field: Literal["detail"] = "detail"
    value: _Detail


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
    """A change with its author and reason; `original` is the value that the panel gave, however often it was edited before."""

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
    """A review with every edit applied, beside the panel's own, and the fields in which the two differ."""

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
    """Return a change from `field`, `value` and, for a seat, `persona`; error lines name the source.

    Raises:
        InputError: it is not a change; each line names a fault.
    """
    try:
        return _CHANGE.validate_python(dict(data))
    except ValidationError as error:
        raise InputError(
            Problem(
                source,
                each["msg"].removeprefix("Value error, "),
                field=".".join(map(str, each["loc"])) or None,
            )
            for each in error.errors()
        ) from None


def persona_of(change: Change) -> str | None:
    """Return the persona of the seat that a change is in, or None if it is of the tool."""
    return change.persona if isinstance(change, _SeatChange) else None


def value_text(value: Any) -> str:  # noqa: ANN401 - the value of a change, as JSON
    """Return the value of an edited field as one text."""
    if not isinstance(value, list):
        return str(value)
    return "\n".join(
        each if isinstance(each, str) else f"{each['claim']} ({each['source']}, checked {each['checked_on']})"
        for each in value
    )


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
    if isinstance(target, Take):
        others = tuple(flag for flag in target.flags if flag is not Flag.CONTRADICTION)
        flags = (*others, Flag.CONTRADICTION) if target.contradicts_itself else others
        target = target.model_copy(update={"flags": flags})
    seats = (
        seat.model_copy(update={"outcome": target}) if seat.persona == change.persona else seat
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
    review, by_field = original, dict[tuple[str, str], list[Edit]]()
    for edit in edits:
        review = apply_change(review, edit.change)
        by_field.setdefault((edit.persona or "", edit.change.field), []).append(edit)
    marks = []
    for (persona, field), edited in sorted(by_field.items()):
        before = current_value(original, edited[0].change)
        if before != current_value(review, before):
            by = tuple(dict.fromkeys(edit.author for edit in edited))
            marks.append(EditMark(persona=persona or None, field=field, by=by, original=before))
    return EditedReview(original=original, review=review, marks=tuple(marks))


def _target(review: PanelReview, change: Change) -> Take | NoTake | Tool:
    if not isinstance(change, _SeatChange):
        return review.tool
    seat = review.seat_of(change.persona)
    if seat is None:
        raise GateError(
            f"{change.persona} has no seat on this panel; it has {', '.join(review.setup.roster)}"
        )
    outcome = seat.outcome
    if isinstance(outcome, NoTake) != isinstance(change, DetailChange):
        has = "no take" if isinstance(outcome, NoTake) else "a take"
        raise GateError(f"{change.persona} has {has}, so that there is no {change.field} to edit")
    if isinstance(outcome, NoTake) and outcome.reason is not NoTakeReason.RECUSED:
        raise GateError(
            f"{change.persona} gave no answer, so that there is nothing to edit; ask the seat again"
        )
    return outcome
