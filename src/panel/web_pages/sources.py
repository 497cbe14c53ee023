"""Read the tools that a command names: tool files, saved pages and standard input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from panel.errors import InputError, Problem
from panel.tool_files import records
from panel.tool_files.duplicates import collect_tools
from panel.tool_files.files import expand, open_source, read_whole, source_name
from panel.tool_files.records import invalid_record
from panel.web_pages import Snapshot, read_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from panel.core.tool import Tool
    from panel.tool_files.files import Source
    from panel.tool_files.records import Record
    from panel.tool_files.tables import ColumnMap

PAGES = (".html", ".htm")
ENDINGS = (*records.ENDINGS, *PAGES)


def read_records(
    arguments: Iterable[str], columns: ColumnMap | None = None, stdin: BinaryIO | None = None
) -> Iterator[Record]:
    """Yield the records of files, folders, patterns and standard input; see `read_sources` and `files.expand`."""
    return read_sources(expand(arguments, ENDINGS), columns, stdin)


def read_sources(
    sources: Iterable[Source | Problem], columns: ColumnMap | None = None, stdin: BinaryIO | None = None
) -> Iterator[Record]:
    """Yield every record of some sources, in order. An invalid record is yielded too, with its problems.

    A problem in place of a source is an invalid record. Tables and JSON Lines are read as they are yielded, so that memory does
    not grow with them; other files may have 5 MB each. `stdin` replaces the standard input of the process.

    Raises:
        SettingsError: a page is among them, and the extra for pages is not installed.
    """
    seen: set[Source] = set()
    for source in sources:
        if isinstance(source, Problem):
            yield invalid_record(source)
            continue
        identity = source.absolute() if isinstance(source, Path) else source
        if identity in seen:
            yield invalid_record(Problem(source_name(source), "is named twice; name it once"))
        else:
            yield from _read(source, columns or {}, stdin)
        seen.add(identity)


def load_tools(sources: Iterable[Source], stdin: BinaryIO | None = None) -> list[Tool]:
    """Return the tools of some sources, in order, each with a slug of its own; see `collect_tools` for errors."""
    return collect_tools(read_sources(sources, stdin=stdin))


def is_page(record: Record) -> bool:
    """Return whether a record comes from a saved or fetched page."""
    source = record.location.source.lower()
    return source.endswith(PAGES) or source.startswith(("http://", "https://"))


def _read(source: Source, columns: ColumnMap, stdin: BinaryIO | None) -> Iterator[Record]:
    name = source_name(source)
    try:
        with open_source(source, ENDINGS, stdin) as file:
            ending = source.suffix.lower() if isinstance(source, Path) else None
            if ending is None:
                yield from records.read_stdin(file, name)
            elif ending in PAGES:
                data = read_whole(file, name)
                if not data.strip():
                    raise InputError.at(name, "is empty")
                yield read_page(Snapshot(data), name)
            else:
                yield from records.read_tool_file(file, name, ending, columns)
    except InputError as error:
        yield invalid_record(*error.problems)
