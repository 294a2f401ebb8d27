"""Ready to run: whatever the tree of an image needs is made before anybody asks for the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.content.documents import read_config
from nacre.storage.chain import Chain
from nacre.transports.walk import is_file_system

if TYPE_CHECKING:
    from nacre.engine.local import LocalStore
    from nacre.oci.descriptor import Descriptor
    from nacre.storage.driver import StorageDriver


def make_ready(store: LocalStore, driver: StorageDriver, root: Descriptor) -> None:
    """Make the trees of an image, or of all images of an index that are here.

    Args:
        store: where they are.
        driver: makes the trees.
        root: a manifest or an index; what is no file system is passed over.

    Raises:
        BadLayer: the layers make no tree.
        Denied, Unavailable: the storage cannot be written to.
    """
    for manifest in store.manifests_of(root):
        here = (store.exists(layer) or store.raw_tar(layer) for layer in manifest.layers)
        if is_file_system(manifest) and all(here):
            driver.make_ready(Chain.of(read_config(store, manifest).diff_ids))
