"""The images that are measured: one root file system, cut into layers in several ways.

A cut is a run of whole members of the tar, so each layer is a real tar of real files, and what is
compressed together is as alike as it is in images that people build.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from zlib_ng import zlib_ng

from bench.kit.stopwatch import succeed

_BLOCK = 1024 * 1024
_GZIP = 31  # what zlib calls gzip with the largest window
_END_OF_TAR = bytes(1024)
_WHEN = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Shape:
    """How an image is cut: the share of the whole that each layer gets.

    ``rootfs`` names the root file system, see bench/make-rootfs. With ``parents`` each layer lists
    the directories above its files, as layers that people build do.
    """

    name: str
    title: str
    shares: tuple[float, ...]
    rootfs: str = "tools"
    parents: bool = False


MIXED = Shape("mixed", "7 layers, one of them large", (0.1, 0.05, 0.12, 0.55, 0.1, 0.07, 0.01))
SINGLE = Shape("single", "1 huge layer", (1.0,))
MANY = Shape("many", "12 layers of one size", (1 / 12,) * 12)
SHAPES = (MIXED, SINGLE, MANY)

_USUAL = (0.35, 0.4, 0.15, 0.08, 0.02)
SLIM = Shape("slim", "5 layers, small", _USUAL, "slim", parents=True)
LARGE = Shape("large", "5 layers, large, many files", _USUAL, "files", parents=True)


@dataclass(frozen=True, slots=True)
class Layer:
    """A compressed layer: digest and size of its blob, digest of the tar in it."""

    digest: str
    size: int
    diff_id: str


def root_file_system(cache: Path, name: str) -> Path:
    """Return the tar that shapes are cut from, made by mmdebstrap when it is not there."""
    target = cache / f"rootfs-{name}.tar"
    succeed(Path(__file__).parents[1] / "make-rootfs", name, target)
    return target


def write_layout(folder: Path, tar: Path, shape: Shape) -> None:
    """Write an image of this shape as an OCI image layout, tagged ``bench``."""
    with tarfile.open(tar) as archive:
        members = archive.getmembers()
        end = archive.offset
    cuts = _cuts([member.offset for member in members], end, shape.shares)
    with tar.open("rb") as file:
        layers = [
            write_layer(
                folder,
                chain(
                    _parents(file, members, begin, end) if shape.parents else (),
                    _slice(file, begin, end),
                    [_END_OF_TAR],
                ),
            )
            for begin, end in pairwise(cuts)
        ]
    write_image(folder, layers)


def write_small(folder: Path, layers: int) -> None:
    """Write an image whose layers hold one little file each, tagged ``bench``."""
    write_image(
        folder,
        [
            write_layer(folder, (_file(f"file-{number}", 100), bytes(512), _END_OF_TAR))
            for number in range(layers)
        ],
    )


def write_random(folder: Path, size: int) -> None:
    """Write an image of one layer that no compression makes smaller, tagged ``bench``."""
    noise = (os.urandom(_BLOCK) for _ in range(size // _BLOCK))
    tar = chain([_file("noise", size // _BLOCK * _BLOCK)], noise, [_END_OF_TAR])
    write_image(folder, [write_layer(folder, tar, level=1)])


def write_layer(folder: Path, tar: Iterable[bytes], *, level: int = 6) -> Layer:
    """Compress one layer into the layout in ``folder``; ``tar`` are its bytes."""
    raw, packed, size = hashlib.sha256(), hashlib.sha256(), 0
    packer = zlib_ng.compressobj(level=level, wbits=_GZIP)

    def compressed() -> Iterator[bytes]:
        for data in tar:
            raw.update(data)
            yield packer.compress(data)
        yield packer.flush()

    part = _blobs(folder) / "part"
    with part.open("wb") as out:
        for data in compressed():
            packed.update(data)
            size += out.write(data)
    part.rename(_blobs(folder) / packed.hexdigest())
    return Layer(f"sha256:{packed.hexdigest()}", size, f"sha256:{raw.hexdigest()}")


def write_image(folder: Path, layers: Sequence[Layer]) -> None:
    """Write config, manifest and index of an image with these layers; its tag is ``bench``."""
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": _WHEN,
        "config": {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["bash"]},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        "history": [
            {"created": _WHEN, "created_by": f"COPY part-{number} /"}
            for number, _ in enumerate(layers, 1)
        ],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _document(folder, config, "application/vnd.oci.image.config.v1+json"),
        "layers": [
            {
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": layer.digest,
                "size": layer.size,
            }
            for layer in layers
        ],
    }
    entry = _document(folder, manifest, manifest["mediaType"])
    entry["annotations"] = {"org.opencontainers.image.ref.name": "bench"}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))


def compressed_size(folder: Path) -> int:
    """Return how many bytes the blobs of a layout have."""
    return sum(blob.stat().st_size for blob in _blobs(folder).iterdir())


def _file(name: str, size: int) -> bytes:
    """Return the tar header of a regular file."""
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.PAX_FORMAT)


def _blobs(folder: Path) -> Path:
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    return blobs


def _document(folder: Path, content: object, media_type: object) -> dict[str, Any]:
    raw = json.dumps(content).encode()
    digest = hashlib.sha256(raw).hexdigest()
    (_blobs(folder) / digest).write_bytes(raw)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(raw)}


def _cuts(begins: Sequence[int], end: int, shares: Sequence[float]) -> list[int]:
    """Return where to cut: offsets at which members begin, near what the shares ask for."""
    whole = sum(shares)
    wanted = [share / whole * end for share in accumulate(shares)][:-1]
    nearest = [min(begins, key=lambda begin: abs(begin - place)) for place in wanted]
    return [0, *nearest, end]


def _parents(
    file: BinaryIO, members: Sequence[tarfile.TarInfo], begin: int, end: int
) -> Iterator[bytes]:
    """Go through the members that are the directories above what lies in a slice, but not in it."""
    inside = [member for member in members if begin <= member.offset < end]
    wanted = {str(parent) for member in inside for parent in PurePosixPath(member.name).parents}
    for member in members:
        is_outside = not begin <= member.offset < end
        if is_outside and member.isdir() and str(PurePosixPath(member.name)) in wanted:
            yield from _slice(file, member.offset, member.offset_data)


def _slice(file: BinaryIO, begin: int, end: int) -> Iterator[bytes]:
    file.seek(begin)
    while begin < end:
        data = file.read(min(_BLOCK, end - begin))
        begin += len(data)
        yield data
