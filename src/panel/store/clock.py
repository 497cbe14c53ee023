"""The database's clock: the one that all who share a database have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

_QUERIES = {
    "sqlite": text("SELECT (julianday('now') - 2440587.5) * 86400.0"),
    "postgresql": text("SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)"),
}


def database_time(connection: Connection) -> float:
    """Return seconds since 1970 by the database's clock, for what may lapse a little early or late."""
    return float(connection.scalar(_QUERIES[connection.dialect.name]) or 0.0)
