"""Strict JSON (RFC 8259) with the line of every value."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

from panel.core.text import one_line
from panel.tool_files.documents import (
    MAX_DEPTH,
    MAX_VALUES,
    Document,
    Fault,
    Path,
    Position,
    malformed,
    number,
    shown_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# An unclosed string runs to the end of the text, so that a token is never looked for twice.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_TOKENS_PER_VALUE = 4
# A backslash or a surrogate pair, which stay as they are, or half a pair.
_ESCAPE = re.compile(r"(\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..")
_OR_LINES = ", or each on a line of its own in a .jsonl file"
_CONSTANT = re.compile(r"-?(NaN|Infinity)")


def parse_json(text: str, source: str, first_line: int = 1) -> Document:
    """Return the value of a JSON text.

    Args:
        text: the text of a whole file, or of a part of one.
        source: what messages call it.
        first_line: where the text starts in the file, from 1.

    Raises:
        InputError: if it is not strict JSON, is nested too deeply or holds too many values. A key given twice is
            a fault of the document.
    """
    limit = MAX_VALUES * _TOKENS_PER_VALUE
    if next(islice(_TOKEN.finditer(text), limit, None), None):
        raise malformed(source, None, f"holds more than {MAX_VALUES} values; split it")
    text = _ESCAPE.sub(lambda match: match[1] or r"\ufffd", text)
    try:
        value = json.loads(text, parse_int=number, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise malformed(
            source, first_line + error.lineno - 1, f"not valid JSON: {_reason(text, error)}"
        ) from None
    except _ConstantError as error:
        line = _line_of_constant(text, first_line)
        raise malformed(source, line, f"not valid JSON: {error} is no number") from None
    except RecursionError:
        raise malformed(source, None, f"nested more than {MAX_DEPTH} levels deep") from None
    marker = _Marker()
    marker.read(text, first_line)
    return Document(value, marker.marks, tuple(marker.faults))


class _ConstantError(Exception):
    """NaN or an infinity where a number should be."""


def _refuse_constant(name: str) -> NoReturn:
    raise _ConstantError(name)


def _line_of_constant(text: str, first_line: int) -> int | None:
    return next((line for token, line in _tokens(text, first_line) if _CONSTANT.fullmatch(token)), None)


def _reason(text: str, error: json.JSONDecodeError) -> str:
    rest, before = text[error.pos :], text[: error.pos].rstrip()
    if rest.startswith(("//", "/*", "#")):
        return "it has no comments; remove this one"
    if (before.endswith(",") and rest[:1] in {"}", "]"}) or "trailing comma" in error.msg:
        return "a comma before } or ] is one too many"
    if error.msg == "Extra data":
        return f"something follows its end; to give several tools, put them in a list [ ]{_OR_LINES}"
    return f"{one_line(error.msg).removesuffix(' at')} (column {error.colno})"


def _tokens(text: str, first_line: int) -> Iterator[tuple[str, int]]:
    line, done = first_line, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", done, match.start())
        done = match.start()
        yield match[0], line


@dataclass(slots=True)
class _Frame:
    """An object or a list that is being read, and the key or index of its value; None before a key."""

    path: Path
    key: str | int | None
    seen: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Marker:
    """Notes where the values of a valid JSON text stand."""

    marks: dict[Path, Position] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)

    def read(self, text: str, first_line: int) -> None:
        """Read the text from its first token to its last, without recursion."""
        for word, line in _tokens(text, first_line):
            frame = self.frames[-1] if self.frames else None
            if word in {"}", "]"}:
                self.frames.pop()
            elif word == "," and frame:
                frame.key = frame.key + 1 if isinstance(frame.key, int) else None
            elif frame and frame.key is None:
                self._read_key(frame, word, line)
            elif word != ":":
                self._read_value(word, line)

    def _read_key(self, frame: _Frame, word: str, line: int) -> None:
        frame.key = key = str(json.loads(word))
        path = (*frame.path, key)[:MAX_DEPTH]
        if key in frame.seen:
            first = frame.seen[key]
            self.faults.append(Fault(path, line, f"{shown_key(key)} is given twice, first on line {first}"))
        else:
            frame.seen[key] = line
            self._mark(path, Position(line))

    def _read_value(self, word: str, line: int) -> None:
        path = self._path()
        known = self.marks.get(path)
        spelling = None if word[0] in '"{[' else word
        self._mark(path, Position(known.line if known else line, spelling))
        if word in {"{", "["}:
            self.frames.append(_Frame(path, None if word == "{" else 0))

    def _path(self) -> Path:
        if not self.frames:
            return ()
        frame = self.frames[-1]
        return frame.path if frame.key is None else (*frame.path, frame.key)[:MAX_DEPTH]

    def _mark(self, path: Path, mark: Position) -> None:
        if len(path) < MAX_DEPTH:
            self.marks[path] = mark
