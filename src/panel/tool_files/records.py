"""From the documents of a file to its records: each a tool, or everything that is wrong with it.

A document holds one tool, a list of tools, or a mapping with the one key `tools`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from panel.core.text import one_line
from panel.core.tool import NOT_TEXT, Fact, Tool
from panel.errors import Problem
from panel.tool_files.documents import SHOWN_CHARS, Document, Fault, dotted, shown_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from panel.tool_files.documents import Path as ValuePath

LIST_KEY = "tools"

_NOT_A_TOOL = "expected a tool, that is fields such as name and description"
_NOT_A_FACT = "expected the fields claim, source and checked_on"
_MISSING = {
    "name": "is missing; say what the tool is called",
    "description": "is missing; say what the tool does",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands.

    Attributes:
        source: name of the file as messages print it, or `-`.
        line: number from 1 of the line on which the record starts, if known.
        item: number of the record from 1, where a document or several of them hold more than one.
    """

    source: str
    line: int | None = None
    item: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Record:
    """What a file holds in one place: a tool, or the problems that keep it from being one.

    Attributes:
        place: where it stands; the file, if the problems are the file's.
        tool: None if and only if there are problems.
        problems: everything that is wrong, faults of form first.
        notes: what an editor should know about how the tool was made.
        lines: line number of each of the tool's fields, so that problems found later can name it.
    """

    place: Place
    tool: Tool | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)

    def problem(self, name: str, message: str) -> Problem:
        """Return a problem of one of the tool's fields."""
        return Problem(
            self.place.source, message, self.lines.get(name, self.place.line), name, self.place.item
        )


def refused(problem: Problem, *others: Problem) -> Record:
    """Return the record of something that cannot be read at all, where its first problem is."""
    return Record(Place(problem.source, problem.line, problem.item), None, (problem, *others))


def record_of(source: str, document: Document) -> Record:
    """Return the record of a document that is one tool as a whole.

    Args:
        source: what messages call the file.
        document: the record's; its faults are the record's problems.
    """
    part = _Part(source, document, (), None)
    return part.record([part.problem(fault.path, fault.message, fault.line) for fault in document.faults])


def records_of(source: str, documents: Sequence[Document]) -> Iterator[Record]:
    """Yield what the documents of a file hold, in order, and before it the faults outside any tool.

    Args:
        source: what messages call the file.
        documents: of the file, in its order.
    """
    parts = _parts(source, documents)
    found = {(id(part.document), part.path): list[Problem]() for part in parts}
    owners = {(id(part.document), part.path): part for part in parts}
    stray = [] if parts else [Problem(source, "holds no tool")]
    for document, fault in _faults(documents):
        starts = (fault.path[:length] for length in range(len(fault.path) + 1))
        key = next((key for start in starts if (key := (id(document), start)) in owners), None)
        if key is None:
            stray.append(Problem(source, fault.message, fault.line, dotted(fault.path)))
        else:
            found[key].append(owners[key].problem(fault.path[len(key[1]) :], fault.message, fault.line))
    if stray:
        yield Record(Place(source), None, tuple(stray))
    yield from (part.record(found[key]) for key, part in owners.items())


def _parts(source: str, documents: Sequence[Document]) -> list[_Part]:
    places = [(document, path) for document in documents for path in _paths(document)]
    several = len(places) > 1
    return [
        _Part(source, document, path, item if several else None)
        for item, (document, path) in enumerate(places, start=1)
    ]


def _paths(document: Document) -> list[ValuePath]:
    value: Any = document.value
    root: ValuePath = ()
    if _is_listing(value):
        value, root = value[LIST_KEY], (LIST_KEY,)
    return [(*root, index) for index in range(len(value))] if isinstance(value, list) else [root]


def _is_listing(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get(LIST_KEY), list) and "name" not in value


def _faults(documents: Sequence[Document]) -> Iterator[tuple[Document, Fault]]:
    for document in documents:
        yield from ((document, fault) for fault in document.faults)
        for key in document.value if _is_listing(document.value) else ():
            if key != LIST_KEY:
                message = f"unknown field {shown_key(key)} beside the list of tools"
                yield document, Fault((key,), document.line_of((key,)) or 1, message)


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a document that should be one tool; `item` counts from 1 where there are several."""

    source: str
    document: Document
    path: ValuePath
    item: int | None

    def problem(self, name: ValuePath, message: str, line: int | None = None) -> Problem:
        at = line or self.document.line_of(self.path + name)
        return Problem(self.source, message, at, dotted(name), self.item)

    def record(self, faults: list[Problem]) -> Record:
        place = Place(self.source, self.document.line_of(self.path), self.item)
        outcome = self._tool()
        if isinstance(outcome, Tool) and not faults:
            return Record(place, outcome, lines=self._lines())
        found = [] if isinstance(outcome, Tool) else outcome
        return Record(place, None, (*faults, *sorted(found, key=lambda problem: problem.line or 0)))

    def _tool(self) -> Tool | list[Problem]:
        value = self._value()
        if not isinstance(value, dict):
            return [] if self.document.is_faulty(self.path) else [self.problem((), _NOT_A_TOOL)]
        try:
            return Tool.model_validate(value)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            return [self._invalid(detail) for detail in details if self._is_news(detail)]

    def _value(self) -> Any:  # noqa: ANN401 - any plain value
        value = self.document.value
        for key in self.path:
            value = value[key]
        return value

    def _lines(self) -> dict[str, int]:
        marks = ((name, self.document.marks.get((*self.path, name))) for name in Tool.model_fields)
        return {name: mark.line for name, mark in marks if mark}

    def _is_news(self, detail: ErrorDetails) -> bool:
        # The slug is made from the name, so a bad name is reported for both; a fault is reported by its document.
        made = detail["type"] == "default_factory_not_called"
        return not made and not self.document.is_faulty(self.path + detail["loc"])

    def _invalid(self, detail: ErrorDetails) -> Problem:
        name, kind = detail["loc"], detail["type"]
        spelling = self.document.spelling_of(self.path + name)
        if kind == "extra_forbidden":
            message = _unknown(name)
        elif kind == "missing":
            message = _MISSING.get(str(name[-1]), "is missing")
        elif kind == "value_error":
            message = str(detail["ctx"]["error"])
        elif kind == NOT_TEXT and spelling:
            message = f"{detail['msg']} (`{one_line(spelling)}`); put quotes around it"
        else:
            message = _NOT_A_FACT if kind == "model_type" else detail["msg"]
        return self.problem(name, message)


def _unknown(name: ValuePath) -> str:
    known = tuple((Tool if len(name) == 1 else Fact).model_fields)
    return f"unknown field {shown_key(str(name[-1]))}; {did_you_mean(str(name[-1]), known)}"


def did_you_mean(key: str, known: Sequence[str]) -> str:
    """Return advice on a key that is not known: the closest one, or all of them."""
    close = difflib.get_close_matches(key[:SHOWN_CHARS], known, n=1)
    return f"did you mean {close[0]}?" if close else f"the fields are {', '.join(known)}"
