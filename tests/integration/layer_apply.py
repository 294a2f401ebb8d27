"""Layers applied to a real directory the plain way, as docker does it: the kernel follows links.

It shares no code with nacre: ``tarfile`` reads, and a child process that has the directory for
its root calls the system.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import pickle
import posixpath
import shutil
import stat
import tarfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Xattrs = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class Seen:
    """What lstat(2) and the content say of a path; ``same`` are all names of the same file."""

    kind: str
    mode: int
    uid: int
    gid: int
    mtime: int
    size: int = 0
    content: str = ""
    target: bytes = b""
    device: tuple[int, int] = (0, 0)
    xattrs: Xattrs = ()
    same: frozenset[bytes] = frozenset()


Listing = dict[bytes, Seen]


def applied(tars: Sequence[bytes], root: Path) -> Listing | str:
    """Apply the layers in a process whose root is ``root``; return what is there, or an error."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "wb") as out:
            out.write(pickle.dumps(_attempt(tars, root)))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        found: Listing | str = pickle.loads(answer.read())
    os.waitpid(child, 0)
    return found


def _attempt(tars: Sequence[bytes], root: Path) -> Listing | str:
    try:
        os.umask(0)
        os.chroot(root)
        os.chdir("/")
        times: dict[int, int] = {}
        for tar in tars:
            _apply(tar, times)
        return listing(b"/", times)
    except OSError:
        return traceback.format_exc()


def _apply(tar: bytes, times: dict[int, int]) -> None:
    marked = []
    with tarfile.open(fileobj=io.BytesIO(tar), errors="surrogateescape") as archive:
        for member in archive:
            path = posixpath.normpath(b"/" + os.fsencode(member.name)).replace(b"//", b"/")
            directory, name = posixpath.split(path)
            if name.startswith(b".wh."):
                _remove(directory, name)
                marked.append(directory)
            else:
                _make_parents(directory, times)
                # The parent may be found through the very link that this replaces.
                path = posixpath.join(os.path.realpath(directory), name)
                _create(archive, member, path, times)
    for directory in marked:
        _make_parents(directory, times, replace=False)


def _remove(directory: bytes, name: bytes) -> None:
    # Works only for whiteouts before everything else of their layer.
    if not os.path.isdir(directory):
        return
    directory = os.path.realpath(directory)
    names = os.listdir(directory) if name == b".wh..wh..opq" else [name[len(b".wh.") :]]
    for gone in names:
        path = posixpath.join(directory, gone)
        if os.path.lexists(path):
            _unlink(path)


def _unlink(path: bytes) -> None:
    if stat.S_ISDIR(os.lstat(path).st_mode):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _make_parents(directory: bytes, times: dict[int, int], *, replace: bool = True) -> None:
    try:
        os.stat(directory)
    except OSError as problem:
        if problem.errno == errno.ELOOP:
            if replace:
                raise
            return
    made = b"/"
    for part in os.path.realpath(directory).split(b"/")[1:]:
        made = posixpath.join(made, part)
        if os.path.isdir(made):
            continue
        if os.path.lexists(made):
            if not replace:
                return
            os.unlink(made)
        os.mkdir(made, 0o755)
        times[os.lstat(made).st_ino] = 0


def _create(
    archive: tarfile.TarFile, member: tarfile.TarInfo, path: bytes, times: dict[int, int]
) -> None:
    merges = member.isdir() and os.path.lexists(path) and stat.S_ISDIR(os.lstat(path).st_mode)
    if os.path.lexists(path) and not merges:
        _unlink(path)
    target = os.fsencode(member.linkname)
    if member.islnk():
        os.link(posixpath.normpath(b"/" + target), path, follow_symlinks=False)
        return
    if member.isdir():
        if not merges:
            os.mkdir(path)
        for name in os.listxattr(path):
            os.removexattr(path, name)
        times[os.lstat(path).st_ino] = int(member.mtime)
    elif member.isreg():
        body = archive.extractfile(member)
        assert body is not None
        with open(path, "wb") as out:
            shutil.copyfileobj(body, out)
    elif member.issym():
        os.symlink(target, path)
    elif member.isfifo():
        os.mkfifo(path)
    else:
        kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
        os.mknod(path, kind, os.makedev(member.devmajor, member.devminor))
    os.chown(path, member.uid, member.gid, follow_symlinks=False)
    for key, value in member.pax_headers.items():
        if key.startswith("SCHILY.xattr."):
            os.setxattr(path, key.removeprefix("SCHILY.xattr."), value.encode())
    if not member.issym():
        os.chmod(path, member.mode)
    os.utime(path, (member.mtime, member.mtime), follow_symlinks=False)


def listing(root: bytes, times: dict[int, int] | None = None) -> Listing:
    """Return what is under a directory, itself included, by clean path.

    Args:
        root: the directory.
        times: times of directories by inode number, in place of those on disk.
    """
    paths = [root]
    for folder, folders, files in os.walk(root):
        paths += [posixpath.join(folder, name) for name in (*folders, *files)]
    names: dict[int, set[bytes]] = {}
    for path in paths:
        names.setdefault(os.lstat(path).st_ino, set()).add(_relative(path, root))
    return {_relative(path, root): _seen(path, names, times or {}) for path in paths}


def _relative(path: bytes, root: bytes) -> bytes:
    return path[len(root) :].lstrip(b"/")


def _seen(path: bytes, names: dict[int, set[bytes]], times: dict[int, int]) -> Seen:
    found = os.lstat(path)
    is_folder = stat.S_ISDIR(found.st_mode)
    is_file, is_link = stat.S_ISREG(found.st_mode), stat.S_ISLNK(found.st_mode)
    content = b""
    if is_file:
        with open(path, "rb") as body:
            content = body.read()
    attributes = os.listxattr(path, follow_symlinks=False)
    return Seen(
        kind=stat.filemode(found.st_mode)[0],
        mode=stat.S_IMODE(found.st_mode),
        uid=found.st_uid,
        gid=found.st_gid,
        mtime=times.get(found.st_ino if is_folder else -1, int(found.st_mtime)),
        size=found.st_size if is_file else 0,
        content=hashlib.sha256(content).hexdigest() if is_file else "",
        target=os.readlink(path) if is_link else b"",
        device=(os.major(found.st_rdev), os.minor(found.st_rdev)),
        xattrs=tuple(sorted((name, os.getxattr(path, name)) for name in attributes)),
        same=frozenset(names[found.st_ino]),
    )
