"""What fuzzing begins with: sound inputs, made by code.

usage: python -m tests.fuzz.seeds TARGET FOLDER     writes them as files
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from zlib import crc32

from nacre.erofs.inode import Device, Inode
from nacre.erofs.source import InodeTree
from nacre.erofs.writer import write_image
from nacre.layers.compression import Compression, compressor
from nacre.layers.entry import Extent, Kind
from nacre.layers.toc import encode
from nacre.layers.union import union
from nacre.storage.erofs.tree import plan
from nacre.testing.hard_stacks import BASE, STACKS
from nacre.testing.members import Member, file, folder, hardlink, special, symlink, table, tar_of

FINDINGS = Path(__file__).parent / "findings"
"""Inputs that were findings once, in a folder for each target."""

_ALL_KINDS = (
    folder("./", xattrs=((b"user.a=b", b"\0"), (b"security.capability", b"\1" * 20))),
    *(folder("d", 0o1777, uid=1 << 31, gid=3), file("d/f", b"content", mode=0o6755, mtime=-1)),
    *(file("d/" + "n" * 150, b"x" * 600, mtime=1 << 40), hardlink("d/h", "d/f")),
    *(symlink("s", "t" * 120), special("p", Kind.FIFO)),
    special("c", Kind.CHR, devmajor=1, devminor=3),
    special("b", Kind.BLK, devmajor=259, devminor=70_000),
)


def tars() -> Iterator[bytes]:
    """Tars of ours, of Python's and of GNU's making."""
    yield tar_of(_ALL_KINDS)
    yield tar_of(BASE[:4])
    for stack in STACKS.values():
        yield from (tar_of(layer) for layer in stack[1:3] if 0 < len(layer) < 10)
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        yield _python_tar(form)
    yield from _gnu_tars()


def tables() -> Iterator[bytes]:
    """Tables of contents of those tars, with and without digests."""
    for tar in tars():
        yield encode(table(tar))
    yield encode(table(tar_of(_ALL_KINDS), digests=True))


def images() -> Iterator[bytes]:
    """EROFS images of small stacks."""
    yield _image(_ALL_KINDS)
    yield _image([file(f"{number:0100}", b"x") for number in range(12)])
    yield _image([symlink("long", "t" * 1500), folder("empty")])
    for name in ("regular layers", "an opaque directory", "names that mean something to somebody"):
        yield _image(*STACKS[name])
    yield _holed_image()


def streams() -> Iterator[bytes]:
    """One stream of every compression, and of several members."""
    text = b"some text, some more text " * 20
    yield text
    for compression in (Compression.GZIP, Compression.ZSTD):
        with compressor(compression) as packer:
            one = packer.feed(text) + packer.finish()
        yield one
        yield one + one
        yield one + bytes(600)
    yield bz2.compress(text) * 2
    yield lzma.compress(text) + bytes(4)
    # With all that a header may hold: extra, name, comment and its checksum.
    header = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x03\0abc" + b"name\0" + b"comment\0"
    yield header + (crc32(header) & 0xFFFF).to_bytes(2, "little") + gzip.compress(text)[10:]
    with io.BytesIO() as out:
        with gzip.GzipFile("a name", "wb", fileobj=out, mtime=1) as packed:
            packed.write(bytes(100_000))
        yield out.getvalue()


SEEDS: Mapping[str, Callable[[], Iterator[bytes]]] = {
    "tar": tars,
    "toc": tables,
    "union": tars,
    "erofs": images,
    "compression": streams,
}


def findings(target: str) -> Iterator[Path]:
    """The files that were findings of a target."""
    folder = FINDINGS / target
    yield from sorted(folder.iterdir()) if folder.is_dir() else ()


def write_seeds(target: str, folder: Path) -> None:
    """Write the seeds of a target, and what was found before, to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[target]()):
        (folder / f"seed-{number:03}").write_bytes(seed)
    for path in findings(target):
        (folder / path.name).write_bytes(path.read_bytes())


def _python_tar(form: int) -> bytes:
    with io.BytesIO() as out:
        with tarfile.open(fileobj=out, mode="w", format=form) as archive:
            for name in ("plain", "long/" * 30 + "name"):
                member = tarfile.TarInfo(name)
                member.size, member.mtime = 5, 1
                if form == tarfile.PAX_FORMAT:
                    member.mtime = 1.25
                    member.pax_headers = {"SCHILY.xattr.user.x": "value", "comment": "none"}
                archive.addfile(member, io.BytesIO(b"bytes"))
            member = tarfile.TarInfo("link")
            member.type, member.linkname = tarfile.SYMTYPE, "to/" * (40 if form else 20)
            archive.addfile(member)
        return out.getvalue()[: 20 * 512]


def _gnu_tars() -> Iterator[bytes]:
    forms = (
        ["--format=v7"],
        ["--format=oldgnu", "--sparse"],
        ["--format=gnu", "--sparse"],
        *(["--format=pax", "--sparse", f"--sparse-version={n}"] for n in ("0.0", "0.1", "1.0")),
    )
    with tempfile.TemporaryDirectory() as name:
        with (Path(name) / "sparse").open("wb") as out:
            for number in range(6):
                out.seek(number * 20_480 + 4096)
                out.write(b"data")  # the last of it ends the file: one byte more is too many
        for form in forms:
            if form != ["--format=v7"]:
                command = ["tar", "-c", "-C", name, "--mtime=@5", "--hole-detection=raw", *form]
                yield subprocess.run([*command, "sparse"], check=True, capture_output=True).stdout
        (Path(name) / "sparse").write_bytes(b"short")
        command = ["tar", "-c", "-b1", "-C", name, "--mtime=@5", *forms[0], "sparse"]
        yield subprocess.run(command, check=True, capture_output=True).stdout


def _holed_image() -> bytes:
    extents = Extent(512, 1024), Extent(4096, 512), Extent(5120, 100)
    holed = Inode(Kind.REG, size=5220, device=1, data_offset=512, extents=extents)
    whole = Inode(Kind.REG, size=3000, data_offset=1024)
    null = Inode(Kind.CHR, devmajor=1, devminor=3)
    root = Inode(Kind.DIR, mode=0o755, children={b"h": holed, b"n": null, b"w": whole})
    out = io.BytesIO()
    write_image(out, InodeTree(root), (Device(b"one", 1 << 20), Device(b"two", 1 << 16)))
    return out.getvalue()


def _image(*layers: Iterable[Member]) -> bytes:
    planned = plan(union([table(tar_of(layer)) for layer in layers]))
    out = io.BytesIO()
    write_image(out, planned.source, planned.devices)
    return out.getvalue()


if __name__ == "__main__":
    write_seeds(sys.argv[1], Path(sys.argv[2]))
