"""The history of a draft in words, with word-by-word differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from panel.approval.word_diff import Part, Piece, word_diff
from panel.core.actor import PANEL
from panel.core.draft_state import DRAFTED, REVISED, Action
from panel.core.text import one_line
from panel.store import REPLACED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from panel.approval.view import DraftView
    from panel.store import RecordedEvent

EVENT_WORDS: Mapping[str, str] = {
    DRAFTED: "Drafted",
    REVISED: "Revised by the program",
    Action.OPEN: "Reopened",
    Action.EDIT: "Edited",
    Action.RESOLVE: "Resolved a finding",
    Action.RERUN_SEAT: "Asked a seat again",
    Action.APPROVE: "Approved",
    Action.REQUEST_CHANGES: "Requested changes",
    Action.REJECT: "Rejected",
    Action.PUBLISH: "Published",
    Action.RETRACT: "Retracted",
    Action.UNDO: "Undid a step",
    Action.TAKE_OVER: "Took the draft over",
}
"""The step that each kind of event records."""

_PROSE = frozenset({"take", "detail", "evidence", "facts"})
_FIELD_NAMES = {"take": "Take", "detail": "Reason", "facts": "Facts", "price_class": "Price class"}


class FieldDiff(NamedTuple):
    """A field that an event changed: `Skeptic, score`, and its value before and after."""

    field: str
    pieces: list[Piece]


class HistoryEntry(NamedTuple):
    """An event in words.

    Attributes:
        actor: the person's name, or `The program`.
        step: the kind of event: `Resolved a finding`.
        about: the finding, persona or event that it concerns; may be empty.
    """

    event: RecordedEvent
    actor: str
    step: str
    about: str
    changes: tuple[FieldDiff, ...]


def history_entries(view: DraftView, since: str | None = None) -> tuple[HistoryEntry, ...]:
    """Return the history of a draft, in order.

    Args:
        view: the draft.
        since: `EditedReview.hash` of the version after which entries begin; all entries if it is unknown.
    """
    entries = tuple(_entries(view))
    if since is None:
        return entries
    places = (place for place, event in enumerate(view.history, 1) if event.hash_after == since)
    return entries[max(places, default=0) :]


def field_diff(field: str, before: str, after: str) -> list[Piece]:
    """Return the difference of a field: word by word in prose, the whole value elsewhere."""
    if field in _PROSE:
        return word_diff(before, after)
    return [Piece(Part.REMOVED, before), Piece(Part.EQUAL, " "), Piece(Part.ADDED, after)]


def field_name(field: str) -> str:
    """Return the name of an editable field for readers."""
    return _FIELD_NAMES.get(field, field.capitalize())


def _entries(view: DraftView) -> Iterator[HistoryEntry]:
    names = {seat.persona: one_line(seat.name) for seat in view.shown.review.seats}
    values: dict[tuple[str | None, str], str] = {}
    for place, event in enumerate(view.history):
        yield HistoryEntry(
            event=event,
            actor="The program" if event.actor == PANEL else one_line(event.actor),
            step=EVENT_WORDS.get(event.kind, event.kind.replace("_", " ").capitalize()),
            about=_about(view, event, names),
            changes=(*_edits(event, names, values), *_new_answers(view, place, names)),
        )


def _about(view: DraftView, event: RecordedEvent, names: dict[str, str]) -> str:
    payload = event.payload
    if resolution := payload.get("tick"):
        texts = {found.id: f"“{one_line(found.text)}”" for found in view.findings}
        source = f", source: {resolution['source']}" if resolution.get("source") else ""
        found = texts.get(resolution["finding"], "words that were cut since")
        return f"{found}: {resolution['kind']}{source}"
    if undone := next((each for each in view.history if each.id == payload.get("undone")), None):
        return f"{EVENT_WORDS.get(undone.kind, undone.kind)}, by {undone.actor}"
    if holder := payload.get("from"):
        return f"from {holder}"
    persona = payload.get("persona")
    return names.get(persona, persona) if persona else ""


def _edits(
    event: RecordedEvent, names: dict[str, str], values: dict[tuple[str | None, str], str]
) -> Iterator[FieldDiff]:
    """Yield the edits of an event against the value that the edit before had left."""
    for edit in event.payload.get("edits", ()):
        change, original = edit["change"], edit["original"]
        persona, field = change.get("persona"), change["field"]
        before = values.get((persona, field), value_text(original["value"]))
        values[persona, field] = after = value_text(change["value"])
        title = field_name(field)
        name = f"{names.get(persona, persona)}, {title.lower()}" if persona else title
        yield FieldDiff(name, field_diff(field, before, after))


def _new_answers(view: DraftView, place: int, names: dict[str, str]) -> Iterator[FieldDiff]:
    """Yield the answers that an event replaced against the new ones."""
    replaced = view.history[place].payload.get(REPLACED)
    if replaced is None:
        return
    before = _answers(replaced)
    later = (event.payload[REPLACED] for event in view.history[place + 1 :] if REPLACED in event.payload)
    after = _answers(next(later, view.shown.original.model_dump(mode="json")))
    for persona, answer in before.items():
        if answer != after.get(persona, answer):
            yield FieldDiff(names.get(persona, persona), word_diff(answer, after[persona]))


def _answers(review: dict[str, Any]) -> dict[str, str]:
    return {seat["persona"]: _answer(seat["outcome"]) for seat in review["seats"]}


def _answer(outcome: dict[str, Any]) -> str:
    if outcome["kind"] == "take":
        return f"{outcome['score']}/100 · {outcome['verdict']}\n{outcome['take']}"
    return f"No panel take: {outcome['reason'].replace('_', ' ')}. {outcome['detail']}"


def value_text(value: Any) -> str:  # noqa: ANN401 - JSON of an event
    """Return the value of an edited field as one text."""
    if not isinstance(value, list):
        return str(value)
    return "\n".join(
        each if isinstance(each, str) else f"{each['claim']} ({each['source']}, checked {each['checked_on']})"
        for each in value
    )
