"""The way in: from what a command names to records, one after the other and however many there are."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, cast

from panel.errors import InputError, Problem
from panel.tool_files.columns import Columns
from panel.tool_files.csv_text import read_csv
from panel.tool_files.files import MAX_BYTES, decoded, opened, read_whole, shown
from panel.tool_files.formats import PARSERS, parser_of
from panel.tool_files.jsonl import read_jsonl
from panel.tool_files.lines import BOM, read_lines
from panel.tool_files.places import expand
from panel.tool_files.records import Place, Record, records_of, refused
from panel.web_pages import page_to_tool
from panel.web_pages.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from panel.tool_files.files import Source

LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv")
PAGES = (".html", ".htm")
ENDINGS = (*PARSERS, *LINES, *TABLES, *PAGES)

_CHUNK = 65_536


def read_records(
    arguments: Iterable[str], columns: Columns | None = None, stdin: BinaryIO | None = None
) -> Iterator[Record]:
    """Yield every record of what a command names, in order. Bad ones are records too: nothing is raised for them.

    Tables and JSON Lines are read as they are yielded, so that memory does not grow with them; other files may
    have 5 MB each. To list all that is wrong before anything is done, go through the records twice.

    Args:
        arguments: files, folders, patterns, or `-` for standard input, see `expand`.
        columns: which columns of tables hold which fields; by default those of the same name.
        stdin: what stands for standard input, read from where it stands; see `spooled`.

    Raises:
        SettingsError: if a page is among them and what reads pages is not installed.
    """
    for source in _once(expand(arguments, ENDINGS)):
        if isinstance(source, Problem):
            yield refused(source)
        else:
            yield from _read(source, columns or Columns(), stdin)


def read_each(
    sources: Iterable[Source], columns: Columns | None = None, stdin: BinaryIO | None = None
) -> Iterator[Record]:
    """Yield every record of files and standard input, in order; nothing is expanded.

    Raises:
        SettingsError: if a page is among them and what reads pages is not installed.
    """
    for source in _once(sources):
        if isinstance(source, Problem):
            yield refused(source)
        else:
            yield from _read(source, columns or Columns(), stdin)


def spooled(stdin: BinaryIO) -> BinaryIO:
    """Return what is left of standard input as a file that can be read twice: rewind it with `seek(0)` in between.

    It is kept in memory up to 5 MB and beyond that in a temporary file without a name, until it is closed.
    """
    copy = SpooledTemporaryFile(MAX_BYTES)  # noqa: SIM115 - the caller closes it
    while chunk := stdin.read(_CHUNK):
        copy.write(chunk)
    copy.seek(0)
    return cast("BinaryIO", copy)


def _once(sources: Iterable[Source | Problem]) -> Iterator[Source | Problem]:
    seen: set[Source] = set()
    for source in sources:
        if isinstance(source, Problem):
            yield source
            continue
        place = source.absolute() if isinstance(source, Path) else source
        yield Problem(shown(source), "is named twice; name it once") if place in seen else source
        seen.add(place)


def _read(source: Source, columns: Columns, stdin: BinaryIO | None) -> Iterator[Record]:
    name = shown(source)
    try:
        with opened(source, ENDINGS, stdin) as file:
            ending = source.suffix.lower() if isinstance(source, Path) else None
            yield from _records(file, name, ending, columns)
    except InputError as error:
        yield refused(*error.problems)


def _records(file: BinaryIO, name: str, ending: str | None, columns: Columns) -> Iterator[Record]:
    if ending is None:
        return _unnamed(file, name)
    if ending in LINES:
        return _some(read_jsonl(read_lines(file), name), name)
    if ending in TABLES:
        return read_csv(read_lines(file), name, columns)
    data = read_whole(file, name)
    if ending in PAGES:
        return _page(data, name)
    return records_of(name, PARSERS[ending](decoded(data, name), name))


def _unnamed(file: BinaryIO, name: str) -> Iterator[Record]:
    head = file.read(MAX_BYTES + 1)
    if _is_jsonl(head):
        return read_jsonl(read_lines(_Joined(head, file)), name)
    text = decoded(read_whole(io.BytesIO(head), name), name)
    return records_of(name, parser_of(text)(text, name))


def _is_jsonl(head: bytes) -> bool:
    """Whether text that begins with an object goes on with another one on its second line."""
    first, _, rest = (part.strip() for part in head.removeprefix(BOM).lstrip().partition(b"\n"))
    goes_on = rest.startswith(b"{") and not first.endswith((b"{", b"[", b":", b","))
    return first.startswith(b"{") and bool(rest) and (first.endswith(b"}") or goes_on)


def _some(records: Iterator[Record], name: str) -> Iterator[Record]:
    first = next(records, None)
    yield first or refused(Problem(name, "is empty"))
    yield from records


def _page(data: bytes, name: str) -> Iterator[Record]:
    if not data.strip():
        raise InputError([Problem(name, "is empty")])
    draft = page_to_tool(Snapshot(data), name)
    yield Record(Place(name), draft.tool, draft.problems, draft.removed)


class _Joined:
    """Bytes that were read already and what is left of their file, line by line."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = io.BytesIO(head)
        self._rest = rest

    def readline(self, limit: int) -> bytes:
        line = self._head.readline(limit)
        if line.endswith(b"\n") or len(line) == limit:
            return line
        return line + self._rest.readline(limit - len(line))
