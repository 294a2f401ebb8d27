"""The engine: the composition root of everything nacre does on one machine.

>>> from nacre import Engine
>>> with Engine(root=tmp_path / "store") as engine:
...     [image.tags for image in engine.images.list()]
[]
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from nacre.content.filesystem import FilesystemBlobs
from nacre.engine import settings as settings_module
from nacre.engine.catalogue import Catalogue
from nacre.engine.images import Images
from nacre.engine.local import LocalStore
from nacre.engine.settings import Settings
from nacre.engine.state import State

if TYPE_CHECKING:
    from nacre.engine.manifests import Manifests
    from nacre.engine.registries import Registries
    from nacre.engine.system import System


class Engine:
    """Images on this machine and their way to and from registries.

    Nothing is opened before it is used, and everything is closed by ``close`` or at the end of a
    ``with`` block.

    Args:
        root: the folder of the local store; default as `nacre.engine.settings` says.
        config_file: a settings file in place of the user's.
        environment: in place of the process environment.
        settings: all of the above, ready made.

    """

    def __init__(
        self,
        *,
        root: Path | str | None = None,
        config_file: Path | str | None = None,
        environment: Mapping[str, str] | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or settings_module.load(
            root=root, config_file=config_file, environment=environment
        )

    @cached_property
    def store(self) -> LocalStore:
        """The local store, made on first use."""
        root = self.settings.root
        return LocalStore(root, FilesystemBlobs(root), State(root), self.settings.platform)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The images of this machine."""
        return Catalogue(self.store, self.settings.platform)

    @cached_property
    def images(self) -> Images:
        """Pull, push, tag, list, look at, save, load and remove images."""
        return Images(self)

    @cached_property
    def manifests(self) -> Manifests:
        """Make, look at and push multi-platform indexes."""
        from nacre.engine.manifests import Manifests  # noqa: PLC0415

        return Manifests(self)

    @cached_property
    def registries(self) -> Registries:
        """Log in and out, search, and reach repositories."""
        # The network stack takes longer to import than `history` takes to run.
        from nacre.engine.registries import Registries  # noqa: PLC0415

        return Registries(self.settings)

    @cached_property
    def system(self) -> System:
        """Disk use, pruning and what this installation is."""
        from nacre.engine.system import System  # noqa: PLC0415

        return System(self)

    def close(self) -> None:
        """Close whatever was opened."""
        for name in ("registries", "store"):
            part = self.__dict__.pop(name, None)
            if part is not None:
                part.close()
        for name in ("catalogue", "images", "manifests", "system"):
            self.__dict__.pop(name, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
