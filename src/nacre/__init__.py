"""Container images, done completely, in Python, without a daemon.

>>> from nacre import Engine
>>> Engine().images.platforms("linux/arm64")
[Platform(os='linux', architecture='arm64', variant='', os_version='')]
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["Engine", "__version__"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nacre.engine.engine import Engine


def __getattr__(name: str) -> Any:
    """Import the engine when it is first asked for: modules that need less start sooner."""
    if name == "Engine":
        from nacre.engine.engine import Engine  # noqa: PLC0415

        return Engine
    raise AttributeError(f"module 'nacre' has no attribute {name!r}")
