"""Putting images into a test registry, sound ones and others."""

from __future__ import annotations

import json

from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import Manifest, make_manifest
from nacre.oci.mediatypes import is_manifest
from nacre.testing.builders import Content
from tests.servers.registry_server import RegistryServer


def publish(server: RegistryServer, repository: str, tag: str, content: Content) -> None:
    """Put an image or an index, with all that it consists of, into a test registry."""
    for data in content.blobs.values():
        media_type = json.loads(data).get("mediaType", "") if data[:1] == b"{" else ""
        if is_manifest(media_type):
            server.add_raw_manifest(repository, "", data, media_type)
        else:
            server.add_blob(repository, data)
    root = content.root
    server.add_raw_manifest(repository, tag, content.blobs[root.digest], root.media_type)


def publish_parts(
    server: RegistryServer, repository: str, tag: str, config: Descriptor, *layers: Descriptor
) -> Manifest:
    """Put a manifest of any config and layers into a test registry; the blobs are the caller's."""
    manifest = make_manifest(config, layers)
    server.add_manifest(repository, tag, manifest)
    return manifest
