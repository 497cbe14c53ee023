"""CSV tables (RFC 4180): a header row, and one tool per row, read row by row.

The delimiter is the comma, semicolon or tab that splits the header row into the most known columns. An invalid row does not
affect the others, unless it spans lines: then the start of the next row is unknown, and reading ends.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from panel.core.text import did_you_mean, one_line
from panel.core.tool import Tool
from panel.errors import Problem, SettingsError
from panel.tool_files.documents import Document, Position, shown_key
from panel.tool_files.files import HOLDS_NUL, MAX_RECORD_BYTES, TOO_LONG, not_utf8
from panel.tool_files.records import Record, invalid_record, tool_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from panel.tool_files.documents import ValuePath
    from panel.tool_files.files import Line

DELIMITERS = ",;\t"
ALIAS_SEPARATOR = "|"
FIELDS = tuple(name for name in Tool.model_fields if name != "facts")
REQUIRED = ("name", "description")

_FACTS = "facts have parts and cannot come from a table; give them in a YAML or JSON file"
_NO_HEADER = (
    "the first row names no field; put the names of the fields there, such as name and description, "
    "or name its columns with --map name=COLUMN"
)
_PARSER_ERRORS = {
    "unexpected end of data": "a quotation mark is not closed",
    "field larger than": f"a cell is longer than {csv.field_size_limit()} characters; shorten it",
    "new-line character": "a carriage return stands alone; save the file with line feeds",
    "expected after": "text follows the closing quotation mark of a cell; double the marks within it",
}
_NOT_READ = "the rows below were not read"


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Columns whose names are not those of fields: the field by column, and the columns to ignore."""

    fields: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()

    def field_of(self, column: str) -> str | None:
        """Return the field that a column holds, or None."""
        return self.fields.get(column) or (column if column in FIELDS else None)

    def known_count(self, header: Sequence[str]) -> int:
        """Return the number of columns that hold a field or are ignored."""
        return sum(self.field_of(column) is not None or column in self.ignored for column in header)

    def header_problems(self, header: Sequence[str], source: str, line: int) -> list[Problem]:
        """Return a problem for each unknown, repeated or missing column of a header row."""
        if not self.known_count(header):
            return [Problem(source, _NO_HEADER, line, REQUIRED[0])]
        columns = [column for column in header if column not in self.ignored]
        fields = [self.field_of(column) for column in columns]
        missing = {name: column for column, name in self.fields.items() if column not in header}
        found = [(shown_key(column), _unknown(column)) for column in columns if not self.field_of(column)]
        for name, column in missing.items():
            shown = shown_key(column)
            found.append(
                (name, f"there is no column {shown}, which --map gives for {name}; check its spelling")
            )
        found += [(name, "has two columns; leave one out") for name in FIELDS if fields.count(name) > 1]
        for name in REQUIRED:
            if name not in fields and name not in missing:
                found.append((name, f"has no column; name the one that holds it with --map {name}=COLUMN"))
        return [Problem(source, message, line, name) for name, message in found]


def parse_column_map(arguments: Iterable[str]) -> ColumnMap:
    """Return the columns named by `--map`: `FIELD=COLUMN` reads a column as a field, `COLUMN=` ignores it.

    Raises:
        SettingsError: an argument has another form, or maps a field or a column twice.
    """
    fields: dict[str, str] = {}
    ignored: set[str] = set()
    for argument in arguments:
        name, equals, column = (part.strip() for part in argument.partition("="))
        error = None
        if not equals or not (name or column):
            error = "write FIELD=COLUMN, or COLUMN= to leave a column out"
        elif not column:
            ignored.add(name)
        elif name not in FIELDS:
            error = f"unknown field {shown_key(name)}; {_advice(name)}"
        elif column in fields or name in fields.values():
            error = f"{name} or its column is mapped twice; map each once"
        else:
            fields[column] = name
        if error:
            raise SettingsError(f"--map {shown_key(argument)}: {error}")
    return ColumnMap(fields, frozenset(ignored))


def _advice(name: str) -> str:
    return _FACTS if name == "facts" else did_you_mean(name, FIELDS, f"the fields are {', '.join(FIELDS)}")


