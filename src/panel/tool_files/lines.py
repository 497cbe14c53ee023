"""Bytes as lines, however large the file: one line is held at a time, and none longer than a record may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class _Readable(Protocol):
        def readline(self, limit: int, /) -> bytes: ...


MAX_RECORD_BYTES = 1_000_000
"""About twice what a tool can take with every character an escape of JSON and all facts there (540 kB)."""

TOO_LONG = f"is longer than {MAX_RECORD_BYTES // 1_000_000} MB, the limit for one tool; shorten it"

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file.

    Attributes:
        number: from 1.
        data: its bytes with the line feed, without a byte order mark; nothing if it is too long.
        too_long: whether it is longer than a record may be.
    """

    number: int
    data: bytes
    too_long: bool = False


def read_lines(file: _Readable) -> Iterator[Line]:
    """Yield the lines of a file from where it stands; of one that is too long, only that it is."""
    number = 0
    while data := file.readline(MAX_RECORD_BYTES + 1):
        number += 1
        if number == 1:
            data = data.removeprefix(BOM)
        too_long = len(data) > MAX_RECORD_BYTES
        if too_long:
            _skip_rest(file, data)
        yield Line(number, b"" if too_long else data, too_long)


def _skip_rest(file: _Readable, data: bytes) -> None:
    while data and not data.endswith(b"\n"):
        data = file.readline(MAX_RECORD_BYTES)
