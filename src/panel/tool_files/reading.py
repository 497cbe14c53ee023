"""Readers of tool files, one per format, chosen by file name ending or, for standard input, by content."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from panel.core.tool import Tool
from panel.errors import InputError, Problem
from panel.tool_files.duplicates import DuplicateFinder, UniqueSlugs
from panel.tool_files.files import BOM, MAX_BYTES, TOO_LONG, decode, read_lines, read_whole
from panel.tool_files.json_text import parse_json
from panel.tool_files.markdown import FENCE, has_front_matter, parse_markdown
from panel.tool_files.records import LIST_KEY, Record, invalid_record, tool_record, tool_records
from panel.tool_files.tables import read_table
from panel.tool_files.yaml_text import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from panel.tool_files.documents import Document
    from panel.tool_files.files import Line
    from panel.tool_files.tables import ColumnMap

    Parser = Callable[[str, str], list[Document]]

LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv")

_FIELD_LINE = re.compile(rf"(- +)?[\"']?({'|'.join(Tool.model_fields)}|{LIST_KEY})[\"']?\s*:")


def _parse_json(text: str, source: str) -> list[Document]:
    return [parse_json(text, source)]


_PARSERS: dict[str, Parser] = {
    ".yaml": parse_yaml,
    ".yml": parse_yaml,
    ".json": _parse_json,
    ".md": parse_markdown,
    ".markdown": parse_markdown,
}
ENDINGS = (*_PARSERS, *LINES, *TABLES)


def read_tool_file(file: BinaryIO, name: str, ending: str, columns: ColumnMap) -> Iterator[Record]:
    """Return the records of an open file, by its ending; tables and JSON Lines are read as they are yielded.

    Raises:
        InputError: the file cannot be read as a whole.
    """
    if ending in LINES:
        return _read_json_lines(read_lines(file), name)
    if ending in TABLES:
        return read_table(read_lines(file), name, columns)
    return tool_records(name, _PARSERS[ending](decode(read_whole(file, name), name), name))


def read_stdin(file: BinaryIO, name: str) -> Iterator[Record]:
    """Return the records of standard input, whose format is recognised by its first lines.

    Raises:
        InputError: it cannot be read as a whole.
    """
    head = file.read(MAX_BYTES + 1)
    if _is_json_lines(head):
        return _read_json_lines(read_lines(_Joined(head, file)), name)
    text = decode(read_whole(io.BytesIO(head), name), name)
    return tool_records(name, _parser_for(text)(text, name))


def collect_tools(records: Iterable[Record]) -> list[Tool]:
    """Return the tools of records, each with a slug of its own.

    Raises:
        InputError: every problem of every record, and every tool that is given twice by name or alias.
    """
    finder, slugs = DuplicateFinder(names_only=True), UniqueSlugs()
    tools: list[Tool] = []
    problems: list[Problem] = []
    duplicates: list[Problem] = []
    for record in records:
        problems += record.problems
        if record.tool:
            tools.append(slugs.assign(record.tool))
            if duplicate := finder.find(record.tool, record.location):
                duplicates.append(duplicate.problem(record))
    if problems or duplicates:
        raise InputError([*problems, *duplicates])
    return tools


def _is_json_lines(head: bytes) -> bool:
    """Return whether the second line of a text starts another object."""
    first, _, rest = (part.strip() for part in head.removeprefix(BOM).lstrip().partition(b"\n"))
    next_object = rest.startswith(b"{") and not first.endswith((b"{", b"[", b":", b","))
    return first.startswith(b"{") and bool(rest) and (first.endswith(b"}") or next_object)


def _parser_for(text: str) -> Parser:
    if text.lstrip()[:1] in {"{", "["}:
        return _parse_json
    parts = (
        re.split(rf"^{FENCE}[ \t]*$", text, maxsplit=2, flags=re.MULTILINE) if has_front_matter(text) else []
    )
    below = "".join(parts[2:]).lstrip()
    return parse_markdown if below and not _FIELD_LINE.match(below) else parse_yaml


def _read_json_lines(lines: Iterable[Line], source: str) -> Iterator[Record]:
    empty = True
    for line in lines:
        if line.too_long or line.data.strip():
            empty = False
            yield _json_line_record(line, source)
    if empty:
        yield invalid_record(Problem(source, "is empty"))


def _json_line_record(line: Line, source: str) -> Record:
    if line.too_long:
        return invalid_record(Problem(source, TOO_LONG, line.number))
    try:
        text = decode(line.data, source, line.number)
        return tool_record(source, parse_json(text, source, line.number))
    except InputError as error:
        return invalid_record(*(replace(problem, line=line.number) for problem in error.problems))


class _Joined:
    """Lines of the bytes that were read already, followed by those of the rest of their file."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = io.BytesIO(head)
        self._rest = rest

    def readline(self, limit: int) -> bytes:
        line = self._head.readline(limit)
        if line.endswith(b"\n") or len(line) == limit:
            return line
        return line + self._rest.readline(limit - len(line))
