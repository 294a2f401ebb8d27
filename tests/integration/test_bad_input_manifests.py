"""Manifests that mean two things, too much or nothing; and layers that lie about where to go."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.testing.builders import an_image, an_index
from tests.integration.unharmed import Unharmed
from tests.servers.publishing import publish
from tests.servers.registry_server import RegistryServer, registry_server
from tests.servers.registry_values import Answer, Patch

IMAGE = an_image()
RAW = IMAGE.blobs[IMAGE.root.digest]
FIELDS: dict[str, Any] = json.loads(RAW)
MANIFEST = mediatypes.OCI_MANIFEST
INDEX = mediatypes.OCI_INDEX
CHILD = IMAGE.root.to_json()


def changed(**fields: object) -> bytes:
    """Return the manifest with other fields; None takes one out."""
    merged = {**FIELDS, **fields}
    return json.dumps({key: value for key, value in merged.items() if value is not None}).encode()


def descriptor(**fields: object) -> dict[str, object]:
    """Return the first layer's descriptor with other fields."""
    return {**FIELDS["layers"][0], **fields}


BROKEN: dict[str, tuple[bytes, str, str]] = {
    "layers_and_manifests": (changed(manifests=[CHILD]), MANIFEST, "both layers and manifests"),
    "index_with_layers": (
        changed(mediaType=INDEX, config=None, manifests=[CHILD]),
        INDEX,
        "both layers and manifests",
    ),
    "index_with_config": (
        changed(mediaType=INDEX, layers=None, manifests=[CHILD]),
        INDEX,
        "both layers and manifests",
    ),
    "layers_in_capitals": (changed(Layers=FIELDS["layers"]), MANIFEST, "spelled 'layers'"),
    "manifests_in_capitals": (changed(MANIFESTS=[CHILD]), MANIFEST, "spelled 'manifests'"),
    "index_served_as_manifest": (
        json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [CHILD]}).encode(),
        MANIFEST,
        "was served as",
    ),
    "nameless_index_served_as_manifest": (
        json.dumps({"schemaVersion": 2, "manifests": [CHILD]}).encode(),
        MANIFEST,
        "lacks its list of layers",
    ),
    "manifest_served_as_index": (RAW, INDEX, "was served as"),
    "nameless_manifest_served_as_index": (changed(mediaType=None), INDEX, "lacks its list of man"),
    "manifest_served_as_dockers": (RAW, mediatypes.DOCKER_MANIFEST, "was served as"),
    "served_as_a_layer": (RAW, mediatypes.OCI_LAYER_GZIP, "not the media type of a manifest"),
    "served_as_a_config": (RAW, mediatypes.OCI_CONFIG, "not the media type of a manifest"),
    "served_as_a_web_page": (b"<html>sign in</html>", "text/html", "not"),
    "duplicate_keys": (RAW.replace(b'{"schemaVersion":2', b'{"schemaVersion":2,"layers":[]'),
                       MANIFEST, "the key 'layers' twice"),
    "duplicate_keys_below": (
        RAW.replace(b'"config":{', b'"config":{"size":1,'), MANIFEST, "the key 'size' twice"
    ),
    "not_json": (RAW[:-1], MANIFEST, "not valid JSON"),
    "something_after_it": (RAW + b"{}", MANIFEST, "not valid JSON"),
    "not_utf8": (RAW[:-1] + b',"x":"\xff"}', MANIFEST, "JSON"),
    "byte_order_mark": (b"\xef\xbb\xbf" + RAW, MANIFEST, "JSON"),
    "not_an_object": (b"[]", MANIFEST, "not a JSON object"),
    "nested_absurdly_deep": (changed(annotations=None)[:-1] + b',"x":' + b"[" * 90_000, MANIFEST,
                             "(nested|JSON)"),
    "not_a_number": (RAW[:-1] + b',"x":NaN}', MANIFEST, "NaN"),
    "schema_1": (b'{"schemaVersion":1,"fsLayers":[]}',
                 "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1"),
    "no_schema_version": (changed(schemaVersion=None), MANIFEST, "schemaVersion"),
    "schema_version_3": (changed(schemaVersion=3), MANIFEST, "schemaVersion"),
    "no_config": (changed(config=None), MANIFEST, "config"),
    "no_layers": (changed(layers=None), MANIFEST, "layers"),
    "layers_an_object": (changed(layers={}), MANIFEST, "layers"),
    "layer_a_text": (changed(layers=["sha256:x"]), MANIFEST, "layer 0"),
    "digest_that_is_a_path": (
        changed(layers=[descriptor(digest="sha256:../../../etc/passwd")]), MANIFEST, "digest"
    ),
    "digest_in_capitals": (
        changed(layers=[descriptor(digest=f"sha256:{'A' * 64}")]), MANIFEST, "digest"
    ),
    "digest_of_unknown_algorithm": (
        changed(layers=[descriptor(digest=f"md5:{'0' * 32}")]), MANIFEST, "digest"
    ),
    "size_below_zero": (changed(layers=[descriptor(size=-1)]), MANIFEST, "size"),
    "size_a_text": (changed(layers=[descriptor(size="1")]), MANIFEST, "size"),
    "size_true": (changed(layers=[descriptor(size=True)]), MANIFEST, "size"),
    "size_beyond_64_bits": (changed(layers=[descriptor(size=2**63)]), MANIFEST, "size"),
    "no_size": (
        changed(layers=[{"mediaType": "x/y", "digest": CHILD["digest"]}]), MANIFEST, "size"
    ),
    "annotation_a_number": (changed(annotations={"a": 1}), MANIFEST, "annotation"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_manifest_is_refused(name: str, unharmed: Unharmed, server: RegistryServer) -> None:
    raw, media_type, saying = BROKEN[name]
    publish(server, "app", "sound", IMAGE)
    server.add_raw_manifest("app", "1", raw, media_type)
    unharmed.refuses("pull", f"{server.host}/app:1", saying=saying)
    assert not server.seen("GET", "/blobs/")


@pytest.mark.parametrize(
    "name", ["layers_and_manifests", "duplicate_keys", "digest_that_is_a_path"]
)
def test_broken_manifest_below_an_index_is_refused(
    name: str, unharmed: Unharmed, server: RegistryServer
) -> None:
    raw, media_type, saying = BROKEN[name]
    publish(server, "app", "sound", IMAGE)
    server.add_raw_manifest("app", "", raw, media_type)
    child = Descriptor.of(media_type, raw).on(IMAGE.root.platform or pytest.fail("no platform"))
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [child.to_json()]}
    server.add_raw_manifest("app", "1", json.dumps(index).encode(), INDEX)
    unharmed.refuses("pull", f"{server.host}/app:1", saying=saying)


