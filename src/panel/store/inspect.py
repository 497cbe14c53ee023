"""What there is at an address, without making, migrating or locking anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from panel.core.base import Frozen
from panel.store.errors import storage_error
from panel.store.migrate import REVISIONS, refuse_others, version
from panel.store.schema import metadata
from panel.store.sqlite import SqliteDatabase
from panel.store.store import database_at

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.store.database import Database


class StoreInfo(Frozen):
    """A place for a store, and what is there.

    Attributes:
        where: the file with its whole path, or the address without its password.
        kind: `SQLite` or `PostgreSQL`.
        revision: the revision of its tables; None if there are none yet.
        bytes: what they take on their disk.
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
        """Whether a newer panel has changed it, so that this one cannot open it."""
        return self.exists and self.revision not in REVISIONS


def read_store_info(where: str | Path) -> StoreInfo:
    """Look at a place for a store.

    Args:
        where: as for `open_store`.

    Raises:
        SettingsError: it is no address that panel knows, or a package for it is missing.
        StorageError: it cannot be read, or is another program's.
    """
    database = database_at(where)
    try:
        return _seen(database)
    except (DBAPIError, OSError) as error:
        raise storage_error(error, database.where) from error
    finally:
        database.close()


def _seen(database: Database) -> StoreInfo:
    if not isinstance(database, SqliteDatabase):
        # A server that is not there is not waited for.
        database.engine.connect().close()
        revision, size = database.read(
            lambda connection: (_revision(connection, database), _size(connection))
        )
        return StoreInfo(where=database.where, kind="PostgreSQL", revision=revision, bytes=size)
    path = Path(database.where).absolute()
    if not path.exists():
        return StoreInfo(where=str(path), kind="SQLite")
    revision = database.read(lambda connection: _revision(connection, database))
    return StoreInfo(where=str(path), kind="SQLite", revision=revision, bytes=_file_size(path))


def _revision(connection: Connection, database: Database) -> str | None:
    found = version(connection)
    if found is None:
        refuse_others(connection, database.where)
    return found


def _size(connection: Connection) -> int:
    sizes = (
        func.coalesce(func.pg_total_relation_size(func.to_regclass(name)), 0) for name in metadata.tables
    )
    return sum(connection.execute(select(*sizes)).one())


def _file_size(path: Path) -> int:
    log = path.with_name(f"{path.name}-wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)
