"""Results go to stdout, messages to stderr; nothing that a file or a model says reaches the terminal as a control code."""

from __future__ import annotations

import io
import os
import shutil
import sys

from panel.cli.exits import ReaderLeft

NARROWEST, WIDEST = 60, 120


def forgiving_streams() -> None:
    """Let output survive a terminal that cannot show every character."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def result(text: str) -> None:
    """Print a result.

    Raises:
        ReaderLeft: nobody reads it any more.
    """
    try:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderLeft from None


def result_json(value: object) -> None:
    """Print a JSON value as a result."""
    import json

    result(json.dumps(value, indent=2, ensure_ascii=False))


def tell(message: str) -> None:
    """Print a message about what is going on."""
    from panel.domain.text import prose

    sys.stderr.write(f"{prose(message)}\n")
    sys.stderr.flush()


def complain(message: str) -> None:
    """Print why a command could not do what it was asked."""
    tell(f"panel: {message}")


def width() -> int:
    """Return the columns to lay results out for."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))


def colorful(*, refused: bool) -> bool:
    """Whether results may be coloured: on a terminal, unless a flag or NO_COLOR refuses."""
    return not refused and not os.environ.get("NO_COLOR") and sys.stdout.isatty()
