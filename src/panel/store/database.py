"""The base class of the two kinds of database, and the mapping from driver errors to one line for the user."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from panel.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection, Engine

T = TypeVar("T")


class Database(ABC):
    """Transactions on one kind of database.

    `where` is its name in error messages: the file, or the address without the password.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine = engine
        self.where = where

    @abstractmethod
    def prepare(self) -> None:
        """Check that the database can be used, and migrate it to the last revision.

        Raises:
            StorageError: the database cannot be used; the message says what to do.
            DBAPIError: likewise, in the driver's words.
        """

    @abstractmethod
    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and return its result after the commit.

        Raises:
            DBAPIError: nothing was committed.
        """

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which must not write, on one consistent state and return its result.

        Raises:
            DBAPIError: the database cannot be read.
        """
        with self.engine.connect() as connection:
            return work(connection)

    def try_lock(self, connection: Connection, key: str) -> bool:  # noqa: ARG002 - its signature
        """Lock a key until the transaction ends; return False if another transaction has locked it.

        SQLite needs no lock: its writing transactions never overlap.
        """
        return True

    @abstractmethod
    def free_reserve(self) -> None:
        """Give up the disk space that was reserved for a full disk."""

    @abstractmethod
    def find_damage(self, connection: Connection) -> list[str]:
        """Return the flaws that the database's own checks find in its files."""

    @abstractmethod
    def backup(self, path: Path) -> None:
        """Write a consistent copy.

        Raises:
            StorageError: the copy cannot be written.
        """

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


# https://www.sqlite.org/rescode.html; extended codes begin with the name of their primary code.
_SQLITE = {
    "SQLITE_NOTADB": "is not a database; choose another path",
    "SQLITE_CORRUPT": "is damaged; restore a backup, or choose another path",
    "SQLITE_READONLY": "cannot be written; allow it, or choose another path",
    "SQLITE_CANTOPEN": "cannot be opened; look at its permissions and its folder's, or choose another path",
    "SQLITE_PERM": "cannot be opened; look at its permissions, or choose another path",
    "SQLITE_FULL": "has no room left on its disk; make room, then run the same again",
    "SQLITE_IOERR": "cannot be read or written; check its disk and its room there, then run the same again",
    "SQLITE_BUSY": "is locked by another program; end that, then run the same again",
}
_POSTGRESQL = {
    "28": "refused the user or the password; correct the address",
    "3D": "does not exist; create it, or correct the address",
    "42501": "does not allow it to this user; grant it the rights to create and to write tables",
    "53100": "has no room left on its disk; make room, then run the same again",
    "25006": "cannot be written; choose another database",
}


def storage_error(error: Exception, where: str) -> StorageError:
    """Return the StorageError for a driver's error, wrapped by SQLAlchemy or not."""
    cause: object = getattr(error, "orig", None) or error
    code = _code(cause)
    for prefix, advice in {**_SQLITE, **_POSTGRESQL}.items():
        if code.startswith(prefix):
            return StorageError(f"{where} {advice}")
    message = " ".join(str(cause).split())
    return StorageError(
        f"{where} cannot be used ({message}); check that it can be reached, then run the same again"
    )


def lost_connection(error: DBAPIError) -> bool:
    """Whether PostgreSQL went away or asked to repeat the transaction, so that a retry may succeed.

    The classes are of https://www.postgresql.org/docs/15/errcodes-appendix.html: 08 connection, 40 rollback, 57P shutdown.
    """
    code = _code(error.orig)
    unreachable = isinstance(error, OperationalError) and not code
    return error.connection_invalidated or unreachable or code.startswith(("08", "40", "57P"))


def _code(cause: object) -> str:
    return getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
