"""Drop copies of figures that nothing reads: `completion`, `failure`, `review` and the order of rows hold them."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

COPIES = {
    # From the usage in `completion` or `failure`; `seq` counted the rows of one key.
    "calls": (
        "seq",
        "cached_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "estimated",
        "attempts",
        "request_id",
    ),
    # From the seats of the draft's review.
    "takes": ("kind", "score"),
}


def upgrade() -> None:
    """Drop the columns."""
    for table, columns in COPIES.items():
        # SQLite copies the table once for all columns, and not once for each.
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column)
    # Checks find them again in the review. Copying `drafts` would lose its triggers.
    op.drop_column("drafts", "findings")
