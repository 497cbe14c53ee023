"""SQLite: one file, any number of readers, one writer at a time."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, Connection, create_engine, event
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from panel.errors import StorageError
from panel.store.database import Database
from panel.store.errors import storage_error
from panel.store.migrate import migrate
from panel.store.reserve import Reserve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Engine

T = TypeVar("T")

BUSY_SECONDS = 30
SHOWN_FLAWS = 20


class SqliteDatabase(Database):
    """A database in a file.

    Args:
        path: the file; it is made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._reserve = Reserve(self._path.with_name(f"{self._path.name}.reserve"))
        super().__init__(_engine(self._path), str(path))

    def prepare(self) -> None:
        """See `Database.prepare`; also sets room aside for a full disk."""
        self._refuse_unusable()
        self._reserve.make()
        self._enable_wal()
        migrate(self)

    def write(self, work: Callable[[Connection], T]) -> T:
        """See `Database.write`; waits up to 30 s for another process that writes."""
        with self.engine.connect().execution_options(immediate=True) as connection, connection.begin():
            return work(connection)

    def make_room(self) -> None:
        """Delete the reserve, so that what is in flight can still be kept."""
        self._reserve.release()

    def flaws(self, connection: Connection) -> list[str]:
        """See `Database.flaws`."""
        found = connection.exec_driver_sql(f"PRAGMA integrity_check({SHOWN_FLAWS})").scalars().all()
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(SHOWN_FLAWS)
        return [str(line) for line in found if line != "ok"] + [
            f"{table} {row}: what it refers to in {parent} is missing" for table, row, parent, _ in orphans
        ]

    def backup(self, path: Path) -> None:
        """See `Database.backup`; nothing that is written meanwhile is held up."""
        if path.exists():
            raise StorageError(f"{path} is there already; choose another path for the backup")
        draft = path.with_name(f".{path.name}.part")
        try:
            self._copy(draft)
            draft.rename(path)
        except (sqlite3.Error, OSError) as error:
            raise storage_error(error, str(path)) from error
        finally:
            draft.unlink(missing_ok=True)

    def _copy(self, draft: Path) -> None:
        with closing(sqlite3.connect(self._path)) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
        with draft.open("rb") as file:
            os.fsync(file.fileno())

    def _refuse_unusable(self) -> None:
        # The file is not opened here: closing it would give up the locks of this process's other connections.
        if self._path.is_dir():
            raise StorageError(f"{self.where} is a folder; name a file in it")
        if not self._path.parent.is_dir():
            raise StorageError(f"{self.where}: its folder is not there; create it, or choose another path")
        if self._path.exists() and not _may(self._path, os.R_OK | os.W_OK):
            raise StorageError(f"{self.where} cannot be read and written; allow it, or choose another path")

    def _enable_wal(self) -> None:
        # SQLite does not always wait for others that do the same, whatever its busy timeout says.
        patient = Retrying(
            retry=retry_if_exception(_is_busy),
            stop=stop_after_delay(BUSY_SECONDS),
            wait=wait_random(0.01, 0.1),
            reraise=True,
        )
        mode = patient(self._set_wal)
        if mode != "wal":
            raise StorageError(
                f"{self.where} is on a disk without write-ahead logging; put it on a local disk"
            )

    def _set_wal(self) -> str:
        with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])


def _engine(path: Path) -> Engine:
    url = URL.create("sqlite+pysqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
    # Transactions are begun by `_begin`: the driver would begin them late, and only as a reader's.
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    # A reader that turns writer does not wait but fails, so that a writer says at once what it is.
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _is_busy(error: BaseException) -> bool:
    return str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_BUSY")
