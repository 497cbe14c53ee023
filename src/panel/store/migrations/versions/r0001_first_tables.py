"""Tools, runs, calls, drafts and their events, which are only ever added."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from panel.store.columns import Data, Key, UtcTime, Verbatim

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and have the database refuse a change of an event."""
    _tools()
    _runs()
    _calls()
    _drafts()
    if op.get_context().dialect.name == "sqlite":
        _guard_on_sqlite()
    else:
        _guard_on_postgresql()


def _tools() -> None:
    op.create_table(
        "tools",
        sa.Column("id", Key, primary_key=True),
        sa.Column("canonical", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("slug", sa.Text, nullable=False, index=True),
        sa.Column("first_seen", UtcTime, nullable=False),
    )
    op.create_table(
        "tool_names",
        sa.Column("tool_id", Key, sa.ForeignKey("tools.id"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True, index=True),
    )
    op.create_table(
        "tool_versions",
        sa.Column("id", Key, primary_key=True),
        sa.Column("tool_id", Key, sa.ForeignKey("tools.id"), nullable=False, index=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("url", sa.Text, index=True),
        sa.Column("content", Verbatim, nullable=False),
        sa.Column("first_seen", UtcTime, nullable=False),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", Key, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("settings", Data, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("finished_at", UtcTime),
        sa.Column("lease_token", sa.Text),
        sa.Column("lease_holder", Data),
        sa.Column("lease_beat", sa.Integer, nullable=False),
        sa.Column("lease_since", UtcTime),
    )


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", Key, primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("run_id", Key, sa.ForeignKey("runs.id")),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("label", "provider", "model")),
        sa.Column("prompt_digest", sa.String(64), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("worst_usd", sa.Double),
        sa.Column("most_calls", sa.Integer, nullable=False),
        sa.Column("begun_at", UtcTime, nullable=False),
        sa.Column("settled_at", UtcTime),
        sa.Column("completion", Verbatim),
        sa.Column("failure", Verbatim),
        sa.Column("input_tokens", Key),
        sa.Column("cached_tokens", Key),
        sa.Column("cache_write_tokens", Key),
        sa.Column("output_tokens", Key),
        sa.Column("reasoning_tokens", Key),
        sa.Column("cost_usd", sa.Double),
        sa.Column("estimated", sa.Boolean),
        sa.Column("lost_calls", sa.Integer),
        sa.Column("attempts", sa.Integer),
        sa.Column("request_id", sa.Text),
        sa.Index(None, "key", "state"),
        sa.Index(None, "run_id", "state"),
        sa.Index(None, "prompt_digest"),
    )


def _drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", Key, primary_key=True),
        sa.Column("run_id", Key, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("tool_id", Key, sa.ForeignKey("tools.id"), nullable=False),
        sa.Column("version_id", Key, sa.ForeignKey("tool_versions.id"), nullable=False),
        sa.Column("review_id", sa.String(64), nullable=False, index=True),
        sa.Column("review", Verbatim, nullable=False),
        sa.Column("shown", sa.String(64), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("drafted_at", UtcTime, nullable=False),
        sa.UniqueConstraint("run_id", "tool_id"),
    )
    op.create_table(
        "run_tools",
        sa.Column("run_id", Key, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("tool_id", Key, sa.ForeignKey("tools.id"), primary_key=True),
        sa.Column("version_id", Key, sa.ForeignKey("tool_versions.id"), nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("draft_id", Key, sa.ForeignKey("drafts.id")),
        sa.Column("reported", sa.Boolean, nullable=False),
        sa.Index(None, "run_id", "state", "position"),
    )
    op.create_table(
        "takes",
        sa.Column("draft_id", Key, sa.ForeignKey("drafts.id"), primary_key=True),
        sa.Column("persona", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("score", sa.Integer),
        sa.Column("reason", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("prompt_digest", sa.String(64)),
    )
    op.create_table(
        "events",
        sa.Column("id", Key, primary_key=True),
        sa.Column("draft_id", Key, sa.ForeignKey("drafts.id"), nullable=False, index=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("hash_before", sa.String(64)),
        sa.Column("hash_after", sa.String(64), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("payload", Data, nullable=False),
    )


def _guard_on_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER events_no_{change.lower()} BEFORE {change} ON events "
            "BEGIN SELECT RAISE(ABORT, 'events are only ever added'); END"
        )


def _guard_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION events_only_added() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'events are only ever added' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION events_only_added()"
    )
