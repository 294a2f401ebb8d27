"""The chains of layers that images stand for."""

from __future__ import annotations

from nacre.errors import NacreError
from nacre.storage.chain import Chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.engine.catalogue import LocalImage


def chain_of(image: LocalImage) -> Chain:
    """Return the layers of an image.

    Raises:
        NotFound: its config is not here.
        Invalid: it is no image, or a damaged one.
    """
    return Chain.of(image.view.diff_ids)


def known_chain_of(image: LocalImage) -> Chain | None:
    """Return the layers of an image, None when that cannot be told."""
    try:
        return chain_of(image)
    except NacreError:
        return None
