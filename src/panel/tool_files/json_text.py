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
    TOO_DEEP,
    TOO_MANY,
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

# An unclosed string runs to the end of the text, so that no part of the text is scanned twice.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_TOKENS_PER_VALUE = 4
# An escaped backslash or a whole surrogate pair, both kept, or half a pair.
_ESCAPE = re.compile(r"(\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..")
_CONSTANT = re.compile(r"-?(NaN|Infinity)")
_LIST_HINT = "to give several tools, put them in a list [ ], or each on a line of its own in a .jsonl file"


def parse_json(text: str, source: str, first_line: int = 1) -> Document:
    """Return the value of a JSON text; a repeated key is a problem of the document.

    Raises:
        InputError: the text is not strict JSON, is nested too deeply or holds too many values.
    """
    if next(islice(_TOKEN.finditer(text), MAX_VALUES * _TOKENS_PER_VALUE, None), None):
        raise input_error(source, TOO_MANY)
    text = _ESCAPE.sub(lambda match: match[1] or r"\ufffd", text)
    try:
        value = json.loads(text, parse_int=parse_number, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        line = first_line + error.lineno - 1
        raise input_error(source, f"not valid JSON: {_reason(text, error)}", line) from None
    except _ConstantError as error:
        tokens = _tokens(text, first_line)
        at = next((line for token, line in tokens if _CONSTANT.fullmatch(token)), None)
        raise input_error(source, f"not valid JSON: {error} is no number", at) from None
    except RecursionError:
        raise input_error(source, TOO_DEEP) from None
    locator = _Locator()
    locator.read(text, first_line)
    return Document(value, locator.positions, tuple(locator.problems))


class _ConstantError(Exception):
    """NaN or an infinity in place of a number."""


def _refuse_constant(name: str) -> NoReturn:
    raise _ConstantError(name)


def _reason(text: str, error: json.JSONDecodeError) -> str:
    rest, before = text[error.pos :], text[: error.pos].rstrip()
    if rest.startswith(("//", "/*", "#")):
        return "it has no comments; remove this one"
    if (before.endswith(",") and rest[:1] in {"}", "]"}) or "trailing comma" in error.msg:
        return "a comma before } or ] is one too many"
    if error.msg == "Extra data":
        return f"something follows its end; {_LIST_HINT}"
    return f"{one_line(error.msg).removesuffix(' at')} (column {error.colno})"


def _tokens(text: str, first_line: int) -> Iterator[tuple[str, int]]:
    line, done = first_line, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", done, match.start())
        done = match.start()
        yield match[0], line


@dataclass(slots=True)
class _Container:
    """An object or a list that is being read, and the key or index of its next value; None before a key."""

    path: ValuePath
    key: str | int | None
    key_lines: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Locator:
    """Positions of the values of a valid JSON text, found without recursion; `json` does not report them."""

    positions: dict[ValuePath, Position] = field(default_factory=dict)
    problems: list[DocumentProblem] = field(default_factory=list)
    open: list[_Container] = field(default_factory=list)

    def read(self, text: str, first_line: int) -> None:
        for word, line in _tokens(text, first_line):
            container = self.open[-1] if self.open else None
            if word in {"}", "]"}:
                self.open.pop()
            elif word == "," and container:
                container.key = container.key + 1 if isinstance(container.key, int) else None
            elif container and container.key is None:
                self._read_key(container, word, line)
            elif word != ":":
                self._read_value(container, word, line)

    def _read_key(self, container: _Container, word: str, line: int) -> None:
        container.key = key = str(json.loads(word))
        path = (*container.path, key)[:MAX_DEPTH]
        if first := container.key_lines.get(key):
            message = f"{shown_key(key)} is given twice, first on line {first}"
            self.problems.append(DocumentProblem(path, line, message))
        else:
            container.key_lines[key] = line
            self._note(path, Position(line))

    def _read_value(self, container: _Container | None, word: str, line: int) -> None:
        path: ValuePath = ()
        if container and container.key is not None:
            path = (*container.path, container.key)[:MAX_DEPTH]
        of_key = self.positions.get(path)
        self._note(path, Position(of_key.line if of_key else line, None if word[0] in '"{[' else word))
        if word in {"{", "["}:
            self.open.append(_Container(path, None if word == "{" else 0))

    def _note(self, path: ValuePath, position: Position) -> None:
        if len(path) < MAX_DEPTH:
            self.positions[path] = position
