"""Which column of a table is which field of a tool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panel.core.text import one_line
from panel.core.tool import Tool
from panel.errors import Problem, SettingsError
from panel.tool_files.documents import shown_key
from panel.tool_files.records import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FIELDS = tuple(name for name in Tool.model_fields if name != "facts")
REQUIRED = ("name", "description")

_FACTS = "facts have parts and cannot come from a table; give them in a YAML or JSON file"
_NO_HEADER = (
    "the first row names no field; put the names of the fields there, such as name and description, "
    "or name its columns with --map name=COLUMN"
)


@dataclass(frozen=True, slots=True)
class Columns:
    """How columns are named in a table that was not made for panel.

    Attributes:
        fields: field by column.
        dropped: columns that are left out.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()

    def field_of(self, column: str) -> str | None:
        """Return the field that a column holds, or None."""
        return self.fields.get(column) or (column if column in FIELDS else None)

    def known(self, header: Sequence[str]) -> int:
        """Return how many columns of a header row are accounted for."""
        return sum(self.field_of(column) is not None or column in self.dropped for column in header)

    def problems(self, header: Sequence[str], source: str, line: int) -> list[Problem]:
        """Return what is wrong with a header row: what is not known, given twice or missing."""
        if not self.known(header):
            return [Problem(source, _NO_HEADER, line, REQUIRED[0])]
        fields = [self.field_of(column) for column in header if column not in self.dropped]
        unknown = [column for column in header if column not in self.dropped and not self.field_of(column)]
        absent = [(column, name) for column, name in self.fields.items() if column not in header]
        taken = {name for _, name in absent}
        return [
            *(Problem(source, _unknown(column), line, shown_key(column)) for column in unknown),
            *(Problem(source, _absent(column, name), line, name) for column, name in absent),
            *(Problem(source, "has two columns; leave one out", line, name) for name in _twice(fields)),
            *(
                Problem(
                    source, f"has no column; name the one that holds it with --map {name}=COLUMN", line, name
                )
                for name in REQUIRED
                if name not in fields and name not in taken
            ),
        ]


def parse_columns(arguments: Iterable[str]) -> Columns:
    """Return what `--map` says: `FIELD=COLUMN` reads a column as a field, `COLUMN=` leaves a column out.

    Raises:
        SettingsError: if an argument is neither, or a field or a column is mapped twice.
    """
    fields: dict[str, str] = {}
    dropped: set[str] = set()
    for argument in arguments:
        name, equals, column = (part.strip() for part in argument.partition("="))
        if not equals or not (name or column):
            raise SettingsError(
                f"--map {shown_key(argument)}: write FIELD=COLUMN, or COLUMN= to leave a column out"
            )
        if not column:
            dropped.add(name)
        elif name not in FIELDS:
            raise SettingsError(
                f"--map {shown_key(argument)}: unknown field {shown_key(name)}; {_advice(name)}"
            )
        elif column in fields or name in fields.values():
            raise SettingsError(
                f"--map {shown_key(argument)}: {name} or its column is mapped twice; map each once"
            )
        else:
            fields[column] = name
    return Columns(fields, frozenset(dropped))


def clean_header(cells: Iterable[str]) -> list[str]:
    """Return the names of columns without what cannot be seen."""
    return [one_line(cell) for cell in cells]


def _advice(name: str) -> str:
    return _FACTS if name == "facts" else did_you_mean(name, FIELDS)


def _unknown(column: str) -> str:
    if not column:
        return "a column without a name; name it or remove it"
    advice = _advice(column)
    return f"unknown column {shown_key(column)}; {advice}; leave it out with --map '{shown_key(column)}='"


def _absent(column: str, name: str) -> str:
    return f"there is no column {shown_key(column)}, which --map gives for {name}; check its spelling"


def _twice(fields: Sequence[str | None]) -> list[str]:
    return [name for name in FIELDS if fields.count(name) > 1]
