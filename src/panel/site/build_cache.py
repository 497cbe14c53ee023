"""Results of the last build of a site, kept for the next one. Losing them costs time and nothing else.

The file belongs to the user's data and not to the site, so that a site's bytes depend on its reviews and options alone.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from functools import lru_cache
from itertools import starmap
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from panel.errors import RunStopped, StorageError
from panel.site.tool_summary import CriticScore, ToolRecord, ToolSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_SCHEMA = """
DROP TABLE IF EXISTS records;
CREATE TABLE IF NOT EXISTS tools (
    tool INTEGER PRIMARY KEY, key TEXT NOT NULL, summary TEXT NOT NULL, words TEXT NOT NULL, record TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, digest BLOB NOT NULL, size INTEGER NOT NULL, changed INTEGER NOT NULL
) WITHOUT ROWID
"""  # panel 0.1 had a table called records
_EMPTY = "; DELETE FROM tools; DELETE FROM files"
_SUMMARY = TypeAdapter(ToolSummary)
_score = lru_cache(maxsize=8_192)(CriticScore)


class WrittenFile(NamedTuple):
    """A file of the last build: the digest of its inputs, its size in bytes, and its modification time in nanoseconds."""

    digest: bytes
    size: int
    changed: int


class BuildCache:
    """Tools and files of the last build, in one transaction that ends with the build."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def summary(self, tool: int, key: str) -> ToolSummary | None:
        """Return the cached summary of a tool, or None if the key differs."""
        row = self._row("SELECT summary FROM tools WHERE tool = ? AND key = ?", tool, key)
        return _read_summary(row[0]) if row else None

    def record(self, tool: int) -> ToolRecord:
        """Return the record of a cached tool."""
        return ToolRecord.model_validate_json(self._row("SELECT record FROM tools WHERE tool = ?", tool)[0])

    def search_words(self, tool: int) -> str:
        """Return the search words of a cached tool, separated by blanks."""
        return str(self._row("SELECT words FROM tools WHERE tool = ?", tool)[0])

    def put_record(self, tool: int, key: str, record: ToolRecord) -> ToolSummary:
        """Cache the record of a tool, and return its summary."""
        summary = _SUMMARY.dump_json(record.summary).decode()
        row = (tool, key, summary, " ".join(record.search_words), record.model_dump_json())
        self._connection.execute("INSERT OR REPLACE INTO tools VALUES (?, ?, ?, ?, ?)", row)
        # A copy takes half the memory: the original refers to parts of its review.
        return _read_summary(summary)

    def keep_tools(self, tools: Iterable[int]) -> None:
        """Delete all tools but these."""
        known = {tool for (tool,) in self._connection.execute("SELECT tool FROM tools")}
        gone = ((tool,) for tool in known.difference(tools))
        self._connection.executemany("DELETE FROM tools WHERE tool = ?", gone)

    def file(self, path: str) -> WrittenFile | None:
        """Return the file that the last build wrote under a path."""
        row = self._row("SELECT digest, size, changed FROM files WHERE path = ?", path)
        return WrittenFile(*row) if row else None

    def put_file(self, path: str, written: WrittenFile) -> None:
        """Cache that a file was written."""
        self._connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (path, *written))

    def drop_files(self, is_there: Callable[[str], bool]) -> int:
        """Delete files that the site no longer has, and return their number."""
        gone = [
            (path,) for (path,) in self._connection.execute("SELECT path FROM files") if not is_there(path)
        ]
        self._connection.executemany("DELETE FROM files WHERE path = ?", gone)
        return len(gone)

    def _row(self, query: str, *values: int | str) -> Any:  # noqa: ANN401 - a row of SQLite
        return self._connection.execute(query, values).fetchone()


@contextmanager
def open_cache(file: Path, *, empty: bool = False) -> Iterator[BuildCache]:
    """Lock and open the cache of a site, emptied if asked for; changes are kept if the build succeeds.

    Raises:
        RunStopped: another build of the same site is running.
        StorageError: the file cannot be used.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise _storage_error(file, error) from error
    try:
        connection.execute("BEGIN EXCLUSIVE")
        for statement in (_SCHEMA + _EMPTY * empty).split(";"):
            connection.execute(statement)
        yield BuildCache(connection)
        connection.execute("COMMIT")
    except (sqlite3.Error, ValidationError) as error:
        raise _storage_error(file, error) from error
    finally:
        connection.close()


def _read_summary(text: str) -> ToolSummary:
    """Return a summary that shares equal parts with others, because those of all tools are in memory at once."""
    summary = _SUMMARY.validate_json(text)
    return summary._replace(prompts=intern(summary.prompts), scores=tuple(starmap(_score, summary.scores)))


def _storage_error(file: Path, error: Exception) -> StorageError | RunStopped:
    if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
        return RunStopped(
            "another build of this site is running; wait for it to end, then run the command again"
        )
    return StorageError(f"{file}: {error}; delete the file to build the site without it")
