"""Images that are odd, yet sound: through every command; and images that contradict themselves."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.testing.builders import a_layer
from tests.integration.unharmed import Unharmed
from tests.peers.nacre import NacreCli
from tests.servers.publishing import publish_parts
from tests.servers.registry_server import RegistryServer

LAYER = a_layer({"etc/motd": b"hello\n"})
PACKED = gzip.compress(LAYER, mtime=0)
NOTHING = gzip.compress(b"", mtime=0)
TAR, GZIP = mediatypes.OCI_LAYER_TAR, mediatypes.OCI_LAYER_GZIP
ESCAPES = "\x1b[2J\x1b]0;owned\x07\u202e\u009b31m"

Layer = tuple[str, bytes, str]
"""Media type, bytes and the algorithm of its digest."""


def put(
    server: RegistryServer, *layers: tuple[Layer, bytes], config_by: str = "sha256", **more: object
) -> str:
    """Publish an image of layers, each with the tar it unpacks to, and return its name."""
    diff_ids = [Digest.of(plain) for _, plain in layers]
    fields = {"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": diff_ids}, **more}
    config = put_blob(server, mediatypes.OCI_CONFIG, json.dumps(fields).encode(), config_by)
    descriptors = [put_blob(server, *layer) for layer, _ in layers]
    publish_parts(server, "app", "1", config, *descriptors)
    return f"{server.host}/app:1"


def put_blob(server: RegistryServer, media_type: str, data: bytes, algorithm: str) -> Descriptor:
    digest = Digest.of(data, algorithm)
    server.add_blob("app", data, digest)
    return Descriptor(media_type, digest, len(data))


LAYERS: dict[str, list[tuple[Layer, bytes]]] = {
    "none": [],
    "sha512": [((GZIP, PACKED, "sha512"), LAYER)],
    "sha512_plain": [((TAR, LAYER, "sha512"), LAYER)],
    "repeated": [((GZIP, PACKED, "sha256"), LAYER)] * 20,
    "no_byte": [((TAR, b"", "sha256"), b"")],
    "no_byte_packed": [((GZIP, NOTHING, "sha256"), b"")],
    "sixty": [
        ((TAR, layer, "sha256"), layer)
        for layer in (a_layer({f"file{number}": b"x"}) for number in range(60))
    ],
}


@pytest.mark.parametrize("config_by", ["sha256", "sha512"])
@pytest.mark.parametrize("name", LAYERS)
def test_odd_image_goes_through_every_command(
    name: str, config_by: str, nacre_cli: NacreCli, server: RegistryServer, tmp_path: Path
) -> None:
    image = put(server, *LAYERS[name], config_by=config_by)
    nacre_cli("pull", image)
    inspected = json.loads(nacre_cli("inspect", image))[0]
    assert len(inspected["RootFS"].get("Layers") or ()) == len(LAYERS[name])
    nacre_cli("history", image)
    nacre_cli("image", "verify", image)
    archive = tmp_path / "saved.tar"
    nacre_cli("save", "-o", archive, image)
    nacre_cli("rmi", image)
    nacre_cli("load", "-i", archive)
    assert json.loads(nacre_cli("inspect", image))[0]["RootFS"] == inspected["RootFS"]
    copy = f"{server.host}/copy:1"
    nacre_cli("tag", image, copy)
    nacre_cli("push", copy)
    nacre_cli("rmi", image, copy)
    nacre_cli("pull", copy)
    assert json.loads(nacre_cli("inspect", copy))[0]["RootFS"] == inspected["RootFS"]


@pytest.mark.parametrize("change", [{"size": 7}, {"mediaType": TAR}])
def test_layer_listed_as_two_things(
    change: dict[str, object], unharmed: Unharmed, server: RegistryServer
) -> None:
    image = put(server, *[((GZIP, PACKED, "sha256"), LAYER)] * 2)
    raw = json.loads(server.manifests["app", "1"][0])
    raw["layers"][1] |= change
    server.add_raw_manifest("app", "1", json.dumps(raw).encode(), mediatypes.OCI_MANIFEST)
    unharmed.refuses("pull", image, saying="is listed")


@pytest.mark.parametrize(
    "command", [("images",), ("history", "--no-trunc", "IMAGE"), ("inspect", "IMAGE")]
)
def test_what_an_image_says_cannot_steer_a_terminal(
    command: tuple[str, ...], nacre_cli: NacreCli, server: RegistryServer
) -> None:
    history = [{"created_by": ESCAPES, "comment": ESCAPES, "author": ESCAPES}]
    labels = {"Labels": {ESCAPES: ESCAPES}, "Cmd": [ESCAPES], "User": ESCAPES}
    image = put(
        server,
        ((GZIP, PACKED, "sha256"), LAYER),
        author=ESCAPES,
        config=labels,
        history=history,
        created=ESCAPES,
        variant=ESCAPES,
    )
    nacre_cli("pull", image)
    words = [image if word == "IMAGE" else word for word in command]
    with nacre_cli.at_terminal(*words) as terminal:
        assert terminal.end() == 0
        shown = terminal.shown
    for steering in ("\x1b", "\x07", "\u202e", "\u009b"):
        assert steering not in shown


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_device_without_end_does_not_fill_the_disk(device: str, unharmed: Unharmed) -> None:
    unharmed.refuses("load", "-i", device, saying="(index.json|sound tar)")
    unharmed.refuses("image", "copy", f"oci-archive:{device}", "x:1", saying="(index.j|sound tar)")
