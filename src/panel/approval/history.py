"""The events of a draft in words, with word-by-word differences."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from panel.core.draft_edits import value_text
from panel.core.draft_state import DRAFTED, REVISED, Action, State
from panel.core.take import NoTake
from panel.core.text import counted, one_line
from panel.store import REPLACED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from panel.approval.view import DraftView
    from panel.core.take import Seat
    from panel.store import RecordedEvent

_STEPS: Mapping[str, str] = {
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
# Before the name of the tool, where it is not the step itself.
_DONE_TO = {
    Action.RESOLVE: "Resolved a finding in",
    Action.RERUN_SEAT: "Asked a seat again about",
    Action.REQUEST_CHANGES: "Requested changes to",
    Action.UNDO: "Undid the last step of",
    Action.TAKE_OVER: "Took over",
}
_PROSE = frozenset({"take", "detail", "evidence", "facts"})
_FIELD_NAMES = {"detail": "Reason", "price_class": "Price class"}
# Blanks go with the word after them: by themselves they are equal everywhere, and would split what belongs together.
_TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")


class Part(StrEnum):
    """The kind of a piece of a difference."""

    EQUAL = "equal"
    ADDED = "added"
    REMOVED = "removed"


class Piece(NamedTuple):
    """Some words of a difference."""

    part: Part
    text: str


class FieldDiff(NamedTuple):
    """A field that an event changed (`Skeptic, score`), and its value before and after."""

    field: str
    pieces: list[Piece]


class HistoryEntry(NamedTuple):
    """An event in words.

    Attributes:
        actor: the person's name, or `panel`.
        step: the kind of event: `Resolved a finding`.
        about: the finding, persona or event that it concerns; may be empty.
    """

    event: RecordedEvent
    actor: str
    step: str
    about: str
    changes: tuple[FieldDiff, ...]


def outcome_message(view: DraftView, action: Action) -> str:
    """Return the sentence about an action that was taken last: `Approved Lantern (draft 12): approved.`."""
    last, done = view.history[-1], _DONE_TO.get(action, _STEPS[action])
    match action if last.kind == action else None:
        case Action.RESOLVE:
            finding = last.payload["tick"]["finding"]
            texts = (one_line(each.text) for each in view.findings if each.id == finding)
            done = next((f"Resolved “{text}” in" for text in texts), done)
        case Action.RERUN_SEAT:
            seat = view.shown.review.seat_of(last.payload["persona"])
            done = f"Asked {one_line(seat.name)} again about" if seat else done
    return f"{done} {state_message(view)}"


def state_message(view: DraftView) -> str:
    """Return the sentence about the state of a draft: `Lantern (draft 12): in review, 2 findings to resolve.`."""
    count = len(view.unresolved)
    findings = f", {counted(count, 'finding')} to resolve" if count else ""
    is_public = view.state in {State.PUBLISHED, State.RETRACTED}
    build = " Readers see it after the next panel site build." if is_public else ""
    return f"{view.tool_name} (draft {view.id}): {view.state.label}{findings}.{build}"


def history_entries(view: DraftView, since: str | None = None) -> tuple[HistoryEntry, ...]:
    """Return the history of a draft, in order: all of it, or what follows the version with the `EditedReview.hash` given."""
    names = {seat.persona: one_line(seat.name) for seat in view.shown.review.seats}
    values: dict[tuple[str | None, str], str] = {}
    entries = tuple(
        HistoryEntry(
            event=event,
            actor=one_line(event.actor),
            step=_STEPS.get(event.kind, event.kind.replace("_", " ").capitalize()),
            about=_about(view, event, names),
            changes=(*_edits(event, names, values), *_new_answers(view, place, names)),
        )
        for place, event in enumerate(view.history)
    )
    places = (place for place, event in enumerate(view.history, 1) if event.hash_after == since)
    return entries[max(places, default=0) :]


def _about(view: DraftView, event: RecordedEvent, names: dict[str, str]) -> str:
    payload = event.payload
    if resolution := payload.get("tick"):
        texts = {found.id: f"“{one_line(found.text)}”" for found in view.findings}
        source = f", source: {resolution['source']}" if resolution.get("source") else ""
        found = texts.get(resolution["finding"], "words that were cut since")
        return f"{found}: {resolution['kind']}{source}"
    if undone := next((each for each in view.history if each.id == payload.get("undone")), None):
        return f"{_STEPS.get(undone.kind, undone.kind)}, by {undone.actor}"
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
    if REPLACED not in view.history[place].payload:
        return
    before, after = view.record.made_at(place - 1), view.record.made_at(place)
    for old in before.seats:
        new = after.seat_of(old.persona)
        if new and _answer(old) != _answer(new):
            yield FieldDiff(names.get(old.persona, old.persona), word_diff(_answer(old), _answer(new)))


def _answer(seat: Seat) -> str:
    outcome = seat.outcome
    if isinstance(outcome, NoTake):
        return f"{outcome.label}: {outcome.reason.label}. {outcome.detail}"
    return f"{outcome.label}\n{outcome.take}"


def field_name(field: str) -> str:
    """Return the name of an editable field for readers."""
    return _FIELD_NAMES.get(field, field.capitalize())


def field_diff(field: str, before: str, after: str) -> list[Piece]:
    """Return the difference of a field: word by word in prose, the whole value elsewhere."""
    if field in _PROSE:
        return word_diff(before, after)
    return [Piece(Part.REMOVED, before), Piece(Part.EQUAL, " "), Piece(Part.ADDED, after)]


def word_diff(before: str, after: str) -> list[Piece]:
    """Return the pieces of two texts, in order.

    Equal and removed pieces together are the text before, equal and added ones the text after. Where words were replaced, the removed
    ones come first. No two neighbours are of one part.
    """
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    # Words that a long text repeats all over are no anchors (autojunk), so that no text takes long.
    matcher = SequenceMatcher(None, old, new, autojunk=True)
    pieces: list[Piece] = []

    def add(part: Part, tokens: list[str]) -> None:
        text = "".join(tokens)
        if pieces and pieces[-1].part is part:
            pieces[-1] = Piece(part, pieces[-1].text + text)
        elif text:
            pieces.append(Piece(part, text))

    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind == "equal":
            add(Part.EQUAL, old[old_from:old_to])
        else:
            add(Part.REMOVED, old[old_from:old_to])
            add(Part.ADDED, new[new_from:new_to])
    return pieces
