"""Images made in memory, what they hold, and trees at random."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping

from hypothesis import strategies as st

from nacre.erofs.inode import NOTHING, Device, Inode
from nacre.erofs.reader import Image, Stretch
from nacre.erofs.source import InodeTree
from nacre.erofs.writer import write_image
from nacre.layers.entry import Extent, Kind

DEVICES = (Device(b"one", 1 << 30), Device(b"two" * 20, (1 << 41) - 512))


def directory(children: Mapping[bytes, Inode] = NOTHING) -> Inode:
    """Return a directory."""
    return Inode(Kind.DIR, mode=0o755, children=children)


def file(size: int = 0, *, device: int = 0, data_offset: int = 0) -> Inode:
    """Return a file without holes."""
    return Inode(Kind.REG, size=size, device=device, data_offset=data_offset)


def link(target: bytes) -> Inode:
    """Return a symbolic link."""
    return Inode(Kind.SYMLINK, mode=0o777, target=target)


def built(root: Inode, devices: Iterable[Device] = DEVICES, *, volume_name: bytes = b"") -> bytes:
    """Return the image of a tree."""
    out = io.BytesIO()
    length = write_image(out, InodeTree(root), tuple(devices), volume_name=volume_name)
    data = out.getvalue()
    assert length == len(data) == out.tell()
    assert length % 512 == 0
    return data


def read_back(image: Image) -> Inode:
    """Return the tree that an image holds, in the form that the writer takes."""
    return _read(image, image.root, {})


def _read(image: Image, nid: int, known: dict[int, Inode]) -> Inode:
    if nid not in known:
        known[nid] = _inode(image, nid, known)
    return known[nid]


def _inode(image: Image, nid: int, known: dict[int, Inode]) -> Inode:
    found = image.inode(nid)
    inode = Inode(
        found.kind,
        mode=found.mode & 0o7777,
        uid=found.uid,
        gid=found.gid,
        mtime=found.mtime,
        mtime_nsec=found.mtime_nsec,
        xattrs=image.xattrs(nid),
    )
    if found.kind is Kind.DIR:
        children = {name: _read(image, child, known) for name, child, _ in image.children(nid)}
        return inode._replace(children=children)
    if found.kind is Kind.SYMLINK:
        return inode._replace(target=image.target(nid))
    if found.kind is Kind.REG:
        return _with_data(inode._replace(size=found.size), image.stretches(nid))
    return inode._replace(devmajor=found.devmajor, devminor=found.devminor)


def _with_data(inode: Inode, stretches: list[Stretch]) -> Inode:
    assert len({stretch.device for stretch in stretches}) <= 1
    if not stretches:
        return inode._replace(extents=() if inode.size else None)
    first = stretches[0]
    extents = tuple(Extent(stretch.offset, stretch.length) for stretch in stretches)
    is_whole = extents == (Extent(0, inode.size),)
    return inode._replace(
        device=first.device,
        data_offset=first.position,
        extents=None if is_whole else extents,
    )


names = st.one_of(
    st.binary(min_size=1, max_size=20),
    st.binary(min_size=240, max_size=255),
    st.sampled_from([b"!", b"-", b"...", b".a", b"\xff", b" ", b"\x01"]),
).filter(lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b".."))
xattr_names = st.one_of(
    st.sampled_from([b"system.posix_acl_access", b"system.posix_acl_default"]),
    st.builds(
        lambda prefix, rest: prefix + rest,
        st.sampled_from([b"user.", b"trusted.", b"security."]),
        st.binary(min_size=1, max_size=30).filter(lambda rest: b"\0" not in rest),
    ),
)
xattrs = st.dictionaries(xattr_names, st.binary(max_size=300), max_size=4).map(
    lambda found: tuple(sorted(found.items()))
)
targets = st.one_of(
    st.binary(min_size=1, max_size=40), st.integers(1, 4095).map(lambda n: b"t" * n)
).filter(lambda target: b"\0" not in target)
sizes = st.one_of(st.integers(0, 2000), st.integers(0, 1 << 40))


@st.composite
def sparse_files(draw: st.DrawFn) -> Inode:
    """A file whose extents lie at multiples of some block size."""
    unit = 512 << draw(st.integers(0, 4))
    end, extents = 0, []
    for hole, length in draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=5)):
        extents.append(Extent(end + hole * unit, length * unit))
        end = sum(extents[-1])
    size = end + draw(st.integers(1, 5000))
    offset = draw(st.integers(0, 1000)) * 512 if extents else 0
    return Inode(Kind.REG, size=size, data_offset=offset, extents=tuple(extents))


@st.composite
def files(draw: st.DrawFn) -> Inode:
    """A file without holes."""
    if not (size := draw(sizes)):
        return file()
    device = 0 if size < 1 << 20 and draw(st.booleans()) else 1
    room = (DEVICES[device].size - size) // 512
    return file(size, device=device, data_offset=512 * draw(st.integers(0, room)))


leaves = st.one_of(
    files(),
    sparse_files(),
    st.builds(link, targets),
    st.builds(
        lambda kind, major, minor: Inode(kind, devmajor=major, devminor=minor),
        st.sampled_from([Kind.CHR, Kind.BLK]),
        st.integers(0, 0xFFF),
        st.integers(0, 0xFFFFF),
    ),
    st.just(Inode(Kind.FIFO)),
)


@st.composite
def attributed(draw: st.DrawFn, inodes: st.SearchStrategy[Inode]) -> Inode:
    """An inode with an owner, a time and so on."""
    return draw(inodes)._replace(
        mode=draw(st.integers(0, 0o7777)),
        uid=draw(st.integers(0, (1 << 32) - 1)),
        gid=draw(st.integers(0, (1 << 32) - 1)),
        mtime=draw(st.integers(-(1 << 63), (1 << 63) - 1)),
        mtime_nsec=draw(st.integers(0, 10**9 - 1)),
        xattrs=draw(xattrs),
    )


def _directories(children: st.SearchStrategy[Inode]) -> st.SearchStrategy[Inode]:
    return attributed(st.dictionaries(names, children, max_size=12).map(directory))


trees = _directories(st.recursive(attributed(leaves), _directories, max_leaves=25))
