"""Column types and SQL that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, DateTime, Integer, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from pydantic import BaseModel
    from sqlalchemy import ColumnElement, Connection, Dialect, FromClause, Table
    from sqlalchemy.types import TypeEngine

MAX_ID = 2**63 - 1


class Key(TypeDecorator[int]):
    """A row's id. One that is out of range for the databases is clamped to an id that no row has."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        """Return INTEGER for SQLite, which assigns ids to that type alone; it holds 64 bits."""
        return Integer() if dialect.name == "sqlite" else BigInteger()

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - its signature
        """Return the id, clamped to 64 bits."""
        return None if value is None else max(-MAX_ID, min(value, MAX_ID))


Data = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

# JSONB refuses U+0000, which a model may write; answers are kept unchanged.
Verbatim = JSON(none_as_null=True)


class UtcTime(TypeDecorator[datetime]):
    """A time with its zone; always UTC, because SQLite stores no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - its signature
        """Return the time in UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - its signature
        """Return the time in UTC, with or without a zone from the driver."""
        if value is None:
            return None
        time: datetime = value
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def now() -> datetime:
    """Return the time for a record; nothing is ordered or timed by it, because clocks jump."""
    return datetime.now(UTC)


_DATABASE_TIME = {
    "sqlite": text("SELECT (julianday('now') - 2440587.5) * 86400.0"),
    "postgresql": text("SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)"),
}


def database_time(connection: Connection) -> float:
    """Return seconds since 1970 by the clock that all users of a database share, for deadlines that need not be exact."""
    return float(connection.scalar(_DATABASE_TIME[connection.dialect.name]) or 0.0)


def without_nul(value: str | None) -> str | None:
    """Replace U+0000, which PostgreSQL's text columns refuse."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if value else value


def columns_of(table: FromClause, model: type[BaseModel]) -> list[ColumnElement[Any]]:
    """Return the columns that are called as a model's fields."""
    return [table.c[name] for name in model.model_fields]


def insert_new(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that skips rows that exist already."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    query: sqlite.Insert | postgresql.Insert = dialect.insert(table).on_conflict_do_nothing()
    return query
