"""The ordered list of revisions, and how a database is brought to the last of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from panel.errors import StorageError
from panel.store.schema import VERSION_TABLE, metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.store.database import Database

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do that no other program takes in the same database: the letters `panel`.
ADVISORY_LOCK = int.from_bytes(b"panel")


def migrate(database: Database) -> None:
    """Bring a database to the last revision, in one transaction; one that is there is left alone.

    Raises:
        StorageError: it is of a newer version, or another program's.
        DBAPIError: it cannot be read or written.
    """
    if database.read(version) == REVISIONS[-1]:
        return
    database.write(lambda connection: _upgrade(connection, database.where))


def version(connection: Connection) -> str | None:
    """Return the revision that a database is at, or None if it has none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
    return found


def _upgrade(connection: Connection, where: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    found = version(connection)
    if found is None:
        refuse_others(connection, where)
    elif found not in REVISIONS:
        raise StorageError(
            f"{where} was written by a newer version of panel; update panel, or choose another database"
        )
    _run_alembic(connection)


def refuse_others(connection: Connection, where: str) -> None:
    """Refuse a database without a revision that holds another program's tables.

    Raises:
        StorageError: it does.
    """
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
