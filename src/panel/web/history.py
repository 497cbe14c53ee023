"""What happened to a draft, event by event, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from panel.core.draft_rules import PANEL
from panel.core.word_diff import Part, Piece, word_diff
from panel.web.wording import HAPPENED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from panel.store import DraftView, RecordedEvent

REPLACED = "review"
_PROSE = frozenset({"take", "detail", "evidence", "facts"})
_FIELDS = {"take": "Take", "detail": "Reason", "facts": "Facts", "price_class": "Price class"}


class Changed(NamedTuple):
    """Something that an event changed.

    Attributes:
        what: `Skeptic, score`.
        changes: from what was shown before to what is shown since.
    """

    what: str
    changes: list[Piece]


class Happening(NamedTuple):
    """An event.

    Attributes:
        id: its number.
        at: when it happened.
        actor: who did it; the program itself where nobody did.
        what: what was done.
        about: to what, or how; may be empty.
        reason: why; None if nobody said.
        changes: what it changed.
    """

    id: int
    at: datetime
    actor: str
    what: str
    about: str
    reason: str | None
    changes: tuple[Changed, ...]


def happenings(view: DraftView, after: str | None = None) -> tuple[Happening, ...]:
    """Return what happened to a draft, in order.

    Args:
        view: the draft.
        after: only what happened since this digest was shown last; all of it where it never was.
    """
    told = tuple(_told(view))
    if after is None:
        return told
    places = (place for place, event in enumerate(view.history, 1) if event.hash_after == after)
    return told[max(places, default=0) :]


def _told(view: DraftView) -> Iterator[Happening]:
    names = {seat.persona: seat.name for seat in view.shown.review.seats}
    texts: dict[tuple[str | None, str], str] = {}
    by_id = {event.id: event for event in view.history}
    for place, event in enumerate(view.history):
        yield Happening(
            id=event.id,
            at=event.at,
            actor="The program" if event.actor == PANEL else event.actor,
            what=HAPPENED.get(event.kind, event.kind.replace("_", " ").capitalize()),
            about=_about(view, event, names, by_id),
            reason=event.reason,
            changes=(*_edits(event, names, texts), *_answers(view, place, names)),
        )


def _about(
    view: DraftView, event: RecordedEvent, names: dict[str, str], by_id: dict[int, RecordedEvent]
) -> str:
    payload = event.payload
    if tick := payload.get("tick"):
        words = next((found.text for found in view.findings if found.id == tick["finding"]), None)
        source = f", source: {tick['source']}" if tick.get("source") else ""
        return f"{f'“{words}”' if words else 'words that were cut since'}: {tick['kind']}{source}"
    if undone := by_id.get(payload.get("undone", 0)):
        return f"{HAPPENED.get(undone.kind, undone.kind)}, by {undone.actor}"
    if taken := payload.get("from"):
        return f"from {taken}"
    persona = payload.get("persona")
    return names.get(persona, persona) if persona else ""


def _edits(
    event: RecordedEvent, names: dict[str, str], texts: dict[tuple[str | None, str], str]
) -> Iterator[Changed]:
    """Yield what an event edited, against what the edit before it had left."""
    for edit in event.payload.get("edits", ()):
        change, original = edit["change"], edit["original"]
        persona, field = change.get("persona"), change["field"]
        before = texts.get((persona, field), _text(original["value"]))
        texts[persona, field] = after = _text(change["value"])
        yield Changed(_what(persona, field, names), diff_of(field, before, after))


def diff_of(field: str, before: str, after: str) -> list[Piece]:
    """Return what changed in a field: word by word in prose, as a whole where single words are no news."""
    if field in _PROSE:
        return word_diff(before, after)
    return [Piece(Part.REMOVED, before), Piece(Part.EQUAL, " "), Piece(Part.ADDED, after)]


def _answers(view: DraftView, place: int, names: dict[str, str]) -> Iterator[Changed]:
    """Yield what a seat that was asked again said before and says since."""
    event = view.history[place]
    if REPLACED not in event.payload:
        return
    before = _review(event.payload[REPLACED])
    later = (each.payload[REPLACED] for each in view.history[place + 1 :] if REPLACED in each.payload)
    after = _review(next(later, view.shown.original.model_dump(mode="json")))
    for persona, was in before.items():
        if was != after.get(persona, was):
            yield Changed(names.get(persona, persona), word_diff(was, after[persona]))


def _review(review: dict[str, Any]) -> dict[str, str]:
    return {seat["persona"]: _outcome(seat["outcome"]) for seat in review["seats"]}


def _outcome(outcome: dict[str, Any]) -> str:
    if outcome["kind"] == "take":
        return f"{outcome['score']}/100 · {outcome['verdict']}\n{outcome['take']}"
    return f"No panel take: {outcome['reason'].replace('_', ' ')}. {outcome['detail']}"


def _what(persona: str | None, field: str, names: dict[str, str]) -> str:
    title = _FIELDS.get(field, field.capitalize())
    return f"{names.get(persona, persona)}, {title.lower()}" if persona else title


def _text(value: Any) -> str:  # noqa: ANN401 - JSON of an event
    if not isinstance(value, list):
        return str(value)
    return "\n".join(
        each if isinstance(each, str) else f"{each['claim']} ({each['source']}, checked {each['checked_on']})"
        for each in value
    )
