"""Seeing without running: what is in an image, from tables of contents and ranges of bytes.

Nothing is mounted and nothing unpacked. The first look at a layer reads all of it to make its
table, which is kept; from then on listing is a matter of milliseconds.
"""

# What each verb needs is imported when it is called, as in `nacre.engine.images`.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nacre.errors import Invalid
from nacre.oci import platform as platforms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from nacre.engine.parts import Parts

    # Those that are named twice are for `cli`.
    from nacre.images.difference import Difference as Difference  # noqa: PLC0414
    from nacre.images.layering import Blame as Blame  # noqa: PLC0414
    from nacre.images.layering import LayerInfo as LayerInfo  # noqa: PLC0414
    from nacre.images.layering import Layering as Layering  # noqa: PLC0414
    from nacre.images.takeout import TakenOut as TakenOut  # noqa: PLC0414
    from nacre.images.tree import FileInfo as FileInfo  # noqa: PLC0414
    from nacre.images.tree import ImageTree
    from nacre.images.tree import Listing as Listing  # noqa: PLC0414
    from nacre.layers.union.node import Node


class NotAFile(Invalid):
    """What was to be read is a directory, device or pipe."""


class Seeing:
    """The verbs that look into images; a part of `Images`.

    Paths are as seen from the root of the image, with or without a slash in front; links on the
    way are followed inside of the image. Each verb raises

    - `NoSuchImage` when nothing goes by that name, `NoSuchPath` when nothing is at the path,
    - `NotFound` when a layer is not on this machine, `NotAnImage` when it is no image at all,
    - `Invalid` when a layer is damaged, exceeds a limit or fits none below it.
    """

    _parts: Parts

    def files(
        self,
        name: str,
        path: str = "/",
        *,
        recursive: bool = False,
        follow: bool = True,
        layer: int | None = None,
        platform: str | None = None,
    ) -> Listing:
        """Return what is in a directory of an image, or what else is at a path.

        Args:
            name: the image.
            path: where to look.
            recursive: with all that is in the directories there.
            follow: whether a link at the very end of the path is followed.
            layer: what this layer alone has, the base being 0; whiteouts and hard links are as
                it has them, and no link is followed.
            platform: which image of an index.

        """
        tree, place = self._tree(name, platform), os.fsencode(path)
        if layer is not None:
            return tree.layer_listing(layer, place, recursive=recursive)
        return tree.listing(place, recursive=recursive, follow=follow)

    @contextmanager
    def open_file(self, name: str, path: str, *, platform: str | None = None) -> Iterator[BinaryIO]:
        """Open a regular file of an image; what is read is inflated up to there, or just sought.

        Raises:
            NotAFile: it is something else.

        """
        import io
        from typing import cast

        from nacre.images.contents import Contents
        from nacre.images.tree import kind_of, shown_path

        tree, place = self._tree(name, platform), os.fsencode(path)
        node = tree.find(place)
        kind = kind_of(node.kind)
        if kind != "file":
            raise NotAFile(f"{shown_path(place)} is no file but a {_WORDS.get(kind, kind)}")
        with Contents(tree.layers) as contents:
            yield io.BufferedReader(cast("io.RawIOBase", contents.open(node)), _BUFFER)

    def copy_files(
        self,
        name: str,
        path: str,
        destination: str | os.PathLike[str] | BinaryIO,
        *,
        follow: bool = False,
        archive: bool = False,
        platform: str | None = None,
    ) -> TakenOut | None:
        """Copy a file or a directory out of an image, as ``docker cp`` does from a container.

        Args:
            name: the image.
            path: what to copy; a directory with ``/.`` at its end stands for what is in it.
            destination: a folder to put it in or a new name for it; or an open stream, which gets
                a tar.
            follow: whether a link at the end of ``path`` is followed; others are copied as links.
            archive: keep owners, set-ID bits, all extended attributes and devices. Otherwise all
                is the user's, and those stay behind.
            platform: which image of an index.

        Returns:
            What was copied, and what could not be; None for a tar, which has everything.

        Raises:
            Conflict: a directory would replace something else, or the other way round.

        """
        from nacre.images import takeout
        from nacre.layers.paths import clean, split

        tree, place = self._tree(name, platform), os.fsencode(path)
        node = tree.find(place, follow=follow)
        base = b"" if place.endswith(b"/.") else split(clean(place))[1]
        if not isinstance(destination, str | os.PathLike):
            self._write_tar(destination, tree, node, base)
            return None
        where = takeout.destination(
            os.fspath(destination), base, is_directory=node.children is not None
        )
        return takeout.take_out(tree.tree, node, tree.layers, where, archive=archive)

    def diff(self, before: str, after: str, *, platform: str | None = None) -> list[Difference]:
        """Return what differs between the trees of two images, by path."""
        from nacre.images.difference import difference

        return difference(self._tree(before, platform), self._tree(after, platform))

    def blame(self, name: str, path: str, *, platform: str | None = None) -> list[Blame]:
        """Return which layers had a hand in a path, and what made them; the last one first."""
        from nacre.images import layering

        return layering.blame(self._tree(name, platform), os.fsencode(path))

    def layers(self, name: str, *, platform: str | None = None) -> Layering:
        """Return what each layer of an image holds and wastes, and its efficiency."""
        from nacre.images import layering

        return layering.layering(self._tree(name, platform))

    def export(
        self, name: str, destination: Path | BinaryIO, *, platform: str | None = None
    ) -> None:
        """Write the whole tree of an image as one tar, the same bytes each time.

        Args:
            name: the image.
            destination: a file, which appears whole or not at all, or an open stream.
            platform: which image of an index.

        """
        from nacre.content.diskerrors import disk_errors
        from nacre.transports.tarball import replacing

        tree = self._tree(name, platform)
        if not isinstance(destination, Path):
            self._write_tar(destination, tree, tree.tree.root)
            return
        with replacing(destination) as out, disk_errors(destination):
            self._write_tar(out, tree, tree.tree.root)

    def _write_tar(self, out: BinaryIO, tree: ImageTree, top: Node, name: bytes = b"") -> None:
        from nacre.images.export import named, write_tar

        write_tar(out, named(tree.tree, top, name), tree.layers, spool=self._parts.store.root)

    def _tree(self, name: str, platform: str | None) -> ImageTree:
        from nacre.images.tree import ImageTree

        host = self._parts.settings.platform
        chosen = platforms.parse(platform, host=host) if platform else None
        image = self._parts.catalogue.find(name, chosen)
        return ImageTree(image.view, self._parts.store.layers)


_BUFFER = 1 << 20
_WORDS = {"char": "device", "block": "device", "fifo": "pipe"}
