"""What the verbs of an engine work on: the store, its catalogue and the registries.

Nothing is opened before it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from nacre.content.filesystem import FilesystemBlobs
from nacre.engine.catalogue import Catalogue
from nacre.engine.local import LocalStore
from nacre.engine.state import State
from nacre.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.engine.registries import Registries
    from nacre.engine.removing import Pruned
    from nacre.engine.settings import Settings
    from nacre.engine.storage import Storage
    from nacre.oci.digest import Digest


class Parts:
    """The store and the registries that settings name, opened when first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def store(self) -> LocalStore:
        """The local store, made on first use."""
        root = self.settings.root
        return LocalStore(
            root,
            FilesystemBlobs(root),
            State(root),
            self.settings.platform,
            limits=self.settings.limits,
        )

    @cached_property
    def catalogue(self) -> Catalogue:
        """The images of this machine."""
        return Catalogue(self.store, self.settings.platform)

    @cached_property
    def registries(self) -> Registries:
        """Registries, and who we are to them."""
        # The network stack takes longer to import than `history` takes to run.
        from nacre.engine.registries import Registries  # noqa: PLC0415

        return Registries(self.settings)

    @cached_property
    def storage(self) -> Storage:
        """Storage drivers; nothing is tried or mounted yet."""
        from nacre.engine.storage import Storage  # noqa: PLC0415

        return Storage(self.settings, self.store)

    def attached(self) -> Iterator[tuple[Path, Digest]]:
        """Go through the folders where images are mounted, with the IDs of their chains."""
        # Where nothing was ever mounted, nobody waits for the drivers to be imported.
        return self.storage.attached() if self.settings.run_of_store.exists() else iter(())

    def prune(self, *, everything: bool, filters: Iterable[str], downloads: bool) -> Pruned:
        """Remove unused images and what drivers made of them; see `removing.prune`."""
        from nacre.engine import removing  # noqa: PLC0415

        pruned = removing.prune(
            self.store,
            self.catalogue,
            everything=everything,
            filters=filters,
            downloads=downloads,
            mounts=self.attached,
        )
        return replace(pruned, reclaimed=pruned.reclaimed + self.prune_storage())

    def prune_storage(self) -> int:
        """Remove what drivers made for images that are gone; return how many bytes became free."""
        # Where nothing was ever unpacked, nobody waits for the drivers to be imported.
        if not (self.settings.root / "storage").exists():
            return 0
        from nacre.engine.chains import known_chain_of  # noqa: PLC0415

        return self.storage.prune(list(filter(None, map(known_chain_of, self.catalogue.all()))))

    def close(self) -> None:
        """Close whatever was opened; what is asked for afterwards is opened anew."""
        for name in ("registries", "store"):
            part = self.__dict__.pop(name, None)
            if part is not None:
                part.close()
        for name in ("catalogue", "storage"):
            self.__dict__.pop(name, None)
