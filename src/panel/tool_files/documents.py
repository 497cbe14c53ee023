"""What YAML, JSON and front matter have in common: plain values, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from panel.core.text import one_line
from panel.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

Path = tuple[str | int, ...]

MAX_DEPTH = 20
MAX_VALUES = 200_000
SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Position:
    """Where a value stands: its line from 1, and how it is spelled if it is not text."""

    line: int
    spelling: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that the format allows, or that parsers read in two ways, and that is refused here."""

    path: Path
    line: int
    message: str


@dataclass(frozen=True)
class Document:
    """A value of None, bool, int, float, str, list and dict with text keys, and where its parts stand.

    Attributes:
        value: the value; a part with a fault is None.
        marks: by path from the root, such as `("tools", 0, "name")`; a field stands on the line of its key.
        faults: what is wrong with its form.
    """

    value: Any
    marks: dict[Path, Position] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    def line_of(self, path: Path) -> int | None:
        """Return the line of a value, or of the nearest one around it."""
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks[path].line if path in self.marks else None

    def spelling_of(self, path: Path) -> str | None:
        """Return how a boolean, a number or null is written."""
        return self.marks[path].spelling if path in self.marks else None

    def is_faulty(self, path: Path) -> bool:
        """Whether a value, or one around it, has a fault already."""
        return any(path[:length] in self._fault_paths for length in range(len(path) + 1))

    @cached_property
    def _fault_paths(self) -> frozenset[Path]:
        return frozenset(fault.path for fault in self.faults)


def dotted(path: Iterable[str | int]) -> str | None:
    """Return a path in a message's form, counted from 1 (`facts.2.source`); None for the whole."""
    return ".".join(str(key + 1) if isinstance(key, int) else shown_key(key) for key in path) or None


def shown_key(key: str) -> str:
    """Return a key as messages print it."""
    text = one_line(key)
    return f"{text[:SHOWN_CHARS]}…" if len(text) > SHOWN_CHARS else text or "(blank)"


def number(text: str) -> int | float:
    """Return the value of a decimal number; a whole one too long for its digits to matter is infinite."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def malformed(source: str, line: int | None, message: str) -> InputError:
    """Return the error of a text that cannot be read at all."""
    return InputError([Problem(source, message, line)])
