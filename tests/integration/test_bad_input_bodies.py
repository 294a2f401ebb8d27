"""Bytes that are not what was promised: blobs, manifests and configs of every wrong kind."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable

import pytest

from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import make_manifest
from nacre.testing.builders import Content, a_layer, an_image, an_index
from tests.integration.unharmed import Unharmed
from tests.servers.publishing import publish, publish_parts
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer, DropAfter, Extend, Fault, Patch

NOISE = random.Random(20).randbytes(300_000)
IMAGE = an_image([a_layer({"noise": NOISE}), a_layer({"more": NOISE[::-1]})])


def layers_of(image: Content) -> list[Descriptor]:
    """Return the layers of an image, base first."""
    raw = json.loads(image.blobs[image.root.digest])
    return [Descriptor.from_json(each, "layer") for each in raw["layers"]]


def config_of(image: Content) -> Descriptor:
    """Return the config of an image."""
    raw = json.loads(image.blobs[image.root.digest])
    return Descriptor.from_json(raw["config"], "config")


LAYER = layers_of(IMAGE)[0]
CONFIG = config_of(IMAGE)

# Digests.


def flipped(data: bytes) -> bytes:
    """Return the bytes with one bit in the middle turned."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("blob", [LAYER, CONFIG], ids=["layer", "config"])
def test_digest_mismatch_of_a_blob(
    blob: Descriptor, unharmed: Unharmed, server: RegistryServer
) -> None:
    publish(server, "app", "1", IMAGE)
    server.add_blob("app", flipped(IMAGE.blobs[blob.digest]), blob.digest)
    unharmed.refuses("pull", f"{server.host}/app:1", saying=f"{blob.digest} has digest")


def test_digest_mismatch_of_a_manifest_asked_for_by_digest(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    publish(server, "app", "1", IMAGE)
    publish(server, "app", "2", an_image())
    digest = str(IMAGE.root.digest)
    server.manifests["app", digest] = server.manifests["app", "2"]
    unharmed.refuses("pull", f"{server.host}/app@{digest}", saying=digest)


def test_digest_mismatch_of_a_manifest_below_an_index(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    index = an_index([IMAGE])
    publish(server, "app", "1", index)
    raw, media_type = server.manifests["app", "1"]
    server.manifests["app", str(IMAGE.root.digest)] = (raw, media_type)
    unharmed.refuses("pull", f"{server.host}/app:1", saying=IMAGE.root.digest)


def test_digest_header_that_is_not_the_digest_of_the_manifest(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    publish(server, "app", "1", IMAGE)
    header = {"Docker-Content-Digest": f"sha256:{'0' * 64}"}
    server.fail("GET", "/manifests/", Patch(header), times=100)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="has digest")


@pytest.mark.parametrize("digest", ["sha256:../../x", "md5:00", "sha256:" + "G" * 64, "x"])
def test_digest_header_that_is_no_digest(
    digest: str, unharmed: Unharmed, server: RegistryServer
) -> None:
    publish(server, "app", "1", IMAGE)
    server.fail("GET", "/manifests/", Patch({"Docker-Content-Digest": digest}), times=100)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="digest")


# Lengths.

SHORT = IMAGE.blobs[LAYER.digest][:-1000]
LONG = IMAGE.blobs[LAYER.digest] + b"more"
WRONG_LENGTHS: dict[str, Callable[[RegistryServer], None]] = {
    "short_with_its_length": lambda server: replace(server, SHORT),
    "short_without_a_length": lambda server: replace(server, SHORT, chunked=True),
    "long_with_its_length": lambda server: replace(server, LONG),
    "long_without_a_length": lambda server: replace(server, LONG, chunked=True),
    "empty": lambda server: replace(server, b""),
    "long_by_what_follows": lambda server: spoil(server, Extend(b"more")),
    "length_that_is_no_number": lambda server: spoil(server, Patch({"Content-Length": "many"})),
    "length_below_zero": lambda server: spoil(server, Patch({"Content-Length": "-1"})),
    "absurd_length": lambda server: spoil(server, Patch({"Content-Length": "9" * 30})),
}


def replace(server: RegistryServer, data: bytes, *, chunked: bool = False) -> None:
    """Serve other bytes for the first layer."""
    server.add_blob("app", data, LAYER.digest)
    server.options.chunked_blobs = chunked


def spoil(server: RegistryServer, fault: Fault) -> None:
    """Spoil every reply that carries the first layer."""
    server.fail("GET", LAYER.digest, fault, times=100)


@pytest.mark.parametrize("name", WRONG_LENGTHS)
def test_body_of_the_wrong_length(name: str, unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "app", "1", IMAGE)
    WRONG_LENGTHS[name](server)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="(blob|length|Length)")


