"""Output: results to stdout, messages to stderr, without control codes from files or models."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from contextlib import suppress

from panel.cli.signals import ReaderLeft
from panel.errors import StorageError

NARROWEST, WIDEST = 60, 120

_CONTROL_CODES = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def forgiving_streams() -> None:
    """Replace closed standard streams, and characters that the terminal cannot show."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - open until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def result(text: str) -> None:
    """Print a result.

    Raises:
        ReaderLeft: the reader of the pipe has left.
        StorageError: stdout cannot be written, as on a full disk.
    """
    try:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderLeft from None
    except OSError as error:
        raise StorageError(f"standard output: {error.strerror}") from error


def plain_result(text: str) -> None:
    """Print a result that holds text from files, without control codes."""
    result(_CONTROL_CODES.sub("", text))


def result_json(value: object) -> None:
    """Print a JSON value as a result."""
    import json

    result(json.dumps(value, indent=2, ensure_ascii=False))


def tell(message: str) -> None:
    """Print a message; a stderr that cannot be written is ignored."""
    from panel.core.text import prose

    with suppress(OSError, ValueError):
        sys.stderr.write(f"{prose(message)}\n")
        sys.stderr.flush()


def complain(message: str) -> None:
    """Print an error line."""
    tell(f"panel: {message}")


def width() -> int:
    """Return the terminal width, within 60 to 120 columns."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))


def colorful(*, refused: bool) -> bool:
    """Whether to colour results: on a terminal, unless a flag or NO_COLOR forbids it."""
    return not refused and not os.environ.get("NO_COLOR") and sys.stdout.isatty()
