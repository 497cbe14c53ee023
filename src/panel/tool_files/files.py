"""Files, folders, patterns and standard input: from their names to bytes, text and lines of bounded size."""

from __future__ import annotations

import errno
import glob
import io
import os
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from panel.core.text import one_line
from panel.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import BinaryIO


Source = Path | Literal["-"]
"""A file, or `-` for standard input."""

MAX_BYTES = 5_000_000
MAX_RECORD_BYTES = 1_000_000
"""About twice the largest possible tool, with every character a JSON escape and all its facts (540 kB)."""

BOM = b"\xef\xbb\xbf"
HOLDS_NUL = "holds a NUL character; remove it"
TOO_LONG = f"is longer than {MAX_RECORD_BYTES // 1_000_000} MB, the limit for one tool; shorten it"

_REASONS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "its symbolic links form a loop",
    errno.ENAMETOOLONG: "the file name is too long",
}


def source_of(argument: str) -> Source:
    """Return the source that a command-line argument names."""
    return "-" if argument == "-" else Path(argument)


def source_name(source: Source) -> str:
    """Return the name of a source as messages print it."""
    return one_line(str(source))


def expand(arguments: Iterable[str], endings: Collection[str]) -> Iterator[Source | Problem]:
    """Yield the sources that arguments name, sorted within a folder or pattern; a problem for each that names none.

    A folder stands for its visible files with a known ending, without those of its subfolders; `folder/**` includes
    them. A pattern with a more specific last part stands for all files that match. Endings are in lower case, with
    their dots.
    """
    for argument in arguments:
        # Unlike the methods of Path, these two take every text for a path.
        is_folder = argument != "-" and os.path.isdir(argument)  # noqa: PTH112
        if not is_folder and (os.path.exists(argument) or not glob.has_magic(argument)):  # noqa: PTH110
            yield source_of(argument)
            continue
        pattern = f"{glob.escape(argument)}/*" if is_folder else argument
        names = glob.iglob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern, and hidden files
        files = [path for path in sorted(map(Path, names)) if path.is_file()]
        if Path(pattern).name in {"*", "**"}:
            files = [path for path in files if path.suffix.lower() in endings]
        if not files:
            message = f"holds no tool file; the known endings are {', '.join(endings)}"
            yield Problem(one_line(argument), message)
        yield from files


def read_text(source: Source, endings: Collection[str]) -> str:
    """Return the text of a file or of standard input; raise InputError as `open_source`, `read_whole` and `decode` do."""
    name = source_name(source)
    with open_source(source, endings) as file:
        return decode(read_whole(file, name), name)


@contextmanager
def open_source(
    source: Source, endings: Collection[str], stdin: BinaryIO | None = None
) -> Iterator[BinaryIO]:
    """Open a file for reading, or lend standard input, which stays open; raise InputError if it cannot be read."""
    name = source_name(source)
    try:
        if not isinstance(source, Path):
            yield stdin or sys.stdin.buffer
            return
        try:
            mode = source.stat().st_mode
        except ValueError as error:  # a NUL or a lone surrogate in the path
            raise FileNotFoundError(errno.ENOENT, name) from error
        if stat.S_ISDIR(mode):
            raise InputError.at(name, "is a directory; name the files in it")
        if not stat.S_ISREG(mode):
            raise InputError.at(name, "is not a regular file; use - to read from standard input")
        if source.suffix.lower() not in endings:
            message = f"unknown kind of file; the known endings are {', '.join(endings)}"
            raise InputError.at(name, message)
        with source.open("rb") as file:
            yield file
    except OSError as error:
        raise InputError.at(name, reason_of(error)) from error


def read_whole(file: BinaryIO, name: str) -> bytes:
    """Return the bytes of a file, without reading past `MAX_BYTES`; raise InputError if it is larger."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InputError.at(name, f"is larger than {MAX_BYTES // 1_000_000} MB, the limit; split it")
    return data


def reason_of(error: OSError) -> str:
    """Return why a file could not be read, in plain words."""
    return _REASONS.get(error.errno or 0) or f"cannot be read: {error.strerror or error}"


def decode(data: bytes, name: str, first_line: int = 1) -> str:
    """Return UTF-8 bytes as text, without a byte order mark and with line feeds as line ends.

    Text that is blank, is not UTF-8 or holds a NUL is an InputError.
    """
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise InputError.at(name, not_utf8(data, error), line) from None
    if not text.strip():
        raise InputError.at(name, "is empty")
    if "\0" in text:
        raise InputError.at(name, HOLDS_NUL, first_line + text.count("\n", 0, text.index("\0")))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def not_utf8(data: bytes, error: UnicodeDecodeError) -> str:
    """Return the message about the first byte that is not UTF-8."""
    return f"not UTF-8 text (byte 0x{data[error.start]:02X}); save it as UTF-8"


class Line(NamedTuple):
    """A line of a file, from 1; its bytes with the line feed, or None if it exceeds `MAX_RECORD_BYTES`."""

    number: int
    data: bytes | None


def read_lines(file: BinaryIO, head: bytes = b"") -> Iterator[Line]:
    """Yield the lines of a file, of which the head was read already, one by one, so that memory does not grow with it."""
    start = io.BytesIO(head)

    def readline(limit: int) -> bytes:
        line = start.readline(limit)
        return line if line.endswith(b"\n") else line + file.readline(limit - len(line))

    number = 0
    while data := readline(MAX_RECORD_BYTES + 1):
        number += 1
        if number == 1:
            data = data.removeprefix(BOM)
        too_long = len(data) > MAX_RECORD_BYTES
        yield Line(number, None if too_long else data)
        while too_long and data and not data.endswith(b"\n"):
            data = readline(MAX_RECORD_BYTES)
