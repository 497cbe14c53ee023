"""Records of tool files: each is a tool, or the list of all its problems.

The format follows from the file name's ending or, for standard input, from the content. A document holds one tool, a list of
tools, or a mapping with the single key `tools`.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from panel.core.text import did_you_mean, one_line
from panel.core.tool import NOT_TEXT, Fact, Tool
from panel.errors import InputError, Problem
from panel.tool_files.documents import (
    FENCE,
    Document,
    DocumentProblem,
    dotted,
    has_front_matter,
    parse_json,
    parse_markdown,
    parse_yaml,
    shown_key,
)
from panel.tool_files.files import BOM, MAX_BYTES, TOO_LONG, decode, read_lines, read_whole
from panel.tool_files.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO

    from pydantic_core import ErrorDetails

    from panel.tool_files.documents import ValuePath
    from panel.tool_files.files import Line
    from panel.tool_files.tables import ColumnMap

    Parser = Callable[[str, str], list[Document]]

LIST_KEY = "tools"

_FIELD_LINE = re.compile(rf"(- +)?[\"']?({'|'.join(Tool.model_fields)}|{LIST_KEY})[\"']?\s*:")
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
    """A tool, or else its problems: those of the document first, then those of the fields.

    `notes` tell editors how the tool was made; `lines` has the line of each field. The location is that of the whole file if
    the problems are the file's.
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


def _parse_json(text: str, source: str) -> list[Document]:
    return [parse_json(text, source)]


_PARSERS: dict[str, Parser] = {
    ".yaml": parse_yaml,
    ".yml": parse_yaml,
    ".json": _parse_json,
    ".md": parse_markdown,
    ".markdown": parse_markdown,
}
_LINES = (".jsonl", ".ndjson")
_TABLES = (".csv", ".tsv")
ENDINGS = (*_PARSERS, *_LINES, *_TABLES)


def read_tool_file(file: BinaryIO, name: str, ending: str, columns: ColumnMap) -> Iterator[Record]:
    """Yield the records of an open file, by its ending; tables and JSON Lines are read as they are yielded.

    A file of another format that cannot be read as a whole is an InputError.
    """
    if ending in _LINES:
        yield from _read_json_lines(read_lines(file), name)
    elif ending in _TABLES:
        for row in read_table(read_lines(file), name, columns):
            yield invalid_record(*row) if isinstance(row, list) else tool_record(name, row)
    else:
        yield from tool_records(name, _PARSERS[ending](decode(read_whole(file, name), name), name))


def read_stdin(file: BinaryIO, name: str) -> Iterator[Record]:
    """Yield the records of standard input, whose format is recognised by its first lines."""
    head = file.read(MAX_BYTES + 1)
    if _is_json_lines(head):
        yield from _read_json_lines(read_lines(file, head), name)
        return
    text = decode(read_whole(io.BytesIO(head), name), name)
    yield from tool_records(name, _parser_for(text)(text, name))


def _is_json_lines(head: bytes) -> bool:
    """Return whether the second line of a text starts another object."""
    first, _, rest = (part.strip() for part in head.removeprefix(BOM).lstrip().partition(b"\n"))
    next_object = rest.startswith(b"{") and not first.endswith((b"{", b"[", b":", b","))
    return first.startswith(b"{") and bool(rest) and (first.endswith(b"}") or next_object)


def _parser_for(text: str) -> Parser:
    if text.lstrip()[:1] in {"{", "["}:
        return _parse_json
    if not has_front_matter(text):
        return parse_yaml
    below = "".join(re.split(rf"^{FENCE}[ \t]*$", text, maxsplit=2, flags=re.MULTILINE)[2:]).lstrip()
    return parse_markdown if below and not _FIELD_LINE.match(below) else parse_yaml


def _read_json_lines(lines: Iterable[Line], source: str) -> Iterator[Record]:
    number = 0
    for number, data in (line for line in lines if line.data is None or line.data.strip()):
        try:
            if data is None:
                raise InputError.at(source, TOO_LONG)
            record = tool_record(source, parse_json(decode(data, source), source, number))
        except InputError as error:
            record = invalid_record(*(replace(problem, line=number) for problem in error.problems))
        yield record
    if not number:
        yield invalid_record(Problem(source, "is empty"))


