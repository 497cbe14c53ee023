"""Results go to stdout, messages to stderr; nothing that a file or a model says reaches the terminal as a control code."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from contextlib import suppress

from panel.cli.exits import ReaderLeft
from panel.errors import StorageError

NARROWEST, WIDEST = 60, 120

_CONTROL_CODES = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def forgiving_streams() -> None:
    """Let the program run where a stream is closed, and let output survive a terminal that cannot show all characters."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - open until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def result(text: str) -> None:
    """Print a result.

    Raises:
        ReaderLeft: nobody reads it any more.
        StorageError: it cannot be written where stdout leads.
    """
    try:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderLeft from None
    except OSError as error:
        raise StorageError(f"standard output: {error.strerror}") from error


def plain_result(text: str) -> None:
    """Print a result that holds words from files, without the control codes that could stand in them."""
    result(_CONTROL_CODES.sub("", text))


def result_json(value: object) -> None:
    """Print a JSON value as a result."""
    import json

    result(json.dumps(value, indent=2, ensure_ascii=False))


def tell(message: str) -> None:
    """Print a message about what is going on; where it cannot be shown, the work goes on without it."""
    from panel.core.text import prose

    with suppress(OSError, ValueError):
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
