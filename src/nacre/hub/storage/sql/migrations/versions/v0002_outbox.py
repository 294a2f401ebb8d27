"""What the journal is to be told: a table, and the triggers that fill it.

A table that a later migration makes anew loses its triggers: it has to make them again.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text

revision = "0002"
down_revision = "0001"

Identity = BigInteger().with_variant(Integer, "sqlite")
Ascii = Text().with_variant(Text(collation="C"), "postgresql")

_REPOSITORY = "(SELECT name FROM repositories WHERE id = {row}.repository_id)"
_REMOVED = "'removed', json('true')"

# Kind, table, columns whose change is told, the facts, and what names a row that goes.
_TOLD = (
    (
        "namespace",
        "namespaces",
        "visibility, policy, quota",
        """'name', NEW.name, 'visibility', NEW.visibility, 'policy', json(NEW.policy),
        'quota', NEW.quota""",
        "'name', OLD.name",
    ),
    (
        "repository",
        "repositories",
        "visibility, policy",
        "'name', NEW.name, 'visibility', NEW.visibility, 'policy', json(NEW.policy)",
        "'name', OLD.name",
    ),
    ("blob", "blobs", "key", "'digest', NEW.digest, 'size', NEW.size, 'key', NEW.key", ""),
    (
        "link",
        "links",
        "",
        f"'repository', {_REPOSITORY.format(row='NEW')}, 'digest', NEW.digest",
        f"'repository', {_REPOSITORY.format(row='OLD')}, 'digest', OLD.digest",
    ),
    (
        "manifest",
        "manifests",
        "",
        f"""'repository', {_REPOSITORY.format(row="NEW")}, 'digest', NEW.digest,
        'media_type', NEW.media_type""",
        f"'repository', {_REPOSITORY.format(row='OLD')}, 'digest', OLD.digest",
    ),
    (
        "tag",
        "tags",
        "digest",
        f"""'repository', {_REPOSITORY.format(row="NEW")}, 'name', NEW.name,
        'digest', NEW.digest, 'by', NEW.pushed_by""",
        f"'repository', {_REPOSITORY.format(row='OLD')}, 'name', OLD.name",
    ),
)


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "outbox",
        Column("id", Identity, autoincrement=True, nullable=False),
        Column("kind", Ascii, nullable=False),
        Column("facts", Ascii, nullable=False),
        PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    for kind, table, changing, facts, names in _TOLD:
        _tell(f"{table}_are_made", f"INSERT ON {table}", kind, facts)
        if changing:
            _tell(f"{table}_change", f"UPDATE OF {changing} ON {table}", kind, facts)
        if names:
            _tell(f"{table}_go", f"DELETE ON {table}", kind, f"{names}, {_REMOVED}")


def _tell(name: str, when: str, kind: str, facts: str) -> None:
    row = f"INSERT INTO outbox (kind, facts) VALUES ('{kind}', json_object({facts}))"  # noqa: S608
    op.execute(f"CREATE TRIGGER {name} AFTER {when} BEGIN {row}; END")
