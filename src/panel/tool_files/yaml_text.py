"""YAML 1.2 without its traps: no aliases, merge keys, tags or repeated keys, and the line of every value.

Values are made from the parser's events, so that nothing is ever constructed or expanded. A scalar without
quotes follows the core schema (YAML 1.2.2, chapter 10.3), and `yes`, `no`, `on` and `off` are booleans as well,
because parsers of YAML 1.1 take them for that. Dates stay text.
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
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from ruamel.yaml.reader import ReaderError

from panel.core.text import well_formed
from panel.errors import InputError, Problem
from panel.tool_files.documents import (
    MAX_DEPTH,
    MAX_VALUES,
    Document,
    Fault,
    Path,
    Position,
    dotted,
    malformed,
    number,
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

_ALIAS = "aliases (*) are not supported; write the value out"
_MERGE = "merge keys (<<) are not supported; write the fields out"
_TAG = "tags (!) are not supported; write the value without one"
_KEY = "a key must be plain text"
_HINTS = {
    "mapping values are not allowed here": "put quotes around text that holds a colon and a space",
    "cannot start any token": "put quotes around text that starts with a special character; indent with spaces",
    "could not find expected ':'": "every field needs a colon and a space after its name",
    "found unexpected end of stream": "a quotation mark or bracket is not closed",
}


def parse_yaml(text: str, source: str) -> list[Document]:
    """Return the documents of a YAML text; those that hold nothing are left out.

    Args:
        text: the text of a whole file.
        source: what messages call it.

    Raises:
        InputError: if it is not YAML, is nested too deeply or holds too many values. Repeated keys and what
            is not supported are faults of a document.
    """
    documents: list[Document] = []
    try:
        events = _Counted(YAML(typ="safe", pure=True).parse(text), source)
        starts = (event for event in events if isinstance(event, DocumentStartEvent))
        documents.extend(_Builder(events, source).document() for _ in starts)
    except (ReaderError, MarkedYAMLError) as error:
        raise InputError([*_faults(documents, source), _syntax_problem(error, text, source)]) from None
    except (ArithmeticError, AssertionError, ValueError):  # the parser does not check these two ranges itself
        message = "not valid YAML: a character code (\\U) or a version (%YAML) is out of range"
        raise malformed(source, _line_at(text, _OUT_OF_RANGE.search(text)), message) from None
    return [document for document in documents if document.value is not None or document.faults]


class _Counted:
    """Events, up to the limit on values."""

    def __init__(self, events: Iterator[Event], source: str) -> None:
        self._events = events
        self._source = source
        self._left = MAX_VALUES

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        self._left -= 1
        if self._left < 0:
            raise malformed(self._source, None, f"holds more than {MAX_VALUES} values; split it")
        return next(self._events)


@dataclass(slots=True)
class _Builder:
    """Makes one document of the events between its start and its end; `reported` once an alias was refused."""

    events: _Counted
    source: str
    marks: dict[Path, Position] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    reported: bool = False

    def document(self) -> Document:
        """Read the events of one document."""
        root = next(self.events)
        value = self._value(root, (), _line(root))
        return Document(value, self.marks, tuple(self.faults))

    def _value(self, event: Event, path: Path, line: int) -> Any:  # noqa: ANN401 - any plain value
        if len(path) >= MAX_DEPTH:
            raise malformed(self.source, _line(event), f"nested more than {MAX_DEPTH} levels deep")
        self.marks[path] = Position(line)
        if isinstance(event, AliasEvent):
            return self._alias(path, event)
        faulty = isinstance(event, NodeEvent) and self._has_tag(event, path)
        value = self._node(event, path, line)
        return None if faulty else value

    def _node(self, event: Event, path: Path, line: int) -> Any:  # noqa: ANN401 - any plain value
        if isinstance(event, ScalarEvent):
            return self._scalar(event, path, line)
        return self._mapping(path) if isinstance(event, MappingStartEvent) else self._sequence(path)

    def _scalar(self, event: ScalarEvent, path: Path, line: int) -> str | float | bool | None:
        text = well_formed(str(event.value))
        value = text if event.style else _resolved(text)
        if not isinstance(value, str):
            self.marks[path] = Position(line, text)
        return value

    def _sequence(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self._value(event, (*path, len(items)), _line(event)))
        return items

    def _mapping(self, path: Path) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key, line = self._key(event, path), _line(event)
            if key is not None and key in lines:
                self._fault(
                    (*path, key), line, f"{shown_key(key)} is given twice, first on line {lines[key]}"
                )
                key = None
            if key is None:
                self._value(next(self.events), self.faults[-1].path, line)
            else:
                lines[key] = line
                fields[key] = self._value(next(self.events), (*path, key), line)
        return fields

    def _key(self, event: Event, path: Path) -> str | None:
        """Return a key, or None after noting the fault of one that cannot be used."""
        if not isinstance(event, ScalarEvent):
            self._value(event, (*path, "?"), _line(event))
            self._fault((*path, "?"), _line(event), _KEY)
            return None
        key = well_formed(str(event.value))
        if key == "<<" and event.style is None:
            self._fault((*path, key), _line(event), _MERGE)
            self.reported = True
            return None
        self._has_tag(event, (*path, key))
        return key

    def _alias(self, path: Path, event: Event) -> None:
        # One is enough: a file that uses an alias tends to use many, and a merge key is refused by itself.
        if not self.reported:
            self._fault(path, _line(event), _ALIAS)
        self.reported = True

    def _has_tag(self, event: NodeEvent, path: Path) -> bool:
        if getattr(event, "tag", None) is None:
            return False
        self._fault(path, _line(event), _TAG)
        return True

    def _fault(self, path: Path, line: int, message: str) -> None:
        self.faults.append(Fault(path, line, message))


def _resolved(text: str) -> str | float | bool | None:
    if text.lower() in _NULL:
        return None
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if _DECIMAL.fullmatch(text):
        return number(text)
    if based := _BASED.fullmatch(text):
        return int(text, 8 if based[1] else 16)
    if special := _SPECIAL.fullmatch(text):
        return float((special[1] or "") + (special[2] or special[3]))
    return text


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _faults(documents: list[Document], source: str) -> list[Problem]:
    return [
        Problem(source, fault.message, fault.line, dotted(fault.path))
        for document in documents
        for fault in document.faults
    ]


def _syntax_problem(error: ReaderError | MarkedYAMLError, text: str, source: str) -> Problem:
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        code = f"U+{ord(text[error.position]):04X}"
        return Problem(source, f"not valid YAML: control character {code}; remove it", line)
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context)
    hint = next((f"; {hint}" for part, hint in _HINTS.items() if part in problem), "")
    return Problem(source, f"not valid YAML: {problem}{hint}", mark.line + 1 if mark else None)


def _line_at(text: str, match: re.Match[str] | None) -> int | None:
    return text.count("\n", 0, match.start()) + 1 if match else None
