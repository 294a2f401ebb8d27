"""Images as trees: shown to this process, or mounted in folders for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nacre.engine.chains import chain_of, known_chain_of
from nacre.oci.digest import Digest
from nacre.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.engine.catalogue import LocalImage
    from nacre.engine.parts import Parts


class MountedImage(Value):
    """A folder in which an image is mounted."""

    folder: Path
    chain: Digest
    """The ID of the chain of layers that is mounted."""
    image: LocalImage | None
    """An image with these layers; None when there is none any more."""


@contextmanager
def mounted(parts: Parts, image: LocalImage) -> Iterator[Path]:
    """Give the root of the tree of an image, read-only, for as long as the context lasts."""
    with parts.store.state.lease() as lease:
        # Whoever removes it meanwhile removes the names only.
        lease.hold(record.descriptor for record in image.records)
        with parts.storage.driver.mounted(chain_of(image)) as root:
            yield root


def mount(parts: Parts, image: LocalImage, folder: Path) -> None:
    """Let an image appear in a folder until ``unmount``, read-only."""
    parts.storage.attach(chain_of(image), folder)


def unmount(parts: Parts, folder: Path) -> None:
    """End what ``mount`` began."""
    parts.storage.detach(folder)


def mounts(parts: Parts) -> Iterator[MountedImage]:
    """Go through the folders in which images are mounted."""
    found = sorted(parts.attached())
    images: dict[Digest, LocalImage] = {}
    for image in parts.catalogue.all() if found else ():
        if known := known_chain_of(image):
            images[known.id] = image
    for folder, chain in found:
        yield MountedImage(folder, chain, images.get(chain))
