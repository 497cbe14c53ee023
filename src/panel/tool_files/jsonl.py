"""JSON Lines: one tool a line, read line by line. Blank lines are skipped, and a bad line spoils no other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from panel.errors import InputError, Problem
from panel.tool_files.files import decoded
from panel.tool_files.json_text import parse_json
from panel.tool_files.lines import TOO_LONG
from panel.tool_files.records import Record, record_of, refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panel.tool_files.lines import Line


def read_jsonl(lines: Iterable[Line], source: str) -> Iterator[Record]:
    """Yield a record for each line that is not blank.

    Args:
        lines: of the file.
        source: what messages call it.
    """
    for line in lines:
        if line.too_long:
            yield refused(Problem(source, TOO_LONG, line.number))
        elif line.data.strip():
            yield _record(line, source)


def _record(line: Line, source: str) -> Record:
    try:
        text = decoded(line.data, source, line.number)
        return record_of(source, parse_json(text, source, line.number))
    except InputError as error:
        return refused(*(replace(problem, line=line.number) for problem in error.problems))