def _unknown(column: str) -> str:
    if not column:
        return "a column without a name; name it or remove it"
    shown = shown_key(column)
    return f"unknown column {shown}; {_advice(column)}; leave it out with --map '{shown}='"


def read_table(lines: Iterable[Line], source: str, columns: ColumnMap) -> Iterator[Record]:
    """Yield a record per row that is not blank; a single invalid record if the header row is not valid."""
    rest = iter(lines)
    first = next((line for line in rest if line.data.strip() or line.too_long), None)
    if first is None:
        yield invalid_record(Problem(source, "is empty"))
        return
    rows = _RowReader(chain([first], rest), source, _delimiter(first, columns)).rows()
    header = next(rows)
    names = [one_line(cell) for cell in header.cells]
    problems = [header.problem] if header.problem else columns.header_problems(names, source, header.line)
    if problems:
        yield invalid_record(*problems)
        return
    fields = [None if name in columns.ignored else columns.field_of(name) for name in names]
    empty = True
    for row in rows:
        empty = False
        yield invalid_record(row.problem) if row.problem else _row_record(row, fields, source)
    if empty:
        yield invalid_record(Problem(source, "holds no tool"))


def _row_record(row: _Row, fields: list[str | None], source: str) -> Record:
    if len(row.cells) != len(fields):
        counts = f"{len(row.cells)} cells, the header row has {len(fields)}"
        message = f"{counts}; put quotes around cells that hold the delimiter"
        return invalid_record(Problem(source, message, row.line))
    cells = {name: cell for name, cell in zip(fields, row.cells, strict=True) if name}
    value: dict[str, object] = {
        name: cell for name, cell in cells.items() if cell.strip() or name in REQUIRED
    }
    if "aliases" in value:
        value["aliases"] = [alias for alias in cells["aliases"].split(ALIAS_SEPARATOR) if alias.strip()]
    paths: list[ValuePath] = [(), *((name,) for name in cells)]
    return tool_record(source, Document(value, dict.fromkeys(paths, Position(row.line))))


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: list[str]
    problem: Problem | None


class _RowReader:
    """Rows of a table, with line numbers and the first problem of each; `csv.reader` pulls the lines from it."""

    def __init__(self, lines: Iterator[Line], source: str, delimiter: str) -> None:
        self._lines = lines
        self._source = source
        self._delimiter = delimiter
        self._first_line = self._line_count = self._bytes = 0
        self._problem: Problem | None = None

    def rows(self) -> Iterator[_Row]:
        """Yield the rows that are not blank; a row whose end cannot be found is the last."""
        reader = csv.reader(self, delimiter=self._delimiter, strict=True)
        end_known = True
        while end_known:
            self._first_line = self._line_count = self._bytes = 0
            self._problem = None
            cells: list[str] = []
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                end_known = self._line_count == 1
                message = _csv_message(error) if end_known else f"{_csv_message(error)}; {_NOT_READ}"
                self._problem = Problem(self._source, message, self._first_line)
            if self._problem or any(cell.strip() for cell in cells):
                yield _Row(self._first_line, cells, self._problem)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._first_line = self._first_line or line.number
        self._line_count += 1
        self._bytes += len(line.data)
        if line.too_long or self._bytes > MAX_RECORD_BYTES:
            raise csv.Error(TOO_LONG)
        self._problem = self._problem or self._encoding_problem(line)
        # The row is parsed all the same: a bad byte in one cell must not hide the end of the row.
        return line.data.decode("utf-8", "surrogateescape")

    def _encoding_problem(self, line: Line) -> Problem | None:
        try:
            line.data.decode("utf-8")
        except UnicodeDecodeError as error:
            return Problem(self._source, not_utf8(line.data, error), line.number)
        return Problem(self._source, HOLDS_NUL, line.number) if b"\0" in line.data else None


def _delimiter(first: Line, columns: ColumnMap) -> str:
    text = first.data.decode("utf-8", "replace")

    def known_columns(delimiter: str) -> int:
        try:
            header = next(csv.reader([text], delimiter=delimiter))
        except csv.Error:  # reported when the row is read
            return 0
        return columns.known_count([one_line(cell) for cell in header])

    return max(DELIMITERS, key=known_columns)


def _csv_message(error: csv.Error) -> str:
    return next((message for part, message in _PARSER_ERRORS.items() if part in str(error)), str(error))
