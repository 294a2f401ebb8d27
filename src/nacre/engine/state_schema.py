"""The tables of ``state.db``, as the steps by which they came about.

The version of a store is the number of steps it has taken (``PRAGMA user_version``). A release
that changes the tables adds a step at the end; steps that a release has shipped never change.
Times are nanoseconds since the epoch.
"""

from __future__ import annotations

Steps = tuple[tuple[str, ...], ...]
"""For each version the statements that lead to it from the one before."""

STEPS: Steps = (
    (
        """
        CREATE TABLE images (
            digest TEXT PRIMARY KEY,        -- of the target: a manifest or an index
            descriptor TEXT NOT NULL,       -- of the target, as JSON
            image_id TEXT NOT NULL,         -- what people call the image: the config's digest
            added_at INTEGER NOT NULL,
            last_tag_time INTEGER NOT NULL  -- 0: never
        )
        """,
        "CREATE INDEX images_by_id ON images (image_id)",
        """
        CREATE TABLE names (
            name TEXT PRIMARY KEY,
            image TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
            tagged_at INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE INDEX names_by_image ON names (image)",
        """
        CREATE TABLE repo_digests (         -- by which digest a repository has an image
            repository TEXT NOT NULL,
            digest TEXT NOT NULL,
            descriptor TEXT NOT NULL,
            image TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
            PRIMARY KEY (repository, digest)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX repo_digests_by_image ON repo_digests (image)",
        """
        CREATE TABLE blob_sources (         -- repositories that a blob can be mounted from
            digest TEXT NOT NULL,
            domain TEXT NOT NULL,
            path TEXT NOT NULL,
            seen_at INTEGER NOT NULL,
            PRIMARY KEY (digest, domain, path)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE layers (
            diff_id TEXT PRIMARY KEY,
            size INTEGER NOT NULL           -- of the tar, in bytes
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE layer_forms (          -- blobs that unpack to a layer; the tar is one
            digest TEXT PRIMARY KEY,
            descriptor TEXT NOT NULL,
            diff_id TEXT NOT NULL REFERENCES layers
        )
        """,
        "CREATE INDEX layer_forms_by_layer ON layer_forms (diff_id)",
        """
        CREATE TABLE held (                 -- see state_leases.py
            lease TEXT NOT NULL,
            digest TEXT NOT NULL,
            descriptor TEXT NOT NULL,
            PRIMARY KEY (lease, digest)
        ) WITHOUT ROWID
        """,
    ),
)
