"""A draft as a YAML form: the values that can be edited, with findings and the panel's own values as comments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from panel.core.draft_edits import current_value, parse_change
from panel.core.take import NoTake, NoTakeReason
from panel.core.text import one_line
from panel.errors import GateError, InputError, Problem
from panel.tool_files.documents import dotted, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.approval import DraftView
    from panel.core.draft_edits import Change
    from panel.core.review import PanelReview
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.tool_files.documents import Document, ValuePath

KEYS = ("shown", "reason", "takes", "tool")
SEAT_KEYS = ("verdict", "score", "take", "evidence", "detail")
TOOL_KEYS = ("price_class", "facts")
FACT_KEYS = ("claim", "source", "checked_on")
_HEAD = (
    "Correct the values, save, and close the editor. Values that you leave alone do not change.",
    "`reason` is kept with the edit. Facts are claims with the page that supports them and the day on which you read it.",
)
_NO_VERSION = "is missing; it names the version of the draft: print a form with `panel queue edit ID --print`"


class FilledForm(NamedTuple):
    """A form that was filled in.

    Attributes:
        seen: `EditedReview.hash` of the version that the form was made from.
        changes: the values that differ from the ones shown now.
    """

    seen: str
    reason: str | None
    changes: tuple[Change, ...]


def form_text(view: DraftView) -> str:
    """Return the form of a draft."""
    review = view.shown.review
    lines = [f"# Draft {view.id}: {view.tool_name}", *(f"# {line}" for line in _HEAD)]
    lines += [f'shown: "{view.shown.hash}"', 'reason: ""', "", "takes:"]
    for seat in review.seats:
        lines += _seat_lines(view, seat)
    return "\n".join([*lines, "", "tool:", *_tool_lines(view, review.tool)]) + "\n"


def parse_form(text: str, source: str, review: PanelReview) -> FilledForm:
    """Return the changes of a form; `source` is the name that messages give it, `review` the one that is shown now.

    Raises:
        InputError: it cannot be used; each fault is listed with its line.
    """
    documents = parse_yaml(text, source)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise InputError([Problem(source, "expected one form, as `panel queue edit ID --print` prints it")])
    return _Reader(documents[0], source, review).read()


class _Reader:
    def __init__(self, document: Document, source: str, review: PanelReview) -> None:
        self._document = document
        self._source = source
        self._review = review
        self._problems = document.problems_in(source)

    def read(self) -> FilledForm:
        changes = [change for path, data in self._values() if (change := self._change(path, data))]
        seen, reason = self._document.value.get("shown"), self._document.value.get("reason")
        if not isinstance(seen, str) or not seen:
            self._problems.append(Problem(self._source, _NO_VERSION, field="shown"))
        if self._problems:
            raise InputError(sorted(self._problems, key=lambda problem: problem.line or 0))
        return FilledForm(str(seen), str(reason) if reason else None, tuple(changes))

    def _values(self) -> Iterator[tuple[ValuePath, dict[str, Any]]]:
        self._mapping((), KEYS)
        for persona in self._mapping(("takes",), self._review.setup.roster):
            path = ("takes", persona)
            for field, value in self._mapping(path, SEAT_KEYS).items():
                yield (*path, field), {"field": field, "persona": persona, "value": value}
        for field, value in self._mapping(("tool",), TOOL_KEYS).items():
            yield ("tool", field), {"field": field, "value": value}

    def _mapping(self, path: tuple[str, ...], known: tuple[str, ...]) -> dict[str, Any]:
        """Return the known keys of a part of the form; anything else in it is a problem."""
        inner: Any = self._document.value
        for key in path:
            inner = inner.get(key)
        if inner is not None and not isinstance(inner, dict):
            self._report(path, f"expected {', '.join(known)}")
        given = inner if isinstance(inner, dict) else {}
        for key in given.keys() - known:
            self._report((*path, key), f"is not part of the form; here it has {', '.join(known)}")
        return {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in given.items()
            if key in known
        }

    def _change(self, path: ValuePath, data: dict[str, Any]) -> Change | None:
        try:
            change = parse_change(data, self._source)
            return change if change != current_value(self._review, change) else None
        except InputError as error:
            for problem in error.problems:
                self._report(path, problem.message)
        except GateError as error:
            self._report(path, str(error))
        return None

    def _report(self, path: ValuePath, message: str) -> None:
        self._problems.append(Problem(self._source, message, self._document.line_of(path), dotted(path)))


def _seat_lines(view: DraftView, seat: Seat) -> Iterator[str]:
    yield f"  {seat.persona}:"
    for each in view.numbered_in(seat.persona):
        yield f"    # [{each.number}] {each.title}. {one_line(each.status)}"
    yield from _original_lines(view, seat.persona, "    ")
    outcome = seat.outcome
    if not isinstance(outcome, NoTake):
        yield f"    verdict: {outcome.verdict}"
        yield f"    score: {outcome.score}"
        yield from _text_lines("take", outcome.take, "    ")
        yield "    evidence:" if outcome.evidence else "    evidence: []"
        yield from (f"      - {_quoted(quote)}" for quote in outcome.evidence)
    elif outcome.reason is NoTakeReason.RECUSED:
        yield from _text_lines("detail", outcome.detail, "    ")
    else:
        yield f"    # No panel take: {outcome.reason.label}. panel queue rerun asks again."
        yield "    {}"


def _tool_lines(view: DraftView, tool: Tool) -> Iterator[str]:
    yield from _original_lines(view, None, "  ")
    yield f"  price_class: {tool.price_class.value}"
    yield "  facts:" if tool.facts else "  facts: []"
    for fact in tool.facts:
        data = fact.model_dump(mode="json")
        for place, name in enumerate(FACT_KEYS):
            yield f"    {'- ' if place == 0 else '  '}{name}: {_quoted(str(data[name]))}"


def _original_lines(view: DraftView, persona: str | None, indent: str) -> Iterator[str]:
    for mark in view.shown.marks:
        if mark.persona == persona:
            original = mark.model_dump(mode="json")["original"]["value"]
            yield f"{indent}# {mark.field}, before it was {mark.label}: {one_line(str(original))}"


def _text_lines(name: str, text: str, indent: str) -> Iterator[str]:
    """Yield a text as a YAML block, or between quotes where a block would not preserve it."""
    if not text or text[0].isspace() or text[-1].isspace() or not text.replace("\n", "").isprintable():
        yield f"{indent}{name}: {_quoted(text)}"
        return
    yield f"{indent}{name}: |-"
    yield from (f"{indent}  {line}".rstrip() for line in text.split("\n"))


def _quoted(text: str) -> str:
    # A JSON string is a YAML string.
    return json.dumps(text, ensure_ascii=not text.isprintable())
