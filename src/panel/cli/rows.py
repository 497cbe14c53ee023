"""Plain-text rows and tables for a terminal."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

GAP = "  "


def labelled(label: str, value: str, room: int, width: int) -> list[str]:
    """Return a label and its value as wrapped lines; `room` columns for the label, `width` in all."""
    return textwrap.wrap(
        value,
        width,
        initial_indent=f"{label:<{room}}",
        subsequent_indent=" " * room,
        break_long_words=False,
        break_on_hyphens=False,
    )


def columns(text: str) -> int:
    """Return the terminal columns of a line: two for a wide character, none for a combining mark."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in {"W", "F"})
        for char in text
    )


def shortened(text: str, most: int) -> str:
    """Return a line cut to `most` columns, with an ellipsis."""
    if columns(text) <= most:
        return text
    while columns(text) > most - 1:
        text = text[:-1]
    return f"{text}…"


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], numbers: Collection[str]) -> list[str]:
    """Return a table as lines; the columns named in `numbers` are right-aligned."""
    aligned = []
    for head, *cells in zip(heads, *rows, strict=True):
        width = max(map(columns, (head, *cells)))
        blanks = [(cell, " " * (width - columns(cell))) for cell in (head, *cells)]
        aligned.append([f"{blank}{cell}" if head in numbers else f"{cell}{blank}" for cell, blank in blanks])
    return [GAP.join(row).rstrip() for row in zip(*aligned, strict=True)]
