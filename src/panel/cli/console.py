"""Output: results to stdout, messages to stderr, without control codes from files or models; rows and tables of text."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import textwrap
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING

from panel.cli.signals import ReaderLeft
from panel.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

NARROWEST, WIDEST = 60, 120
GAP = "  "

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


def animated() -> bool:
    """Whether stderr can show an animation."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


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