def test_child_whose_type_is_not_what_the_index_says(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    publish(server, "app", "sound", IMAGE)
    child = {**CHILD, "mediaType": mediatypes.DOCKER_MANIFEST}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]}
    server.add_raw_manifest("app", "1", json.dumps(index).encode(), INDEX)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="served as")


def test_indexes_without_end(unharmed: Unharmed, server: RegistryServer) -> None:
    content = an_index([IMAGE])
    for _ in range(12):
        content = an_index([content])
        root = content.root
        server.add_raw_manifest("app", "1", content.blobs[root.digest], root.media_type)
    for digest, data in content.blobs.items():
        server.manifests["app", str(digest)] = (data, INDEX)
    unharmed.refuses("pull", "--platform", "all", f"{server.host}/app:1", saying="(nested|served)")


def test_config_listed_as_a_layer(unharmed: Unharmed, server: RegistryServer) -> None:
    """The config's bytes as a layer: neither count nor diff_id fit."""
    publish(server, "app", "sound", IMAGE)
    raw = changed(layers=[{**FIELDS["config"], "mediaType": mediatypes.OCI_LAYER_GZIP}])
    server.add_raw_manifest("app", "1", raw, MANIFEST)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="unpacks to|cannot be unpacked")


def test_layer_listed_as_the_config(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "app", "sound", IMAGE)
    raw = changed(config={**FIELDS["layers"][0], "mediaType": mediatypes.OCI_CONFIG})
    server.add_raw_manifest("app", "1", raw, MANIFEST)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="config")


