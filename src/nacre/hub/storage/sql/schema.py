"""The tables of a hub.

Portable to PostgreSQL: digests and names are TEXT compared byte by byte, times are microseconds
since the epoch, manifests are BLOBs, every index is stated. What could lose data is refused by a
foreign key (RESTRICT): a blob that a repository has, a manifest that a tag points to. The only
pointer to a blob's bytes is its row in ``blobs``; the only thing that lets a repository read a
blob is its row in ``links``.

``migrations`` makes and changes these tables in databases; a test holds that both say the same.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

VERSION = "0002"
"""The newest migration: the version of the database that this code works with."""

Identity = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database gives out, never twice."""

Ascii = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared and put in order byte by byte, as SQLite does without being told."""

metadata = MetaData()


def _identity() -> Column[int]:
    return Column("id", Identity, primary_key=True, autoincrement=True)


def _repository(*, key: bool = True) -> Column[int]:
    owner = ForeignKey("repositories.id", ondelete="RESTRICT")
    return Column("repository_id", Identity, owner, primary_key=key, nullable=False)


namespaces = Table(
    "namespaces",
    metadata,
    _identity(),
    Column("name", Ascii, nullable=False, unique=True),
    Column("visibility", Ascii, nullable=False),
    Column("policy", Ascii, nullable=False),
    Column("quota", BigInteger),
    Column("used", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

repositories = Table(
    "repositories",
    metadata,
    _identity(),
    Column("name", Ascii, nullable=False, unique=True),
    Column(
        "namespace_id", Identity, ForeignKey("namespaces.id", ondelete="RESTRICT"), nullable=False
    ),
    Column("visibility", Ascii, nullable=False),
    Column("policy", Ascii, nullable=False),
    Index("repositories_by_namespace", "namespace_id"),
    sqlite_autoincrement=True,
)

users = Table(
    "users",
    metadata,
    _identity(),
    Column("name", Ascii, nullable=False, unique=True),
    Column("password_hash", Ascii, nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)


def _user() -> Column[int]:
    return Column("user_id", Identity, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)


namespace_grants = Table(
    "namespace_grants",
    metadata,
    _user(),
    Column(
        "namespace_id",
        Identity,
        ForeignKey("namespaces.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("role", Ascii, nullable=False),
    Index("namespace_grants_by_namespace", "namespace_id"),
    sqlite_with_rowid=False,
)

repository_grants = Table(
    "repository_grants",
    metadata,
    _user(),
    Column(
        "repository_id",
        Identity,
        ForeignKey("repositories.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("role", Ascii, nullable=False),
    Index("repository_grants_by_repository", "repository_id"),
    sqlite_with_rowid=False,
)

blobs = Table(
    "blobs",
    metadata,
    Column("digest", Ascii, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("key", Ascii, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

# The namespace stands in a link, too, so that one look tells whether it counts the blob already.
links = Table(
    "links",
    metadata,
    _repository(),
    Column("digest", Ascii, ForeignKey("blobs.digest", ondelete="RESTRICT"), primary_key=True),
    Column("namespace_id", Identity, nullable=False),
    Column("expires_at", BigInteger),
    Index("links_by_digest", "digest", "namespace_id", "repository_id"),
    sqlite_with_rowid=False,
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", Ascii, primary_key=True),
    _repository(key=False),
    Column("owner", Ascii, nullable=False),
    Column("key", Ascii, nullable=False, unique=True),
    Column("offset", BigInteger, nullable=False),
    Column("algorithm", Ascii, nullable=False),
    Column("digest", Ascii),
    Column("holder", Ascii, nullable=False),
    Column("held_until", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
    Index("uploads_by_repository", "repository_id"),
    Index("uploads_by_updated_at", "updated_at"),
)

# ``lost_at``: when it lost its last tag, parent and subject; NULL while it has one, or never had.
manifests = Table(
    "manifests",
    metadata,
    _repository(),
    Column("digest", Ascii, primary_key=True),
    Column("media_type", Ascii, nullable=False),
    Column("artifact_type", Ascii, nullable=False),
    Column("subject", Ascii),
    Column("config_digest", Ascii),
    Column("annotations", Ascii, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("pushed_at", BigInteger, nullable=False),
    Column("pushed_by", Ascii, nullable=False),
    Column("lost_at", BigInteger),
    Column("raw", LargeBinary, nullable=False),
)
_has_subject = manifests.c.subject.is_not(None)
Index(
    "manifests_by_subject",
    manifests.c.repository_id,
    manifests.c.subject,
    manifests.c.digest,
    sqlite_where=_has_subject,
    postgresql_where=_has_subject,
)
Index(
    "manifests_by_subject_and_type",
    manifests.c.repository_id,
    manifests.c.subject,
    manifests.c.artifact_type,
    manifests.c.digest,
    sqlite_where=_has_subject,
    postgresql_where=_has_subject,
)

# What a manifest names, by digest alone: what it names need not be here (sparse manifests).
manifest_references = Table(
    "manifest_references",
    metadata,
    Column("repository_id", Identity, primary_key=True),
    Column("parent", Ascii, primary_key=True),
    Column("child", Ascii, primary_key=True),
    Column("kind", Ascii, primary_key=True),
    ForeignKeyConstraint(
        ["repository_id", "parent"],
        ["manifests.repository_id", "manifests.digest"],
        ondelete="CASCADE",
    ),
    Index("manifest_references_by_child", "repository_id", "child", "kind"),
    sqlite_with_rowid=False,
)

tags = Table(
    "tags",
    metadata,
    Column("repository_id", Identity, primary_key=True),
    Column("name", Ascii, primary_key=True),
    Column("digest", Ascii, nullable=False),
    Column("pushed_at", BigInteger, nullable=False),
    Column("pulled_at", BigInteger),
    Column("pushed_by", Ascii, nullable=False),
    ForeignKeyConstraint(
        ["repository_id", "digest"],
        ["manifests.repository_id", "manifests.digest"],
        ondelete="RESTRICT",
    ),
    Index("tags_by_digest", "repository_id", "digest"),
    sqlite_with_rowid=False,
)

tag_events = Table(
    "tag_events",
    metadata,
    _identity(),
    _repository(key=False),
    Column("tag", Ascii, nullable=False),
    Column("change", Ascii, nullable=False),
    Column("before", Ascii),
    Column("after", Ascii),
    Column("by", Ascii, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("tag_events_by_tag", "repository_id", "tag", "id"),
    Index("tag_events_by_repository", "repository_id", "id"),
    sqlite_autoincrement=True,
)

# A blob is of no repository: its entries say 0.
reviews = Table(
    "reviews",
    metadata,
    Column("kind", Ascii, primary_key=True),
    Column("repository_id", Identity, primary_key=True),
    Column("digest", Ascii, primary_key=True),
    Column("due_at", BigInteger, nullable=False),
    Index("reviews_by_due_at", "kind", "due_at"),
    sqlite_with_rowid=False,
)

trash = Table(
    "trash",
    metadata,
    Column("key", Ascii, primary_key=True),
    Column("due_at", BigInteger, nullable=False),
    Index("trash_by_due_at", "due_at"),
    sqlite_with_rowid=False,
)

# What the journal has not been told yet. Triggers fill it, so that no change can be forgotten; they
# are in the migrations.
outbox = Table(
    "outbox",
    metadata,
    _identity(),
    Column("kind", Ascii, nullable=False),
    Column("facts", Ascii, nullable=False),
    sqlite_autoincrement=True,
)

leases = Table(
    "leases",
    metadata,
    Column("name", Ascii, primary_key=True),
    Column("holder", Ascii, nullable=False),
    Column("held_until", BigInteger, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", Ascii, primary_key=True),
    Column("private_pem", Ascii, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
