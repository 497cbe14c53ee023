"""SQLite: a file on a local disk, in WAL mode, with one writer at a time."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, Connection, create_engine, event
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from panel.errors import StorageError
from panel.store.database import Database, storage_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")

BUSY_SECONDS = 30
# Holds the answers of 64 calls in flight, at 4 KB each.
RESERVE_BYTES = 256 * 1024
MAX_REPORTED_FLAWS = 20


class SqliteDatabase(Database):
    """A database file, which is created if it does not exist, and beside it a `.reserve` of disk space."""

    kind = "SQLite"

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._reserve = self.path.with_name(f"{self.path.name}.reserve")
        url = URL.create("sqlite+pysqlite", database=str(self.path))
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
        super().__init__(engine, str(path))

    def prepare(self) -> None:
        """See `Database.prepare`; also reserves disk space for a full disk."""
        self._check_path()
        self._fill_reserve()
        # SQLite's busy timeout does not cover several processes that switch to WAL at once.
        retrying = Retrying(
            retry=retry_if_exception(_is_busy),
            stop=stop_after_delay(BUSY_SECONDS),
            wait=wait_random(0.01, 0.1),
            reraise=True,
        )
        if retrying(self._set_wal) != "wal":
            raise StorageError(
                f"{self.where} is on a disk without write-ahead logging; put it on a local disk"
            )
        self.migrate()

    def write(self, work: Callable[[Connection], T]) -> T:
        """See `Database.write`; waits up to 30 s for the writer of another process."""
        with self.engine.connect().execution_options(immediate=True) as connection, connection.begin():
            return work(connection)

    def revision_and_bytes(self) -> tuple[str | None, int]:
        """See `Database.revision_and_bytes`; the size is that of the file and its write-ahead log."""
        if not self.path.exists():
            return None, 0
        revision = self.read(self.revision)
        files = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return revision, sum(file.stat().st_size for file in files if file.exists())

    def free_reserve(self) -> None:
        """Delete the reserve file, so that answers in flight can still be written."""
        with suppress(OSError):
            self._reserve.unlink()

    def find_damage(self, connection: Connection) -> list[str]:
        """See `Database.find_damage`."""
        found = connection.exec_driver_sql(f"PRAGMA integrity_check({MAX_REPORTED_FLAWS})").scalars().all()
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(MAX_REPORTED_FLAWS)
        return [str(line) for line in found if line != "ok"] + [
            f"{table} {row} refers to a missing row of {parent}" for table, row, parent, _ in orphans
        ]

    def backup(self, path: Path) -> None:
        """See `Database.backup`; writers are not held up meanwhile."""
        if path.exists():
            raise StorageError(f"{path} exists already; choose another path for the backup")
        part = path.with_name(f".{path.name}.part")
        try:
            with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(part)) as target:
                source.backup(target)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.rename(path)
        except (sqlite3.Error, OSError) as error:
            raise storage_error(error, str(path)) from error
        finally:
            part.unlink(missing_ok=True)

    def _check_path(self) -> None:
        # The file is not opened here: closing it would drop the locks of this process's other connections.
        if self.path.is_dir():
            raise StorageError(f"{self.where} is a folder; name a file in it")
        if not self.path.parent.is_dir():
            raise StorageError(f"{self.where}: its folder does not exist; create it, or choose another path")
        effective = os.access in os.supports_effective_ids
        if self.path.exists() and not os.access(self.path, os.R_OK | os.W_OK, effective_ids=effective):
            raise StorageError(f"{self.where} cannot be read and written; allow it, or choose another path")

    def _fill_reserve(self) -> None:
        try:
            if self._reserve.exists() and self._reserve.stat().st_size >= RESERVE_BYTES:
                return
            # Zeros are written, because a sparse file reserves nothing.
            with self._reserve.open("wb") as file:
                file.write(bytes(RESERVE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self.free_reserve()
            raise StorageError(
                f"{self._reserve}: {RESERVE_BYTES // 1024} KB could not be reserved ({error.strerror}); "
                "make room and allow writing in this folder, or choose another path"
            ) from error

    def _set_wal(self) -> str:
        with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
    # `_begin` starts transactions: the driver would start them late, and always as a reader's.
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails instead of waiting, so that writers lock at once.
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _is_busy(error: BaseException) -> bool:
    return str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_BUSY")
