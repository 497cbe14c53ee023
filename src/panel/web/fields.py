"""What forms of a draft's page send, as what somebody wants to do."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from panel.core.draft_changes import current, read_change
from panel.core.draft_command import DraftCommand
from panel.core.draft_rules import Action
from panel.core.resolution import Resolution
from panel.core.text import prose
from panel.errors import GateError, InputError, Problem
from panel.web.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.datastructures import FormData
    from starlette.requests import Request

    from panel.core.draft_changes import Change
    from panel.core.draft_rules import Actor
    from panel.core.review import PanelReview

MOST_FIELDS = 400
_SEAT = ("take", "score", "verdict", "detail")
_FACT = ("claim", "source", "checked_on")


class Sent:
    """What a form sent.

    Args:
        form: its fields, as they came.
    """

    def __init__(self, form: FormData) -> None:
        self._form = form

    def text(self, name: str) -> str:
        """Return a field's text; empty if there is none."""
        value = self._form.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Return the texts of all fields of a name, in order."""
        return [value for value in self._form.getlist(name) if isinstance(value, str)]

    def has(self, name: str) -> bool:
        """Whether there is a field of this name."""
        return name in self._form

    def number(self, name: str) -> int | None:
        """Return a field's number; None if it holds none."""
        return number(self.text(name))


async def sent_by(request: Request) -> Sent:
    """Return what a form sent."""
    async with request.form(max_fields=MOST_FIELDS, max_files=0) as form:
        return Sent(form)


def deed_of(sent: Sent, action: Action, actor: Actor, review: PanelReview) -> DraftCommand:
    """Return what somebody wants to do.

    Args:
        sent: what their form holds.
        action: what they chose; asking a seat again is put together elsewhere.
        actor: who they are.
        review: what is shown now.

    Raises:
        GateError: nothing is changed, or the review has no such thing.
        InputError: something in it cannot be used; the lines say what.
    """
    try:
        return DraftCommand(
            action=action,
            actor=actor,
            seen=sent.text("seen"),
            ticked=sent.text("ticked") or None,
            reason=sent.text("reason") or None,
            changes=_changes(sent, review) if action is Action.EDIT else (),
            tick=_tick(sent) if action is Action.TICK else None,
        )
    except ValidationError as error:
        raise InputError(Problem(action.label, _words(each)) for each in error.errors()) from None


def wanted(sent: Sent, review: PanelReview) -> list[Change]:
    """Return all that an edit form holds, changed or not.

    Args:
        sent: what it holds.
        review: what is shown now.

    Raises:
        InputError: something in it cannot be used.
    """
    problems: list[Problem] = []
    changes: list[Change] = []
    for data in _data(sent, review):
        try:
            changes.append(read_change(data, _named(data, review)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return changes


def _changes(sent: Sent, review: PanelReview) -> tuple[Change, ...]:
    changes = tuple(change for change in wanted(sent, review) if change != current(review, change))
    if not changes:
        raise GateError("nothing was changed; edit something, then save it")
    return changes


def _data(sent: Sent, review: PanelReview) -> Iterator[dict[str, Any]]:
    persona = sent.text("persona")
    if not persona:
        yield from _of_tool(sent)
        return
    for field in _SEAT:
        if sent.has(field):
            yield {"field": field, "persona": persona, "value": _value(sent, field)}
    if sent.has("evidence"):
        quotes = [_as_shown(quote, review, persona) for quote in sent.texts("evidence") if quote.strip()]
        yield {"field": "evidence", "persona": persona, "value": tuple(quotes)}


def _of_tool(sent: Sent) -> Iterator[dict[str, Any]]:
    if sent.has("price_class"):
        yield {"field": "price_class", "value": sent.text("price_class")}
    if sent.has("claim"):
        rows = zip_longest(*(sent.texts(name) for name in _FACT), fillvalue="")
        facts = [dict(zip(_FACT, row, strict=True)) for row in rows if row[0].strip() or row[1].strip()]
        yield {"field": "facts", "value": facts}


def _value(sent: Sent, field: str) -> str | int | None:
    return sent.number("score") if field == "score" else sent.text(field)


def _as_shown(quote: str, review: PanelReview, persona: str) -> str:
    """Return the quote that is shown where a browser sent it with other line ends only."""
    seat = review.seat_of(persona)
    shown = seat.take.evidence if seat and seat.take else ()
    return next((known for known in shown if prose(known) == prose(quote)), prose(quote))


def _tick(sent: Sent) -> Resolution:
    kind = sent.text("kind")
    source = sent.text("source").strip() if kind == "supported" else None
    if source == "":
        raise InputError([Problem("supported", "give the address of a page that supports it")])
    return Resolution.model_validate({"finding": sent.text("finding"), "kind": kind, "source": source})


def _named(data: dict[str, Any], review: PanelReview) -> str:
    seat = review.seat_of(data.get("persona", ""))
    return seat.name if seat else "tool"


def _words(error: Any) -> str:  # noqa: ANN401 - pydantic's typed dictionary
    text: str = error["msg"].removeprefix("Value error, ")
    return text
