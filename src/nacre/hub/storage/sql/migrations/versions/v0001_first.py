"""The first tables of a hub."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)

revision = "0001"
down_revision = None

Identity = BigInteger().with_variant(Integer, "sqlite")
Ascii = Text().with_variant(Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "blobs",
        Column("digest", Ascii, nullable=False),
        Column("size", BigInteger(), nullable=False),
        Column("key", Ascii, nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("digest"),
        UniqueConstraint("key"),
    )
    op.create_table(
        "leases",
        Column("name", Ascii, nullable=False),
        Column("holder", Ascii, nullable=False),
        Column("held_until", BigInteger(), nullable=False),
        PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "namespaces",
        Column("id", Identity, autoincrement=True, nullable=False),
        Column("name", Ascii, nullable=False),
        Column("visibility", Ascii, nullable=False),
        Column("policy", Ascii, nullable=False),
        Column("quota", BigInteger(), nullable=True),
        Column("used", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "reviews",
        Column("kind", Ascii, nullable=False),
        Column("repository_id", Identity, nullable=False),
        Column("digest", Ascii, nullable=False),
        Column("due_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("kind", "repository_id", "digest"),
        sqlite_with_rowid=False,
    )
    op.create_index("reviews_by_due_at", "reviews", ["kind", "due_at"])
    op.create_table(
        "signing_keys",
        Column("id", Ascii, nullable=False),
        Column("private_pem", Ascii, nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "trash",
        Column("key", Ascii, nullable=False),
        Column("due_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_index("trash_by_due_at", "trash", ["due_at"])
    op.create_table(
        "users",
        Column("id", Identity, autoincrement=True, nullable=False),
        Column("name", Ascii, nullable=False),
        Column("password_hash", Ascii, nullable=False),
        Column("is_admin", Boolean(), nullable=False),
        Column("epoch", BigInteger(), nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "namespace_grants",
        Column("user_id", Identity, nullable=False),
        Column("namespace_id", Identity, nullable=False),
        Column("role", Ascii, nullable=False),
        ForeignKeyConstraint(["namespace_id"], ["namespaces.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        PrimaryKeyConstraint("user_id", "namespace_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("namespace_grants_by_namespace", "namespace_grants", ["namespace_id"])
    op.create_table(
        "repositories",
        Column("id", Identity, autoincrement=True, nullable=False),
        Column("name", Ascii, nullable=False),
        Column("namespace_id", Identity, nullable=False),
        Column("visibility", Ascii, nullable=False),
        Column("policy", Ascii, nullable=False),
        ForeignKeyConstraint(["namespace_id"], ["namespaces.id"], ondelete="RESTRICT"),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_index("repositories_by_namespace", "repositories", ["namespace_id"])
    op.create_table(
        "links",
        Column("repository_id", Identity, nullable=False),
        Column("digest", Ascii, nullable=False),
        Column("namespace_id", Identity, nullable=False),
        Column("expires_at", BigInteger(), nullable=True),
        ForeignKeyConstraint(["digest"], ["blobs.digest"], ondelete="RESTRICT"),
        ForeignKeyConstraint(["repository_id"], ["repositories.id"], ondelete="RESTRICT"),
        PrimaryKeyConstraint("repository_id", "digest"),
        sqlite_with_rowid=False,
    )
    op.create_index("links_by_digest", "links", ["digest", "namespace_id", "repository_id"])
    op.create_table(
        "manifests",
        Column("repository_id", Identity, nullable=False),
        Column("digest", Ascii, nullable=False),
        Column("media_type", Ascii, nullable=False),
        Column("artifact_type", Ascii, nullable=False),
        Column("subject", Ascii, nullable=True),
        Column("config_digest", Ascii, nullable=True),
        Column("annotations", Ascii, nullable=False),
        Column("size", BigInteger(), nullable=False),
        Column("pushed_at", BigInteger(), nullable=False),
        Column("pushed_by", Ascii, nullable=False),
        Column("lost_at", BigInteger(), nullable=True),
        Column("raw", LargeBinary(), nullable=False),
        ForeignKeyConstraint(["repository_id"], ["repositories.id"], ondelete="RESTRICT"),
        PrimaryKeyConstraint("repository_id", "digest"),
    )
    op.create_index(
        "manifests_by_subject",
        "manifests",
        ["repository_id", "subject", "digest"],
        sqlite_where=text("subject IS NOT NULL"),
        postgresql_where=text("subject IS NOT NULL"),
    )
    op.create_index(
        "manifests_by_subject_and_type",
        "manifests",
        ["repository_id", "subject", "artifact_type", "digest"],
        sqlite_where=text("subject IS NOT NULL"),
        postgresql_where=text("subject IS NOT NULL"),
    )
    op.create_table(
        "repository_grants",
        Column("user_id", Identity, nullable=False),
        Column("repository_id", Identity, nullable=False),
        Column("role", Ascii, nullable=False),
        ForeignKeyConstraint(["repository_id"], ["repositories.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        PrimaryKeyConstraint("user_id", "repository_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("repository_grants_by_repository", "repository_grants", ["repository_id"])
    op.create_table(
        "tag_events",
        Column("id", Identity, autoincrement=True, nullable=False),
        Column("repository_id", Identity, nullable=False),
        Column("tag", Ascii, nullable=False),
        Column("change", Ascii, nullable=False),
        Column("before", Ascii, nullable=True),
        Column("after", Ascii, nullable=True),
        Column("by", Ascii, nullable=False),
        Column("at", BigInteger(), nullable=False),
        ForeignKeyConstraint(["repository_id"], ["repositories.id"], ondelete="RESTRICT"),
        PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("tag_events_by_repository", "tag_events", ["repository_id", "id"])
    op.create_index("tag_events_by_tag", "tag_events", ["repository_id", "tag", "id"])
    op.create_table(
        "uploads",
        Column("id", Ascii, nullable=False),
        Column("repository_id", Identity, nullable=False),
        Column("owner", Ascii, nullable=False),
        Column("key", Ascii, nullable=False),
        Column("offset", BigInteger(), nullable=False),
        Column("algorithm", Ascii, nullable=False),
        Column("digest", Ascii, nullable=True),
        Column("holder", Ascii, nullable=False),
        Column("held_until", BigInteger(), nullable=True),
        Column("updated_at", BigInteger(), nullable=False),
        ForeignKeyConstraint(["repository_id"], ["repositories.id"], ondelete="RESTRICT"),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("key"),
    )
    op.create_index("uploads_by_repository", "uploads", ["repository_id"])
    op.create_index("uploads_by_updated_at", "uploads", ["updated_at"])
    op.create_table(
        "manifest_references",
        Column("repository_id", Identity, nullable=False),
        Column("parent", Ascii, nullable=False),
        Column("child", Ascii, nullable=False),
        Column("kind", Ascii, nullable=False),
        ForeignKeyConstraint(
            ["repository_id", "parent"],
            ["manifests.repository_id", "manifests.digest"],
            ondelete="CASCADE",
        ),
        PrimaryKeyConstraint("repository_id", "parent", "child", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "manifest_references_by_child", "manifest_references", ["repository_id", "child", "kind"]
    )
    op.create_table(
        "tags",
        Column("repository_id", Identity, nullable=False),
        Column("name", Ascii, nullable=False),
        Column("digest", Ascii, nullable=False),
        Column("pushed_at", BigInteger(), nullable=False),
        Column("pulled_at", BigInteger(), nullable=True),
        Column("pushed_by", Ascii, nullable=False),
        ForeignKeyConstraint(
            ["repository_id", "digest"],
            ["manifests.repository_id", "manifests.digest"],
            ondelete="RESTRICT",
        ),
        PrimaryKeyConstraint("repository_id", "name"),
        sqlite_with_rowid=False,
    )
    op.create_index("tags_by_digest", "tags", ["repository_id", "digest"])
