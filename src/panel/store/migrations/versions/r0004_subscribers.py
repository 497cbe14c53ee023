"""Who gets the newsletter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from panel.store.columns import Key, UtcTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "subscribers",
        sa.Column("id", Key, primary_key=True),
        sa.Column("canonical", sa.Text, nullable=False, unique=True),
        sa.Column("mail", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("asked_at", UtcTime, nullable=False),
        sa.Column("confirmed_at", UtcTime),
        sa.Column("left_at", UtcTime),
        sa.Column("last_issue", sa.Text),
    )
