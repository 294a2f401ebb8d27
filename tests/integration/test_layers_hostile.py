"""Hostile layers, as root and as an ordinary user: nothing outside the root is touched.

The attempts are those of ``tests/unit/layers/union/test_breakouts.py``, by containerd's names.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest

from nacre.errors import NacreError
from nacre.layers.apply import Applier, BadMember
from nacre.layers.compression import Decompressor, Growth
from nacre.layers.diff import Unstorable, tree_changes, write_layer
from nacre.layers.entry import Entry, Kind
from nacre.layers.errors import LayerLimit
from nacre.layers.ownership import KEEP, RECORDED
from nacre.layers.rootpath import Root
from nacre.layers.tar import END_OF_ARCHIVE, Scanner, header_blocks
from nacre.layers.whiteout import Overlay
from tests.integration.cve_layers import LAYERS
from tests.integration.layer_apply import listing
from tests.integration.ordinary_user import UID, as_user
from tests.integration.union_listing import listed
from tests.unit.layers.stacks import (
    Member,
    Stack,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    special,
    symlink,
    tar_of,
)
from tests.unit.layers.trees import open_files_unchanged, snapshot
from tests.unit.layers.union.test_breakouts import ATTEMPTS

pytestmark = pytest.mark.root

T = TypeVar("T")
Runner = Callable[[Callable[[], T]], T]
SWAPPER = Path(__file__).with_name("swapper.py")
FORMS: list[Overlay | None] = [None, Overlay.USER]


def directly(action: Callable[[], T]) -> T:
    return action()


class Victim:
    """A root to unpack to, and the host around it, which may not change."""

    def __init__(self, top: Path, runner: Runner[Any], *, is_root: bool) -> None:
        self.host = top / "host"
        self.root = self.host / "var" / "root"
        self.run = runner
        self.is_root = is_root
        self.root.mkdir(parents=True)
        for name in ("etc/passwd", "etc/shadow", "tmp/perm400", "var/beside", "x", "dne/etc"):
            path = self.host / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("host")
            path.chmod(0o400)
        if not is_root:
            for path in (self.host, *self.host.rglob("*")):
                os.chown(path, UID, UID)
        self._before = self._outside()

    def apply(self, *layers: bytes, overlay: Overlay | None = None) -> None:
        """Apply layers to the root as the user."""
        for tar in layers:
            self.run(partial(self._apply, tar, overlay))

    def _apply(self, tar: bytes, overlay: Overlay | None) -> None:
        ownership = KEEP if self.is_root else RECORDED
        with (
            Root.open(self.root) as root,
            Applier(root, overlay=overlay, ownership=ownership) as applier,
        ):
            applier.feed(tar)
            applier.finish()

    def _outside(self) -> dict[str, tuple[object, ...]]:
        return snapshot(self.host, without=self.root)

    def check(self) -> None:
        """Make sure that nothing around the root changed."""
        assert self._outside() == self._before
        assert stat.S_ISDIR(self.root.lstat().st_mode)

    def text(self, name: str) -> str:
        """Return the content of a file in the root."""
        return (self.root / name).read_text()


@pytest.fixture(params=["root", "user"])
def victim(request: pytest.FixtureRequest) -> Iterator[Victim]:
    # Not in pytest's folders: they are for their owner alone.
    with TemporaryDirectory() as name, open_files_unchanged():
        Path(name).chmod(0o755)
        is_root = request.param == "root"
        made = Victim(Path(name), directly if is_root else as_user, is_root=is_root)
        yield made
        made.check()


@pytest.mark.parametrize("name", ATTEMPTS)
def test_a_breakout_ends_inside(victim: Victim, name: str) -> None:
    layers = [[folder("./", mtime=1), *ATTEMPTS[name].layers[0]], *ATTEMPTS[name].layers[1:]]
    stack = Stack(*layers)
    victim.apply(*stack.tars)
    expected = listed(stack)
    found = listing(bytes(victim.root))
    assert found.keys() == expected.keys()
    for path, seen in found.items():
        wanted = expected[path]
        assert (seen.kind, seen.content, seen.target) == (
            wanted.kind,
            wanted.content,
            wanted.target,
        )
        assert (seen.same, seen.mtime) == (wanted.same, wanted.mtime)
        if seen.kind != "l":
            assert seen.mode == wanted.mode


@pytest.mark.parametrize("name", ATTEMPTS)
def test_a_breakout_of_a_layer_alone_ends_inside(victim: Victim, name: str) -> None:
    with suppress(BadMember):  # links to what is in another layer
        victim.apply(tar_of(ATTEMPTS[name].layers[-1]), overlay=Overlay.USER)


REFUSED = {
    "SymlinkParentDirectory": Entry(b"..", Kind.SYMLINK, linkname=b"/etc/"),
    "SymlinkCurrentDirectory": Entry(b".", Kind.SYMLINK, linkname=b"/etc/"),
    "SymlinkEmptyFilename": Entry(b"", Kind.SYMLINK, linkname=b"/etc/"),
    "SymlinkSlash": Entry(b"//", Kind.SYMLINK, linkname=b"/etc/"),
    "HardlinkRoot": Entry(b".", Kind.LINK, linkname=b"etc/passwd"),
    "FileRoot": Entry(b".", Kind.REG),
    "DeviceRoot": Entry(b".", Kind.CHR),
    "WhiteoutRootParent": Entry(b".wh...", Kind.REG),
    "WhiteoutParent": Entry(b"etc/.wh...", Kind.REG),
    "WhiteoutRoot": Entry(b".wh..", Kind.REG),
    "WhiteoutCurrentDirectory": Entry(b"etc/.wh..", Kind.REG),
    "WhiteoutNothing": Entry(b"etc/.wh.", Kind.REG),
    "HardlinkOutside": Entry(b"a", Kind.LINK, linkname=b"../../tmp/perm400"),
    "HardlinkOutsideAbsolute": Entry(b"a", Kind.LINK, linkname=b"/tmp/perm400"),
    "HardlinkDirectory": Entry(b"a", Kind.LINK, linkname=b"etc"),
    "HardlinkRootDirectory": Entry(b"a", Kind.LINK, linkname=b".."),
}


def refused_tar(name: str) -> bytes:
    """Return a layer with a member that can only be meant badly."""
    entry = REFUSED[name]
    blocks = header_blocks(entry._replace(name=entry.name.strip(b"/") or b"@"))
    if not entry.name.strip(b"/"):
        blocks = (entry.name[:1] or b"\0") + blocks[1:148] + b" " * 8 + blocks[156:]
        blocks = blocks[:148] + b"%06o\0 " % sum(blocks) + blocks[156:]
    tar = tar_of([folder("etc"), file("etc/passwd", b"inside")])[: -len(END_OF_ARCHIVE)]
    return tar + blocks + END_OF_ARCHIVE


@pytest.mark.parametrize("overlay", FORMS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_can_only_be_meant_badly_is_refused(
    victim: Victim, name: str, overlay: Overlay | None
) -> None:
    with pytest.raises(BadMember):
        victim.apply(refused_tar(name), overlay=overlay)
    assert victim.text("etc/passwd") == "inside"


# CVEs


@pytest.mark.parametrize("overlay", FORMS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_known_way_out_ends_inside(victim: Victim, name: str, overlay: Overlay | None) -> None:
    with suppress(BadMember):  # what leads to another layer, in the form of overlayfs
        victim.apply(*map(tar_of, LAYERS[name](str(victim.host))), overlay=overlay)


def test_names_that_climb_end_at_the_root(victim: Victim) -> None:
    victim.apply(*map(tar_of, LAYERS["CVE-2020-10696"](str(victim.host))))
    assert [victim.text(name) for name in "uvwxyz"] == ["inside"] * 6


def test_files_of_the_host_are_not_opened_through_pipes_or_devices(victim: Victim) -> None:
    # A pipe in the way would make a writer wait for ever.
    members = [special("p", Kind.FIFO), file("p", b"x"), special("q", Kind.FIFO), folder("q")]
    victim.apply(tar_of(members))
    assert victim.text("p") == "x"


def test_a_set_user_id_file_belongs_to_nobody_while_it_is_written(victim: Victim) -> None:
    tar = tar_of([file("suid", b"x" * 2000, mode=0o4755)])
    with Root.open(victim.root) as root, Applier(root) as applier:
        applier.feed(tar[:1024])
        assert stat.S_IMODE((victim.root / "suid").stat().st_mode) == 0o600
        applier.feed(tar[1024:])
        applier.finish()
    assert stat.S_IMODE((victim.root / "suid").stat().st_mode) == 0o4755


def test_a_tree_made_of_hostile_names_cannot_be_packed_as_whiteouts(victim: Victim) -> None:
    (victim.root / ".wh.etc").touch()
    with Root.open(victim.root) as root, pytest.raises(Unstorable):
        tree_changes(None, root)


# Races: CVE-2025-47290, CVE-2018-15664


@contextmanager
def swapping(victim: Victim) -> Iterator[None]:
    """Keep putting a link to the host where the directory ``a/d`` of the root is."""
    victim.run(partial(os.makedirs, victim.root / "a" / "d", exist_ok=True))
    argv = [
        sys.executable,
        "-I",
        str(SWAPPER),
        str(victim.root / "a" / "d"),
        str(victim.host / "etc"),
    ]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield
        finally:
            swaps, _ = process.communicate()
    assert int(swaps) > 100


@pytest.mark.parametrize("overlay", FORMS)
def test_a_directory_swapped_for_a_link_meanwhile_leads_nowhere(
    victim: Victim, overlay: Overlay | None
) -> None:
    members = [folder("a"), folder("a/d"), file("other")]
    for number in range(10):
        members += [
            *(file(f"a/d/{number}", b"x", mode=0o777), file("a/d/passwd", b"x")),
            *(folder(f"a/d/e{number}"), hardlink(f"a/d/l{number}", "other")),
            *(hardlink(f"h{number}", "other"), gone("a/d/shadow"), gone("a/d/passwd")),
            *(special("a/d/pipe", Kind.FIFO, mode=0o777), symlink("a/d/s", "x")),
            *(folder("a/d", 0o777, mtime=5), opaque("a/d")),
        ]
    tar = tar_of(members)
    with swapping(victim):
        for _ in range(100):
            with suppress(NacreError):
                victim.apply(tar, overlay=overlay)


def test_a_link_swapped_in_meanwhile_is_not_read_through(victim: Victim) -> None:
    victim.apply(tar_of([folder("a"), folder("a/d"), file("a/d/passwd", b"inside")]))
    with swapping(victim):
        for _ in range(300):
            with suppress(NacreError), Root.open(victim.root) as root:
                found = tree_changes(None, root)
                assert b"a/d/shadow" not in {change.path for change in found}
                out = io.BytesIO()
                write_layer(out, root, found)
                assert b"host" not in out.getvalue().replace(bytes(victim.host), b"")


def test_a_link_swapped_in_meanwhile_is_not_removed_through(victim: Victim) -> None:
    members = [folder("a/d/e"), *(file(f"a/d/e/{name}") for name in ("passwd", "shadow"))]
    with swapping(victim):
        for _ in range(150):
            with suppress(NacreError):
                victim.apply(tar_of(members))
            with suppress(NacreError):
                victim.apply(tar_of([gone("a/d/e"), gone("a")]))


# Bombs


def inflate(packed: bytes, tree: Path) -> None:
    with Root.open(tree) as root, Applier(root) as applier:
        for piece in Decompressor(growth=Growth(100, 1 << 20)).feed(packed):
            applier.feed(piece)


def test_cve_2017_14992_a_compressed_bomb_stops_at_the_ratio(victim: Victim) -> None:
    bomb = gzip.compress(tar_of([file("zeros", bytes(40 << 20))]), 9)
    with pytest.raises(LayerLimit) as caught:
        inflate(bomb, victim.root)
    assert caught.value.limit == "ratio"
    assert (victim.root / "zeros").stat().st_size < 40 << 20


@pytest.mark.parametrize(
    ("limit", "members"),
    [
        ("max_depth", [folder("d/" * 513)]),
        ("max_name", [file("n" * 4097)]),
        ("max_size", [file("f", b"x" * 1025)]),
        ("max_entries", [file(str(number)) for number in range(101)]),
    ],
)
def test_bombs_stop_at_limits(victim: Victim, limit: str, members: list[Member]) -> None:
    scanner = Scanner(max_entries=100)
    with (
        Root.open(victim.root) as root,
        Applier(root, scanner=scanner, max_size=1024) as applier,
        pytest.raises(LayerLimit) as caught,
    ):
        applier.feed(tar_of(members))
    assert caught.value.limit == limit
