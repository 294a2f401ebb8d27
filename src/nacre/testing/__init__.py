"""For tests of nacre and of whatever is built on it: contract suites and builders of content."""

from nacre.testing.builders import Content, a_layer, an_image, an_index
from nacre.testing.contracts import BlobStoreContract, LeasesContract, RefStoreContract

__all__ = [
    "BlobStoreContract",
    "Content",
    "LeasesContract",
    "RefStoreContract",
    "a_layer",
    "an_image",
    "an_index",
]
