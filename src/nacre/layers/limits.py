"""How much an image may make us do: what no honest one needs stops at a limit."""

from __future__ import annotations

from nacre.layers.compression import Growth
from nacre.layers.measure import LayerMeter, TarTaker
from nacre.layers.tar import Scanner
from nacre.layers.tar.read import MAX_DEPTH, MAX_ENTRIES, MAX_NAME
from nacre.layers.toc import TocBuilder
from nacre.value import Value, replace


class Limits(Value):
    """Limits for each layer; one that exceeds them is refused with `LayerLimit`."""

    size: int = 1 << 40
    """Most bytes of its tar, and of the holes that the tar's sparse files have besides."""
    ratio: float = 200
    """Most bytes of its tar for a byte of its blob, but for ``grace``. Zeros reach 1032 in gzip."""
    grace: int = 4 << 30
    """Bytes that all layers of an image together may have beyond their ratio."""
    entries: int = MAX_ENTRIES
    """Most members."""
    depth: int = MAX_DEPTH
    """Most directories above one another."""
    name: int = MAX_NAME
    """Most bytes of a path or of what a link leads to."""
    growth: Growth | None = None
    """Where layers of one image are counted together; None to count each for itself."""

    def for_one_image(self) -> Limits:
        """Return the same limits, for layers that are counted together from now on."""
        return replace(self, growth=Growth(self.ratio, self.grace))

    def growing(self) -> Growth:
        """Return what counts how far a layer, or all those of an image, may grow."""
        return self.growth or Growth(self.ratio, self.grace)

    def scanner(self) -> Scanner:
        """Return what reads a layer's tar."""
        return Scanner(
            max_entries=self.entries,
            max_name=self.name,
            max_depth=self.depth,
            max_holes=self.size,
        )

    def meter(self, tar: TarTaker | None = None) -> LayerMeter:
        """Return what a layer's blob is fed to; see `LayerMeter`."""
        return LayerMeter(tar, max_output=self.size, growth=self.growing())

    def toc_builder(self) -> TocBuilder:
        """Return what a layer's tar is fed to for its table of contents."""
        return TocBuilder(scanner=self.scanner())


USUAL = Limits()
"""What holds where nothing else is said."""
