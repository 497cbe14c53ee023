"""Questions on a terminal, or to whatever standard input leads to."""

from __future__ import annotations

import sys

from panel.cli.console import tell


def typed(question: str) -> str | None:
    """Ask, and return the line that is typed; None where the input ends."""
    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    line = sys.stdin.buffer.readline()
    if not line or not sys.stdin.isatty():
        tell("")
    return line.decode("utf-8", "replace").strip() if line else None


def asked(question: str, *answers: str) -> str | None:
    """Return the answer that is typed, by its word or its first letter; None where the input ends."""
    while (word := typed(question)) is not None:
        found = next((answer for answer in answers if word.lower() in {answer, answer[0]}), None)
        if found is not None:
            return found
    return None
