"""YAML 1.2 without aliases, merge keys, tags and repeated keys, with the line of every value.

Values are built from the parser's events, so nothing is constructed or expanded. Scalars without quotes follow the core
schema (YAML 1.2.2, chapter 10.3), except that `yes`, `no`, `on` and `off` are booleans too, as in YAML 1.1: a tool named
No must be quoted. Dates stay text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from ruamel.yaml.reader import ReaderError

from panel.core.text import well_formed
from panel.errors import InputError, Problem
from panel.tool_files.documents import (
    MAX_DEPTH,
    MAX_VALUES,
    TOO_DEEP,
    Document,
    DocumentProblem,
    Position,
    ValuePath,
    input_error,
    parse_number,
    shown_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ruamel.yaml.events import Event

_NULL = {"", "~", "null"}
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASED = re.compile(r"0o([0-7]+)|0x([0-9a-fA-F]+)")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

_OUT_OF_RANGE = re.compile(r"\\U(?!000|0010)[0-9a-fA-F]{8}|^%YAML", re.MULTILINE)

_OUT_OF_RANGE_MESSAGE = "not valid YAML: a character code (\\U) or a version (%YAML) is out of range"
_ALIAS = "aliases (*) are not supported; write the value out"
_MERGE = "merge keys (<<) are not supported; write the fields out"
_TAG = "tags (!) are not supported; write the value without one"
_KEY = "a key must be plain text, such as name"
_HINTS = {
    "mapping values are not allowed here": "put quotes around text that holds a colon and a space",
    "cannot start any token": "put quotes around text that starts with a special character; indent with spaces",
    "could not find expected ':'": "every field needs a colon and a space after its name",
    "found unexpected end of stream": "a quotation mark or bracket is not closed",
}


def parse_yaml(text: str, source: str) -> list[Document]:
    """Return the documents of a YAML file; empty ones are left out.

    Repeated keys and unsupported constructs are problems of a document.

    Raises:
        InputError: the text is not YAML, is nested too deeply or holds too many values.
    """
    documents: list[Document] = []
    try:
        events = _limited(YAML(typ="safe", pure=True).parse(text), source)
        starts = (event for event in events if isinstance(event, DocumentStartEvent))
        documents.extend(_Builder(events, source).build() for _ in starts)
    except (ReaderError, MarkedYAMLError) as error:
        earlier = [problem for document in documents for problem in document.problems_in(source)]
        raise InputError([*earlier, _syntax_problem(error, text, source)]) from None
    except (ArithmeticError, AssertionError, ValueError):  # the parser does not check these two ranges itself
        match = _OUT_OF_RANGE.search(text)
        line = text.count("\n", 0, match.start()) + 1 if match else None
        raise input_error(source, _OUT_OF_RANGE_MESSAGE, line) from None
    return [document for document in documents if document.value is not None or document.problems]


def _limited(events: Iterator[Event], source: str) -> Iterator[Event]:
    for count, event in enumerate(events):
        if count >= MAX_VALUES:
            raise input_error(source, f"holds more than {MAX_VALUES} values; split it")
        yield event


@dataclass(slots=True)
class _Builder:
    """Builds one document from the events between its start and its end."""

    events: Iterator[Event]
    source: str
    positions: dict[ValuePath, Position] = field(default_factory=dict)
    problems: list[DocumentProblem] = field(default_factory=list)
    # One report is enough: a file that uses an alias tends to use many, and a merge key is refused by itself.
    alias_reported: bool = False

    def build(self) -> Document:
        root = next(self.events)
        value = self._value(root, (), _line(root))
        return Document(value, self.positions, tuple(self.problems))

    def _value(self, event: Event, path: ValuePath, line: int) -> Any:  # noqa: ANN401 - any plain value
        if len(path) >= MAX_DEPTH:
            raise input_error(self.source, TOO_DEEP, _line(event))
        self.positions[path] = Position(line)
        if isinstance(event, AliasEvent):
            if not self.alias_reported:
                self._refuse(path, _line(event), _ALIAS)
            self.alias_reported = True
            return None
        tagged = self._refuse_tag(event, path)
        value = self._untagged(event, path, line)
        return None if tagged else value

    def _untagged(self, event: Event, path: ValuePath, line: int) -> Any:  # noqa: ANN401 - any plain value
        if isinstance(event, MappingStartEvent):
            return self._mapping(path)
        if not isinstance(event, ScalarEvent):
            return self._sequence(path)
        text = well_formed(str(event.value))
        value = text if event.style else _resolved(text)
        if not isinstance(value, str):
            self.positions[path] = Position(line, text)
        return value

    def _sequence(self, path: ValuePath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self._value(event, (*path, len(items)), _line(event)))
        return items

    def _mapping(self, path: ValuePath) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key, line = self._key(event, path), _line(event)
            if key is not None and key in lines:
                message = f"{shown_key(key)} is given twice, first on line {lines[key]}"
                self._refuse((*path, key), line, message)
                key = None
            if key is None:
                self._value(next(self.events), self.problems[-1].path, line)
            else:
                lines[key] = line
                fields[key] = self._value(next(self.events), (*path, key), line)
        return fields

    def _key(self, event: Event, path: ValuePath) -> str | None:
        """Return a key; None, and a problem, for one that is not supported."""
        if not isinstance(event, ScalarEvent):
            self._value(event, (*path, "?"), _line(event))
            self._refuse((*path, "?"), _line(event), _KEY)
            return None
        key = well_formed(str(event.value))
        if key == "<<" and event.style is None:
            self._refuse((*path, key), _line(event), _MERGE)
            self.alias_reported = True
            return None
        self._refuse_tag(event, (*path, key))
        return key

    def _refuse_tag(self, event: Event, path: ValuePath) -> bool:
        if getattr(event, "tag", None) is None:
            return False
        self._refuse(path, _line(event), _TAG)
        return True

    def _refuse(self, path: ValuePath, line: int, message: str) -> None:
        self.problems.append(DocumentProblem(path, line, message))


def _resolved(text: str) -> str | float | bool | None:
    if text.lower() in _NULL:
        return None
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if _DECIMAL.fullmatch(text):
        return parse_number(text)
    if based := _BASED.fullmatch(text):
        return int(text, 8 if based[1] else 16)
    if special := _SPECIAL.fullmatch(text):
        return float((special[1] or "") + (special[2] or special[3]))
    return text


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _syntax_problem(error: ReaderError | MarkedYAMLError, text: str, source: str) -> Problem:
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        code = f"U+{ord(text[error.position]):04X}"
        return Problem(source, f"not valid YAML: control character {code}; remove it", line)
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context)
    hint = next((f"; {hint}" for part, hint in _HINTS.items() if part in problem), "")
    return Problem(source, f"not valid YAML: {problem}{hint}", mark.line + 1 if mark else None)
