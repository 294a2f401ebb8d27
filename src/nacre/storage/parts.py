"""Which folders a chain is stacked of: decided from its tables of contents, before any is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nacre.layers.stack import is_regular
from nacre.layers.toc import Toc
from nacre.layers.union import Tree, union
from nacre.storage.chain import Chain

LAYERS, DELTAS, MERGED = "layers", "deltas", "merged"
"""Kinds of folders: a regular layer's own; what an irregular one comes to; many as one."""


@dataclass(frozen=True, slots=True)
class Part:
    """One folder of a stack."""

    kind: str
    number: int
    """Which layer of the chain it is the folder of; of several, the topmost."""

    def key(self, chain: Chain) -> str:
        """Return the name under which it is kept."""
        if self.kind == LAYERS:
            return chain.layers[self.number].file_name
        return Chain(chain.layers[: self.number + 1]).id.file_name


def parts_of(chain: Chain, tocs: Sequence[Toc], most: int) -> list[Part]:
    """Return the folders to stack, the lowest first."""
    regular = {toc.layer: is_regular(toc) for toc in tocs}
    topmost = {layer: number for number, layer in enumerate(chain.layers)}
    parts = [
        Part(LAYERS if regular[layer] else DELTAS, number)
        for number, layer in enumerate(chain.layers)
        # All that a regular layer does it does again when it is repeated.
        if not regular[layer] or topmost[layer] == number
    ]
    if len(parts) <= most:
        return parts
    kept = parts[1 - most :]
    return [Part(MERGED, kept[0].number - 1), *kept]


class Trees:
    """The trees of the lowest layers of a chain: as many layers as wanted."""

    def __init__(self, tocs: Sequence[Toc]) -> None:
        self._tocs = tocs
        self._latest: dict[int, Tree] = {}

    def upto(self, count: int) -> Tree:
        """Return the tree of the lowest ``count`` layers."""
        if count not in self._latest:
            # A tree takes megabytes; irregular layers need the one with and the one without them.
            self._latest = {one: tree for one, tree in self._latest.items() if one == count - 1}
            self._latest[count] = union(self._tocs[:count])
        return self._latest[count]