def test_body_that_is_cut_off_again_and_again_names_the_blob(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    """The network may mend: here, and only here, the bytes that came stay for the next attempt."""
    publish(server, "app", "1", IMAGE)
    server.fail("GET", LAYER.digest, DropAfter(1000), times=100)
    line = unharmed.cli.refused("pull", f"{server.host}/app:1")
    assert LAYER.digest in line or server.host in line
    assert len(line.splitlines()) == 1
    assert "app" not in unharmed.cli("images")
    server.requests.clear()
    server.heal()
    unharmed.cli("pull", f"{server.host}/app:1")
    assert sum(seen.sent for seen in server.seen("GET", LAYER.digest)) < LAYER.size
    assert "OK" in unharmed.cli("image", "verify", "--all")


def test_manifest_of_no_bytes(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "app", "1", IMAGE)
    headers = {"Content-Type": mediatypes.OCI_MANIFEST}
    server.fail("GET", "/manifests/", Answer(200, headers), times=100)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="not valid JSON")


# Sound bytes that do not belong together.


def test_layer_count_mismatch(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "app", "1", IMAGE)
    publish_parts(server, "app", "1", CONFIG, *layers_of(IMAGE)[:1])
    unharmed.refuses("pull", f"{server.host}/app:1", saying="1 layers .* 2 diff_ids")


def test_diff_id_mismatch(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "app", "1", IMAGE)
    publish_parts(server, "app", "1", CONFIG, *reversed(layers_of(IMAGE)))
    unharmed.refuses("pull", f"{server.host}/app:1", saying="unpacks to sha256:")


def test_diff_id_mismatch_below_an_index(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "app", "1", IMAGE)
    manifest = make_manifest(CONFIG, reversed(layers_of(IMAGE)))
    server.add_manifest("app", "", manifest)
    child = manifest.descriptor.on(IMAGE.root.platform) if IMAGE.root.platform else None
    assert child
    index = {
        "schemaVersion": 2,
        "mediaType": mediatypes.OCI_INDEX,
        "manifests": [child.to_json()],
    }
    raw = json.dumps(index).encode()
    server.add_raw_manifest("app", "1", raw, mediatypes.OCI_INDEX)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="unpacks to sha256:")


def broken_layers() -> dict[str, tuple[bytes, str]]:
    """Return layers that are what their digest says and yet cannot be unpacked."""
    good = gzip.compress(a_layer({"file": NOISE}), mtime=0)
    return {
        "gzip_that_ends_early": (good[:-20], mediatypes.OCI_LAYER_GZIP),
        "gzip_with_a_wrong_checksum": (good[:-8] + bytes(8), mediatypes.OCI_LAYER_GZIP),
        "gzip_header_and_rubbish": (good[:10] + NOISE[:500], mediatypes.OCI_LAYER_GZIP),
        "zstd_rubbish": (b"\x28\xb5\x2f\xfd" + NOISE[:500], mediatypes.OCI_LAYER_ZSTD),
    }


@pytest.mark.parametrize("name", broken_layers())
def test_layer_that_cannot_be_unpacked(
    name: str, unharmed: Unharmed, server: RegistryServer
) -> None:
    data, media_type = broken_layers()[name]
    layer = Descriptor.of(media_type, data)
    config = an_image([a_layer({"file": NOISE})])
    publish(server, "app", "1", config)
    server.add_blob("app", data)
    publish_parts(server, "app", "1", config_of(config), layer)
    unharmed.refuses("pull", f"{server.host}/app:1", saying=f"layer {layer.digest} cannot be unp")


@pytest.mark.parametrize(
    "config",
    [
        b"[]",
        b'{"rootfs": 7}',
        b'{"rootfs": {"diff_ids": ["sha256:../../x"]}}',
        b'{"rootfs": {"diff_ids": []}, "rootfs": {}}',
        b'{"Rootfs": {"diff_ids": []}}',
        b'{"rootfs": {"type": "layers", "diff_ids": []}, "config": {"Env": "X"}}',
        b'{"rootfs": {"type": "layers", "diff_ids": []}, "history": [{"created": 7}]}',
        b"\xff\xfe",
        b"{" * 100_000,
    ],
    ids=lambda config: config[:30].decode(errors="replace"),
)
def test_config_that_is_none(config: bytes, unharmed: Unharmed, server: RegistryServer) -> None:
    descriptor = Descriptor.of(mediatypes.OCI_CONFIG, config)
    server.add_blob("app", config)
    publish_parts(server, "app", "1", descriptor)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="config")


def test_config_over_four_mebibytes(unharmed: Unharmed, server: RegistryServer) -> None:
    config = Descriptor(mediatypes.OCI_CONFIG, Digest.of(b""), 5 * 1024 * 1024)
    publish_parts(server, "app", "1", config)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="larger than 4194304 bytes")
    assert not server.seen("GET", "/blobs/")


def test_missing_blob_is_named(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "app", "1", IMAGE)
    server.repositories["app"].discard(LAYER.digest)
    unharmed.refuses("pull", f"{server.host}/app:1", saying=LAYER.digest)
