"""Images that harmed the hosts of other engines, by the numbers of the CVEs that tell of it.

Each case is done with an engine on one storage driver; ``Scene`` says where. docs/security.md says
what each was about.
"""

from __future__ import annotations

import ctypes
import gzip
import io
import os
import select
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from nacre.content.filesystem import FilesystemBlobs
from nacre.engine.engine import Engine
from nacre.errors import NacreError
from nacre.layers.compression import Compression, compressor
from nacre.layers.entry import Kind
from nacre.testing.builders import Content, an_image
from nacre.testing.contracts import raises
from nacre.testing.driver_contract import Stage
from nacre.testing.members import Member, file, folder, hardlink, special, symlink, tar_of
from nacre.transports.layout import LayoutStore

NAME = "demo:1"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_HELPERS = (
    *("usr/bin/xz", "usr/bin/unpigz", "usr/bin/zstd", "usr/bin/gzip", "usr/bin/tar", "usr/bin/cp"),
    *("usr/bin/nsenter", "usr/bin/fuse-overlayfs", "usr/bin/fusermount3", "usr/bin/newuidmap"),
)


@dataclass(frozen=True)
class Scene:
    """Where a case takes place."""

    host: Path
    """Nothing around ``base`` may change in here."""
    base: Path
    """Where all that nacre keeps lies, and nothing yet does."""
    stage: Stage
    """Drivers to be used directly."""

    @contextmanager
    def engine(self, *limits: str) -> Iterator[Engine]:
        """Enter an engine with the driver, and perhaps with other limits."""
        home = self.base / "home"
        home.mkdir(exist_ok=True)
        config = home / "nacre.toml"
        config.write_text("\n".join(["[limits]", *limits] if limits else []))
        environment = {"HOME": str(home), "NACRE_RUN": str(home / "run")}
        with Engine(
            root=home / "store",
            config_file=config,
            environment=environment,
            storage_driver=self.stage.new().name,
        ) as engine:
            yield engine

    def hold(self, engine: Engine, image: Content) -> None:
        """Let the engine have an image."""
        layout = self.base / "layout"
        layout.mkdir(exist_ok=True)
        image.into(FilesystemBlobs(layout))
        LayoutStore(layout).tag("1", image.root)
        engine.images.copy(f"oci:{layout}:1", NAME)

    def holding(self, *members: Member) -> Content:
        """Return an image of one layer."""
        return an_image([tar_of(members)])


def packed(data: bytes) -> bytes:
    """Return it as a zstd stream."""
    with compressor(Compression.ZSTD) as stream:
        return stream.feed(data) + stream.finish()


def _helpers_of_the_image(scene: Scene) -> None:
    """Whatever is done with a tree, inside of it even: no program of the tree runs."""
    script = f"#!/bin/sh\necho executed > {scene.host}/executed\n".encode()
    programs = [file(path, script, mode=0o755) for path in _HELPERS]
    loaded = [file("etc/ld.so.preload", b"/evil.so"), file("evil.so", script, mode=0o755)]
    before = Path.cwd()
    with scene.engine() as engine:
        scene.hold(engine, scene.holding(*programs, *loaded))
        with engine.images.mounted(NAME) as root:
            try:
                os.chdir(root / "usr/bin")
                engine.images.copy_files(NAME, "/usr", scene.base / "usr")
                with suppress(NacreError):
                    engine.images.load(io.BytesIO(b"\xfd7zXZ\0" + bytes(600)))
                engine.images.import_(io.BytesIO(gzip.compress(tar_of(programs))), "other:1")
            finally:
                os.chdir(before)
    assert not (scene.host / "executed").exists()


def _libraries_of_the_image(scene: Scene) -> None:
    """To tell names and owners, nothing of the tree is loaded and nobody is looked up in it."""
    libraries = [f"lib/x86_64-linux-gnu/libnss_{name}.so.2" for name in ("files", "dns", "compat")]
    members = [file(path, b"\x7fELF", mode=0o755) for path in libraries]
    names = file("etc/nsswitch.conf", b"passwd: dns\n")
    with scene.engine() as engine:
        scene.hold(engine, scene.holding(*members, names, file("f", b"f", uid=4711, gid=4712)))
        with engine.images.mounted(NAME) as root:
            listed = engine.images.files(NAME, "/f").files
            engine.images.copy_files(NAME, "/.", scene.base / "copied")
            assert (listed[0].uid, listed[0].gid) == (4711, 4712)
            assert str(root) not in Path("/proc/self/maps").read_text()


