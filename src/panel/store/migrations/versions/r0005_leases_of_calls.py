"""Under which lease a call was begun."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; calls that are there count as begun under none."""
    op.add_column("calls", sa.Column("lease_token", sa.Text))
