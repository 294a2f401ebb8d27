"""The engine: everything nacre does on one machine.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder, Engine(root=folder) as engine:
...     engine.images.list()
[]
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType

from nacre.engine import settings as settings_module
from nacre.engine.images import Images
from nacre.engine.parts import Parts
from nacre.engine.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from nacre.engine.local import LocalStore
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
        storage_driver: ``erofs``, ``overlay``, ``fuse`` or ``copying``; default is the best.
        environment: in place of the process environment.
        settings: all of the above, ready made.

    """

    def __init__(
        self,
        *,
        root: Path | str | None = None,
        config_file: Path | str | None = None,
        storage_driver: str | None = None,
        environment: Mapping[str, str] | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or settings_module.load(
            root=root,
            config_file=config_file,
            storage_driver=storage_driver,
            environment=environment,
        )
        self._parts = Parts(self.settings)

    @property
    def store(self) -> LocalStore:
        """The local store itself: blobs, and the state that knows their names."""
        return self._parts.store

    @cached_property
    def images(self) -> Images:
        """Pull, push, tag, list, look at, save, load and remove images."""
        return Images(self._parts)

    @cached_property
    def manifests(self) -> Manifests:
        """Make, look at and push multi-platform indexes."""
        from nacre.engine.manifests import Manifests  # noqa: PLC0415

        return Manifests(self._parts, self.images)

    @property
    def registries(self) -> Registries:
        """Log in and out, search."""
        return self._parts.registries

    @cached_property
    def system(self) -> System:
        """Disk use, pruning and what this installation is."""
        from nacre.engine.system import System  # noqa: PLC0415

        return System(self._parts)

    def close(self) -> None:
        """Close whatever was opened."""
        self._parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
