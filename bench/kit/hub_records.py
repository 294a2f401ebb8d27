"""Records of a hub by the million, written straight into its tables; few blobs have bytes.

Everything is put in in the order of its index, with no log and no flush: minutes become seconds.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.kit.pushing import CONFIG, LAYER, MANIFEST
from nacre.hub.storage.sql import open_records

_AT = 1_767_225_600_000_000  # 2026-01-01, in microseconds
_PER_REPOSITORY = 100
_PER_MANIFEST = 20
_SIZE = 4096
_ARTIFACT = "application/vnd.bench.signature"


@dataclass(frozen=True, slots=True)
class Filled:
    """What can be asked for: paths of some manifests, by tag, and of some blobs."""

    manifests: list[str]
    blobs: list[str]


def sha256(kind: str, number: int) -> str:
    """Return the digest of something that was never there."""
    return f"sha256:{hashlib.sha256(f'{kind} {number}'.encode()).hexdigest()}"


@contextmanager
def _tables(data: Path) -> Iterator[sqlite3.Connection]:
    data.mkdir(parents=True, exist_ok=True)
    path = data / "hub.db"

    async def make() -> None:
        async with open_records(path):
            pass

    asyncio.run(make())
    connection = sqlite3.connect(path)
    try:
        for setting in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000"):
            connection.execute(f"PRAGMA {setting}")
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, text in triggers:
            connection.execute(text)
        connection.commit()
    finally:
        connection.close()


def _insert(connection: sqlite3.Connection, table: str, columns: str, rows: object) -> None:
    marks = ",".join("?" * len(columns.split(",")))
    connection.executemany(
        f"INSERT INTO {table} ({columns}) VALUES ({marks})",
        rows,  # type: ignore[arg-type]
    )


def _repositories(connection: sqlite3.Connection, count: int) -> None:
    _insert(connection, "namespaces", "id,name,visibility,policy,used",
            [(1, "many", "public", "{}", 0)])  # fmt: skip
    rows = ((n + 1, f"many/r{n:06d}", 1, "public", "{}") for n in range(count))
    _insert(connection, "repositories", "id,name,namespace_id,visibility,policy", rows)


def _manifest(blobs: list[str], number: int) -> bytes:
    layers = [{"mediaType": LAYER, "digest": one, "size": _SIZE} for one in blobs[1:4]]
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": blobs[0], "size": _SIZE},
        "layers": layers,
        "annotations": {"number": str(number)},
    }
    return json.dumps(document).encode()


_MANIFEST_COLUMNS = (
    "repository_id,digest,media_type,artifact_type,subject,annotations,size,pushed_at,pushed_by,raw"
)


def _key(digest: str) -> str:
    name = hashlib.md5(digest.encode(), usedforsecurity=False).hexdigest()
    return f"b/{name[:2]}/{name}"


def fill_with_blobs(data: Path, count: int, *, asked: int = 2000) -> Filled:
    """Write ``count`` blobs, a hundred a repository, and a tagged manifest for twenty of them.

    Only the blobs that are returned, about ``asked``, have bytes.
    """
    repositories = max(1, count // _PER_REPOSITORY)
    with _tables(data) as connection:
        _repositories(connection, repositories)
        digests = [sha256("blob", n) for n in range(count)]
        rows = [(one, _SIZE, _key(one), _AT) for one in digests]
        _insert(connection, "blobs", "digest,size,key,created_at", sorted(rows))
        del rows
        links = [(n % repositories + 1, d, 1, None) for n, d in enumerate(digests)]
        _insert(connection, "links", "repository_id,digest,namespace_id,expires_at", sorted(links))
        del links
        manifests, tags, references = [], [], []
        for number in range(max(1, count // _PER_MANIFEST)):
            repository = number % repositories
            blobs = digests[repository::repositories]
            at = number // repositories * _PER_MANIFEST
            named = blobs[at : at + _PER_MANIFEST]
            raw = _manifest(named, number)
            digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
            manifests.append((repository + 1, digest, MANIFEST, CONFIG, None, "", len(raw), _AT,
                              "bench", raw))  # fmt: skip
            tags.append((repository + 1, f"t{number // repositories}", digest, _AT, "bench"))
            references += [(repository + 1, digest, child, "blob") for child in named]
        _insert(connection, "manifests", _MANIFEST_COLUMNS, sorted(manifests))
        _insert(connection, "tags", "repository_id,name,digest,pushed_at,pushed_by", sorted(tags))
        columns = "repository_id,parent,child,kind"
        _insert(connection, "manifest_references", columns, sorted(references))
    step = max(1, len(tags) // asked)
    some = digests[:: max(1, count // asked)]
    for one in some:
        path = data / "blobs" / _key(one)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(_SIZE))
    return Filled(
        [f"/v2/many/r{t[0] - 1:06d}/manifests/{t[1]}" for t in tags[::step]],
        [f"/v2/many/r{n * max(1, count // asked) % repositories:06d}/blobs/{one}"
         for n, one in enumerate(some)],
    )  # fmt: skip


def fill_with_names(data: Path, *, tags: int, referrers: int, repositories: int) -> str:
    """Write so many tags and referrers into many/r000000, and so many repositories with a manifest.

    Returns the digest that the referrers refer to.
    """
    with _tables(data) as connection:
        _repositories(connection, repositories)
        subject = sha256("subject", 0)
        raw = _manifest([sha256("blob", n) for n in range(4)], 0)
        one = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        rows: list[tuple[object, ...]] = [
            (n + 1, one, MANIFEST, CONFIG, None, "", len(raw), _AT, "bench", raw)
            for n in range(repositories)
        ]
        note = json.dumps({"org.opencontainers.image.created": "2026-01-01T00:00:00Z"})
        rows += [
            (1, sha256("referrer", n), MANIFEST, _ARTIFACT, subject, note, 700, _AT, "bench", raw)
            for n in range(referrers)
        ]
        _insert(connection, "manifests", _MANIFEST_COLUMNS, rows)
        named = ((1, f"v{n:06d}", one, _AT, "bench") for n in range(tags))
        _insert(connection, "tags", "repository_id,name,digest,pushed_at,pushed_by", named)
    return subject
