"""CSV tables (RFC 4180): a header row, and one tool per row, read row by row.

The delimiter is the comma, semicolon or tab that splits the header row into the most known columns. An invalid row does not
affect the others, unless it spans lines: then the start of the next row is unknown, and reading ends.
"""

from __future__ import annotations

import csv
from itertools import chain
from typing import TYPE_CHECKING

from panel.core.text import did_you_mean, one_line
from panel.core.tool import Tool
from panel.errors import Problem, SettingsError
from panel.tool_files.documents import Document, Position, shown_key
from panel.tool_files.files import HOLDS_NUL, MAX_RECORD_BYTES, TOO_LONG, not_utf8

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panel.tool_files.documents import ValuePath
    from panel.tool_files.files import Line

ColumnMap = dict[str, str]
"""Field by column, "" for a column to ignore; a column that is named after its field needs no entry."""

FIELDS = tuple(name for name in Tool.model_fields if name != "facts")
REQUIRED = ("name", "description")

_DELIMITERS = ",;\t"
_ALIAS_SEPARATOR = "|"
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


def parse_column_map(arguments: Iterable[str]) -> ColumnMap:
    """Return the columns named by `--map`: `FIELD=COLUMN` reads a column as a field, `COLUMN=` ignores it.

    An argument of another form, or a field or column that is mapped twice, is a SettingsError.
    """
    columns: ColumnMap = {}
    for argument in arguments:
        name, equals, column = (part.strip() for part in argument.partition("="))
        error = None
        if not equals or not (name or column):
            error = "write FIELD=COLUMN, or COLUMN= to leave a column out"
        elif not column:
            columns[name] = ""
        elif name not in FIELDS:
            error = f"unknown field {shown_key(name)}; {_advice(name)}"
        elif column in columns or name in columns.values():
            error = f"{name} or its column is mapped twice; map each once"
        else:
            columns[column] = name
        if error:
            raise SettingsError(f"--map {shown_key(argument)}: {error}")
    return columns


def read_table(lines: Iterable[Line], source: str, columns: ColumnMap) -> Iterator[Document | list[Problem]]:
    """Yield a document for each row that is not blank, or its problems; only problems if the header row is not valid."""
    rest = iter(lines)
    first = next((line for line in rest if line.data is None or line.data.strip()), None)
    if first is None:
        yield [Problem(source, "is empty")]
        return
    rows = _RowReader(chain([first], rest), source, _delimiter(first, columns)).rows()
    line, header = next(rows)
    if isinstance(header, Problem):
        yield [header]
        return
    names = [one_line(cell) for cell in header]
    if problems := _header_problems(names, columns, source, line):
        yield problems
        return
    fields = [_field_of(name, columns) for name in names]
    empty = True
    for line, cells in rows:
        empty = False
        if isinstance(cells, Problem):
            yield [cells]
        elif len(cells) != len(fields):
            counts = f"{len(cells)} cells, the header row has {len(fields)}"
            message = f"{counts}; put quotes around cells that hold the delimiter"
            yield [Problem(source, message, line)]
        else:
            named = zip(fields, cells, strict=True)
            yield _row_document({name: cell for name, cell in named if name}, line)
    if empty:
        yield [Problem(source, "holds no tool")]


def _field_of(column: str, columns: ColumnMap) -> str | None:
    """Return the field that a column holds, "" if it is ignored, None if it is unknown."""
    return columns.get(column, column if column in FIELDS else None)


def _delimiter(header: Line, columns: ColumnMap) -> str:
    text = (header.data or b"").decode("utf-8", "replace")

    def known_columns(delimiter: str) -> int:
        try:
            cells = next(csv.reader([text], delimiter=delimiter))
        except csv.Error:  # reported when the row is read
            return 0
        return sum(_field_of(one_line(cell), columns) is not None for cell in cells)

    return max(_DELIMITERS, key=known_columns)


def _header_problems(header: list[str], columns: ColumnMap, source: str, line: int) -> list[Problem]:
    fields = [_field_of(column, columns) for column in header]
    if fields.count(None) == len(fields):
        return [Problem(source, _NO_HEADER, line, REQUIRED[0])]
    found = []
    for column in (column for column, name in zip(header, fields, strict=True) if name is None):
        shown = shown_key(column)
        unknown = f"unknown column {shown}; {_advice(column)}; leave it out with --map '{shown}='"
        found.append((shown, unknown if column else "a column without a name; name it or remove it"))
    for column, name in columns.items():
        if name and column not in header:
            message = (
                f"there is no column {shown_key(column)}, which --map gives for {name}; check its spelling"
            )
            found.append((name, message))
    found += [(name, "has two columns; leave one out") for name in FIELDS if fields.count(name) > 1]
    for name in REQUIRED:
        if name not in fields and name not in columns.values():
            found.append((name, f"has no column; name the one that holds it with --map {name}=COLUMN"))
    return [Problem(source, message, line, name) for name, message in found]


def _advice(name: str) -> str:
    if name == "facts":
        return "facts have parts and cannot come from a table; give them in a YAML or JSON file"
    return did_you_mean(name, FIELDS, f"the fields are {', '.join(FIELDS)}")


def _row_document(cells: dict[str, str], line: int) -> Document:
    value: dict[str, object] = {
        name: cell for name, cell in cells.items() if cell.strip() or name in REQUIRED
    }
    if "aliases" in value:
        value["aliases"] = [alias for alias in cells["aliases"].split(_ALIAS_SEPARATOR) if alias.strip()]
    paths: list[ValuePath] = [(), *((name,) for name in cells)]
    return Document(value, dict.fromkeys(paths, Position(line)))


class _RowReader:
    """Rows of a table, with line numbers and the first problem of each; `csv.reader` pulls the lines from it."""

    def __init__(self, lines: Iterator[Line], source: str, delimiter: str) -> None:
        self._lines = lines
        self._source = source
        self._reader = csv.reader(self, delimiter=delimiter, strict=True)
        self._first_line = self._line_count = self._bytes = 0
        self._problem: Problem | None = None

    def rows(self) -> Iterator[tuple[int, list[str] | Problem]]:
        """Yield line and cells of the rows that are not blank; a row whose end cannot be found is the last."""
        end_known = True
        while end_known:
            self._first_line = self._line_count = self._bytes = 0
            self._problem = None
            cells: list[str] = []
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                texts = (text for part, text in _PARSER_ERRORS.items() if part in str(error))
                message = next(texts, str(error))
                end_known = self._line_count == 1
                if not end_known:
                    message += "; the rows below were not read"
                self._problem = Problem(self._source, message, self._first_line)
            if self._problem or any(cell.strip() for cell in cells):
                yield self._first_line, self._problem or cells

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, data = next(self._lines)
        self._first_line = self._first_line or number
        self._line_count += 1
        self._bytes += len(data or b"")
        if data is None or self._bytes > MAX_RECORD_BYTES:
            raise csv.Error(TOO_LONG)
        problem = HOLDS_NUL if b"\0" in data else None
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            problem = not_utf8(data, error)
        if problem:
            self._problem = self._problem or Problem(self._source, problem, number)
        # The row is parsed all the same: a bad byte in one cell must not hide the end of the row.
        return data.decode("utf-8", "surrogateescape")
