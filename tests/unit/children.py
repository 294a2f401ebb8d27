"""What other processes do in tests: run as a script, one command each, told on standard output."""

from __future__ import annotations

import importlib
import os
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from nacre.content.filesystem import FilesystemBlobs
from nacre.content.gc import garbage, reachable
from nacre.engine.state import State
from nacre.errors import AlreadyExists, NacreError
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.storage.staging import Staging
from nacre.testing import a_layer, an_image
from nacre.testing.builders import put

PIECE = 64 * 1024


def content(seed: int, size: int) -> tuple[Descriptor, bytes]:
    """Return the bytes that parent and child agree on."""
    data = random.Random(seed).randbytes(size)
    return Descriptor.of("application/octet-stream", data), data


def ingest(root: str, seed: str, size: str, pause: str) -> None:
    """Write a blob piece by piece."""
    descriptor, data = content(int(seed), int(size))
    try:
        with FilesystemBlobs(Path(root)).ingest(descriptor) as writing:
            tell(f"offset {writing.offset}")
            for start in range(writing.offset, len(data), PIECE):
                writing.write(data[start : start + PIECE])
                time.sleep(float(pause))
            writing.commit(descriptor.media_type)
    except AlreadyExists:
        tell("already exists")
    else:
        tell("committed")


def ingest_without_end(root: str) -> None:
    """Write something nobody foretold until killed."""
    with FilesystemBlobs(Path(root)).ingest() as writing:
        writing.write(b"x" * 1000)
        tell("writing")
        time.sleep(60)


def fill(root: str, limit: str) -> None:
    """Write a blob where no file may grow beyond ``limit`` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    descriptor, data = content(1, 4 * int(limit))
    try:
        put(FilesystemBlobs(Path(root)), descriptor, data)
    except NacreError as error:
        tell(f"{type(error).__name__}: {error}")


def trespass(root: str, digest: str, size: str) -> None:
    """Use a store as somebody who is not allowed to."""
    os.chdir(root)  # what lies above it need not be open to strangers
    become_a_stranger()
    blobs = FilesystemBlobs(Path())
    blob = Descriptor("application/octet-stream", Digest(digest), int(size))
    attempts: dict[str, Callable[[], object]] = {
        "read": lambda: blobs.open(blob),
        "write": lambda: put(blobs, *content(1, 10)),
        "delete": lambda: blobs.delete(blob.digest),
        "discard": lambda: blobs.discard([blob.digest]),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except NacreError as error:
            tell(f"{name}: {type(error).__name__}: {error}")


def hold(root: str, digest: str, size: str) -> None:
    """Hold a blob until killed."""
    with State(Path(root)) as state, state.lease() as lease:
        lease.hold([Descriptor("application/octet-stream", Digest(digest), int(size))])
        tell("held")
        time.sleep(60)


def tag(root: str, prefix: str, count: str) -> None:
    """Tag many names, one transaction each."""
    descriptor, _ = content(1, 10)
    with State(Path(root)) as state:
        for number in range(int(count)):
            state.tag(f"{prefix}{number}", descriptor)
    tell("done")


def read_only(root: str) -> None:
    """Use the state of a store that only others may write to."""
    become_a_stranger()
    descriptor, _ = content(1, 10)
    try:
        state = State(Path(root))
    except NacreError as error:
        tell(f"{type(error).__name__}: {error}")
        return
    with state:
        tell(f"names: {' '.join(state.names())}")
        with state.lease() as lease:
            lease.hold([descriptor])
            tell("lease: entered")
        attempts: dict[str, Callable[[], object]] = {
            "tag": lambda: state.tag("b", descriptor),
            "collect": state.collecting().__enter__,
        }
        for name, attempt in attempts.items():
            try:
                attempt()
            except NacreError as error:
                tell(f"{name}: {type(error).__name__}")


def pull(root: str, name: str, enough: str) -> None:
    """Add an image of its own on layers that all share, look at it, remove it, again and again.

    It ends when there is a file ``enough``.
    """
    image = an_image(
        [a_layer({f"file{number}": bytes([number]) * 20_000}) for number in range(3)],
        config={"author": name},
    )
    descriptors = [
        Descriptor("application/octet-stream", digest, len(data))
        for digest, data in image.blobs.items()
    ]
    blobs, moved = FilesystemBlobs(Path(root)), 0
    with State(Path(root)) as state:
        while not Path(enough).exists():
            with state.lease() as lease:
                lease.hold([*descriptors, image.root])
                for descriptor in descriptors:
                    if not blobs.exists(descriptor):
                        put(blobs, descriptor, image.blobs[descriptor.digest])
                        moved += 1
                state.tag(name, image.root)
            for descriptor in descriptors:
                with blobs.open(descriptor) as stream:
                    stream.read()
            state.remove_image(image.root.digest)
    tell(f"{moved}")


def collect(root: str, count: str, enough: str) -> None:
    """Collect garbage again and again, until there were so many blobs; then make ``enough``."""
    blobs, found = FilesystemBlobs(Path(root)), 0
    with State(Path(root)) as state:
        while found < int(count):
            with state.collecting() as roots:
                doomed = garbage(blobs, reachable(roots, blobs))
                blobs.discard(doomed)
            found += len(doomed)
            blobs.empty_trash()
            blobs.sweep_ingests()
            time.sleep(0.005)  # SQLite is not fair: whoever never rests lets nobody in
    Path(enough).touch()
    tell(f"{found}")


def stage(folder: str) -> None:
    """Make folders, and something that others want too, until killed."""
    staging = Staging(Path(folder))
    with staging.new() as new, staging.making("kind", "key"):
        (new / "tree").mkdir()
        tell("staged")
        time.sleep(60)


def become_a_stranger() -> None:
    """Drop root's rights, if we have them."""
    # What is imported when it is needed may lie where a stranger cannot read it.
    importlib.import_module("nacre.engine.state_leases")
    if os.geteuid() == 0:
        os.setuid(65534)


def tell(line: str) -> None:
    """Tell the parent."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
