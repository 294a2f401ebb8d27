"""What alembic runs to find the database: the connection that ``migrating`` has opened."""

from __future__ import annotations

from alembic import context

from nacre.hub.storage.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
