"""The driver ``erofs`` shows the trees that layers make, and keeps what is written over them."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nacre.errors import AlreadyExists, Conflict, NotFound
from nacre.layers.diff import Change, ChangeKind, write_layer
from nacre.layers.entry import Kind
from nacre.layers.rootpath import Root
from nacre.layers.union import BadLayer
from nacre.layers.whiteout import Overlay
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.testing.members import (
    Member,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    special,
    symlink,
    tar_of,
)
from tests.integration.erofs_images import unpack
from tests.integration.layer_apply import applied, listing
from tests.integration.storage_trees import Stock, names
from tests.integration.test_union import LAYERS
from tests.peers.mounting import mounted_below, nothing_stays_mounted
from tests.peers.snapshot import snapshot

pytestmark = pytest.mark.root

BASE = [
    folder("etc", 0o751, uid=7, mtime=5),
    file("etc/passwd", b"root", mode=0o640, gid=42, mtime=6),
    file("etc/motd", b"hello" * 1000),
    hardlink("etc/issue", "etc/motd"),
    folder("tmp", 0o1777),
    symlink("var", "etc"),
]


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[Stock]:
    with nothing_stays_mounted(tmp_path):
        yield Stock(tmp_path / "store")


@pytest.fixture
def at(tmp_path: Path) -> Path:
    """A folder to attach trees to."""
    (tmp_path / "at").mkdir()
    return tmp_path / "at"


def assert_shows(stock: Stock, *layers: list[Member]) -> None:
    """Compare what is mounted with what a plain program makes of the same layers on a disk."""
    layers = ([folder("./", mtime=0)], *layers)
    disk = stock.root / "disk"
    disk.mkdir(mode=0o755, parents=True)
    expected = applied([tar_of(layer) for layer in layers], disk)
    with stock.driver.mounted(stock.chain(*layers)) as root:
        assert listing(os.fsencode(root)) == expected


def test_an_irregular_stack_as_on_disk(stock: Stock) -> None:
    assert_shows(
        stock,
        BASE,
        [gone("etc/passwd"), file("opt/a/b", b"implied"), file("var/through", b"a link")],
        [opaque("opt"), file("opt/c", b"c"), hardlink("etc/link", "etc/motd")],
        [file("tmp", b"no directory any more"), special("null", Kind.CHR, devmajor=1, devminor=3)],
    )


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layers=st.lists(LAYERS, min_size=1, max_size=3))
def test_any_stack_as_on_disk(layers: list[list[Member]], stock: Stock) -> None:
    place = stock.root / os.urandom(8).hex()
    place.mkdir(parents=True)
    own = Stock(place)
    whole = [[folder("./", mtime=0)], *layers]
    (place / "disk").mkdir(mode=0o755)
    (place / "disk").chmod(0o755)
    expected = applied([tar_of(layer) for layer in whole], place / "disk")
    chain = own.chain(*whole)
    if isinstance(expected, str):
        with pytest.raises(BadLayer):
            own.driver.make_ready(chain)
    else:
        with own.driver.mounted(chain) as root:
            assert listing(os.fsencode(root)) == expected


def test_a_real_root_file_system_as_gnu_tar_unpacks_it(
    stock: Stock, debian_rootfs_tar: Path
) -> None:
    expected = snapshot(unpack(debian_rootfs_tar, stock.root.parent / "unpacked"))
    chain = Chain.of([stock.add(debian_rootfs_tar.read_bytes())])
    with stock.driver.mounted(chain) as root:
        assert snapshot(root) == expected


def sparse_tar(home: Path) -> bytes:
    """Let GNU tar pack sparse files; then move the data of one off the bounds of blocks."""
    home.mkdir()
    for name, place in (("aligned", 1 << 20), ("shifted", 8192)):
        with (home / name).open("wb") as out:
            out.seek(place)
            out.write(name.encode() * 512)
            out.truncate(3 << 20)
    words = ("tar", "-c", "--sparse", "--format=gnu", "-C", home, "aligned", "shifted")
    packed = bytearray(subprocess.run(words, capture_output=True, check=True).stdout)
    start = packed.index(b"shifted\0")
    header = packed[start : start + 512]
    header[386:398] = b"%011o\0" % 8200  # the offset of the first extent
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    packed[start : start + 512] = header
    return bytes(packed)


def test_sparse_files_as_gnu_tar_unpacks_them(stock: Stock) -> None:
    tar = sparse_tar(stock.root.parent / "packed")
    (stock.root.parent / "tar").write_bytes(tar)
    unpacked = unpack(stock.root.parent / "tar", stock.root.parent / "unpacked")
    chain = Chain.of([stock.add(tar)])
    with stock.driver.mounted(chain) as root:
        for name in ("aligned", "shifted"):
            assert (root / name).read_bytes() == (unpacked / name).read_bytes()
        assert (root / "shifted").read_bytes()[8200:8207] == b"shifted"
    (companion,) = (stock.root / "storage/erofs").glob("*.data")
    assert companion.stat().st_blocks * 512 < 1 << 16, "its holes take no disk"


def test_500_layers(stock: Stock) -> None:
    chain = stock.chain(*([file(f"f{n}", b"%d" % n), file("same", b"%d" % n)] for n in range(500)))
    with stock.driver.mounted(chain) as root:
        assert len(list(root.iterdir())) == 501
        assert (root / "same").read_bytes() == b"499"
        assert all((root / f"f{n}").read_bytes() == b"%d" % n for n in range(500))


def test_repeated_layers(stock: Stock) -> None:
    one, two = (
        stock.add(tar_of([file("a", name), file(str(name), name)])) for name in (b"1", b"2")
    )
    for layers, content in (((one, two, one), b"1"), ((one, one), b"1"), ((one, two, two), b"2")):
        with stock.driver.mounted(Chain(layers)) as root:
            assert (root / "a").read_bytes() == content


def test_no_layers(stock: Stock) -> None:
    with stock.driver.mounted(Chain(())) as root:
        assert list(root.iterdir()) == []
        assert root.stat().st_mode & 0o7777 == 0o755


def test_a_layer_comes_in_through_the_sink(stock: Stock) -> None:
    tar = tar_of(BASE)
    layer = Digest.of(tar)
    assert (stock.driver.has(layer), stock.driver.size(layer)) == (False, 0)
    assert stock.add(tar) == layer
    assert (stock.driver.has(layer), stock.driver.size(layer)) == (True, len(tar))
    assert stock.add(tar) == layer


def test_a_missing_layer(stock: Stock, at: Path) -> None:
    chain = Chain.of([Digest.of(b"nothing")])
    with pytest.raises(NotFound), stock.driver.mounted(chain):
        pass
    with pytest.raises(NotFound):
        stock.driver.attach(chain, at)
    with pytest.raises(NotFound):
        stock.driver.prepare("one", chain)
    assert stock.files() <= {"storage", "storage/erofs", "run"}


def test_attached_and_detached(stock: Stock, at: Path) -> None:
    chain = stock.chain(BASE)
    stock.driver.attach(chain, at)
    assert list(Stock(stock.root).driver.attached()) == [(at, chain.id)]
    assert (at / "var/passwd").read_bytes() == b"root"
    with stock.driver.mounted(chain) as root:
        assert root.stat().st_dev == at.stat().st_dev
    stock.driver.detach(at)
    assert list(stock.driver.attached()) == []
    with pytest.raises(NotFound):
        stock.driver.detach(at)


def test_an_attached_tree_gives_nobody_more_rights(stock: Stock, at: Path) -> None:
    disk = special("disk", Kind.BLK, mode=0o666, devmajor=7, devminor=0)
    stock.driver.attach(stock.chain([disk]), at)
    with pytest.raises(PermissionError):
        (at / "disk").open("rb")
    stock.driver.detach(at)


def test_a_writable_top_keeps_what_is_written(stock: Stock) -> None:
    chain = stock.chain(BASE)
    stock.driver.prepare("one", chain)
    with stock.driver.writable("one") as root:
        (root / "etc/motd").write_bytes(b"changed")
        (root / "etc/passwd").unlink()
        (root / "new").mkdir()
    with stock.driver.writable("one") as root:
        assert names(root) == ["etc", "etc/issue", "etc/motd", "new", "tmp", "var"]
        assert (root / "etc/motd").read_bytes() == b"changed"
    assert list(stock.driver.scratches()) == [("one", chain)]
    with stock.driver.mounted(chain) as root:
        assert (root / "etc/passwd").read_bytes() == b"root"


def test_its_root_is_that_of_the_chain(stock: Stock) -> None:
    top = folder("./", 0o710, uid=3, gid=4, mtime=99, xattrs=((b"user.a", b"1"),))
    stock.driver.prepare("one", stock.chain([top]))
    with stock.driver.writable("one") as root:
        found = root.stat()
        assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (0o710, 3, 4)
        assert found.st_mtime == 99
        assert os.getxattr(root, "user.a") == b"1"


def test_its_changes_are_a_layer(stock: Stock, tmp_path: Path) -> None:
    chain = stock.chain(BASE)
    stock.driver.prepare("one", chain)
    with stock.driver.writable("one") as root:
        (root / "etc/motd").write_bytes(b"changed")
        (root / "etc/passwd").unlink()
        (root / "etc/new").mkdir()
    with stock.driver.changes("one") as (changes, upper):
        assert changes == [
            Change(ChangeKind.CHANGED, b"etc"),
            Change(ChangeKind.DELETED, b"etc/passwd"),
            Change(ChangeKind.CHANGED, b"etc/motd"),
            Change(ChangeKind.ADDED, b"etc/new"),
        ]
        with (tmp_path / "tar").open("wb") as out, Root.open(upper) as tree:
            write_layer(out, tree, changes, overlay=stock.driver.form)
    whole = Chain.of([*chain.layers, stock.add((tmp_path / "tar").read_bytes())])
    with stock.driver.mounted(whole) as tree, stock.driver.writable("one") as written:
        assert listing(os.fsencode(tree)) == listing(os.fsencode(written))


def test_a_writable_top_is_one_file_system(stock: Stock) -> None:
    stock.driver.prepare("one", stock.chain(BASE, [file("other", b"layer")]))
    with stock.driver.writable("one") as root:
        (root / "new").write_bytes(b"new")
        found = [(root / name).stat() for name in names(root)]
        assert {each.st_dev for each in found} == {root.stat().st_dev}
        before = (root / "etc/passwd").stat().st_ino
        (root / "etc/passwd").write_bytes(b"written")
        assert (root / "etc/passwd").stat().st_ino == before


def test_a_writable_top_has_one_user(stock: Stock) -> None:
    stock.driver.prepare("one", stock.chain(BASE))
    with stock.driver.writable("one"):
        other = Stock(stock.root).driver
        with pytest.raises(Conflict), other.writable("one"):
            pass
        with pytest.raises(Conflict), other.changes("one"):
            pass
        with pytest.raises(Conflict):
            other.remove("one")
    stock.driver.remove("one")
    assert list(stock.driver.scratches()) == []
    with pytest.raises(NotFound), stock.driver.writable("one"):
        pass


def test_a_name_is_taken_once(stock: Stock) -> None:
    chain = stock.chain(BASE)
    stock.driver.prepare("one", chain)
    with pytest.raises(AlreadyExists):
        stock.driver.prepare("one", chain)


def test_an_images_own_attributes_of_overlayfs_take_no_effect(stock: Stock) -> None:
    xattrs = (
        (Overlay.TRUSTED.value + b"opaque", b"y"),
        (Overlay.TRUSTED.value + b"redirect", b"/etc"),
    )
    chain = stock.chain([*BASE, folder("d", xattrs=xattrs), file("d/f", b"f")])
    with stock.driver.mounted(chain) as root:
        assert os.getxattr(root / "d", "trusted.overlay.redirect") == b"/etc"
    stock.driver.prepare("one", chain)
    with stock.driver.writable("one") as root:
        assert names(root / "d") == ["f"]
        assert os.getxattr(root / "d", "trusted.overlay.redirect") == b"/etc"
        (root / "d/g").touch()
        assert names(root / "d") == ["f", "g"]


def test_prune_keeps_what_is_needed(stock: Stock, at: Path) -> None:
    alive, attached, below, used, doomed = (stock.chain([file(name)]) for name in "abcde")
    driver = stock.driver
    driver.attach(attached, at)
    driver.prepare("one", below)
    driver.make_ready(alive)
    driver.make_ready(doomed)
    with driver.mounted(used):
        assert driver.prune([alive]) > 0
    left = {path.name for path in (stock.root / "storage/erofs").iterdir()}
    assert left == {f"sha256-{each.id.encoded}.erofs" for each in (alive, attached, below, used)}
    driver.detach(at)
    driver.remove("one")
    driver.prune([])
    assert stock.files() == {"storage/erofs", "storage/scratch", *run_folders(stock)}


def run_folders(stock: Stock) -> set[str]:
    """Return the folders of mount namespaces."""
    found = (stock.root / "run").iterdir()
    return {path.relative_to(stock.root).as_posix() for path in found}


def test_a_pruned_chain_comes_back(stock: Stock) -> None:
    chain = stock.chain(BASE)
    stock.driver.make_ready(chain)
    stock.driver.prune([])
    with stock.driver.mounted(chain) as root:
        assert (root / "etc/passwd").read_bytes() == b"root"


def test_after_a_reboot_nothing_is_stale(stock: Stock) -> None:
    """The run folder is empty then, and nothing is mounted."""
    chain = stock.chain(BASE)
    stock.driver.prepare("one", chain)
    with stock.driver.writable("one") as root:
        (root / "new").touch()
    for path in sorted((stock.root / "run").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    after = Stock(stock.root).driver
    after.recover()
    with after.mounted(chain) as lower, after.writable("one") as root:
        assert names(root) == sorted([*names(lower), "new"])


def test_large_random_files_read_as_they_were(stock: Stock) -> None:
    bodies = [random.Random(n).randbytes(n) for n in (1, 511, 512, 513, 4096, 100_001, 3_000_000)]
    chain = stock.chain([file(f"f{n}", body) for n, body in enumerate(bodies)])
    with stock.driver.mounted(chain) as root:
        assert [(root / f"f{n}").read_bytes() for n in range(len(bodies))] == bodies


def test_nothing_is_mounted_afterwards(stock: Stock) -> None:
    chain = stock.chain(BASE)
    stock.driver.prepare("one", chain)
    with stock.driver.mounted(chain), stock.driver.writable("one"):
        assert len(mounted_below(stock.root)) == 2
    assert mounted_below(stock.root) == []
