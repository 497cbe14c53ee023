"""What the last build of a site left for the next one: losing it costs time and nothing else.

It lies beside the user's other data, not in the site, so that a site's bytes depend on its reviews alone.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from functools import lru_cache
from itertools import starmap
from sys import intern
from typing import TYPE_CHECKING, NamedTuple

from pydantic import TypeAdapter, ValidationError

from panel.errors import RunStopped, StorageError
from panel.site.tool_summary import CriticScore, Record, ToolSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    tool INTEGER PRIMARY KEY, key TEXT NOT NULL, card TEXT NOT NULL, words TEXT NOT NULL, record TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, digest BLOB NOT NULL, size INTEGER NOT NULL, changed INTEGER NOT NULL
) WITHOUT ROWID;
"""


_CARD = TypeAdapter(ToolSummary)


class Written(NamedTuple):
    """A file as it was written.

    Attributes:
        digest: of all that it was made of.
        size: in bytes.
        changed: when, in nanoseconds; a file that was changed since is written again.
    """

    digest: bytes
    size: int
    changed: int


class Memory:
    """What the last build left.

    Args:
        connection: in a transaction that ends with the build.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def card(self, tool: int, key: str) -> ToolSummary | None:
        """Return a tool as lists show it, if nothing happened to it since that was kept."""
        query = "SELECT card FROM records WHERE tool = ? AND key = ?"
        row = self._connection.execute(query, (tool, key)).fetchone()
        return _compact(_CARD.validate_json(row[0])) if row else None

    def record(self, tool: int) -> Record:
        """Return all that is known of a tool that was kept."""
        query = "SELECT record FROM records WHERE tool = ?"
        return Record.model_validate_json(self._connection.execute(query, (tool,)).fetchone()[0])

    def words(self, tool: int) -> str:
        """Return the words that a tool is found by, with a blank between them."""
        query = "SELECT words FROM records WHERE tool = ?"
        return str(self._connection.execute(query, (tool,)).fetchone()[0])

    def put_record(self, tool: int, key: str, record: Record) -> ToolSummary:
        """Keep what is known of a tool, and return it as lists show it."""
        query = "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)"
        card = _CARD.dump_json(record.card).decode()
        # As it is read again it takes half the room: the one that was made of a review holds on to parts of it.
        read = _compact(_CARD.validate_json(card))
        row = (tool, key, card, " ".join(record.words), record.model_dump_json())
        self._connection.execute(query, row)
        return read

    def forget(self) -> None:
        """Forget everything."""
        self._connection.execute("DELETE FROM records")
        self._connection.execute("DELETE FROM files")

    def keep_records(self, tools: Iterable[int]) -> None:
        """Forget all tools but these."""
        known = {tool for (tool,) in self._connection.execute("SELECT tool FROM records")}
        gone = ((tool,) for tool in known.difference(tools))
        self._connection.executemany("DELETE FROM records WHERE tool = ?", gone)

    def file(self, path: str) -> Written | None:
        """Return what was written under a path."""
        query = "SELECT digest, size, changed FROM files WHERE path = ?"
        row = self._connection.execute(query, (path,)).fetchone()
        return Written(*row) if row else None

    def put_file(self, path: str, written: Written) -> None:
        """Keep what was written under a path."""
        self._connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (path, *written))

    def drop_files(self, is_there: Callable[[str], bool]) -> int:
        """Forget files that are no longer there, and return how many they were."""
        gone = [path for (path,) in self._connection.execute("SELECT path FROM files") if not is_there(path)]
        self._connection.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in gone))
        return len(gone)


@contextmanager
def remembered(file: Path) -> Iterator[Memory]:
    """Open what the last build left, for one build alone; what it changes is kept if the build ends well.

    Raises:
        RunStopped: another build of the same site is at work.
        StorageError: it cannot be used.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise _fault(file, error) from error
    try:
        connection.execute("BEGIN EXCLUSIVE")
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        yield Memory(connection)
        connection.execute("COMMIT")
    except (sqlite3.Error, ValidationError) as error:
        raise _fault(file, error) from error
    finally:
        connection.close()


def _compact(card: ToolSummary) -> ToolSummary:
    """Return a card that shares what it has in common with others, because all of them are held at a time."""
    return card._replace(prompts=intern(card.prompts), marks=tuple(starmap(_mark, card.marks)))


@lru_cache(maxsize=8_192)
def _mark(critic: str, verdict: str, score: int) -> CriticScore:
    return CriticScore(critic, verdict, score)


def _fault(file: Path, error: Exception) -> StorageError | RunStopped:
    if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
        return RunStopped("another build of this site is at work; wait for it, then run the command again")
    return StorageError(f"{file}: {error}; delete it to build the site from nothing")
