"""Tables (RFC 4180): one tool a row below a header row, read row by row.

The delimiter is the comma, semicolon or tab that makes the most of the header row. A row that cannot be read
spoils no other, unless it spans lines: then where the next one starts is anybody's guess, and reading ends.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from panel.errors import Problem
from panel.tool_files.columns import REQUIRED, clean_header
from panel.tool_files.documents import Document, Position
from panel.tool_files.files import HOLDS_NUL
from panel.tool_files.lines import MAX_RECORD_BYTES, TOO_LONG
from panel.tool_files.records import Record, record_of, refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panel.tool_files.columns import Columns
    from panel.tool_files.documents import Path
    from panel.tool_files.lines import Line

DELIMITERS = ",;\t"
ALIAS_SEPARATOR = "|"

_REASONS = {
    "unexpected end of data": "a quotation mark is not closed",
    "field larger than": f"a cell is longer than {csv.field_size_limit()} characters; shorten it",
    "new-line character": "a carriage return stands alone; save the file with line feeds",
    "expected after": "text follows the closing quotation mark of a cell; double the marks within it",
}
_ENDS = "the rows below were not read"


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: list[str]
    fault: Problem | None


def read_csv(lines: Iterable[Line], source: str, columns: Columns) -> Iterator[Record]:
    """Yield a record for each row that is not blank; of a table without a sound header, one record says so.

    Args:
        lines: of the file.
        source: what messages call it.
        columns: which columns hold which fields, where their names do not tell.
    """
    rest = iter(lines)
    first = next((line for line in rest if line.data.strip() or line.too_long), None)
    if first is None:
        yield refused(Problem(source, "is empty"))
        return
    rows = _Table(chain([first], rest), source, _delimiter(first, columns)).rows()
    header = next(rows)
    names = clean_header(header.cells)
    problems = [header.fault] if header.fault else columns.problems(names, source, header.line)
    if problems:
        yield refused(*problems)
        return
    fields = [None if name in columns.dropped else columns.field_of(name) for name in names]
    empty = True
    for row in rows:
        empty = False
        yield refused(row.fault) if row.fault else _record(row, fields, source)
    if empty:
        yield refused(Problem(source, "holds no tool"))


def _record(row: _Row, fields: list[str | None], source: str) -> Record:
    if len(row.cells) != len(fields):
        message = f"{len(row.cells)} cells, the header row has {len(fields)}; put quotes around cells that hold the delimiter"
        return refused(Problem(source, message, row.line))
    cells = {name: cell for name, cell in zip(fields, row.cells, strict=True) if name}
    value: dict[str, object] = {
        name: cell for name, cell in cells.items() if cell.strip() or name in REQUIRED
    }
    if "aliases" in value:
        value["aliases"] = [alias for alias in cells["aliases"].split(ALIAS_SEPARATOR) if alias.strip()]
    places: list[Path] = [(), *((name,) for name in cells)]
    return record_of(source, Document(value, dict.fromkeys(places, Position(row.line))))


class _Table:
    """The rows of a table; feeds lines to the parser, and notes what is wrong in those of the row being read."""

    def __init__(self, lines: Iterator[Line], source: str, delimiter: str) -> None:
        self._lines = lines
        self._source = source
        self._delimiter = delimiter
        self._first = 0
        self._count = 0
        self._bytes = 0
        self._fault: Problem | None = None

    def rows(self) -> Iterator[_Row]:
        """Yield the rows that are not blank; one whose end cannot be found is the last."""
        reader = csv.reader(self, delimiter=self._delimiter, strict=True)
        is_sound = True
        while is_sound:
            self._start_row()
            cells: list[str] = []
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                is_sound = self._count == 1
                self._fault = self._problem(_reason(error) if is_sound else f"{_reason(error)}; {_ENDS}")
            if self._fault or any(cell.strip() for cell in cells):
                yield _Row(self._first, cells, self._fault)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._first = self._first or line.number
        self._count += 1
        self._bytes += len(line.data)
        if line.too_long or self._bytes > MAX_RECORD_BYTES:
            raise csv.Error(TOO_LONG)
        self._fault = self._fault or self._damage(line)
        # The row is still taken apart, so that damage in one cell does not hide where the row ends.
        return line.data.decode("utf-8", "surrogateescape")

    def _start_row(self) -> None:
        self._first = self._count = self._bytes = 0
        self._fault = None

    def _damage(self, line: Line) -> Problem | None:
        try:
            line.data.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"not UTF-8 text (byte 0x{line.data[error.start]:02X}); save it as UTF-8"
            return Problem(self._source, message, line.number)
        return Problem(self._source, HOLDS_NUL, line.number) if b"\0" in line.data else None

    def _problem(self, message: str) -> Problem:
        return Problem(self._source, message, self._first)


def _delimiter(first: Line, columns: Columns) -> str:
    text = first.data.decode("utf-8", "replace")
    headers = {delimiter: _header(text, delimiter) for delimiter in DELIMITERS}
    return max(headers, key=lambda delimiter: columns.known(headers[delimiter]))


def _header(text: str, delimiter: str) -> list[str]:
    """Return a header taken apart; nothing of one that cannot be, which is told once it is read."""
    try:
        return clean_header(next(csv.reader([text], delimiter=delimiter)))
    except csv.Error:
        return []


def _reason(error: csv.Error) -> str:
    return next((reason for part, reason in _REASONS.items() if part in str(error)), str(error))
