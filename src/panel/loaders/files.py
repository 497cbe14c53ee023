"""From a path or standard input to text: bounded, UTF-8 only, one plain sentence for each way to fail."""

from __future__ import annotations

import errno
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from panel.domain.text import one_line
from panel.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import BinaryIO

Source = Path | Literal["-"]

MAX_BYTES = 5_000_000

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
    name = shown(source)
    if isinstance(source, Path):
        data = _read_file(source, endings, name)
    else:
        data = (stdin or sys.stdin.buffer).read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _refused(name, _TOO_LARGE)
    return _decoded(data, name)


def _read_file(path: Path, endings: Collection[str], name: str) -> bytes:
    try:
        status = path.stat()
        _check_kind(status.st_mode, name)
        if path.suffix.lower() not in endings:
            raise _refused(name, f"unknown kind of file; the endings known are {', '.join(endings)}")
        if status.st_size > MAX_BYTES:
            raise _refused(name, _TOO_LARGE)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _refused(name, reason_of(error)) from error
    except ValueError as error:  # a NUL or a lone surrogate in the path
        raise _refused(name, "no such file") from error


def reason_of(error: OSError) -> str:
    """Return in plain words why a file could not be read."""
    return _REASONS.get(error.errno or 0) or f"cannot be read: {error.strerror or error}"


def _check_kind(mode: int, name: str) -> None:
    if stat.S_ISDIR(mode):
        raise _refused(name, "is a directory; name the files in it")
    if not stat.S_ISREG(mode):
        raise _refused(name, "is not a regular file; use - to read from standard input")


def _decoded(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8 text (byte 0x{data[error.start]:02X}); save it as UTF-8"
        raise _refused(name, message, line) from None
    if not text.strip():
        raise _refused(name, "is empty")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _refused(name, "holds a NUL character; remove it", line)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _refused(name: str, message: str, line: int | None = None) -> InputError:
    return InputError([Problem(name, message, line)])
