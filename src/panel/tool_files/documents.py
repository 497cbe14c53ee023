"""YAML, JSON and Markdown files as plain values, with the line of each value.

YAML is version 1.2 without aliases, merge keys, tags and repeated keys. Nothing is constructed or expanded: one builder makes
values from the events of either format. Scalars without quotes follow YAML's core schema (YAML 1.2.2, chapter 10.3), which
includes those of JSON, except that `yes`, `no`, `on` and `off` are booleans too, as in YAML 1.1: a tool named No must be quoted.
Dates stay text. JSON is strict (RFC 8259).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from panel.core.text import one_line, well_formed
from panel.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ValuePath = tuple[str | int, ...]
"""Keys and indexes from the root of a document to a value, such as `("tools", 0, "name")`."""

FENCE = "---"
"""The line above and below front matter."""

MAX_DEPTH = 20
MAX_VALUES = 200_000
SHOWN_CHARS = 60

_TOKENS_PER_VALUE = 4
_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep; a tool needs three"
_BODY_FIELD = "description"


class Position(NamedTuple):
    """Line of a value, from 1, and its spelling in the file unless it is text."""

    line: int
    spelling: str | None = None


class DocumentProblem(NamedTuple):
    """A construct that is refused although the format allows it, such as a repeated key or a YAML alias."""

    path: ValuePath
    line: int
    message: str


@dataclass(frozen=True)
class Document:
    """A parsed document: None, bool, int, float, str, list, or dict with text keys; a part with a problem is None or missing.

    The position of a field is that of its key.
    """

    value: Any
    positions: dict[ValuePath, Position] = field(default_factory=dict)
    problems: tuple[DocumentProblem, ...] = ()

    def line_of(self, path: ValuePath) -> int | None:
        """Return the line of a value, or of the nearest value around it."""
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions[path].line if path in self.positions else None

    def spelling_of(self, path: ValuePath) -> str | None:
        """Return the spelling of a boolean, a number or null."""
        return self.positions[path].spelling if path in self.positions else None

    def has_problem(self, path: ValuePath) -> bool:
        """Return whether a value, or one around it, is refused already."""
        return any(path[:length] in self._problem_paths for length in range(len(path) + 1))

    def problems_in(self, source: str) -> list[Problem]:
        """Return the problems as messages about a file."""
        return [Problem(source, one.message, one.line, dotted(one.path)) for one in self.problems]

    @cached_property
    def _problem_paths(self) -> frozenset[ValuePath]:
        return frozenset(problem.path for problem in self.problems)


def dotted(path: Iterable[str | int]) -> str | None:
    """Return a path as messages print it, indexes counted from 1 (`facts.2.source`); None for the whole document."""
    return ".".join(str(key + 1) if isinstance(key, int) else shown_key(key) for key in path) or None


def shown_key(key: str) -> str:
    """Return a key as messages print it: one line, shortened."""
    text = one_line(key)
    return f"{text[:SHOWN_CHARS]}…" if len(text) > SHOWN_CHARS else text or "(blank)"


class _Event(NamedTuple):
    """A step through a document; `kind` is a bracket, `scalar`, `alias` or `document`."""

    kind: str
    line: int
    text: str = ""
    plain: bool = False  # a scalar without quotes
    tagged: bool = False


@dataclass(slots=True)
class _Builder:
    """Builds one document from the events of its root value."""

    events: Iterator[_Event]
    source: str
    positions: dict[ValuePath, Position] = field(default_factory=dict)
    problems: list[DocumentProblem] = field(default_factory=list)
    # One report is enough: a file that uses an alias tends to use many, and a merge key is refused by itself.
    alias_reported: bool = False

    def build(self) -> Document:
        root = next(self.events)
        value = self._value(root, (), root.line)
        return Document(value, self.positions, tuple(self.problems))

    def _value(self, event: _Event, path: ValuePath, line: int) -> Any:  # noqa: ANN401 - any plain value
        if len(path) >= MAX_DEPTH:
            raise InputError.at(self.source, _TOO_DEEP, event.line)
        self.positions[path] = Position(line)
        if event.kind == "alias":
            if not self.alias_reported:
                self._refuse(path, event, "aliases (*) are not supported; write the value out")
            self.alias_reported = True
            return None
        if event.tagged:
            self._refuse(path, event, "tags (!) are not supported; write the value without one")
        if event.kind == "{":
            value: Any = self._mapping(path)
        elif event.kind == "[":
            value = self._sequence(path)
        else:
            value = _resolve(event.text) if event.plain else event.text
            if not isinstance(value, str):
                self.positions[path] = Position(line, event.text)
        return None if event.tagged else value

    def _sequence(self, path: ValuePath) -> list[Any]:
        items: list[Any] = []
        while (event := next(self.events)).kind != "]":
            items.append(self._value(event, (*path, len(items)), event.line))
        return items

    def _mapping(self, path: ValuePath) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        lines: dict[str, int] = {}
        while (event := next(self.events)).kind != "}":
            key = event.text if event.kind == "scalar" else "?"
            problem = None
            if event.kind != "scalar":
                self._value(event, (*path, key), event.line)
                problem = "a key must be plain text, such as name"
            elif key == "<<" and event.plain:
                problem = "merge keys (<<) are not supported; write the fields out"
                self.alias_reported = True
            elif event.tagged:
                problem = "tags (!) are not supported; write the value without one"
            elif key in lines:
                problem = f"{shown_key(key)} is given twice, first on line {lines[key]}"
            if problem:
                self._refuse((*path, key), event, problem)
            value = self._value(next(self.events), (*path, key), event.line)
            if not problem:
                fields[key], lines[key] = value, event.line
        return fields

    def _refuse(self, path: ValuePath, event: _Event, message: str) -> None:
        self.problems.append(DocumentProblem(path, event.line, message))


_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASED = re.compile(r"0o([0-7]+)|0x([0-9a-fA-F]+)")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def _resolve(text: str) -> str | float | bool | None:
    if text.lower() in {"", "~", "null"}:
        return None
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if _DECIMAL.fullmatch(text):
        return _number(text)
    if based := _BASED.fullmatch(text):
        return int(text, 8 if based[1] else 16)
    if special := _SPECIAL.fullmatch(text):
        return float((special[1] or "") + (special[2] or special[3]))
    return text


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:  # a fraction, or an integer beyond Python's limit on digits
        return float(text)


_YAML_KINDS = {
    yaml_events.DocumentStartEvent: "document",
    yaml_events.MappingStartEvent: "{",
    yaml_events.MappingEndEvent: "}",
    yaml_events.SequenceStartEvent: "[",
    yaml_events.SequenceEndEvent: "]",
    yaml_events.ScalarEvent: "scalar",
    yaml_events.AliasEvent: "alias",
}
_OUT_OF_RANGE = re.compile(r"\\U(?!000|0010)[0-9a-fA-F]{8}|^%YAML", re.MULTILINE)
_YAML_HINTS = {
    "mapping values are not allowed here": "put quotes around text that holds a colon and a space",
    "cannot start any token": "put quotes around text that starts with a special character; indent with spaces",
    "could not find expected ':'": "every field needs a colon and a space after its name",
    "found unexpected end of stream": "a quotation mark or bracket is not closed",
}


def parse_yaml(text: str, source: str) -> list[Document]:
    """Return the documents of a YAML file that are not empty; raise InputError if it is not YAML, too deep or too large."""
    documents: list[Document] = []
    try:
        events = _events_of_yaml(text, source)
        documents.extend(_Builder(events, source).build() for _start_of_document in events)
    except (ReaderError, MarkedYAMLError) as error:
        earlier = [problem for document in documents for problem in document.problems_in(source)]
        raise InputError([*earlier, _yaml_problem(error, text, source)]) from None
    except (ArithmeticError, AssertionError, ValueError):  # the parser does not check these two ranges itself
        match = _OUT_OF_RANGE.search(text)
        line = text.count("\n", 0, match.start()) + 1 if match else None
        message = "not valid YAML: a character code (\\U) or a version (%YAML) is out of range"
        raise InputError.at(source, message, line) from None
    return [document for document in documents if document.value is not None or document.problems]


def _events_of_yaml(text: str, source: str) -> Iterator[_Event]:
    for count, event in enumerate(YAML(typ="safe", pure=True).parse(text)):
        if count >= MAX_VALUES:
            raise _too_many(source)
        if kind := _YAML_KINDS.get(type(event)):
            spelling = well_formed(str(event.value)) if kind == "scalar" else ""
            plain = kind == "scalar" and not event.style
            tagged = getattr(event, "tag", None) is not None
            yield _Event(kind, event.start_mark.line + 1, spelling, plain, tagged)


def _too_many(source: str) -> InputError:
    return InputError.at(source, f"holds more than {MAX_VALUES} values; split it")


def _yaml_problem(error: ReaderError | MarkedYAMLError, text: str, source: str) -> Problem:
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        code = f"U+{ord(text[error.position]):04X}"
        return Problem(source, f"not valid YAML: control character {code}; remove it", line)
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context)
    hint = next((f"; {hint}" for part, hint in _YAML_HINTS.items() if part in problem), "")
    return Problem(source, f"not valid YAML: {problem}{hint}", mark.line + 1 if mark else None)


# An unclosed string runs to the end of the text, so that no part of the text is scanned twice.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
# An escaped backslash or a whole surrogate pair, both kept, or half a pair.
_ESCAPE = re.compile(r"(\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..")
_LIST_HINT = "to give several tools, put them in a list [ ], or each on a line of its own in a .jsonl file"


def parse_json(text: str, source: str, first_line: int = 1) -> Document:
    """Return the value of a JSON text; raise InputError if it is not strict JSON, too deep or too large."""
    if next(islice(_TOKEN.finditer(text), MAX_VALUES * _TOKENS_PER_VALUE, None), None):
        raise _too_many(source)
    text = _ESCAPE.sub(lambda match: match[1] or r"\ufffd", text)
    try:
        json.loads(text, parse_int=_number)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise InputError.at(source, f"not valid JSON: {_json_reason(text, error)}", line) from None
    except RecursionError:
        raise InputError.at(source, _TOO_DEEP) from None
    return _Builder(_events_of_json(text, source, first_line), source).build()


def _events_of_json(text: str, source: str, line: int) -> Iterator[_Event]:
    done = 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", done, match.start())
        done = match.start()
        token = match[0]
        if token in {"{", "}", "[", "]"}:
            yield _Event(token, line)
        elif token.startswith('"'):
            yield _Event("scalar", line, json.loads(token))
        elif token.endswith(("NaN", "Infinity")):
            raise InputError.at(source, f"not valid JSON: {token} is no number", line)
        elif token not in {",", ":"}:
            yield _Event("scalar", line, token, plain=True)


def _json_reason(text: str, error: json.JSONDecodeError) -> str:
    rest, before = text[error.pos :], text[: error.pos].rstrip()
    if rest.startswith(("//", "/*", "#")):
        return "it has no comments; remove this one"
    if (before.endswith(",") and rest[:1] in {"}", "]"}) or "trailing comma" in error.msg:
        return "a comma before } or ] is one too many"
    if error.msg == "Extra data":
        return f"something follows its end; {_LIST_HINT}"
    return f"{one_line(error.msg).removesuffix(' at')} (column {error.colno})"


class MarkdownFile(NamedTuple):
    """Front matter, which is a mapping, the text below it, and the line on which that text starts."""

    front: Document
    body: str
    body_line: int


def has_front_matter(text: str) -> bool:
    """Return whether a text starts with the line that opens front matter."""
    return text.split("\n", 1)[0].rstrip() == FENCE


def parse_front_matter(text: str, source: str) -> MarkdownFile:
    """Return the parts of a Markdown file; raise InputError without valid front matter."""
    lines = text.split("\n")
    if not has_front_matter(text):
        message = "is missing; start the file with front matter: a line ---, fields such as name: Lantern, a line ---"
        raise InputError.at(source, message, 1, "name")
    end = next((number for number, line in enumerate(lines) if number and line.rstrip() == FENCE), None)
    if end is None:
        raise InputError.at(source, "front matter is not closed; put a line --- below its fields", 1)
    documents = parse_yaml("\n".join(["", *lines[1:end]]), source)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise InputError.at(source, "front matter must hold fields, such as name: Lantern", 1)
    body = "\n".join(lines[end + 1 :])
    return MarkdownFile(documents[0], body, end + 2 + len(body) - len(body.lstrip("\n")))


def parse_markdown(text: str, source: str) -> list[Document]:
    """Return the front matter of a tool file with the text below it as the description; raise InputError without one."""
    front, body, line = parse_front_matter(text, source)
    if not body.strip():
        return [front]
    if _BODY_FIELD in front.value:
        message = "is given twice: in the front matter and as the text below it"
        problem = DocumentProblem((_BODY_FIELD,), line, message)
        return [replace(front, problems=(*front.problems, problem))]
    positions = {**front.positions, (_BODY_FIELD,): Position(line)}
    return [replace(front, value={**front.value, _BODY_FIELD: body}, positions=positions)]
