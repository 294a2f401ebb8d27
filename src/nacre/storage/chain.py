"""A stack of layers as a value."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from nacre.oci.chain import chain_ids
from nacre.oci.digest import Digest
from nacre.value import Value


class Chain(Value):
    """The layers of a tree by diff ID, base first; a layer may occur more than once."""

    layers: tuple[Digest, ...]

    @classmethod
    def of(cls, layers: Iterable[Digest]) -> Chain:
        """Return the chain of some layers, base first."""
        return cls(tuple(layers))

    @property
    def id(self) -> Digest:
        """The chain ID; that of no layers at all is the digest of nothing."""
        return _id_of(self.layers)

    @property
    def below(self) -> Chain:
        """The chain without its topmost layer."""
        return Chain(self.layers[:-1])


@lru_cache(maxsize=64)  # asked for again and again of few chains
def _id_of(layers: tuple[Digest, ...]) -> Digest:
    return chain_ids(layers)[-1] if layers else Digest.of(b"")
