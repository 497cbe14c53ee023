"""Tables: one schema for SQLite and PostgreSQL.

    tools ── tool_names
      └── tool_versions ── run_tools ── runs
                               │          └── calls
                             drafts ── takes
                               ├────── events
                               ├────── open_kinds
                               └────── claims (draft_locks)

    draft_counts    users ── sessions    tools ── votes    subscribers

Rows are ordered by id, never by time. Migrations create the tables; a test compares them with this module.

Sources are `tools`, `tool_versions`, `runs`, `run_tools`, `calls`, the `review` of `drafts`, `events`, `users`, `votes` and `subscribers`.
Everything marked as derived can be computed from these and is kept in step by the transaction that writes its source.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy import UniqueConstraint as Unique

from panel.store.columns import Data, Key, UtcTime, Verbatim

VERSION_TABLE = "panel_version"
DIGEST = String(64)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", Key, primary_key=True)


def _of(table: str, *, key: bool = False, optional: bool = False) -> Column[int]:
    name = {"tool_versions": "version_id"}.get(table, f"{table.removesuffix('s')}_id")
    return Column(name, Key, ForeignKey(f"{table}.id"), primary_key=key, nullable=optional)


tools = Table(
    "tools",
    metadata,
    _id(),
    Column("canonical", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False, index=True),
    Column("first_seen", UtcTime, nullable=False),
)

# Names and aliases of a tool, without case.
tool_names = Table(
    "tool_names",
    metadata,
    _of("tools", key=True),
    Column("name", Text, primary_key=True, index=True),
)

tool_versions = Table(
    "tool_versions",
    metadata,
    _id(),
    _of("tools"),
    Column("digest", DIGEST, nullable=False, unique=True),
    Column("url", Text, index=True),
    Column("content", Verbatim, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Index(None, "tool_id"),
)

runs = Table(
    "runs",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("settings", Data, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("finished_at", UtcTime),
    Column("lease_token", Text),
    Column("lease_holder", Data),
    Column("lease_beat", Integer, nullable=False),
    Column("lease_since", UtcTime),
)

run_tools = Table(
    "run_tools",
    metadata,
    _of("runs", key=True),
    _of("tools", key=True),
    _of("tool_versions"),
    Column("slug", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", Text, nullable=False),
    _of("drafts", optional=True),
    Column("reported", Boolean, nullable=False),
    Index(None, "run_id", "state", "position"),
)

calls = Table(
    "calls",
    metadata,
    _id(),
    Column("key", DIGEST, nullable=False),
    _of("runs", optional=True),
    Column("label", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_digest", DIGEST, nullable=False),
    Column("state", Text, nullable=False),
    Column("worst_usd", Double),
    Column("most_calls", Integer, nullable=False),
    Column("begun_at", UtcTime, nullable=False),
    Column("settled_at", UtcTime),
    Column("completion", Verbatim),
    Column("failure", Verbatim),
    # Derived from the outcome: what statistics add up.
    Column("input_tokens", Key),
    Column("output_tokens", Key),
    Column("cost_usd", Double),
    Column("lost_calls", Integer),
    Column("lease_token", Text),
    Index(None, "key", "state"),
    Index(None, "run_id", "state"),
    Index(None, "prompt_digest"),
)

FILTERED = ("tool_id", "category", "ships", "skips", "cost_usd", "drafted_at")

drafts = Table(
    "drafts",
    metadata,
    _id(),
    _of("runs"),
    _of("tools"),
    _of("tool_versions"),
    Column("review_id", DIGEST, nullable=False, index=True),
    Column("review", Verbatim, nullable=False),
    Column("shown", DIGEST, nullable=False),
    Column("state", Text, nullable=False),
    Column("drafted_at", UtcTime, nullable=False),
    # Derived: lists show and filter by these columns. `shown` and `state` above are derived from the events.
    Column("category", Text),
    Column("open_findings", Integer, nullable=False),
    Column("ships", Integer, nullable=False),
    Column("skips", Integer, nullable=False),
    Column("margin", Integer, nullable=False),
    Column("cost_usd", Double),
    Column("updated_at", UtcTime, nullable=False),
    Column("live", DIGEST),
    Unique("run_id", "tool_id"),
    Index(None, "tool_id"),
    Index(None, "category"),
    Index(None, "cost_usd"),
    Index(None, "drafted_at"),
    # They cover all filters, so that a list does not read the rows, which are long.
    Index("ix_drafts_queue", "state", "id", "open_findings", "margin", *FILTERED),
    Index("ix_drafts_margin", "state", "margin", "id", "open_findings", *FILTERED),
    Index(
        "ix_drafts_live",
        "id",
        sqlite_where=text("live IS NOT NULL"),
        postgresql_where=text("live IS NOT NULL"),
    ),
)

# Most findings first, then the oldest: a mixed order needs an index of its own.
Index(
    "ix_drafts_findings",
    drafts.c.state,
    drafts.c.open_findings.desc(),
    *(drafts.c[name] for name in ("id", "margin", *FILTERED)),
)

# Derived: the kinds of unresolved findings of a draft.
open_kinds = Table(
    "open_kinds",
    metadata,
    _of("drafts", key=True),
    Column("kind", Text, primary_key=True),
    Index("ix_open_kinds_kind", "kind", "draft_id"),
)

# Derived by triggers: the number of drafts of each state and category is the sum over the slots. PostgreSQL has several slots, so that writers
# do not wait for each other.
draft_counts = Table(
    "draft_counts",
    metadata,
    Column("state", Text, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("drafts", Key, nullable=False),
)

# Derived: one row for each seat of a draft's review.
takes = Table(
    "takes",
    metadata,
    _of("drafts", key=True),
    Column("persona", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("verdict", Text),
    Column("reason", Text),
    Column("model", Text),
    Column("prompt_digest", DIGEST),
    Index(None, "persona", "verdict", "draft_id"),
)

events = Table(
    "events",
    metadata,
    _id(),
    _of("drafts"),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text),
    Column("hash_before", DIGEST),
    Column("hash_after", DIGEST, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("payload", Verbatim, nullable=False),
    Index(None, "draft_id"),
)

# Locks of drafts, until a time by the database's clock.
draft_locks = Table(
    "claims",
    metadata,
    _of("drafts", key=True),
    Column("holder", Text, nullable=False),
    Column("until", Double, nullable=False),
)

users = Table(
    "users",
    metadata,
    _id(),
    Column("canonical", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    _of("users"),
    Column("created_at", UtcTime, nullable=False),
    Column("until", Double, nullable=False),
    Index(None, "user_id"),
    Index(None, "until"),
)

# One vote for each tool and reader; the reader is a hash of a random number in their browser.
votes = Table(
    "votes",
    metadata,
    _of("tools", key=True),
    Column("voter", DIGEST, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("address", DIGEST, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index(None, "tool_id", "address"),
)

subscribers = Table(
    "subscribers",
    metadata,
    _id(),
    Column("canonical", Text, nullable=False, unique=True),
    Column("mail", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("confirmed_at", UtcTime),
    Column("left_at", UtcTime),
    Column("last_issue", Text),
)
