"""Readers' votes on what is published."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from panel.store.columns import Key, UtcTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "votes",
        sa.Column("tool_id", Key, sa.ForeignKey("tools.id"), primary_key=True),
        sa.Column("voter", sa.String(64), primary_key=True),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Index("ix_votes_tool_id_address", "tool_id", "address"),
    )