def tool_record(source: str, document: Document) -> Record:
    """Return the record of a document that is a single tool."""
    return _Candidate(source, document, (), None).record(document.problems)


def tool_records(source: str, documents: Iterable[Document]) -> Iterator[Record]:
    """Yield the records of a file in order, after one for the problems outside of any tool."""
    found: list[tuple[Document, ValuePath, list[DocumentProblem]]] = []
    stray: list[Problem] = []
    for document in documents:
        paths, problems = _split(document)
        parts: dict[ValuePath, list[DocumentProblem]] = {path: [] for path in paths}
        for problem in problems:
            starts = (problem.path[:length] for length in range(len(problem.path) + 1))
            part = next((parts[start] for start in starts if start in parts), None)
            if part is None:
                stray.append(Problem(source, problem.message, problem.line, dotted(problem.path)))
            else:
                part.append(problem)
        found += [(document, path, part) for path, part in parts.items()]
    if not found:
        stray.insert(0, Problem(source, "holds no tool"))
    if stray:
        yield Record(Location(source), None, tuple(stray))
    for item, (document, path, part) in enumerate(found, start=1):
        yield _Candidate(source, document, path, item if len(found) > 1 else None).record(part)


def _split(document: Document) -> tuple[list[ValuePath], list[DocumentProblem]]:
    """Return the paths of the tools of a document, and its problems with those of fields beside a list of tools."""
    value, problems = document.value, list(document.problems)
    if isinstance(value, list):
        return [(index,) for index in range(len(value))], problems
    if not (isinstance(value, dict) and isinstance(value.get(LIST_KEY), list)) or "name" in value:
        return [()], problems
    for key in (key for key in value if key != LIST_KEY):
        message = f"unknown field {shown_key(key)} beside the list of tools"
        problems.append(DocumentProblem((key,), document.line_of((key,)) or 1, message))
    return [(LIST_KEY, index) for index in range(len(value[LIST_KEY]))], problems


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The part of a document that should be a tool; `item` is its number from 1 where there are several."""

    source: str
    document: Document
    path: ValuePath
    item: int | None

    def record(self, document_problems: Iterable[DocumentProblem]) -> Record:
        location = Location(self.source, self.document.line_of(self.path), self.item)
        problems = [self._problem(p.path[len(self.path) :], p.message, p.line) for p in document_problems]
        value = self.document.value
        for key in self.path:
            value = value[key]
        if not isinstance(value, dict):
            if not self.document.has_problem(self.path):
                problems.append(self._problem((), "expected a tool with fields such as name and description"))
            return Record(location, None, tuple(problems))
        try:
            tool = Tool.model_validate(value)
        except ValidationError as error:
            of_fields = [
                self._problem(detail["loc"], self._field_message(detail))
                for detail in error.errors(include_url=False, include_input=False)
                # The slug is made from the name, so a bad name is an error of both.
                if detail["type"] != "default_factory_not_called"
                and not self.document.has_problem(self.path + detail["loc"])
            ]
            problems += sorted(of_fields, key=lambda problem: problem.line or 0)
        else:
            if not problems:
                lines = {name: self.document.positions.get((*self.path, name)) for name in value}
                return Record(location, tool, lines={name: at.line for name, at in lines.items() if at})
        return Record(location, None, tuple(problems))

    def _field_message(self, detail: ErrorDetails) -> str:
        path, kind, message = detail["loc"], detail["type"], detail["msg"]
        spelling = self.document.spelling_of(self.path + path)
        if kind == "extra_forbidden":
            key, known = str(path[-1]), (Tool if len(path) == 1 else Fact).model_fields
            advice = did_you_mean(key, known, f"the fields are {', '.join(known)}")
            return f"unknown field {shown_key(key)}; {advice}"
        if kind == "missing":
            return _MISSING.get(str(path[-1]), "is missing")
        if kind == "value_error":
            return str(detail["ctx"]["error"])
        if kind == NOT_TEXT and spelling:
            return f"{message} (`{one_line(spelling)}`); put quotes around it"
        return "expected the fields claim, source and checked_on" if kind == "model_type" else message

    def _problem(self, path: ValuePath, message: str, line: int | None = None) -> Problem:
        at = line or self.document.line_of(self.path + path)
        return Problem(self.source, message, at, dotted(path), self.item)
