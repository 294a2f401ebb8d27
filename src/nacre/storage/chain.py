"""A stack of layers as a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from nacre.oci.chain import chain_ids
from nacre.oci.digest import Digest


@dataclass(frozen=True)
class Chain:
    """The layers of a tree by diff ID, base first; a layer may occur more than once."""

    layers: tuple[Digest, ...]

    @classmethod
    def of(cls, layers: Iterable[Digest]) -> Chain:
        """Return the chain of some layers, base first."""
        return cls(tuple(layers))

    @cached_property
    def id(self) -> Digest:
        """The chain ID; that of no layers at all is the digest of nothing."""
        return chain_ids(self.layers)[-1] if self.layers else Digest.of(b"")

    @property
    def below(self) -> Chain:
        """The chain without its topmost layer."""
        return Chain(self.layers[:-1])
