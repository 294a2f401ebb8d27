"""Starting quickly: ``history`` takes less time than what the standard library would import."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from types import ModuleType

_COLLECT_AFTER = 200_000


def hurry() -> None:
    """Put off what makes a short command long; to be called before dataclasses is imported."""
    # Importing makes many objects and no garbage; looking for some takes a tenth of `history`.
    gc.set_threshold(_COLLECT_AFTER)
    # The dataclasses module imports inspect and, with it, a parser and a disassembler of Python.
    # It needs them for dataclasses without a docstring only.
    sys.modules.setdefault("inspect", _Later("inspect"))


class _Later(ModuleType):
    """Stands for a module until something is asked of it."""

    def __getattr__(self, name: str) -> object:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)
