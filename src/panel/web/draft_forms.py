"""Forms of a draft's page, read as commands."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from panel.approval import DraftCommand, parse_resolution
from panel.core.draft_edits import parse_change
from panel.core.draft_state import Action
from panel.core.text import prose
from panel.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.core.actor import Actor
    from panel.core.draft_edits import Change
    from panel.core.review import PanelReview
    from panel.web.forms import Form

SEAT_FIELDS = ("take", "score", "verdict", "detail")
FACT_FIELDS = ("claim", "source", "checked_on")


def read_command(form: Form, action: Action, actor: Actor, review: PanelReview) -> DraftCommand:
    """Return the command that a form asks for; an edit holds every field of the form, changed or not.

    Args:
        form: its fields.
        action: the action that its address names.
        actor: the user.
        review: as it is shown now.

    Raises:
        InputError: a value cannot be used; the lines say why.
    """
    try:
        return DraftCommand(
            action=action,
            actor=actor,
            seen=form.text("seen"),
            seen_resolutions=form.text("seen_resolutions") or None,
            reason=form.text("reason") or None,
            changes=_changes(form, review) if action is Action.EDIT else (),
            resolution=parse_resolution(form.text("finding"), form.text("kind"), form.text("source"))
            if action is Action.RESOLVE
            else None,
            persona=form.text("persona") if action is Action.RERUN_SEAT else None,
            undoes=form.number("undoes") if action is Action.UNDO else None,
        )
    except ValidationError as error:
        raise InputError(
            Problem(action.label, each["msg"].removeprefix("Value error, ")) for each in error.errors()
        ) from None


def _changes(form: Form, review: PanelReview) -> tuple[Change, ...]:
    problems: list[Problem] = []
    changes: list[Change] = []
    seat = review.seat_of(form.text("persona"))
    for data in _fields(form, review):
        try:
            changes.append(parse_change(data, seat.name if seat else "tool"))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(changes)


def _fields(form: Form, review: PanelReview) -> Iterator[dict[str, Any]]:
    if persona := form.text("persona"):
        for field in SEAT_FIELDS:
            if form.has(field):
                value = form.number(field) if field == "score" else form.text(field)
                yield {"field": field, "persona": persona, "value": value}
        if form.has("evidence"):
            quotes = (_as_shown(quote, review, persona) for quote in form.texts("evidence") if quote.strip())
            yield {"field": "evidence", "persona": persona, "value": tuple(quotes)}
        return
    if form.has("price_class"):
        yield {"field": "price_class", "value": form.text("price_class")}
    if form.has("claim"):
        rows = zip_longest(*map(form.texts, FACT_FIELDS), fillvalue="")
        facts = [dict(zip(FACT_FIELDS, row, strict=True)) for row in rows if row[0].strip() or row[1].strip()]
        yield {"field": "facts", "value": facts}


def _as_shown(quote: str, review: PanelReview, persona: str) -> str:
    """Return the quote as it is shown, if the browser changed only its line ends."""
    seat = review.seat_of(persona)
    shown = seat.take.evidence if seat and seat.take else ()
    return next((known for known in shown if prose(known) == prose(quote)), prose(quote))
