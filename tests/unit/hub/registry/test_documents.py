"""What is recorded of a manifest that somebody pushes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nacre.hub.errors import ManifestInvalid
from nacre.hub.registry.documents import read, warnings
from nacre.hub.registry.manifests import Reference
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from nacre.oci.strictjson import encode

FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"


def part(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": Digest.of(content), "size": len(content)}


CONFIG = part(b"{}", mediatypes.OCI_CONFIG)
LAYERS = [part(b"1", mediatypes.OCI_LAYER_GZIP), part(b"2", FOREIGN)]
IMAGE = {"schemaVersion": 2, "config": CONFIG, "layers": LAYERS}


def test_an_image_names_blobs_and_foreign_layers() -> None:
    manifest = read(encode(IMAGE), mediatypes.OCI_MANIFEST)
    kinds = [(part.digest, kind) for part, kind in manifest.references]
    assert kinds == [
        (Digest.of(b"{}"), Reference.BLOB),
        (Digest.of(b"1"), Reference.BLOB),
        (Digest.of(b"2"), Reference.FOREIGN),
    ]
    assert manifest.config_digest == Digest.of(b"{}")
    assert len(warnings(manifest)) == 1


def test_an_index_names_manifests_and_what_caches_put_there() -> None:
    children = [part(b"m", mediatypes.OCI_MANIFEST), part(b"l", mediatypes.OCI_LAYER_GZIP)]
    fields = {"schemaVersion": 2, "manifests": children}
    manifest = read(encode(fields), mediatypes.OCI_INDEX)
    assert [kind for _, kind in manifest.references] == [Reference.MANIFEST, Reference.BLOB]
    assert manifest.config_digest is None
    assert warnings(manifest) == ()


def test_what_referrers_show() -> None:
    subject = part(b"s", mediatypes.OCI_MANIFEST)
    fields = {**IMAGE, "subject": subject, "annotations": {"a": "ü"}}
    manifest = read(encode(fields), mediatypes.OCI_MANIFEST)
    assert manifest.subject == Digest.of(b"s")
    assert manifest.artifact_type == mediatypes.OCI_CONFIG
    assert json.loads(manifest.annotations) == {"a": "ü"}
    stated = read(encode({**fields, "artifactType": "a/b"}), mediatypes.OCI_MANIFEST)
    assert stated.artifact_type == "a/b"


def test_a_manifest_may_say_itself_what_it_is() -> None:
    assert read(encode(IMAGE), "").media_type == mediatypes.OCI_MANIFEST


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_the_digest_is_the_one_it_was_pushed_by(algorithm: str) -> None:
    raw = encode(IMAGE)
    digest = Digest.of(raw, algorithm)
    assert read(raw, "", digest).digest == digest
    assert read(raw, "").digest == Digest.of(raw)


def test_schema_1_is_refused() -> None:
    raw = b'{"schemaVersion":1,"fsLayers":[],"name":"a","tag":"b"}'
    for media_type in ("", "application/vnd.docker.distribution.manifest.v1+json"):
        with pytest.raises(ManifestInvalid, match="schema 1"):
            read(raw, media_type)
