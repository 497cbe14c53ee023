"""PostgreSQL: one store for several machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from panel.errors import SettingsError, StorageError
from panel.store.database import Database, lost_connection
from panel.store.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import URL, Engine

T = TypeVar("T")

RETRY_SECONDS = 30
CONNECT_SECONDS = 5


class PostgresDatabase(Database):
    """A PostgreSQL database at a `postgresql+psycopg://` address."""

    def __init__(self, url: URL) -> None:
        super().__init__(_create_engine(url), url.render_as_string(hide_password=True))
        self._retrying = Retrying(
            retry=retry_if_exception(_is_retryable),
            stop=stop_after_delay(RETRY_SECONDS),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        )

    def prepare(self) -> None:
        """See `Database.prepare`; does not wait for a server that is down."""
        self.engine.connect().close()
        migrate(self)

    def read(self, work: Callable[[Connection], T]) -> T:
        """See `Database.read`; retries for up to 30 s if the server went away."""
        result: T = self._retrying.copy()(self._read_once, work)
        return result

    def write(self, work: Callable[[Connection], T]) -> T:
        """See `Database.write`; retries for up to 30 s if the server went away, and never commits twice."""
        transaction = _Transaction(self.engine, work)
        return self._retrying.copy()(transaction.commit)

    def _read_once(self, work: Callable[[Connection], T]) -> T:
        # By default each statement would see what others committed meanwhile.
        with self.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            return work(connection)

    def try_lock(self, connection: Connection, key: str) -> bool:
        """See `Database.try_lock`; never waits, so that two transactions cannot deadlock."""
        query = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
        return bool(connection.scalar(query, {"key": key}))

    def free_reserve(self) -> None:
        """Do nothing: the server's disk is the server's."""

    def find_damage(self, connection: Connection) -> list[str]:  # noqa: ARG002 - its signature
        """Return nothing: PostgreSQL checks its own pages, with data checksums and pg_amcheck."""
        return []

    def backup(self, path: Path) -> None:  # noqa: ARG002 - its signature
        """Refuse; see `Database.backup`."""
        raise StorageError(f"{self.where} is PostgreSQL; back it up with pg_dump")


class _Undecided(OperationalError):
    """The server does not know yet whether an interrupted commit went through."""

    def __init__(self) -> None:
        super().__init__(
            None, None, TimeoutError("it is not known whether an interrupted commit went through")
        )


class _Transaction(Generic[T]):
    """A transaction that is repeated after a lost connection, unless its commit went through.

    PostgreSQL reports the outcome of a transaction by its id: `pg_xact_status`
    (https://www.postgresql.org/docs/15/functions-info.html).
    """

    def __init__(self, engine: Engine, work: Callable[[Connection], T]) -> None:
        self._engine = engine
        self._work = work
        self._committing: tuple[str, T] | None = None

    def commit(self) -> T:
        """Do and commit the work, unless that happened already, and return its result."""
        with self._engine.connect() as connection:
            if self._committing and self._committed(connection, self._committing[0]):
                return self._committing[1]
            return self._attempt(connection)

    def _attempt(self, connection: Connection) -> T:
        self._committing = None
        result = self._work(connection)
        number = connection.scalar(text("SELECT CAST(pg_current_xact_id() AS text)"))
        self._committing = (number, result)
        connection.commit()
        return result

    @staticmethod
    def _committed(connection: Connection, number: str) -> bool:
        query = text("SELECT pg_xact_status(CAST(:number AS xid8))")
        status = connection.scalar(query, {"number": number})
        connection.rollback()
        if status == "in progress":
            raise _Undecided
        return bool(status == "committed")


def _create_engine(url: URL) -> Engine:
    try:
        return create_engine(url, connect_args={"connect_timeout": CONNECT_SECONDS})
    except ModuleNotFoundError as error:
        raise SettingsError(
            "a store in PostgreSQL needs psycopg; install it with: pip install 'panel-review[postgres]'"
        ) from error


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and lost_connection(error)
