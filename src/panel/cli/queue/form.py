"""A draft as a form in YAML: what can be edited, and beside it what was found and what the model had said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from panel.core.draft_edits import current_value, parse_change
from panel.core.take import NoTake, NoTakeReason
from panel.core.text import one_line
from panel.errors import GateError, InputError, Problem
from panel.tool_files.documents import dotted
from panel.tool_files.yaml_text import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.approval import DraftView
    from panel.cli.queue.words import Numbered
    from panel.core.draft_edits import Change, EditMark
    from panel.core.review import PanelReview
    from panel.core.take import Seat, Take
    from panel.core.tool import Tool
    from panel.tool_files.documents import Document, ValuePath

KEYS = ("shown", "reason", "takes", "tool")
SEAT_KEYS = ("verdict", "score", "take", "evidence", "detail")
TOOL_KEYS = ("price_class", "facts")
FACT_KEYS = ("claim", "source", "checked_on")
_HEAD = (
    "Edit what is wrong, save, and close the editor. What stays as it is changes nothing.",
    "`reason` is kept with the edit. Facts are claims with the page that supports them and the day you looked.",
)
_NO_VERSION = "is missing; it says of which version of the draft the form is: print one with `panel queue edit ID --print`"


class Filled(NamedTuple):
    """A form that somebody filled in.

    Attributes:
        shown: digest of what they were shown.
        reason: why; None if they did not say.
        changes: what differs from what is shown.
    """

    shown: str
    reason: str | None
    changes: tuple[Change, ...]


def form_of(view: DraftView) -> str:
    """Return the form of a draft."""
    from panel.cli.queue.words import numbered

    review, notes = view.shown.review, numbered(view)
    lines = [f"# Draft {view.id}: {one_line(review.tool.name)}", *(f"# {line}" for line in _HEAD)]
    lines += [f'shown: "{view.shown.hash}"', 'reason: ""', "", "takes:"]
    for seat in review.seats:
        mine = [note for note in notes if note.finding.where.persona == seat.persona]
        marks = [mark for mark in view.shown.marks if mark.persona == seat.persona]
        lines += _seat(seat, mine, marks)
    marks = [mark for mark in view.shown.marks if mark.persona is None]
    return "\n".join([*lines, "", "tool:", *_tool(review.tool, marks)]) + "\n"


def read_form(text: str, source: str, review: PanelReview) -> Filled:
    """Return what a form holds.

    Args:
        text: the form.
        source: what messages call it.
        review: what is shown now, against which changes are told.

    Raises:
        InputError: it cannot be read; all that is wrong is listed with its line.
    """
    documents = parse_yaml(text, source)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise InputError([Problem(source, "expected one form, as `panel queue edit ID --print` prints it")])
    document = documents[0]
    problems = document.problems_in(source)
    changes: list[Change] = []
    for path, data in _data(document, source, review, problems):
        try:
            change = parse_change(data, source)
            changes += [change] if change != current_value(review, change) else []
        except InputError as error:
            lines = [each.message for each in error.problems]
            problems += [Problem(source, line, document.line_of(path), dotted(path)) for line in lines]
        except GateError as error:
            problems.append(Problem(source, str(error), document.line_of(path), dotted(path)))
    shown, reason = document.value.get("shown"), document.value.get("reason")
    if not isinstance(shown, str) or not shown:
        problems.append(Problem(source, _NO_VERSION, field="shown"))
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.line or 0))
    return Filled(str(shown), str(reason) if reason else None, tuple(changes))


def _seat(seat: Seat, notes: list[Numbered], marks: list[EditMark]) -> Iterator[str]:
    yield f"  {seat.persona}:"
    yield from (f"    # [{note.number}] {note.what}. {_dealt(note)}" for note in notes)
    yield from _originals(marks, "    ")
    outcome = seat.outcome
    if not isinstance(outcome, NoTake):
        yield from _take(outcome)
    elif outcome.reason is NoTakeReason.RECUSED:
        yield from _text("detail", outcome.detail, "    ")
    else:
        yield f"    # No panel take: {outcome.reason.label}. panel queue rerun asks again."
        yield "    {}"


def _dealt(note: Numbered) -> str:
    return note.finding.note if note.tick is None else f"Ticked {note.tick.kind} by {note.tick.by}."


def _take(take: Take) -> Iterator[str]:
    yield f"    verdict: {take.verdict}"
    yield f"    score: {take.score}"
    yield from _text("take", take.take, "    ")
    yield "    evidence:" if take.evidence else "    evidence: []"
    yield from (f"      - {_quoted(quote)}" for quote in take.evidence)


def _tool(tool: Tool, marks: list[EditMark]) -> Iterator[str]:
    yield from _originals(marks, "  ")
    yield f"  price_class: {tool.price_class.value}"
    yield "  facts:" if tool.facts else "  facts: []"
    for fact in tool.facts:
        data = fact.model_dump(mode="json")
        for place, name in enumerate(FACT_KEYS):
            yield f"    {'- ' if place == 0 else '  '}{name}: {_quoted(str(data[name]))}"


def _originals(marks: list[EditMark], indent: str) -> Iterator[str]:
    for mark in marks:
        was = mark.model_dump(mode="json")["original"]["value"]
        yield f"{indent}# {mark.field} was, before it was {mark.label}: {one_line(str(was))}"


def _text(name: str, text: str, indent: str) -> Iterator[str]:
    """Yield a text as a block, or between quotes where a block would not give it back."""
    if not text or text[0].isspace() or text[-1].isspace() or not text.replace("\n", "").isprintable():
        yield f"{indent}{name}: {_quoted(text)}"
        return
    yield f"{indent}{name}: |-"
    yield from (f"{indent}  {line}".rstrip() for line in text.split("\n"))


def _quoted(text: str) -> str:
    import json

    # A JSON string is a YAML string.
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _data(
    document: Document, source: str, review: PanelReview, problems: list[Problem]
) -> Iterator[tuple[ValuePath, dict[str, Any]]]:
    """Yield the place and the parts of each value that a form holds; what is no part of a form becomes a problem."""
    takes, tool = ("takes",), ("tool",)
    _part(document, source, (), KEYS, problems)
    for persona in _part(document, source, takes, review.setup.roster, problems):
        path = (*takes, persona)
        for field, value in _part(document, source, path, SEAT_KEYS, problems).items():
            yield (*path, field), {"field": field, "persona": persona, "value": value}
    for field, value in _part(document, source, tool, TOOL_KEYS, problems).items():
        yield (*tool, field), {"field": field, "value": value}


def _part(
    document: Document, source: str, path: tuple[str, ...], known: tuple[str, ...], problems: list[Problem]
) -> dict[str, Any]:
    """Return what of a part of a form can be edited; anything else in it becomes a problem."""
    inner: Any = document.value
    for key in path:
        inner = inner.get(key)
    if inner is not None and not isinstance(inner, dict):
        problems.append(Problem(source, f"expected {', '.join(known)}", document.line_of(path), dotted(path)))
    given = inner if isinstance(inner, dict) else {}
    for key in given.keys() - known:
        place = (*path, key)
        message = f"is no part of a form; here it has {', '.join(known)}"
        problems.append(Problem(source, message, document.line_of(place), dotted(place)))
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in given.items()
        if key in known
    }
