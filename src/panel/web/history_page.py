"""The history of a draft, event by event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers

from panel.approval.word_diff import Part, Piece, word_diff
from panel.core.actor import PANEL
from panel.web import wording
from panel.web.rendering import render
from panel.web.services import services_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from starlette.responses import Response

    from panel.approval import DraftView
    from panel.store import RecordedEvent

_REPLACED = "review"
"""Payload key of the review before a seat was asked again."""
_PROSE = frozenset({"take", "detail", "evidence", "facts"})
_FIELDS = {"detail": "Reason", "price_class": "Price class"}


async def show_history(request: Request) -> Response:
    """Show all events of a draft, the latest first."""
    services = services_of(request)
    view = await services.approval.view(request.path_params["draft"])
    events = tuple(reversed(history_of(view)))
    return render(request, "history.html.j2", view=view, events=events, wording=wording)


class FieldDiff(NamedTuple):
    """The change of a field, such as `Skeptic, score`."""

    field: str
    changes: list[Piece]


class HistoryEvent(NamedTuple):
    """An event of a draft.

    Attributes:
        label: `Edited`.
        detail: the finding, seat or event concerned; may be empty.
    """

    id: int
    at: datetime
    actor: str
    label: str
    detail: str
    reason: str | None
    diffs: tuple[FieldDiff, ...]


def history_of(view: DraftView, after: str | None = None) -> tuple[HistoryEvent, ...]:
    """Return the events of a draft, in order; with a hash, those since the draft was last shown with that hash."""
    events = tuple(_events(view))
    if after is None:
        return events
    places = (place for place, event in enumerate(view.history, 1) if event.hash_after == after)
    return events[max(places, default=0) :]


def _events(view: DraftView) -> Iterator[HistoryEvent]:
    names = {seat.persona: seat.name for seat in view.shown.review.seats}
    texts: dict[tuple[str | None, str], str] = {}
    for place, event in enumerate(view.history):
        yield HistoryEvent(
            id=event.id,
            at=event.at,
            actor="The program" if event.actor == PANEL else event.actor,
            label=wording.event_label(event.kind),
            detail=_detail(view, event, names),
            reason=event.reason,
            diffs=(*_edits(event, names, texts), *_answers(view, place, names)),
        )


def _detail(view: DraftView, event: RecordedEvent, names: dict[str, str]) -> str:
    payload = event.payload
    if tick := payload.get("tick"):
        text = next((found.text for found in view.findings if found.id == tick["finding"]), None)
        source = f", source: {tick['source']}" if tick.get("source") else ""
        return f"{f'“{text}”' if text else 'text that was cut since'}: {tick['kind']}{source}"
    for undone in view.history:
        if undone.id == payload.get("undone"):
            return f"{wording.event_label(undone.kind)}, by {undone.actor}"
    if holder := payload.get("from"):
        return f"from {holder}"
    persona = payload.get("persona")
    return names.get(persona, persona) if persona else ""


def _edits(
    event: RecordedEvent, names: dict[str, str], texts: dict[tuple[str | None, str], str]
) -> Iterator[FieldDiff]:
    """Yield the edits of an event, compared with the text that earlier edits left."""
    for edit in event.payload.get("edits", ()):
        change, original = edit["change"], edit["original"]
        persona, field = change.get("persona"), change["field"]
        before = texts.get((persona, field), _text(original["value"]))
        texts[persona, field] = after = _text(change["value"])
        title = _FIELDS.get(field, field.capitalize())
        label = f"{names.get(persona, persona)}, {title.lower()}" if persona else title
        yield FieldDiff(label, diff_of(field, before, after))


def diff_of(field: str, before: str, after: str) -> list[Piece]:
    """Compare two values of a field: word by word for prose, as a whole otherwise."""
    if field in _PROSE:
        return word_diff(before, after)
    return [Piece(Part.REMOVED, before), Piece(Part.EQUAL, " "), Piece(Part.ADDED, after)]


def _answers(view: DraftView, place: int, names: dict[str, str]) -> Iterator[FieldDiff]:
    """Yield the seats whose answer an event replaced, with the answer that followed."""
    payload = view.history[place].payload
    if _REPLACED not in payload:
        return
    before = _seats(payload[_REPLACED])
    later = (each.payload[_REPLACED] for each in view.history[place + 1 :] if _REPLACED in each.payload)
    after = _seats(next(later, view.shown.original.model_dump(mode="json")))
    for persona, text in before.items():
        if text != after.get(persona, text):
            yield FieldDiff(names.get(persona, persona), word_diff(text, after[persona]))


def _seats(review: dict[str, Any]) -> dict[str, str]:
    return {seat["persona"]: _outcome(seat["outcome"]) for seat in review["seats"]}


def _outcome(outcome: dict[str, Any]) -> str:
    if outcome["kind"] == "take":
        return f"{outcome['score']}/100 · {outcome['verdict']}\n{outcome['take']}"
    return f"No panel take: {outcome['reason'].replace('_', ' ')}. {outcome['detail']}"


def _text(value: Any) -> str:  # noqa: ANN401 - JSON of an event
    if not isinstance(value, list):
        return str(value)
    return "\n".join(
        each if isinstance(each, str) else f"{each['claim']} ({each['source']}, checked {each['checked_on']})"
        for each in value
    )