def _ids_and_links_in_archives(scene: Scene) -> None:
    """An archive's names lead nowhere but to members of it."""
    layer = tar_of([file("f", b"f")])
    for config, path in (
        ("../../../etc/passwd", "layer.tar"),
        (f"{scene.host}/etc/passwd", "layer.tar"),
        ("config.json", f"../../../..{scene.host}/etc/passwd"),
        ("config.json", "linked/layer.tar"),
    ):
        manifest = f'[{{"Config": "{config}", "RepoTags": ["x:1"], "Layers": ["{path}"]}}]'
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            link = tarfile.TarInfo("linked/layer.tar")
            link.type, link.linkname = tarfile.SYMTYPE, f"{scene.host}/etc/passwd"
            archive.addfile(link)
            for name, data in (("manifest.json", manifest.encode()), ("layer.tar", layer)):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        with scene.engine() as engine:
            with raises(NacreError):
                engine.images.load(io.BytesIO(out.getvalue()))
            assert engine.images.list() == []


def _a_bomb(scene: Scene) -> None:
    """What grows too far stops, when it is pulled, loaded or imported, and leaves nothing."""
    tar = tar_of([file("zeros", bytes(24 << 20))])
    with scene.engine("ratio = 100", "grace = 16_000_000") as engine:
        with raises(NacreError):
            scene.hold(engine, an_image([tar]))
            engine.images.mounted(NAME).__enter__()
        with raises(NacreError):
            engine.images.import_(io.BytesIO(gzip.compress(tar)), "bomb:1")
        left = [
            path for path in scene.base.rglob("*") if path.is_file() and "layout" not in str(path)
        ]
        assert max(path.stat().st_size for path in left) < 16_000_000


def _layers_nobody_can_inflate(scene: Scene) -> None:
    """A stream that is broken is an error and no deadlock, whatever its kind."""
    sound = gzip.compress(tar_of([file("f", b"f" * 100_000)]))
    for blob in (
        b"\xfd7zXZ\0" + bytes(4000),
        b"BZh9" + bytes(4000),
        sound[:60],
        sound[:-4] + b"abcd",
    ):
        with scene.engine() as engine, raises(NacreError):
            engine.images.import_(io.BytesIO(blob), "broken:1")


def _passwd_that_never_ends(scene: Scene) -> None:
    """Files that lead to devices and pipes of the host are not opened."""
    members = [
        *(symlink("etc/passwd", "/dev/zero"), symlink("etc/group", f"{scene.host}/etc/shadow")),
        *(special("etc/shadow", Kind.FIFO), hardlink("etc/gshadow", "etc/shadow")),
    ]
    with scene.engine() as engine:
        scene.hold(engine, scene.holding(folder("etc"), *members))
        for name in ("passwd", "group", "shadow", "gshadow"):
            with raises(NacreError), engine.images.open_file(NAME, f"/etc/{name}") as opened:
                opened.read(1)
        engine.images.copy_files(NAME, "/etc", scene.base / "etc")
        with engine.images.mounted(NAME) as root:
            assert (root / "etc/passwd").is_symlink()


def _a_store_for_nobody_else(scene: Scene) -> None:
    """Others cannot reach the set-ID programs in it."""
    with scene.engine() as engine:
        scene.hold(engine, scene.holding(file("bin/su", b"#!", mode=0o4755)))
        with engine.images.mounted(NAME) as root:
            ways = [root, *scene.base.rglob("su"), *scene.base.rglob("blobs")]
            assert len(ways) > 1
            for way in ways:
                assert any(not above.stat().st_mode & 0o007 for above in _inside(way, scene.base))


def _inside(path: Path, base: Path) -> list[Path]:
    return [path, *(above for above in path.parents if above.is_relative_to(base))]


