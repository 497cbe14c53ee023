"""Records of tool files: each is a tool, or the list of all its problems.

A document holds one tool, a list of tools, or a mapping with the single key `tools`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from panel.core.text import did_you_mean, one_line
from panel.core.tool import NOT_TEXT, Fact, Tool
from panel.errors import Problem
from panel.tool_files.documents import Document, DocumentProblem, dotted, shown_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from panel.tool_files.documents import ValuePath

LIST_KEY = "tools"

_NOT_A_TOOL = "expected a tool with fields such as name and description"
_NOT_A_FACT = "expected the fields claim, source and checked_on"
_MISSING = {
    "name": "is missing; say what the tool is called",
    "description": "is missing; say what the tool does",
}


@dataclass(frozen=True, slots=True)
class Location:
    """Source of a record, its first line and, where a file holds several records, its number; both from 1."""

    source: str
    line: int | None = None
    item: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Record:
    """A tool, or the problems that prevent one.

    Attributes:
        location: of the record; of the whole file, if the problems are the file's.
        tool: None if and only if there are problems.
        problems: of the document first, then of the fields.
        notes: remarks for editors about how the tool was made.
        lines: line of each field of the tool.
    """

    location: Location
    tool: Tool | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)

    def field_problem(self, name: str, message: str) -> Problem:
        """Return a problem of one of the tool's fields."""
        at = self.location
        return Problem(at.source, message, self.lines.get(name, at.line), name, at.item)


def invalid_record(problem: Problem, *others: Problem) -> Record:
    """Return a record without a tool, at the location of its first problem."""
    return Record(Location(problem.source, problem.line, problem.item), None, (problem, *others))


def tool_record(source: str, document: Document) -> Record:
    """Return the record of a document that is a single tool."""
    return _Candidate(source, document, (), None).record(document.problems)


def tool_records(source: str, documents: Sequence[Document]) -> Iterator[Record]:
    """Yield the records of a file in order, after one for the problems outside of any tool."""
    candidates = _candidates(source, documents)
    problems = {key: list[DocumentProblem]() for key in candidates}
    stray = [] if candidates else [Problem(source, "holds no tool")]
    for document in documents:
        for problem in (*document.problems, *_keys_beside_list(document)):
            starts = (problem.path[:length] for length in range(len(problem.path) + 1))
            key = next((key for start in starts if (key := (id(document), start)) in candidates), None)
            if key is None:
                stray.append(Problem(source, problem.message, problem.line, dotted(problem.path)))
            else:
                problems[key].append(problem)
    if stray:
        yield Record(Location(source), None, tuple(stray))
    yield from (candidate.record(problems[key]) for key, candidate in candidates.items())


def _candidates(source: str, documents: Sequence[Document]) -> dict[tuple[int, ValuePath], _Candidate]:
    found = [(document, path) for document in documents for path in _tool_paths(document)]
    several = len(found) > 1
    return {
        (id(document), path): _Candidate(source, document, path, item if several else None)
        for item, (document, path) in enumerate(found, start=1)
    }


def _tool_paths(document: Document) -> list[ValuePath]:
    value: Any = document.value
    root: ValuePath = ()
    if _is_list_of_tools(value):
        value, root = value[LIST_KEY], (LIST_KEY,)
    return [(*root, index) for index in range(len(value))] if isinstance(value, list) else [root]


def _is_list_of_tools(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get(LIST_KEY), list) and "name" not in value


def _keys_beside_list(document: Document) -> Iterator[DocumentProblem]:
    for key in document.value if _is_list_of_tools(document.value) else ():
        if key != LIST_KEY:
            message = f"unknown field {shown_key(key)} beside the list of tools"
            yield DocumentProblem((key,), document.line_of((key,)) or 1, message)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The part of a document that should be a tool; `item` is its number from 1 where there are several."""

    source: str
    document: Document
    path: ValuePath
    item: int | None

    def record(self, document_problems: Sequence[DocumentProblem]) -> Record:
        location = Location(self.source, self.document.line_of(self.path), self.item)
        tool, problems = self._validate()
        if tool and not document_problems:
            positions = {name: self.document.positions.get((*self.path, name)) for name in Tool.model_fields}
            return Record(location, tool, lines={name: at.line for name, at in positions.items() if at})
        of_form = [self._problem(p.path[len(self.path) :], p.message, p.line) for p in document_problems]
        return Record(location, None, (*of_form, *sorted(problems, key=lambda problem: problem.line or 0)))

    def _validate(self) -> tuple[Tool | None, list[Problem]]:
        value = self.document.value
        for key in self.path:
            value = value[key]
        if not isinstance(value, dict):
            reported = self.document.has_problem(self.path)
            return None, [] if reported else [self._problem((), _NOT_A_TOOL)]
        try:
            return Tool.model_validate(value), []
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
            return None, [self._field_problem(detail) for detail in details if not self._is_reported(detail)]

    def _is_reported(self, detail: ErrorDetails) -> bool:
        # The slug is made from the name, so a bad name is an error of both.
        slug_of_bad_name = detail["type"] == "default_factory_not_called"
        return slug_of_bad_name or self.document.has_problem(self.path + detail["loc"])

    def _field_problem(self, detail: ErrorDetails) -> Problem:
        path, kind, message = detail["loc"], detail["type"], detail["msg"]
        spelling = self.document.spelling_of(self.path + path)
        if kind == "extra_forbidden":
            key, known = str(path[-1]), (Tool if len(path) == 1 else Fact).model_fields
            advice = did_you_mean(key, known, f"the fields are {', '.join(known)}")
            message = f"unknown field {shown_key(key)}; {advice}"
        elif kind == "missing":
            message = _MISSING.get(str(path[-1]), "is missing")
        elif kind == "value_error":
            message = str(detail["ctx"]["error"])
        elif kind == NOT_TEXT and spelling:
            message = f"{message} (`{one_line(spelling)}`); put quotes around it"
        elif kind == "model_type":
            message = _NOT_A_FACT
        return self._problem(path, message)

    def _problem(self, path: ValuePath, message: str, line: int | None = None) -> Problem:
        at = line or self.document.line_of(self.path + path)
        return Problem(self.source, message, at, dotted(path), self.item)
