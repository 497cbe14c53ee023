"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, BigInteger, DateTime, Integer
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Connection, Dialect, Table
    from sqlalchemy.types import TypeEngine

LAST_NUMBER = 2**63 - 1


class Key(TypeDecorator[int]):
    """A row's number. One that is too large for both databases is looked for as the last of all, which no row has."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        """Return INTEGER for SQLite, which numbers rows by itself only there; it holds 64 bits."""
        return Integer() if dialect.name == "sqlite" else BigInteger()

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - its signature
        """Return a number that the databases take."""
        return None if value is None else max(-LAST_NUMBER, min(value, LAST_NUMBER))


Data = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

# JSONB refuses U+0000, which a model may write; what was paid for is kept as it came.
Verbatim = JSON(none_as_null=True)


class UtcTime(TypeDecorator[datetime]):
    """A moment with its zone; SQLite keeps none, so that it is UTC on both sides."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - its signature
        """Return the moment in UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - its signature
        """Return the moment in UTC, whatever the driver says of its zone."""
        if value is None:
            return None
        moment: datetime = value
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def now() -> datetime:
    """Return the time, for a record; nothing is ordered or timed by it, because clocks jump."""
    return datetime.now(UTC)


def plain(text: str | None) -> str | None:
    """Return a text that a text column takes: PostgreSQL refuses U+0000."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if text else text


def insert_new(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an insert that passes over rows that are there already."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    query: sqlite.Insert | postgresql.Insert = dialect.insert(table).on_conflict_do_nothing()
    return query
