"""Trees on disk in a few words: layers applied to them, and what is in them."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nacre.layers.access import chmod
from nacre.layers.apply import Applied, Applier
from nacre.layers.diff import Change, tree_changes, write_layer
from nacre.layers.entry import Entry
from nacre.layers.ownership import KEEP, RECORDED, Ownership
from nacre.layers.rootpath import Root
from nacre.layers.tar import scan
from tests.unit.layers.stacks import Member, tar_of


def ownership() -> Ownership:
    """Return what the present user can do."""
    return KEEP if os.geteuid() == 0 else RECORDED


def apply(tree: Path, *members: Member, **options: Any) -> Applied:
    """Apply a layer with these members to a tree."""
    return apply_tar(tree, tar_of(members), **options)


def apply_tar(tree: Path, tar: bytes, *, step: int = 1 << 20, **options: Any) -> Applied:
    """Apply a tar that is fed in steps of so many bytes."""
    options.setdefault("ownership", ownership())
    with Root.open(tree) as root, Applier(root, **options) as applier:
        for start in range(0, len(tar), step):
            applier.feed(tar[start : start + step])
        return applier.finish()


def changes(old: Path | None, new: Path) -> list[Change]:
    """Return the changes between two trees."""
    with Root.open(new) as root:
        if old is None:
            return tree_changes(None, root)
        with Root.open(old) as before:
            return tree_changes(before, root)


def letters(found: list[Change]) -> list[str]:
    """Return changes as ``docker diff`` prints them."""
    return [f"{kind.value} /{path.decode()}" for kind, path in found]


def layer(tree: Path, found: list[Change], **options: Any) -> bytes:
    """Return the tar of some changes of a tree."""
    options.setdefault("ownership", ownership())
    out = io.BytesIO()
    with Root.open(tree) as root:
        write_layer(out, root, found, **options)
    return out.getvalue()


def packed(tree: Path, old: Path | None = None) -> list[Entry]:
    """Return the entries of the layer that makes one tree into another."""
    return scan(layer(tree, changes(old, tree)))


def paths(tree: Path) -> list[str]:
    """Return the sorted paths in a tree, directories with a final slash."""
    return sorted(
        str(path.relative_to(tree)) + ("/" if path.is_dir() and not path.is_symlink() else "")
        for path in tree.rglob("*")
    )


def mode(path: Path) -> int:
    """Return the permission bits of a path, not followed."""
    return stat.S_IMODE(path.lstat().st_mode)


def is_whiteout(path: Path) -> bool:
    """Say whether a path is overlayfs's form of a whiteout."""
    found = path.lstat()
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == 0


def snapshot(tree: Path, *, without: Path | None = None) -> dict[str, tuple[object, ...]]:
    """Return all about a tree, but for a part: what may not change when somebody attacks."""
    if tree == without:
        return {}
    found = {str(tree): _facts(tree)}
    if tree.is_dir() and not tree.is_symlink():
        for below in tree.iterdir():
            found |= snapshot(below, without=without)
    return found


def _facts(path: Path) -> tuple[object, ...]:
    found = path.lstat()
    content: object = None
    if path.is_symlink():
        content = path.readlink()
    elif path.is_file():
        content = path.read_bytes()
    return (
        *(found.st_mode, found.st_uid, found.st_gid, found.st_nlink, found.st_ino),
        *(found.st_mtime_ns, found.st_ctime_ns, content),
    )


@contextmanager
def open_files_unchanged() -> Iterator[None]:
    """Make sure that the block closes all that it opens."""
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


def unlocked(tree: Path) -> None:
    """Let the owner of a tree remove it, whatever is in it."""
    _each_directory(tree, lambda fd: chmod(fd, 0o700))


def _each_directory(path: Path, action: Callable[[int], None]) -> None:
    fd = os.open(path, os.O_PATH | os.O_NOFOLLOW)
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            return
        action(fd)
    finally:
        os.close(fd)
    for below in path.iterdir():
        _each_directory(below, action)


def same(one: Path, other: Path) -> bool:
    """Say whether two paths are names of one file."""
    return os.path.samestat(one.lstat(), other.lstat())
