"""Numbers that addresses and forms hold."""

from __future__ import annotations

MOST_DIGITS = 18
"""What a database takes for a number of a row, and a program for a number at all."""


def number(text: str) -> int | None:
    """Return the whole number that a text is, or None."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None
