"""PostgreSQL: one store for several machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, create_engine, func, select, text
from sqlalchemy.exc import OperationalError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from panel.errors import SettingsError, StorageError
from panel.store.database import Database, is_lost_connection
from panel.store.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import URL

T = TypeVar("T")

RETRY_SECONDS = 30
CONNECT_SECONDS = 5


class PostgresDatabase(Database):
    """A PostgreSQL database at a `postgresql+psycopg://` address."""

    kind = "PostgreSQL"

    def __init__(self, url: URL) -> None:
        try:
            engine = create_engine(url, connect_args={"connect_timeout": CONNECT_SECONDS})
        except ModuleNotFoundError as error:
            raise SettingsError(
                "a store in PostgreSQL needs psycopg; install it with: pip install 'panel-review[postgres]'"
            ) from error
        super().__init__(engine, url.render_as_string(hide_password=True))
        self._retrying = Retrying(
            retry=retry_if_exception(is_lost_connection),
            stop=stop_after_delay(RETRY_SECONDS),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        )

    def prepare(self) -> None:
        """See `Database.prepare`; does not wait for a server that is down."""
        self.engine.connect().close()
        self.migrate()

    def read(self, work: Callable[[Connection], T]) -> T:
        """See `Database.read`; retries for up to 30 s if the server went away."""
        result: T = self._retrying.copy()(self._read_once, work)
        return result

    def _read_once(self, work: Callable[[Connection], T]) -> T:
        # By default each statement would see what others committed meanwhile.
        with self.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            return work(connection)

    def write(self, work: Callable[[Connection], T]) -> T:
        """See `Database.write`; retries for up to 30 s if the server went away, and never commits twice."""
        committing: tuple[str, T] | None = None

        def commit_once() -> T:
            nonlocal committing
            with self.engine.connect() as connection:
                if committing and _is_committed(connection, committing[0]):
                    return committing[1]
                committing = None
                result = work(connection)
                number = connection.scalar(text("SELECT CAST(pg_current_xact_id() AS text)"))
                committing = (number, result)
                connection.commit()
                return result

        return self._retrying.copy()(commit_once)

    def try_lock(self, connection: Connection, key: str) -> bool:
        """See `Database.try_lock`; never waits, so that two transactions cannot deadlock."""
        query = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
        return bool(connection.scalar(query, {"key": key}))

    def revision_and_bytes(self) -> tuple[str | None, int]:
        """See `Database.revision_and_bytes`; the size is that of panel's tables."""
        # `read` would wait for a server that is down.
        self.engine.connect().close()
        sizes = (
            func.coalesce(func.pg_total_relation_size(func.to_regclass(name)), 0) for name in metadata.tables
        )
        return self.read(
            lambda connection: (self.revision(connection), sum(connection.execute(select(*sizes)).one()))
        )

    def free_reserve(self) -> None:
        """Do nothing: the server's disk is the server's."""

    def find_damage(self, connection: Connection) -> list[str]:  # noqa: ARG002 - its signature
        """Return nothing: PostgreSQL checks its own pages, with data checksums and pg_amcheck."""
        return []

    def backup(self, path: Path) -> None:  # noqa: ARG002 - its signature
        """Refuse; see `Database.backup`."""
        raise StorageError(f"{self.where} is PostgreSQL; back it up with pg_dump")


def _is_committed(connection: Connection, number: str) -> bool:
    """Whether a transaction was committed (https://www.postgresql.org/docs/15/functions-info.html)."""
    status = connection.scalar(text("SELECT pg_xact_status(CAST(:number AS xid8))"), {"number": number})
    connection.rollback()
    if status == "in progress":
        unknown = TimeoutError("it is not known whether an interrupted commit went through")
        raise OperationalError(None, None, unknown)
    return bool(status == "committed")
