"""The order in which the inodes of a tree go into an image.

The root comes first, for its number must be small; then each directory's children side by side,
so that listing a directory with its attributes reads few blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nacre.erofs.directories import Listing, list_names
from nacre.erofs.errors import InvalidTree, shown
from nacre.erofs.inode import Inode
from nacre.erofs.structures import DIR


class Order(NamedTuple):
    """The inodes of a tree; everything else goes by their places in that list."""

    inodes: list[Inode]
    links: list[int]
    """How many names each has; a directory's are its own, ``.`` and each ``..`` to it."""
    listings: dict[int, Listing]
    members: dict[int, list[int]]
    """For each directory, which inode each name of its listing is."""


def in_order(root: Inode) -> Order:
    """Return the inodes of a tree in their order, each once, however many names it has.

    Raises:
        InvalidTree: the root is no directory, one has several names, or something has no name.
    """
    if root.kind is not DIR:
        raise InvalidTree("the root of the tree is no directory", path=b"")
    order = Order([root], [2], {}, {})
    inodes, links = order.inodes, order.links
    numbers = {id(root): 0}
    waiting = [(0, 0)]
    while waiting:
        number, parent = waiting.pop()
        children = inodes[number].children
        listing = order.listings[number] = _listing(root, inodes[number])
        members = order.members[number] = []
        directories: list[tuple[int, int]] = []
        for name in listing.names:  # for every file of an image: what is done here takes time
            if name == b"." or name == b"..":  # noqa: PLR1714 - takes half as long
                members.append(number if name == b"." else parent)
                continue
            child = children[name]
            known = numbers.get(id(child))
            if known is None:
                known = numbers[id(child)] = len(inodes)
                inodes.append(child)
                links.append(1)
                if child.kind is DIR:
                    links[known] = 2
                    directories.append((known, number))
            elif child.kind is DIR:
                raise invalid(root, child, ValueError("it is a directory of several names"))
            else:
                links[known] += 1
            members.append(known)
        links[number] += len(directories)
        waiting += reversed(directories)
    return order


def _listing(root: Inode, directory: Inode) -> Listing:
    try:
        return list_names(directory.children)
    except ValueError as problem:
        raise invalid(root, directory, problem) from problem


def invalid(root: Inode, inode: Inode, problem: ValueError) -> InvalidTree:
    """Return the error that an inode of a tree cannot be stored; looks its name up."""
    path = next((path for path, found in _walk(root) if found is inode), b"")
    return InvalidTree(f"{shown(b'/' + path)} cannot be stored: {problem}", path=path)


def _walk(root: Inode) -> Iterator[tuple[bytes, Inode]]:
    seen: set[int] = set()
    pending = [(b"", root)]
    while pending:
        path, inode = pending.pop()
        yield path, inode
        if id(inode) not in seen:
            seen.add(id(inode))
            start = path + b"/" if path else b""
            pending += [(start + name, child) for name, child in inode.children.items()]
