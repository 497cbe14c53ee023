"""Rows of a label and a value, as plain text."""

from __future__ import annotations

import textwrap


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
