"""Forms of a draft's page: the command that a form asks for, and whether it was carried out already."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from panel.approval.commands import DraftCommand
from panel.core.draft_edits import current_value, parse_change
from panel.core.draft_state import Action
from panel.core.resolution import Resolution
from panel.core.text import canonical, prose
from panel.errors import GateError, InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.approval import DraftView
    from panel.core.actor import Actor
    from panel.core.draft_edits import Change
    from panel.core.review import PanelReview
    from panel.store import RecordedEvent
    from panel.web.forms import Form

SEAT_FIELDS = ("take", "score", "verdict", "detail")
FACT_FIELDS = ("claim", "source", "checked_on")


def read_command(form: Form, action: Action, actor: Actor, review: PanelReview) -> DraftCommand:
    """Return the command that a form asks for.

    Args:
        form: its fields.
        action: the action.
        actor: the user.
        review: as it is shown now.

    Raises:
        GateError: nothing is changed, or the review has no such field.
        InputError: a value cannot be used; the lines say why.
    """
    try:
        return DraftCommand(
            action=action,
            actor=actor,
            seen=form.text("seen"),
            seen_resolutions=form.text("ticked") or None,
            reason=form.text("reason") or None,
            changes=_changes(form, review) if action is Action.EDIT else (),
            resolution=_resolution(form) if action is Action.RESOLVE else None,
            persona=form.text("persona") if action is Action.RERUN_SEAT else None,
            undoes=form.number("undoes") if action is Action.UNDO else None,
        )
    except ValidationError as error:
        raise InputError(
            Problem(action.label, each["msg"].removeprefix("Value error, ")) for each in error.errors()
        ) from None


def _changes(form: Form, review: PanelReview) -> tuple[Change, ...]:
    changes = tuple(change for change in _fields(form, review) if change != current_value(review, change))
    if not changes:
        raise GateError("nothing was changed; edit something, then save it")
    return changes


def _fields(form: Form, review: PanelReview) -> list[Change]:
    """Return every field of an edit form as a change, whether it differs or not."""
    problems: list[Problem] = []
    changes: list[Change] = []
    seat = review.seat_of(form.text("persona"))
    for data in _field_data(form, review):
        try:
            changes.append(parse_change(data, seat.name if seat else "tool"))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return changes


def _field_data(form: Form, review: PanelReview) -> Iterator[dict[str, Any]]:
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


def _resolution(form: Form) -> Resolution:
    kind = form.text("kind")
    source = form.text("source").strip() if kind == "supported" else None
    if source == "":
        raise InputError([Problem("supported", "give the address of a page that supports it")])
    return Resolution.model_validate({"finding": form.text("finding"), "kind": kind, "source": source})


def find_repeat(view: DraftView, action: Action, actor: Actor, form: Form) -> RecordedEvent | None:
    """Return the draft's last event if it is this very form's, sent by the same user before; else None."""
    last = view.history[-1]
    if last.kind != action or canonical(last.actor) != canonical(actor.name):
        return None
    return last if _is_same(view, last, action, form) else None


def _is_same(view: DraftView, last: RecordedEvent, action: Action, form: Form) -> bool:
    if action is Action.UNDO:
        undone = view.history[form.number("undoes") or 0 :]
        return bool(undone and undone[0].id == last.payload.get("undone"))
    if last.hash_before != form.text("seen") or (last.reason or "") != prose(form.text("reason")):
        return False
    match action:
        case Action.EDIT:
            return _is_same_edit(view, last, form)
        case Action.RESOLVE:
            sent = {name: form.text(name) for name in ("finding", "kind")}
            return bool(last.payload.get("tick") == {**sent, "source": form.text("source") or None})
        case Action.RERUN_SEAT:
            return last.payload.get("persona") == form.text("persona") and last.hash_after != last.hash_before
    return True


def _is_same_edit(view: DraftView, last: RecordedEvent, form: Form) -> bool:
    review = view.shown.review
    try:
        sent = _fields(form, review)
    except InputError:
        return False
    saved = [edit["change"] for edit in last.payload.get("edits", [])]
    data = [change.model_dump(mode="json") for change in sent]
    # All other fields of the form must be as they are shown.
    others = [change for change, fields in zip(sent, data, strict=True) if fields not in saved]
    return all(change in data for change in saved) and all(
        change == current_value(review, change) for change in others
    )
