"""What alembic runs: the revisions that are missing, inside the transaction that the store has begun."""

from __future__ import annotations

from alembic import context

from panel.store.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
