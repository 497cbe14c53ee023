"""From a path or standard input to text: bounded, UTF-8 only, one plain sentence for each way to fail."""

from __future__ import annotations

import errno
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from panel.core.text import one_line
from panel.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import BinaryIO

Source = Path | Literal["-"]

MAX_BYTES = 5_000_000
HOLDS_NUL = "holds a NUL character; remove it"

_TOO_LARGE = f"is larger than {MAX_BYTES // 1_000_000} MB, the limit; split it"
_REASONS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "its symbolic links form a loop",
    errno.ENAMETOOLONG: "the file name is too long",
}


def source_of(argument: str) -> Source:
    """Return what an argument names: a file, or standard input where it is a dash."""
    return "-" if argument == "-" else Path(argument)


def shown(source: Source) -> str:
    """Return the name of a source as messages print it."""
    return one_line(str(source))


def read_text(source: Source, endings: Collection[str], stdin: BinaryIO | None = None) -> str:
    """Return the text of a file or of standard input, its line ends as line feeds.

    Args:
        source: path, or `-` for standard input.
        endings: the endings that a file may have, in lower case and with their dots.
        stdin: what stands for standard input; by default that of the process.

    Raises:
        InputError: if there is no such file, or it has another ending, cannot be read, is too large, empty or
            not UTF-8 text.
    """
    with opened(source, endings, stdin) as file:
        return decoded(read_whole(file, shown(source)), shown(source))


@contextmanager
def opened(source: Source, endings: Collection[str], stdin: BinaryIO | None = None) -> Iterator[BinaryIO]:
    """Open a file for reading, or lend standard input, which stays open.

    Args:
        source: path, or `-` for standard input.
        endings: the endings that a file may have, in lower case and with their dots.
        stdin: what stands for standard input; by default that of the process.

    Raises:
        InputError: if there is no such file, or it has another ending or cannot be read.
    """
    if not isinstance(source, Path):
        try:
            yield stdin or sys.stdin.buffer
        except OSError as error:
            raise _refused(shown(source), reason_of(error)) from error
        return
    with _open(source, endings) as file:
        try:
            yield file
        except OSError as error:
            raise _refused(shown(source), reason_of(error)) from error


def _open(path: Path, endings: Collection[str]) -> BinaryIO:
    name = shown(path)
    try:
        _check_kind(path.stat().st_mode, name)
        if path.suffix.lower() not in endings:
            raise _refused(name, f"unknown kind of file; the endings known are {', '.join(endings)}")
        return path.open("rb")
    except OSError as error:
        raise _refused(name, reason_of(error)) from error
    except ValueError as error:  # a NUL or a lone surrogate in the path
        raise _refused(name, "no such file") from error


def read_whole(file: BinaryIO, name: str) -> bytes:
    """Return the bytes of a file, which may be as large as `MAX_BYTES`, and of which no more than that is read.

    Raises:
        InputError: if it is larger.
    """
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _refused(name, _TOO_LARGE)
    return data


def reason_of(error: OSError) -> str:
    """Return in plain words why a file could not be read."""
    return _REASONS.get(error.errno or 0) or f"cannot be read: {error.strerror or error}"


def _check_kind(mode: int, name: str) -> None:
    if stat.S_ISDIR(mode):
        raise _refused(name, "is a directory; name the files in it")
    if not stat.S_ISREG(mode):
        raise _refused(name, "is not a regular file; use - to read from standard input")


def decoded(data: bytes, name: str, line: int = 1) -> str:
    """Return bytes as text: UTF-8 without a byte order mark, not empty, its line ends as line feeds.

    Args:
        data: a whole file, or one line of it.
        name: what messages call the file.
        line: where the data starts in it, from 1.

    Raises:
        InputError: if it is blank, is not UTF-8 or holds a NUL.
    """
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        at = line + data.count(b"\n", 0, error.start)
        message = f"not UTF-8 text (byte 0x{data[error.start]:02X}); save it as UTF-8"
        raise _refused(name, message, at) from None
    if not text.strip():
        raise _refused(name, "is empty")
    if "\0" in text:
        raise _refused(name, HOLDS_NUL, line + text.count("\n", 0, text.index("\0")))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refused(name: str, message: str, line: int | None = None) -> InputError:
    return InputError([Problem(name, message, line)])
