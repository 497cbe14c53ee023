"""Which database an address names, and what it holds, without creating, migrating or locking anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

from panel.core.frozen import Frozen
from panel.errors import SettingsError
from panel.store.database import storage_error
from panel.store.migrate import REVISIONS, read_revision, refuse_foreign_tables
from panel.store.postgres import PostgresDatabase
from panel.store.schema import metadata
from panel.store.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.store.database import Database


class StoreInfo(Frozen):
    """The store at an address.

    Attributes:
        where: the file's absolute path, or the address without its password.
        kind: `SQLite` or `PostgreSQL`.
        revision: revision of its tables; None if there are none yet.
        bytes: size on disk.
    """

    where: str
    kind: str
    revision: str | None = None
    bytes: int = 0

    @property
    def exists(self) -> bool:
        """Whether there is a store."""
        return self.revision is not None

    @property
    def is_newer(self) -> bool:
        """Whether a newer version of panel has migrated it, so that this one cannot open it."""
        return self.exists and self.revision not in REVISIONS


def database_at(where: str | Path) -> Database:
    """Return the database at a path or a URL, without connecting to it.

    Raises:
        SettingsError: the address is not understood, or a package for it is missing.
    """
    if isinstance(where, Path) or "://" not in where:
        return SqliteDatabase(Path(where))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError) as error:
        # The message does not repeat the address, which may hold a password.
        raise SettingsError(
            "the store's address cannot be read; write postgresql://user@host/name"
        ) from error
    if url.get_backend_name() == "postgresql":
        return PostgresDatabase(url.set(drivername="postgresql+psycopg"))
    raise SettingsError(
        f"{url.get_backend_name()} is not supported; give a path, or postgresql://user@host/name"
    )


def read_store_info(where: str | Path) -> StoreInfo:
    """Return the kind, revision and size of the store at an address; see `open_store`.

    Raises:
        SettingsError: the address is not understood, or a package for it is missing.
        StorageError: it cannot be read, or is another program's.
    """
    database = database_at(where)
    try:
        return _read_info(database)
    except (DBAPIError, OSError) as error:
        raise storage_error(error, database.where) from error
    finally:
        database.close()


def _read_info(database: Database) -> StoreInfo:
    if not isinstance(database, SqliteDatabase):
        # `read` would wait for a server that is down.
        database.engine.connect().close()
        revision, size = database.read(
            lambda connection: (_read_revision(connection, database), _table_bytes(connection))
        )
        return StoreInfo(where=database.where, kind="PostgreSQL", revision=revision, bytes=size)
    path = Path(database.where).absolute()
    if not path.exists():
        return StoreInfo(where=str(path), kind="SQLite")
    revision = database.read(lambda connection: _read_revision(connection, database))
    wal = path.with_name(f"{path.name}-wal")
    size = path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
    return StoreInfo(where=str(path), kind="SQLite", revision=revision, bytes=size)


def _read_revision(connection: Connection, database: Database) -> str | None:
    found = read_revision(connection)
    if found is None:
        refuse_foreign_tables(connection, database.where)
    return found


def _table_bytes(connection: Connection) -> int:
    sizes = (
        func.coalesce(func.pg_total_relation_size(func.to_regclass(name)), 0) for name in metadata.tables
    )
    return sum(connection.execute(select(*sizes)).one())
