"""The images of an engine: every verb that a user of the command line or of Python has.

Each verb lives in a module of its own; this is the one door to them.
"""

# Verbs are imported when called: `history` must not wait for the network stack that `pull` needs.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nacre.engine.seeing import Seeing
from nacre.oci import platform as platforms
from nacre.oci import reference as references

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any, BinaryIO

    from nacre.engine.catalogue import LocalImage
    from nacre.engine.loading import Loaded
    from nacre.engine.mounting import MountedImage
    from nacre.engine.parts import Parts
    from nacre.engine.pulling import Pulled
    from nacre.engine.pushing import Pushed
    from nacre.engine.removing import Pruned, Removal
    from nacre.engine.verifying import Verified
    from nacre.images.history import HistoryRow as HistoryRow  # noqa: PLC0414 - for `cli`
    from nacre.oci.descriptor import Descriptor
    from nacre.oci.digest import Digest
    from nacre.oci.platform import Platform
    from nacre.oci.reference import Reference
    from nacre.transports.events import Event, OnEvent

ALL_PLATFORMS = "all"
"""Given as ``platform``: every platform of an index."""


def ignore(_event: Event) -> None:
    """Take no interest in what happens."""


class Images(Seeing):
    """Pull, push, tag, list, look at, save, load and remove images.

    Images are named as with Docker: ``nginx``, ``team/nginx:testing``, ``host:5000/a@sha256:…``,
    or a whole or short image ID where a local image is meant.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def list(self, *, filters: Iterable[str] = ()) -> list[LocalImage]:
        """Return the images of this machine, newest first.

        Args:
            filters: as ``--filter`` takes them: ``dangling=true``, ``label=key=value``,
                ``reference=team/*``, ``before=NAME``, ``since=NAME``, ``until=24h``. With
                ``reference``, images come with those of their names only that suit it.

        """
        from nacre.engine import filtering
        from nacre.engine.catalogue import newest_first

        catalogue, wanted = self._parts.catalogue, list(filters)
        chosen = filtering.matcher(wanted, allowed=filtering.LIST, catalogue=catalogue)
        return newest_first(
            filtering.narrowed(image, wanted) for image in catalogue.all() if chosen(image)
        )

    def get(self, name: str, *, platform: str | None = None) -> LocalImage:
        """Return one image.

        Raises:
            NoSuchImage: nothing goes by that name.
        """
        return self._parts.catalogue.find(name, self._platform(platform))

    def pull(
        self,
        name: str,
        *,
        platform: str | Sequence[str] | None = None,
        unpack: bool | None = None,
        jobs: int | None = None,
        on_event: OnEvent = ignore,
    ) -> Pulled:
        """Fetch an image from its registry; what is here already does not move.

        Args:
            name: the image; ``latest`` is meant when it has neither tag nor digest.
            platform: one or several platforms, or ``"all"``; default is this machine's, and then
                an image for another one, where there is no choice, comes with a warning.
            unpack: make it ready to run in the same pass; default is to do so unless the storage
                driver would have to take this process into a user namespace for it.
            jobs: how many blobs to move at a time.
            on_event: told what happens, from several threads.

        Raises:
            NotFound: there is no such image, or not for the platform that was named.
            Denied: the registry asks for a login or refuses.
            Unavailable: the registry cannot be reached.

        """
        from nacre.engine import pulling

        return pulling.pull(
            self._parts.store,
            self._parts.registries,
            references.parse_tagged(name),
            platforms=self.platforms(platform),
            exact=platform is not None,
            driver=self._parts.storage.driver_for(unpack),
            keeps_packed=self._parts.settings.keep != "unpacked",
            jobs=jobs or self._parts.settings.jobs,
            on_event=on_event,
        )

    def remote_tags(self, name: str) -> Sequence[Reference]:
        """Return every tag that a registry has of a repository."""
        from nacre.engine import pulling

        return pulling.tags(self._parts.registries, references.parse_repository(name))

    def push(
        self,
        name: str,
        *,
        platform: str | None = None,
        jobs: int | None = None,
        on_event: OnEvent = ignore,
    ) -> Pushed:
        """Send an image to the registry that its name says; what is there does not move.

        Raises:
            NoSuchImage: no local image has that name.
            Denied: the registry refuses.
        """
        from nacre.engine import pushing
        from nacre.transports.walk import PRESENT

        reference = references.parse_tagged(name)
        chosen = self._platform(platform)
        return pushing.push(
            self._parts.store,
            self._parts.registries,
            self._parts.catalogue.find(str(reference)).records[0],
            reference,
            platforms=[chosen] if chosen else PRESENT,
            jobs=jobs or self._parts.settings.jobs,
            on_event=on_event,
        )

    def diff_id(self, layer: Descriptor) -> Digest | None:
        """Return the digest of a layer's tar, whatever its form, if that is known."""
        return self._parts.store.state.diff_id_of(layer.digest)

    def local_tags(self, name: str) -> Sequence[Reference]:
        """Return every tag that this machine has of a repository."""
        return self._parts.store.tags_of(references.parse_repository(name))

    def tag(self, source: str, target: str) -> None:
        """Give an image another name.

        Raises:
            NoSuchImage: nothing goes by ``source``.
            InvalidReference: ``target`` is no name, or has a digest.
        """
        from nacre.engine import tagging

        tagging.tag(self._parts.store, self._parts.catalogue, source, target)

    def history(self, name: str, *, platform: str | None = None) -> Sequence[HistoryRow]:
        """Return the steps that made an image, newest first."""
        from nacre.images.history import history

        image = self.get(name, platform=platform)
        return history(image.view, self._parts.store.state.layer_size)

    def inspect(self, name: str, *, platform: str | None = None) -> dict[str, Any]:
        """Return all that is known of an image, with Docker's keys."""
        from nacre.engine import describing

        return describing.describe(self._parts.store, self.get(name, platform=platform))

    def size(self, image: LocalImage) -> int:
        """Return the bytes of an image's layers, unpacked where that is known."""
        from nacre.engine import describing

        return describing.size(self._parts.store, image)

    def mounted(self, name: str, *, platform: str | None = None) -> AbstractContextManager[Path]:
        """Enter the use of an image's files, read-only: gives the root of their tree.

        An ordinary user's process may enter a user namespace for it, and stays inside.

        Raises:
            NoSuchImage: nothing goes by that name.
            NotFound: a layer is not on this machine.
            Denied, Unsupported: this machine does not let us mount; see ``Settings``.
        """
        from nacre.engine import mounting

        return mounting.mounted(self._parts, self.get(name, platform=platform))

    def mount(self, name: str, folder: Path | str, *, platform: str | None = None) -> None:
        """Let the files of an image appear in a folder, read-only, until ``unmount``.

        Raises:
            NoSuchImage, Denied, Unsupported: as ``mounted``.
            NotFound: there is no such folder, or a layer is not on this machine.
            Conflict: something is mounted there.
        """
        from nacre.engine import mounting

        mounting.mount(self._parts, self.get(name, platform=platform), Path(folder))

    def unmount(self, folder: Path | str) -> None:
        """End what ``mount`` began.

        Raises:
            NotFound: no image is mounted there.
            Conflict: it is in use.
        """
        from nacre.engine import mounting

        mounting.unmount(self._parts, Path(folder))

    def mounts(self) -> Iterator[MountedImage]:
        """Go through the folders in which images are mounted."""
        from nacre.engine import mounting

        return mounting.mounts(self._parts)

    def remove(self, name: str, *, force: bool = False, prune: bool = True) -> Sequence[Removal]:
        """Drop a name, and the image with its last one; return what was dropped, in order.

        Raises:
            NoSuchImage: nothing goes by that name.
            Conflict: an ID was given and several repositories name the image, see ``force``; or
                the image is mounted in a folder, and no other has its layers.
        """
        from nacre.engine import removing

        removals = removing.remove(
            self._parts.store,
            self._parts.catalogue,
            name,
            force=force,
            prune=prune,
            mounts=self._parts.attached,
        )
        if prune:
            self._parts.prune_storage()
        return removals

    def prune(self, *, everything: bool = False, filters: Iterable[str] = ()) -> Pruned:
        """Remove images without a name, or with ``everything`` all that no container uses."""
        return self._parts.prune(everything=everything, filters=filters, downloads=False)

    def save(
        self,
        names: Sequence[str],
        destination: Path | BinaryIO,
        *,
        platform: str | None = None,
        on_event: OnEvent = ignore,
    ) -> None:
        """Write images into one archive that Docker, Podman and skopeo read; the same bytes always.

        Args:
            names: the images; a repository stands for all its tags.
            destination: a file, which appears whole or not at all, or an open stream.
            platform: the platform to save of indexes; default is all that is here.
            on_event: told what happens.

        """
        from nacre.engine import saving

        saving.save(
            self._parts.store,
            self._parts.catalogue,
            names,
            destination,
            platform=self._platform(platform),
            on_event=on_event,
        )

    def load(
        self,
        source: Path | BinaryIO,
        *,
        platform: str | Sequence[str] | None = ALL_PLATFORMS,
        on_event: OnEvent = ignore,
    ) -> Sequence[Loaded]:
        """Read every image of a Docker or OCI archive, compressed or not.

        With one platform or several, only what is for them.
        """
        from nacre.engine import loading

        return loading.load(
            self._parts.store, source, platforms=self.platforms(platform), on_event=on_event
        )

    def import_(
        self,
        source: BinaryIO | str,
        name: str | None = None,
        *,
        changes: Sequence[str] = (),
        message: str = "",
        platform: str | None = None,
    ) -> LocalImage:
        """Make an image with one layer of a root file system's tar, compressed or not.

        Args:
            source: the tar, or its http or https address, which is asked as registries are:
                with their proxies, certificates and patience.
            name: what to call it.
            changes: Dockerfile instructions for its config, as ``EXPOSE 80``.
            message: the comment of its history.
            platform: what it runs on; default is this machine's.

        Raises:
            Invalid: it is no tar, or one that names what lies outside.
            NotFound: nothing lies at the address.
            Unavailable: the address cannot be reached.

        """
        from nacre.engine import importing

        with importing.opened(source, self._parts) as stream:
            image_id = importing.import_image(
                self._parts.store,
                stream,
                origin=source.partition("?")[0] if isinstance(source, str) else "-",
                reference=references.parse_tagged(name) if name else None,
                changes=changes,
                message=message,
                platform=self._platform(platform) or self._parts.settings.platform,
            )
        return self.get(str(image_id))

    def copy(
        self,
        source: str,
        destination: str,
        *,
        platform: str | Sequence[str] | None = ALL_PLATFORMS,
        all_tags: bool = False,
        referrers: bool = False,
        jobs: int | None = None,
        on_event: OnEvent = ignore,
    ) -> Sequence[Descriptor]:
        """Copy between any two of: local store, registry, image layout, OCI and Docker archives.

        A place is written ``docker://NAME``, ``oci:DIR[:TAG]``, ``oci-archive:FILE[:TAG]``,
        ``docker-archive:FILE[:NAME]``, or plainly NAME for the local store. Layers go as they are,
        so every digest stays; `push` compresses plain ones.
        """
        from nacre.engine import copying

        return copying.copy_between(
            self._parts,
            source,
            destination,
            platforms=self.platforms(platform),
            all_tags=all_tags,
            referrers=referrers,
            jobs=jobs or self._parts.settings.jobs,
            on_event=on_event,
        )

    def verify(self, names: Iterable[str] | None = None) -> Iterator[Verified]:
        """Read every byte of the named images, or of all, and yield what was found of each."""
        from nacre.engine import verifying

        return verifying.verify(self._parts.store, self._parts.catalogue, names)

    def platforms(self, text: str | Sequence[str] | None) -> Sequence[Platform] | None:
        """Return the platforms that a user named; None stands for all of them.

        Raises:
            InvalidPlatform: one of them is none.
        """
        host = self._parts.settings.platform
        if text is None:
            return [host]
        wanted = text.split(",") if isinstance(text, str) else list(text)
        if wanted == [ALL_PLATFORMS]:
            return None
        return [platforms.parse(each, host=host) for each in wanted]

    def _platform(self, text: str | None) -> Platform | None:
        return platforms.parse(text, host=self._parts.settings.platform) if text else None
