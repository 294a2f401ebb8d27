"""The graph of content: successors, and what a platform needs of an index."""

from __future__ import annotations

from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.graph import available, match_one, select, successors
from nacre.oci.manifest import make_index, make_manifest
from nacre.oci.platform import Platform

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
UNKNOWN = Platform("unknown", "unknown")


def child(name: bytes, platform: Platform | None = None) -> Descriptor:
    descriptor = Descriptor.of(mediatypes.OCI_MANIFEST, name)
    return descriptor.on(platform) if platform else descriptor


def attestation_of(descriptor: Descriptor) -> Descriptor:
    return child(b"attests " + descriptor.digest.encode(), UNKNOWN).annotated(
        **{
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": descriptor.digest,
        }
    )


AMD, ARM = child(b"amd", AMD64), child(b"arm", ARM64)
INDEX = make_index([AMD, ARM, attestation_of(AMD), attestation_of(ARM)])


def test_a_manifest_is_made_of_config_and_layers_in_order() -> None:
    config, one, two = (Descriptor.of("a/b", each) for each in (b"c", b"1", b"2"))
    assert successors(make_manifest(config, [one, two, one])) == (config, one, two, one)


def test_an_index_is_made_of_its_manifests() -> None:
    assert successors(INDEX) == INDEX.manifests


def test_a_subject_is_not_part() -> None:
    config = Descriptor.of("a/b", b"c")
    manifest = make_manifest(config, [])
    spoken = type(manifest)(
        manifest.raw, manifest.media_type, {**manifest.fields, "subject": AMD.to_json()}
    )
    assert spoken.subject == AMD
    assert successors(spoken) == (config,)


def test_select_takes_a_platform_with_its_attestation() -> None:
    assert select(INDEX, [AMD64]) == (AMD, attestation_of(AMD))


def test_select_keeps_the_order_of_the_index() -> None:
    assert select(INDEX, [ARM64, AMD64]) == INDEX.manifests


def test_select_leaves_out_what_does_not_match() -> None:
    assert select(INDEX, [Platform("windows", "amd64")]) == ()
    assert select(INDEX, []) == ()


def test_select_takes_one_manifest_once() -> None:
    assert select(make_index([AMD]), [AMD64, Platform("linux", "amd64", "v2")]) == (AMD,)


def test_match_one_prefers_the_first_of_equals() -> None:
    assert match_one([AMD, child(b"again", AMD64)], AMD64) == 0


def test_a_lone_manifest_without_platform_matches_everything() -> None:
    assert match_one([child(b"x")], ARM64) == 0
    assert match_one([child(b"x"), child(b"y")], ARM64) is None
    assert match_one([AMD], Platform("windows", "amd64")) is None
    assert match_one([], AMD64) is None


def test_available_leaves_attestations_and_unstated_platforms_out() -> None:
    assert available(INDEX) == (AMD64, ARM64)
    assert available(make_index([child(b"x"), ARM])) == (ARM64,)


def test_a_blob_matches_no_platform() -> None:
    blob = Descriptor.of("text/plain", b"text")
    assert match_one([blob], Platform("linux", "amd64")) is None
    assert match_one([blob.on(Platform("linux", "amd64"))], Platform("linux", "amd64")) is None
