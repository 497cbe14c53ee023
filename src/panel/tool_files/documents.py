"""Parsed YAML, JSON and front matter: plain values, and the line of each value."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from panel.core.text import one_line
from panel.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

ValuePath = tuple[str | int, ...]
"""Keys and indexes from the root of a document to a value, such as `("tools", 0, "name")`."""

MAX_DEPTH = 20
MAX_VALUES = 200_000
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep; a tool needs three"
TOO_MANY = f"holds more than {MAX_VALUES} values; split it"
SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Position:
    """Line of a value, from 1, and its spelling in the file unless it is text."""

    line: int
    spelling: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentProblem:
    """A construct that is refused although the format allows it, such as a repeated key or a YAML alias."""

    path: ValuePath
    line: int
    message: str


@dataclass(frozen=True)
class Document:
    """A parsed document: None, bool, int, float, str, list, or dict with text keys.

    Attributes:
        value: the value; a part with a problem is None.
        positions: by path; the position of a field is that of its key.
        problems: refused constructs, in the order of the file.
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


def parse_number(text: str) -> int | float:
    """Return the value of a decimal number; an integer beyond Python's limit on digits becomes a float."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def input_error(source: str, message: str, line: int | None = None) -> InputError:
    """Return the error of a file with a single problem."""
    return InputError([Problem(source, message, line)])
