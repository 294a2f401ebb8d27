"""Tables of contents: what is in a layer, and where in its tar."""

from nacre.layers.toc.build import TocBuilder, toc_of
from nacre.layers.toc.codec import DamagedToc, decode, encode
from nacre.layers.toc.table import Toc

__all__ = ["DamagedToc", "Toc", "TocBuilder", "decode", "encode", "toc_of"]
