"""Bringing a database up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nacre.errors import Unsupported
from nacre.hub.storage.sql.schema import VERSION

if TYPE_CHECKING:
    from sqlalchemy import Connection

_MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(connection: Connection) -> None:
    """Bring a database to `VERSION`, in one transaction; a new one gets all tables.

    Raises:
        Unsupported: a newer hub has written it.
    """
    if version_of(connection) == VERSION:
        return
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        # Another process may have been faster.
        if version_of(connection) != VERSION:
            upgrade(connection)
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def version_of(connection: Connection) -> str | None:
    """Return a database's version; None when it is new."""
    known = connection.exec_driver_sql(
        "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    ).first()
    if known is None:
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])


def upgrade(connection: Connection) -> None:
    """Run the migrations that a database lacks, in the transaction that is open.

    Raises:
        Unsupported: a newer hub has written it.
    """
    # Slow to import, and hardly ever needed.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    version = version_of(connection)
    if version is not None and version not in known:
        raise Unsupported(
            f"the hub's records are of version {version}, which is newer than {VERSION}",
            remedy="use the nacre that wrote them, or a newer one",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
