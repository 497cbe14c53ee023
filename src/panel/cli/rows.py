"""Rows of a label and a value, as plain text."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

GAP = "  "


def labelled(label: str, value: str, room: int, width: int) -> list[str]:
    """Return a value beside its label, in lines no longer than the width where words allow it.

    Args:
        label: what it is; blank for a row that goes on with the one above.
        value: what is said.
        room: columns for the label.
        width: columns in all.
    """
    return textwrap.wrap(
        value,
        width,
        initial_indent=f"{label:<{room}}",
        subsequent_indent=" " * room,
        break_long_words=False,
        break_on_hyphens=False,
    )


def columns(text: str) -> int:
    """Return how many columns of a terminal a line takes: two for each wide character, none for a mark on the one before."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in {"W", "F"})
        for char in text
    )


def shortened(text: str, most: int) -> str:
    """Return a line cut to so many columns."""
    if columns(text) <= most:
        return text
    while columns(text) > most - 1:
        text = text[:-1]
    return f"{text}…"


def table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], numbers: Collection[str]) -> list[str]:
    """Return rows under their heads, in columns as wide as their widest cell; those of `numbers` are set to the right."""
    widths = [max(map(columns, column)) for column in zip(heads, *rows, strict=True)]
    return [_aligned(row, heads, widths, numbers) for row in (heads, *rows)]


def _aligned(
    row: tuple[str, ...], heads: tuple[str, ...], widths: list[int], numbers: Collection[str]
) -> str:
    cells = []
    for head, cell, width in zip(heads, row, widths, strict=True):
        blank = " " * (width - columns(cell))
        cells.append(f"{blank}{cell}" if head in numbers else f"{cell}{blank}")
    return GAP.join(cells).rstrip()
