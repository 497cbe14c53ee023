"""Migrations: the ordered list of revisions, and the upgrade to the last of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from panel.errors import StorageError
from panel.store.schema import VERSION_TABLE, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.store.database import Database

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
MIGRATIONS = Path(__file__).parent / "migrations"
# A number that no other program is likely to lock in the same database: the letters `panel`.
ADVISORY_LOCK = int.from_bytes(b"panel")


def migrate(database: Database) -> None:
    """Upgrade a database to the last revision, in one transaction.

    Raises:
        StorageError: a newer version of panel or another program made it.
        DBAPIError: the database cannot be read or written.
    """
    if database.read(read_revision) == REVISIONS[-1]:
        return
    database.write(lambda connection: _upgrade(connection, database.where))


def read_revision(connection: Connection) -> str | None:
    """Return a database's revision, or None if it holds no tables of panel."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    return found


def _upgrade(connection: Connection, where: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    found = read_revision(connection)
    if found is None:
        refuse_foreign_tables(connection, where)
    elif found not in REVISIONS:
        raise StorageError(
            f"{where} was written by a newer version of panel; update panel, or choose another database"
        )
    _run_alembic(connection)


def refuse_foreign_tables(connection: Connection, where: str) -> None:
    """Raise a StorageError if a database without a revision holds another program's tables."""
    # A PostgreSQL database may be shared with programs whose tables are called otherwise.
    found = set(inspect(connection).get_table_names())
    if found if connection.dialect.name == "sqlite" else found & metadata.tables.keys():
        raise StorageError(f"{where} holds the tables of another program; choose another database")


def _run_alembic(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
