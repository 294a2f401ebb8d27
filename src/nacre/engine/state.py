"""The state of a local store: which images are here, what they are called, what is in use.

``state.db`` is the truth; the blobs are beside it. Every change is one transaction, so a process
sees all of it or nothing, and is there after a power cut once the call has returned.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType

from nacre.content.errors import RefNotFound
from nacre.engine.state_database import Database
from nacre.engine.state_values import ImageRecord, as_descriptor, as_text
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from nacre.content.leases import Lease
    from nacre.engine.state_leases import StateLeases

__all__ = ["ImageRecord", "State"]

_RECORDS = """
    SELECT descriptor, image_id, added_at, last_tag_time,
        (SELECT json_group_array(name) FROM names WHERE image = images.digest),
        (SELECT json_group_array(repository || '@' || repo_digests.digest)
            FROM repo_digests WHERE image = images.digest)
    FROM images {where} ORDER BY added_at, images.rowid
"""
_ADD = """
    INSERT INTO images VALUES (:digest, :descriptor, coalesce(:image_id, :digest), :now, 0)
    ON CONFLICT (digest) DO UPDATE
        SET descriptor = :descriptor, image_id = coalesce(:image_id, image_id)
"""
_HAS_PREFIX = "substr({column}, instr({column}, ':') + 1, length(?1)) = ?1"


class State:
    """A `RefStore` and `Leases`, and the images they are about.

    Safe for threads and processes. Where the folder cannot be written to, everything that only
    reads works.

    Args:
        root: the folder of the store; made when missing.
        clock: the time in nanoseconds since the epoch.

    Raises:
        Unsupported: a newer nacre wrote the store.
        Invalid: ``state.db`` is damaged.
        Denied: the folder may not be used.
    """

    def __init__(self, root: Path, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._root = root
        self._database = Database(root)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Images.

    def add_image(self, descriptor: Descriptor, *, image_id: Digest | None = None) -> None:
        """Keep an image, with or without a name; ``image_id`` is its own digest unless known."""
        with self._database.writing() as connection:
            connection.execute(_ADD, self._image(descriptor, image_id))

    def remove_image(self, digest: Digest) -> None:
        """Forget an image and its names; its content stays until it is collected."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM images WHERE digest = ?", (digest,))

    def images(self) -> list[ImageRecord]:
        """Return all images, in the order they were added."""
        return self._records("")

    def image(self, digest: Digest) -> ImageRecord | None:
        """Return the image whose target has this digest, if it is here."""
        return self._record("WHERE digest = ?", digest)

    def images_of(self, image_id: Digest) -> list[ImageRecord]:
        """Return the targets that one image is here as, in the order they were added."""
        return self._records("WHERE image_id = ?", image_id)

    def images_with_id_prefix(self, prefix: str) -> list[ImageRecord]:
        """Return the images whose ID or own digest starts with these hexadecimal digits."""
        by_id, by_digest = (_HAS_PREFIX.format(column=name) for name in ("image_id", "digest"))
        return self._records(f"WHERE {by_id} OR {by_digest}", prefix)

    def image_at(self, repository: str, digest: Digest) -> ImageRecord | None:
        """Return the image that a repository is known to have under a digest, if it is here."""
        return self._record(
            """WHERE digest =
                (SELECT image FROM repo_digests WHERE repository = ? AND digest = ?)""",
            repository,
            digest,
        )

    # Names.

    def tag(self, name: str, descriptor: Descriptor, *, image_id: Digest | None = None) -> None:
        """Keep an image and point a name at it."""
        image = self._image(descriptor, image_id)
        with self._database.writing() as connection:
            connection.execute(_ADD, image)
            connection.execute(
                "INSERT OR REPLACE INTO names VALUES (?, ?, ?)",
                (name, descriptor.digest, image["now"]),
            )
            connection.execute(
                "UPDATE images SET last_tag_time = :now WHERE digest = :digest", image
            )

    def untag(self, name: str) -> None:
        """Drop a name; the image stays, if need be without any. See `RefStore`."""
        with self._database.writing() as connection:
            if not connection.execute("DELETE FROM names WHERE name = ?", (name,)).rowcount:
                raise _no_such_name(name)

    def resolve(self, name: str) -> Descriptor:
        """Return what a name points at; see `RefStore`."""
        rows = self._database.rows(
            "SELECT descriptor FROM images JOIN names ON image = digest WHERE name = ?", name
        )
        if not rows:
            raise _no_such_name(name)
        return as_descriptor(rows[0][0])

    def names(self) -> Iterator[str]:
        """Go through all names, sorted."""
        return (name for (name,) in self._database.rows("SELECT name FROM names ORDER BY name"))

    # Where content is known to be, and in which forms: facts that never become false.

    def add_repo_digest(self, repository: str, descriptor: Descriptor, *, image: Digest) -> None:
        """Note that a repository has an image of this store, there under ``descriptor``.

        Both differ when layers were compressed on the way out. Of an image that is no longer
        here nothing is noted.
        """
        with self._database.writing() as connection:
            connection.execute(
                """INSERT OR REPLACE INTO repo_digests
                    SELECT ?, ?, ?, digest FROM images WHERE digest = ?""",
                (repository, descriptor.digest, as_text(descriptor), image),
            )

    def forget_repo_digest(self, repository: str, digest: Digest) -> None:
        """Forget that a repository has a digest."""
        with self._database.writing() as connection:
            connection.execute(
                "DELETE FROM repo_digests WHERE repository = ? AND digest = ?",
                (repository, digest),
            )

    def pushed_as(self, image: Digest) -> list[Descriptor]:
        """Return what repositories are known to have an image as."""
        rows = self._database.rows("SELECT descriptor FROM repo_digests WHERE image = ?", image)
        return [as_descriptor(text) for (text,) in rows]

    def note_sources(self, blobs: Iterable[Descriptor], domain: str, path: str) -> None:
        """Note that the repository ``path`` of a registry has these blobs."""
        now = self._clock()
        rows = [(blob.digest, domain, path, now) for blob in blobs]
        with self._database.writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO blob_sources VALUES (?, ?, ?, ?)", rows)

    def blob_sources(self, digest: Digest, domain: str) -> list[str]:
        """Return the repositories of a registry that have a blob, those seen last first."""
        rows = self._database.rows(
            """SELECT path FROM blob_sources WHERE digest = ? AND domain = ?
                ORDER BY seen_at DESC, path""",
            digest,
            domain,
        )
        return [path for (path,) in rows]

    def note_layer(self, form: Descriptor, *, diff_id: Digest, size: int) -> None:
        """Note that a blob unpacks to the layer ``diff_id``, a tar of ``size`` bytes."""
        with self._database.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO layers VALUES (?, ?)", (diff_id, size))
            connection.execute(
                """INSERT INTO layer_forms VALUES (?, ?, ?)
                    ON CONFLICT (digest) DO UPDATE
                    SET descriptor = excluded.descriptor, diff_id = excluded.diff_id""",
                (form.digest, as_text(form), diff_id),
            )

    def diff_id_of(self, digest: Digest) -> Digest | None:
        """Return which layer a blob unpacks to, if that is known."""
        rows = self._database.rows("SELECT diff_id FROM layer_forms WHERE digest = ?", digest)
        return Digest(rows[0][0]) if rows else None

    def layer_size(self, diff_id: Digest) -> int | None:
        """Return the bytes of a layer's tar, if known."""
        rows = self._database.rows("SELECT size FROM layers WHERE diff_id = ?", diff_id)
        return int(rows[0][0]) if rows else None

    def forms_of(self, diff_id: Digest) -> list[Descriptor]:
        """Return the blobs known to unpack to a layer, in the order they became known."""
        rows = self._database.rows(
            "SELECT descriptor FROM layer_forms WHERE diff_id = ? ORDER BY rowid", diff_id
        )
        return [as_descriptor(text) for (text,) in rows]

    # What must stay.

    @cached_property
    def _leases(self) -> StateLeases:
        # Reading takes no leases, and is to start quickly.
        from nacre.engine.state_leases import StateLeases  # noqa: PLC0415

        return StateLeases(self._database, self._root / "leases")

    def lease(self) -> AbstractContextManager[Lease]:
        """Enter a lease of this process; see `Leases`."""
        return self._leases.lease()

    def held(self) -> list[Descriptor]:
        """Return what live processes hold; see `Leases`."""
        return self._leases.held()

    def roots(self) -> list[Descriptor]:
        """Return all that keeps content alive: images, what was pushed of them, leases."""
        rows = self._database.rows(
            "SELECT descriptor FROM images UNION SELECT descriptor FROM repo_digests"
        )
        return [*(as_descriptor(text) for (text,) in rows), *self.held()]

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Enter a change of several steps: all of them count or none, and no other comes between.

        Raises:
            Denied: the store is read-only.
        """
        with self._database.writing():
            yield

    @contextmanager
    def collecting(self) -> Iterator[list[Descriptor]]:
        """Enter a collection and return its roots; nobody can tag or hold until it ends."""
        with self._database.writing():
            self._leases.clear()
            yield self.roots()

    def _image(self, descriptor: Descriptor, image_id: Digest | None) -> dict[str, Any]:
        return {
            "digest": descriptor.digest,
            "descriptor": as_text(descriptor),
            "image_id": image_id,
            "now": self._clock(),
        }

    def _record(self, where: str, *parameters: object) -> ImageRecord | None:
        found = self._records(where, *parameters)
        return found[0] if found else None

    def _records(self, where: str, *parameters: object) -> list[ImageRecord]:
        rows = self._database.rows(_RECORDS.format(where=where), *parameters)
        return [_as_record(row) for row in rows]


def _as_record(row: tuple[Any, ...]) -> ImageRecord:
    descriptor, image_id, added_at, last_tag_time, names, repo_digests = row
    return ImageRecord(
        as_descriptor(descriptor),
        Digest(image_id),
        added_at,
        last_tag_time,
        tuple(sorted(json.loads(names))),
        tuple(sorted(json.loads(repo_digests))),
    )


def _no_such_name(name: str) -> RefNotFound:
    return RefNotFound(f"no such name: {name}")
