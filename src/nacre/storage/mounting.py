"""Mounting: the one file that asks the kernel for it.

Mounts are made with the newer calls (fsopen, Linux 5.2): they take thousands of devices or folders
and any character in a path, and what goes wrong can be read from them. Every mount is private:
what somebody mounts inside one of them is not seen in the others.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from nacre.errors import Conflict, Denied, NacreError, NotFound, Unavailable, Unsupported
from nacre.storage.mountinfo import Mount, parse_mounts

# The numbers of the newer calls are the same on every architecture.
_OPEN_TREE, _MOVE_MOUNT, _FSOPEN, _FSCONFIG, _FSMOUNT = 428, 429, 430, 431, 432
_MOUNT_SETATTR = 442
_CLOEXEC = 1
_SET_FLAG, _SET_STRING, _CREATE = 0, 1, 6
_MAX_STRING = 255  # bytes of a value of fsconfig(2)
_AT_FDCWD, _AT_EMPTY_PATH = -100, 0x1000
_FROM_EMPTY_PATH = 4  # of move_mount(2)
_CLONE_TREE = 1 | os.O_CLOEXEC  # of open_tree(2)
_READ_ONLY, _NO_SUID, _NO_DEVICES = 1, 2, 4
_PRIVATE = 1 << 18
_DETACH, _NO_FOLLOW = 2, 8  # of umount2(2)
_MS_READ_ONLY = 1
_PAGE = 4096  # what mount(2) takes of options


class MountFailed(Unavailable):
    """The kernel does not mount what it should; ``errno`` says why in its own words."""

    def __init__(self, message: str, *, number: int, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.errno = number


def mounts() -> list[Mount]:
    """Return all mounts that this process sees, in the order in which the kernel made them."""
    return parse_mounts(Path("/proc/self/mountinfo").read_bytes())


def mount_erofs(image: Path, devices: Sequence[Path], at: Path) -> None:
    """Mount an EROFS image that lies in a file, read-only.

    Args:
        image: the file.
        devices: the files of its devices, in their order.
        at: the folder to mount it on.

    Raises:
        Denied: we may not mount.
        Unsupported: the kernel cannot, or not from the file system that the image is on.
        MountFailed: the image is damaged, or the devices are not its own.
    """
    with ExitStack() as open_files:
        options = [("source", _short(image, open_files))]
        options += [("device", _short(device, open_files)) for device in devices]
        _mount_new("erofs", [*options, ("ro", None)], at, read_only=True, what=image)


def mount_overlay(
    lowers: Sequence[Path],
    at: Path,
    *,
    upper: Path | None = None,
    work: Path | None = None,
    options: Sequence[str] = (),
) -> None:
    """Stack folders with overlayfs.

    Args:
        lowers: the folders that are only read, the topmost first.
        at: the folder to mount the stack on.
        upper: where changes go; without it the stack is read-only.
        work: an empty folder on the same file system as ``upper``; needed with it.
        options: more of overlayfs's options, as ``userxattr`` or ``redirect_dir=off``.

    Raises:
        Denied: we may not mount.
        Unsupported: the kernel cannot, or not from the file systems that the folders are on.
        MountFailed: the folders or options do not go together.
    """
    writable = [("upperdir", upper), ("workdir", work)] if upper and work else []
    one_line = ",".join(
        [
            f"lowerdir={':'.join(map(_escaped, lowers))}",
            *(f"{name}={_escaped(path)}" for name, path in writable),
            *options,
        ]
    )
    # Older kernels take many folders only in this way, and none has it for more than a page.
    if len(os.fsencode(one_line)) < _PAGE:
        _mount_old("overlay", one_line, at, read_only=not writable)
        return
    with ExitStack() as open_files:
        new = [("lowerdir+", _short(path, open_files)) for path in lowers]
        # Of these alone it takes backslashes away, in the newer call too.
        new += [(name, _escaped(_short(path, open_files))) for name, path in writable]
        settings = [option.partition("=") for option in options]
        flags = [(name, value if equals else None) for name, equals, value in settings]
        _mount_new("overlay", [*new, *flags], at, read_only=not writable, what=at)


def bind(source: Path, at: Path, *, read_only: bool = True) -> None:
    """Let a mounted folder appear at another place too, without set-user-ID bits and devices.

    Raises:
        Denied: we may not mount.
        NotFound: one of the folders does not exist.
        MountFailed: the kernel refuses for another reason.
    """
    attributes = _NO_SUID | _NO_DEVICES | (_READ_ONLY if read_only else 0)
    try:
        tree = _syscall(_OPEN_TREE, _AT_FDCWD, os.fsencode(source), _CLONE_TREE)
        try:
            _set_attributes(tree, attributes=attributes)
            _attach(tree, at)
        finally:
            os.close(tree)
    except OSError as problem:
        raise _failure(problem, at, "") from problem


def unmount(at: Path, *, lazy: bool = False) -> None:
    """Take the topmost mount away from a folder.

    Args:
        at: the folder; a link is not followed.
        lazy: take it out of sight at once, even if it is in use; it ends with its last user.

    Raises:
        NotFound: nothing is mounted there.
        Conflict: it is in use.
        Denied: we may not unmount.
    """
    if _libc().umount2(os.fsencode(at), _NO_FOLLOW | (_DETACH if lazy else 0)) == 0:
        return
    problem = _last_error()
    match problem.errno:
        case errno.EINVAL | errno.ENOENT:
            raise NotFound(f"nothing is mounted at {at}") from problem
        case errno.EBUSY:
            raise Conflict(f"{at} is in use", remedy="end the programs that use it") from problem
        case _:
            raise _failure(problem, at, "") from problem


def _mount_new(
    kind: str, options: Sequence[tuple[str, str | None]], at: Path, *, read_only: bool, what: Path
) -> None:
    with _context(kind, what) as context:
        for name, value in options:
            _configure(context, name, value)
        _syscall(_FSCONFIG, context, _CREATE, None, None, 0)
        mount = _syscall(_FSMOUNT, context, _CLOEXEC, _READ_ONLY if read_only else 0)
        try:
            _attach(mount, at)
        finally:
            os.close(mount)


@contextmanager
def _context(kind: str, what: Path) -> Iterator[int]:
    try:
        context = _syscall(_FSOPEN, kind.encode(), _CLOEXEC)
    except OSError as problem:
        raise _failure(problem, what, "", kind=kind) from problem
    try:
        yield context
    except OSError as problem:
        raise _failure(problem, what, _log(context), kind=kind) from problem
    finally:
        os.close(context)


def _configure(context: int, name: str, value: str | None) -> None:
    if value is None:
        _syscall(_FSCONFIG, context, _SET_FLAG, name.encode(), None, 0)
    else:
        _syscall(_FSCONFIG, context, _SET_STRING, name.encode(), os.fsencode(value), 0)


def _mount_old(kind: str, options: str, at: Path, *, read_only: bool) -> None:
    flags = _MS_READ_ONLY if read_only else 0
    where, what = os.fsencode(at), kind.encode()
    if _libc().mount(what, where, what, flags, os.fsencode(options)):
        problem = _last_error()
        raise _failure(problem, at, "", kind=kind) from problem
    _make_private(at)


def _make_private(at: Path) -> None:
    if _libc().mount(None, os.fsencode(at), None, _PRIVATE, None):
        problem = _last_error()
        raise _failure(problem, at, "") from problem


def _attach(mount: int, at: Path) -> None:
    _syscall(_MOVE_MOUNT, mount, b"", _AT_FDCWD, os.fsencode(at), _FROM_EMPTY_PATH)
    # Below a mount that is shared it has become shared too.
    _set_attributes(mount, propagation=_PRIVATE)


def _set_attributes(mount: int, *, attributes: int = 0, propagation: int = 0) -> None:
    wanted = (ctypes.c_uint64 * 4)(attributes, 0, propagation, 0)
    size = ctypes.sizeof(wanted)
    _syscall(_MOUNT_SETATTR, mount, b"", _AT_EMPTY_PATH, ctypes.byref(wanted), size)


def _short(path: Path, open_files: ExitStack) -> str:
    """Return a path to the same file that is short enough, good while ``open_files`` is."""
    if len(os.fsencode(_escaped(path))) <= _MAX_STRING:
        return str(path)
    file = os.open(path, os.O_PATH | os.O_CLOEXEC)
    open_files.callback(os.close, file)
    return f"/proc/self/fd/{file}"


def _escaped(path: Path | str) -> str:
    """Return a path as overlayfs takes it in a line of options."""
    text = str(path)
    for character in ("\\", ":", ","):
        text = text.replace(character, f"\\{character}")
    return text


def _log(context: int) -> str:
    """Return the first thing that the kernel has to say about a failure; empty for nothing."""
    try:
        line = os.read(context, _PAGE).decode(errors="backslashreplace")
    except OSError:
        return ""
    return line.partition(" ")[2].strip()  # without the letter that tells how bad it is


def _failure(problem: OSError, what: Path, log: str, *, kind: str = "") -> NacreError:
    reason = log or os.strerror(problem.errno or 0)
    match problem.errno:
        case errno.EPERM | errno.EACCES:
            return Denied(f"we may not mount {what}", remedy="do it as root")
        case errno.ENODEV | errno.ENOSYS:
            return Unsupported(f"this kernel cannot mount {kind or what}")
        case errno.ENOTBLK:
            return Unsupported(
                f"this kernel cannot mount {kind} from a file on the file system of {what}",
                remedy="it takes Linux 6.12, and a store on a disk: ext4, xfs or btrfs",
            )
        case errno.ENOENT:
            return NotFound(f"cannot mount {what}: {reason}")
    return MountFailed(f"cannot mount {what}: {reason}", number=problem.errno or 0)


def _syscall(number: int, *arguments: object) -> int:
    result: int = _libc().syscall(ctypes.c_long(number), *map(_argument, arguments))
    if result < 0:
        raise _last_error()
    return result


def _argument(value: object) -> object:
    # What is passed as an int would leave half of its register as it was.
    return ctypes.c_long(value) if isinstance(value, int) else value


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _last_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
