"""How much one layer may make us do: what no honest layer needs stops at a limit."""

from __future__ import annotations

from dataclasses import dataclass

from nacre.layers.measure import LayerMeter, TarTaker
from nacre.layers.tar import Scanner
from nacre.layers.tar.read import MAX_DEPTH, MAX_ENTRIES, MAX_NAME
from nacre.layers.toc import TocBuilder


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for each layer; one that exceeds them is refused with `LayerLimit`."""

    size: int = 1 << 40
    """Most bytes of its tar."""
    ratio: float | None = None
    """Most bytes of its tar for a byte of its blob; None for any. Zeros reach 1032 in gzip."""
    entries: int = MAX_ENTRIES
    """Most members."""
    depth: int = MAX_DEPTH
    """Most directories above one another."""
    name: int = MAX_NAME
    """Most bytes of a path or of what a link leads to."""

    def meter(self, tar: TarTaker | None = None) -> LayerMeter:
        """Return what a layer's blob is fed to; see `LayerMeter`."""
        return LayerMeter(tar, max_output=self.size, max_ratio=self.ratio)

    def toc_builder(self) -> TocBuilder:
        """Return what a layer's tar is fed to for its table of contents."""
        scanner = Scanner(max_entries=self.entries, max_name=self.name, max_depth=self.depth)
        return TocBuilder(scanner=scanner)


USUAL = Limits()
"""What holds where nothing else is said."""