def test_manifest_listed_as_a_layer(unharmed: Unharmed, server: RegistryServer) -> None:
    publish(server, "app", "sound", IMAGE)
    server.add_blob("app", RAW)
    raw = changed(layers=[{**CHILD, "mediaType": mediatypes.OCI_LAYER_TAR, "platform": None}])
    server.add_raw_manifest("app", "1", raw.replace(b', "platform": null', b""), MANIFEST)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="unpacks to|cannot be unpacked")


# Sizes.

LARGE = changed(annotations={"padding": "x" * (4 * 1024 * 1024)})


def test_manifest_over_four_mebibytes(unharmed: Unharmed, server: RegistryServer) -> None:
    server.add_raw_manifest("app", "1", LARGE, MANIFEST)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="larger than 4194304 bytes")


def test_manifest_over_four_mebibytes_without_a_length(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    server.add_raw_manifest("app", "1", LARGE, MANIFEST)
    fields = {"Content-Length": None, "Connection": "close"}
    server.fail("GET", "/manifests/", Patch(fields), times=100)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="larger than 4194304 bytes")
    assert all(seen.sent <= 2 * len(LARGE) for seen in server.seen())


def test_manifest_below_an_index_that_is_said_to_be_over_four_mebibytes(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    child = {**CHILD, "size": 5 * 1024 * 1024}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [child]}
    publish(server, "app", "sound", IMAGE)
    server.add_raw_manifest("app", "1", json.dumps(index).encode(), INDEX)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="larger than 4194304 bytes")


def test_manifest_of_more_children_than_anyone_needs(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    layers = [{"mediaType": "a/b", "digest": CHILD["digest"], "size": 1}] * 10_001
    server.add_raw_manifest("app", "1", changed(layers=layers), MANIFEST)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="more than 10000")


def test_error_reply_without_end_is_not_read_to_it(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    server.fail("GET", "/manifests/", Answer(404, {}, b"x" * 50_000_000), times=100)
    unharmed.refuses("pull", f"{server.host}/app:1", saying="not found")


# Layers that are said to be elsewhere (CVE-2020-15157).


@pytest.mark.parametrize("media_type", [mediatypes.DOCKER_FOREIGN_LAYER, mediatypes.OCI_LAYER_GZIP])
def test_urls_of_a_layer_are_never_fetched(
    media_type: str, unharmed: Unharmed, server: RegistryServer, tmp_path: Path
) -> None:
    layer = IMAGE.blobs[Digest(FIELDS["layers"][0]["digest"])]
    with registry_server() as elsewhere:
        elsewhere.add_blob("stolen", layer)
        url = f"{elsewhere.url}/v2/stolen/blobs/{FIELDS['layers'][0]['digest']}"
        publish(server, "app", "sound", IMAGE)
        server.repositories["app"].discard(FIELDS["layers"][0]["digest"])
        raw = changed(layers=[descriptor(mediaType=media_type, urls=[url])])
        server.add_raw_manifest("app", "1", raw, MANIFEST)
        server.options.auth, server.options.users = "basic", {"ana": "secret"}
        auth = base64.b64encode(b"ana:secret").decode()
        text = json.dumps({"auths": {server.host: {"auth": auth}}})
        unharmed.cli.docker_config.mkdir(parents=True)
        (unharmed.cli.docker_config / "config.json").write_text(text)
        unharmed.cli.run("pull", f"{server.host}/app:1")
        unharmed.cli.run("push", f"{server.host}/app:1")
        unharmed.cli.run("image", "copy", f"docker://{server.host}/app:1", f"oci:{tmp_path}/copy:1")
        assert not elsewhere.seen()
        assert elsewhere.connections == 0


def test_missing_layer_with_urls_is_left_out_and_said_so(
    unharmed: Unharmed, server: RegistryServer
) -> None:
    publish(server, "app", "sound", IMAGE)
    server.repositories["app"].discard(FIELDS["layers"][0]["digest"])
    url = "https://elsewhere.example/layer"
    foreign = descriptor(mediaType=mediatypes.DOCKER_FOREIGN_LAYER, urls=[url])
    server.add_raw_manifest("app", "1", changed(layers=[foreign]), MANIFEST)
    done = unharmed.cli.run("pull", f"{server.host}/app:1")
    assert done.returncode == 0, done
    assert f"foreign layer {foreign['digest']}" in done.stdout + done.stderr
    assert "OK" in unharmed.cli("image", "verify", "--all")
