"""One change that an editor makes: to a take, to the words of a recusal, or to what is known of the tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from panel.core.base import Frozen
from panel.core.take import MAX_TAKE_CHARS, MIN_TAKE_CHARS, Flag, NoTake, NoTakeReason, Score, Take, Verdict
from panel.core.text import one_line, prose
from panel.core.tool import Fact, PriceClass
from panel.errors import GateError, InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from panel.core.review import PanelReview
    from panel.core.tool import Tool

MAX_DETAIL_CHARS = 500


def _take_text(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = prose(value)
    if not MIN_TAKE_CHARS <= len(text) <= MAX_TAKE_CHARS:
        raise ValueError(f"{len(text)} characters; a take has {MIN_TAKE_CHARS} to {MAX_TAKE_CHARS:,}")
    return text


def _detail(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = one_line(value)
    if not 1 <= len(text) <= MAX_DETAIL_CHARS:
        raise ValueError(f"{len(text)} characters; the words of a seat without a take have 1 to 500")
    return text


class _OfSeat(Frozen):
    """A change in one seat.

    Attributes:
        persona: whose.
    """

    persona: str


class TextChange(_OfSeat):
    """Another wording of a take, 40-2,500 characters."""

    field: Literal["take"] = "take"
    value: Annotated[str, BeforeValidator(_take_text)]


class ScoreChange(_OfSeat):
    """Another score, 0-100, whole."""

    field: Literal["score"] = "score"
    value: Score


class VerdictChange(_OfSeat):
    """Another verdict."""

    field: Literal["verdict"] = "verdict"
    value: Verdict


class EvidenceChange(_OfSeat):
    """Other quotes, such as those that are left when one was cut."""

    field: Literal["evidence"] = "evidence"
    value: tuple[str, ...]


class DetailChange(_OfSeat):
    """Another wording of why a persona recused itself, 1-500 characters."""

    field: Literal["detail"] = "detail"
    value: Annotated[str, BeforeValidator(_detail)]


class FactsChange(Frozen):
    """What was checked elsewhere about the tool, all of it."""

    field: Literal["facts"] = "facts"
    value: tuple[Fact, ...]


class PriceClassChange(Frozen):
    """Another price class of the tool."""

    field: Literal["price_class"] = "price_class"
    value: PriceClass


Change = Annotated[
    TextChange | ScoreChange | VerdictChange | EvidenceChange | DetailChange | FactsChange | PriceClassChange,
    Field(discriminator="field"),
]
"""One change; `field` says what of."""

_CHANGE: TypeAdapter[Change] = TypeAdapter(Change)


def read_change(data: Mapping[str, Any], source: str = "edit") -> Change:
    """Return a change that somebody wrote down: `field`, `persona` where it is of a seat, and `value`.

    Args:
        data: as JSON or a form gives it.
        source: what error lines call it.

    Raises:
        InputError: it is none; the line says what is wrong with it.
    """
    try:
        return _CHANGE.validate_python(dict(data))
    except ValidationError as error:
        raise InputError(_problem(source, each) for each in error.errors()) from None


def _problem(source: str, error: Any) -> Problem:  # noqa: ANN401 - pydantic's typed dictionary
    words = error["msg"].removeprefix("Value error, ")
    # The first place is the field that was chosen.
    return Problem(source, words, field=".".join(map(str, error["loc"])) or None)


def persona_of(change: Change) -> str | None:
    """Return whose seat a change is in, or None if it is the tool's."""
    return change.persona if isinstance(change, _OfSeat) else None


def current(review: PanelReview, change: Change) -> Change:
    """Return the change that would leave a review as it is, where the given one would change it.

    Raises:
        GateError: the review has no such thing.
    """
    return change.model_copy(update={"value": getattr(_target(review, change), change.field)})


def changed(review: PanelReview, change: Change) -> PanelReview:
    """Return a review with a change made.

    Raises:
        GateError: the review has no such thing.
    """
    target = _target(review, change).model_copy(update={change.field: change.value})
    if not isinstance(change, _OfSeat):
        return review.model_copy(update={"tool": target})
    outcome = _flagged(target) if isinstance(target, Take) else target
    seats = (
        seat.model_copy(update={"outcome": outcome}) if seat.persona == change.persona else seat
        for seat in review.seats
    )
    return review.model_copy(update={"seats": tuple(seats)})


def _target(review: PanelReview, change: Change) -> Take | NoTake | Tool:
    if not isinstance(change, _OfSeat):
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
            f"{change.persona} said nothing, so that there is nothing to edit; ask the seat again"
        )
    return outcome


def _flagged(take: Take) -> Take:
    others = tuple(flag for flag in take.flags if flag is not Flag.CONTRADICTION)
    flags = (*others, Flag.CONTRADICTION) if take.contradicts_itself else others
    return take.model_copy(update={"flags": flags})