def _no_layers_at_all(scene: Scene) -> None:
    """An image without layers is an empty tree, not somebody else's."""
    with scene.engine() as engine:
        scene.hold(engine, an_image([]))
        assert list(engine.images.files(NAME).files) == []
        with engine.images.mounted(NAME) as root:
            assert list(root.iterdir()) == []


def _two_views_of_one_layer(scene: Scene) -> None:
    """What is in a layer is what its tar says, whatever a table beside the tar does."""
    tar = tar_of([file("f", b"of the tar")])
    table = packed(b'{"version": 1, "entries": [{"type": "reg", "name": "evil"}]}')
    frame = b"\x50\x2a\x4d\x18" + len(table).to_bytes(4, "little") + table  # skipped by readers
    with scene.engine() as engine:
        image = engine.images.import_(io.BytesIO(packed(tar) + frame), NAME)
        assert [path.path for path in engine.images.files(NAME).files] == ["/f"]
        with engine.images.mounted(str(image.id)) as root:
            assert [path.name for path in root.iterdir()] == ["f"]


# Races


@contextmanager
def _swapping(below: Path, target: Path) -> Iterator[None]:
    """Keep putting a link where directories ``a/d`` appear anywhere below a folder."""
    asked, ask = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ask)
        swaps = 0
        rename = ctypes.CDLL(None).renameat2
        with suppress(BaseException):
            while not select.select([asked], [], [], 0)[0]:
                for path in below.glob("**/a/d"):
                    link = f"{path}.link"
                    with suppress(OSError):
                        os.symlink(target, link)
                    ways = (_AT_FDCWD, os.fsencode(path), _AT_FDCWD, os.fsencode(link))
                    swaps += rename(*ways, _RENAME_EXCHANGE) == 0
        os._exit(min(swaps, 100))
    os.close(asked)
    try:
        yield
    finally:
        os.close(ask)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status > 0, "nothing was ever swapped"


def _swapped_while_unpacking(scene: Scene) -> None:
    """A directory that becomes a link to the host meanwhile leads nowhere."""
    members: list[Member] = [folder("a"), folder("a/d")]
    for number in range(100):
        members += [
            *(file(f"a/d/{number}", b"x", mode=0o777), file("a/d/passwd", b"x", mtime=7)),
            *(folder(f"a/d/e{number}", 0o777), symlink(f"a/d/s{number}", "x")),
        ]
    driver = scene.stage.new()
    if driver.in_place:
        return  # it unpacks nothing, so there is nothing to swap
    with _swapping(scene.base, scene.host / "etc"):
        for number in range(6):
            chain = scene.stage.layers.chain([*members, file("n", b"%d" % number)])
            with suppress(NacreError):
                scene.stage.take_in(driver, chain.layers[0])
            with suppress(NacreError, OSError):
                driver.make_ready(chain)
            with suppress(NacreError, OSError):
                driver.prune([])


def _swapped_while_copying_out(scene: Scene) -> None:
    """What is copied out of an image stays below the folder that was named."""
    members = [file(f"a/d/{number}", b"x", mode=0o777) for number in range(50)]
    target = scene.base / "out"
    (target / "a" / "d").mkdir(parents=True)
    with scene.engine() as engine:
        scene.hold(engine, scene.holding(folder("a/d"), file("a/d/passwd", b"x"), *members))
        with _swapping(target, scene.host / "etc"):
            for _ in range(30):
                with suppress(NacreError, OSError):
                    engine.images.copy_files(NAME, "/.", target)


IMAGES: dict[str, Callable[[Scene], None]] = {
    "CVE-2014-9357": _helpers_of_the_image,
    "CVE-2014-9358": _ids_and_links_in_archives,
    "CVE-2017-14992": _a_bomb,
    "CVE-2018-15664": _swapped_while_copying_out,
    "CVE-2019-14271": _libraries_of_the_image,
    "CVE-2021-20291": _layers_nobody_can_inflate,
    "CVE-2021-41091": _a_store_for_nobody_else,
    "CVE-2024-25621": _a_store_for_nobody_else,
    "CVE-2024-9676": _passwd_that_never_ends,
    "CVE-2025-47290": _swapped_while_unpacking,
    "CVE-2026-24054": _no_layers_at_all,
    "CVE-2026-41567": _helpers_of_the_image,
    "zstd:chunked": _two_views_of_one_layer,
}
