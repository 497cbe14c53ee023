"""The base class of both kinds of database with their migrations, and error messages for driver errors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from panel.errors import StorageError
from panel.store.schema import VERSION_TABLE, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

T = TypeVar("T")

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
MIGRATIONS = Path(__file__).parent / "migrations"
# A number that no other program is likely to lock in the same database: the letters `panel`.
ADVISORY_LOCK = int.from_bytes(b"panel")


class Database(ABC):
    """Transactions on one kind of database. `where` names it in messages: the file, or the address without the password."""

    kind: ClassVar[str]

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine = engine
        self.where = where

    @abstractmethod
    def prepare(self) -> None:
        """Check that the database can be used, and migrate it; raises StorageError, OSError or the driver's error."""

    @abstractmethod
    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and return its result after the commit; on a DBAPIError nothing was committed."""

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which must not write, on one consistent state and return its result."""
        with self.engine.connect() as connection:
            return work(connection)

    def try_lock(self, connection: Connection, key: str) -> bool:  # noqa: ARG002 - its signature
        """Lock a key until the transaction ends; return False if another transaction has locked it.

        SQLite needs no lock: its writing transactions never overlap.
        """
        return True

    @abstractmethod
    def revision_and_bytes(self) -> tuple[str | None, int]:
        """Return the revision of the tables, None if there are none, and the size on disk; nothing is created or awaited."""

    @abstractmethod
    def free_reserve(self) -> None:
        """Give up the disk space that was reserved for a full disk."""

    @abstractmethod
    def find_damage(self, connection: Connection) -> list[str]:
        """Return the flaws that the database's own checks find in its files."""

    @abstractmethod
    def backup(self, path: Path) -> None:
        """Write a consistent copy; raises StorageError if it cannot be written."""

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def migrate(self) -> None:
        """Upgrade the tables to the last revision, in one transaction.

        Raises:
            StorageError: a newer version of panel or another program made the database.
        """
        if self.read(self.revision) != REVISIONS[-1]:
            self.write(self._upgrade)

    def revision(self, connection: Connection) -> str | None:
        """Return the revision of panel's tables, or None if there are none; raises StorageError on another program's."""
        inspector = inspect(connection)
        if inspector.has_table(VERSION_TABLE):
            found: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
            return found
        # A PostgreSQL database may be shared with programs whose tables are called otherwise.
        foreign = set(inspector.get_table_names())
        if foreign if connection.dialect.name == "sqlite" else foreign & metadata.tables.keys():
            raise StorageError(f"{self.where} holds the tables of another program; choose another database")
        return None

    def _upgrade(self, connection: Connection) -> None:
        from alembic import command
        from alembic.config import Config

        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        if self.revision(connection) not in {None, *REVISIONS}:
            raise StorageError(
                f"{self.where} was written by a newer version of panel; update panel, or choose another database"
            )
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        command.upgrade(config, "head")


# https://www.sqlite.org/rescode.html (extended codes begin with their primary code), and SQLSTATE codes of PostgreSQL.
_ADVICE = {
    "SQLITE_NOTADB": "is not a database; choose another path",
    "SQLITE_CORRUPT": "is damaged; restore a backup, or choose another path",
    "SQLITE_READONLY": "cannot be written; allow it, or choose another path",
    "SQLITE_CANTOPEN": "cannot be opened; look at its permissions and its folder's, or choose another path",
    "SQLITE_PERM": "cannot be opened; look at its permissions, or choose another path",
    "SQLITE_FULL": "has no room left on its disk; make room, then run the same again",
    "SQLITE_IOERR": "cannot be read or written; check its disk and its room there, then run the same again",
    "SQLITE_BUSY": "is locked by another program; end that, then run the same again",
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
    for prefix, advice in _ADVICE.items():
        if code.startswith(prefix):
            return StorageError(f"{where} {advice}")
    message = " ".join(str(cause).split())
    return StorageError(
        f"{where} cannot be used ({message}); check that it can be reached, then run the same again"
    )


def is_lost_connection(error: BaseException) -> bool:
    """Whether PostgreSQL went away or asked to repeat the transaction, so that a retry may succeed.

    The classes are of https://www.postgresql.org/docs/15/errcodes-appendix.html: 08 connection, 40 rollback, 57P shutdown.
    """
    if not isinstance(error, DBAPIError):
        return False
    code = _code(error.orig)
    is_unreachable = isinstance(error, OperationalError) and not code
    return error.connection_invalidated or is_unreachable or code.startswith(("08", "40", "57P"))


def _code(cause: object) -> str:
    return getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
