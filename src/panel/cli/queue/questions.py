"""Questions on a terminal; the answers may also come from a pipe."""

from __future__ import annotations

import sys

from panel.cli.console import tell


def ask_line(question: str) -> str | None:
    """Return the line that is typed; None at the end of the input."""
    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    line = sys.stdin.buffer.readline()
    if not line or not sys.stdin.isatty():
        tell("")
    return line.decode("utf-8", "replace").strip() if line else None


def ask_choice(question: str, *choices: str) -> str | None:
    """Return the choice that is typed, by its word or its first letter; None at the end of the input."""
    while (word := ask_line(question)) is not None:
        chosen = next((choice for choice in choices if word.lower() in {choice, choice[0]}), None)
        if chosen is not None:
            return chosen
    return None
