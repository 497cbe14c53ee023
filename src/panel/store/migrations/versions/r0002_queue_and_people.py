"""What a queue needs of drafts, counts of them, who has one before them, and people who sign in."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from panel.store.columns import Key, UtcTime, Verbatim

revision = "0002"
down_revision = "0001"

SLOTS = 32
CHUNK = 200
FILTERED = ("tool_id", "category", "ships", "skips", "cost_usd", "drafted_at")


def upgrade() -> None:
    """Add the columns and fill them for drafts that are there, then the tables."""
    _columns()
    _fill()
    _indexes()
    _open_kinds()
    _counts()
    _claims()
    _people()
    if op.get_context().dialect.name == "postgresql":
        # JSONB refuses U+0000, which a model may write and an edit replaces.
        op.alter_column("events", "payload", type_=Verbatim, postgresql_using="payload::json")


def _columns() -> None:
    columns: list[sa.Column[Any]] = [
        sa.Column("category", sa.Text),
        sa.Column("findings", Verbatim),
        sa.Column("open_findings", sa.Integer, nullable=False, server_default="-1"),
        sa.Column("ships", sa.Integer, nullable=False, server_default="0"),
        sa.Column("skips", sa.Integer, nullable=False, server_default="0"),
        sa.Column("margin", sa.Integer, nullable=False, server_default="0"),
        sa.Column("cost_usd", sa.Double),
        sa.Column("updated_at", UtcTime, nullable=False, server_default="1970-01-01 00:00:00"),
        sa.Column("live", sa.String(64)),
    ]
    for column in columns:
        op.add_column("drafts", column)


def _fill() -> None:
    connection = op.get_bind()
    drafts = sa.table(
        "drafts",
        *(sa.column(name) for name in ("id", "category", "ships", "skips", "margin", "cost_usd")),
        sa.column("review", Verbatim),
        sa.column("drafted_at", UtcTime),
        sa.column("updated_at", UtcTime),
    )
    change = sa.update(drafts).where(drafts.c.id == sa.bindparam("draft"))
    query = sa.select(drafts.c.id, drafts.c.review, drafts.c.drafted_at).order_by(drafts.c.id).limit(CHUNK)
    last = 0
    while rows := connection.execute(query.where(drafts.c.id > last)).all():
        connection.execute(
            change, [{"draft": row.id, "updated_at": row.drafted_at, **_facts(row.review)} for row in rows]
        )
        last = rows[-1].id


def _facts(review: dict[str, Any]) -> dict[str, Any]:
    verdicts = [seat["outcome"].get("verdict") for seat in review["seats"]]
    ships, skips = verdicts.count("ship"), verdicts.count("skip")
    asked = [seat["provenance"] for seat in review["seats"] if seat["provenance"]]
    costs = [source["usage"]["cost_usd"] for source in asked]
    return {
        "category": review["tool"]["category"],
        "ships": ships,
        "skips": skips,
        "margin": abs(ships - skips),
        "cost_usd": None if None in costs else sum(costs),
    }


def _indexes() -> None:
    indexes: tuple[tuple[str | sa.TextClause, ...], ...] = (
        ("ix_drafts_tool_id", "tool_id"),
        ("ix_drafts_category", "category"),
        ("ix_drafts_cost_usd", "cost_usd"),
        ("ix_drafts_drafted_at", "drafted_at"),
        ("ix_drafts_queue", "state", "id", "open_findings", "margin", *FILTERED),
        ("ix_drafts_findings", "state", sa.text("open_findings DESC"), "id", "margin", *FILTERED),
        ("ix_drafts_margin", "state", "margin", "id", "open_findings", *FILTERED),
    )
    for name, *columns in indexes:
        op.create_index(str(name), "drafts", columns)
    op.create_index("ix_takes_persona_verdict_draft_id", "takes", ["persona", "verdict", "draft_id"])
    live = sa.text("live IS NOT NULL")
    op.create_index("ix_drafts_live", "drafts", ["id"], sqlite_where=live, postgresql_where=live)


def _open_kinds() -> None:
    op.create_table(
        "open_kinds",
        sa.Column("draft_id", Key, sa.ForeignKey("drafts.id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Index("ix_open_kinds_kind", "kind", "draft_id"),
    )


def _counts() -> None:
    op.create_table(
        "draft_counts",
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("category", sa.Text, primary_key=True),
        sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("drafts", Key, nullable=False),
    )
    op.execute(
        "INSERT INTO draft_counts (state, category, slot, drafts) "
        "SELECT state, coalesce(category, ''), 0, count(*) FROM drafts GROUP BY 1, 2"
    )
    if op.get_context().dialect.name == "sqlite":
        _count_on_sqlite()
    else:
        _count_on_postgresql()


def _counted(row: str, slot: str, by: str) -> str:
    return (
        "INSERT INTO draft_counts (state, category, slot, drafts) "  # noqa: S608 - of the constants below
        f"VALUES ({row}.state, coalesce({row}.category, ''), {slot}, {by}) "
        f"ON CONFLICT (state, category, slot) DO UPDATE SET drafts = draft_counts.drafts + {by};"
    )


def _count_on_sqlite() -> None:
    more, less = _counted("NEW", "0", "1"), _counted("OLD", "0", "-1")
    op.execute(f"CREATE TRIGGER drafts_counted AFTER INSERT ON drafts BEGIN {more} END")
    op.execute(
        "CREATE TRIGGER drafts_recounted AFTER UPDATE OF state ON drafts "
        f"WHEN NEW.state <> OLD.state BEGIN {less} {more} END"
    )


def _count_on_postgresql() -> None:
    slot = f"pg_backend_pid() % {SLOTS}"
    more, less = _counted("NEW", slot, "1"), _counted("OLD", slot, "-1")
    op.execute(
        "CREATE FUNCTION drafts_counted() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF TG_OP = 'UPDATE' THEN {less} END IF; {more} RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER drafts_counted AFTER INSERT ON drafts FOR EACH ROW EXECUTE FUNCTION drafts_counted()"
    )
    op.execute(
        "CREATE TRIGGER drafts_recounted AFTER UPDATE OF state ON drafts "
        "FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION drafts_counted()"
    )


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column("draft_id", Key, sa.ForeignKey("drafts.id"), primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
    )


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", Key, primary_key=True),
        sa.Column("canonical", sa.Text, nullable=False, unique=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "role", "password")),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("disabled_at", UtcTime),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.Text, primary_key=True),
        sa.Column("user_id", Key, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("until", sa.Double, nullable=False, index=True),
    )
