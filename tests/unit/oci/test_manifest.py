"""Manifests and indexes: one meaning each, whoever reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.errors import Unsupported
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import (
    Index,
    InvalidManifest,
    Manifest,
    checked_digest,
    make_index,
    make_manifest,
    media_type_of,
    parse,
    with_layers,
    with_manifests,
)

CONFIG = Descriptor.of(mediatypes.OCI_CONFIG, b"{}")
LAYER = Descriptor.of(mediatypes.OCI_LAYER_GZIP, b"layer")
OTHER = Descriptor.of(mediatypes.OCI_LAYER_ZSTD, b"other")
CHILD = Descriptor.of(mediatypes.OCI_MANIFEST, b"child")

MANIFEST: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": mediatypes.OCI_MANIFEST,
    "config": CONFIG.to_json(),
    "layers": [LAYER.to_json(), OTHER.to_json()],
}
INDEX: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": mediatypes.OCI_INDEX,
    "manifests": [CHILD.to_json()],
}


def raw(fields: object) -> bytes:
    return json.dumps(fields).encode()


def read_manifest(**changes: object) -> Manifest:
    document = parse(raw({**MANIFEST, **changes}), mediatypes.OCI_MANIFEST)
    assert isinstance(document, Manifest)
    return document


def read_index(**changes: object) -> Index:
    document = parse(raw({**INDEX, **changes}), mediatypes.OCI_INDEX)
    assert isinstance(document, Index)
    return document


def test_a_manifest_is_a_view_over_its_bytes() -> None:
    data = json.dumps(MANIFEST, indent=3).encode()
    document = parse(data, mediatypes.OCI_MANIFEST)
    assert isinstance(document, Manifest)
    assert document.raw == data
    assert document.descriptor == Descriptor.of(mediatypes.OCI_MANIFEST, data)
    assert document.config == CONFIG
    assert document.layers == (LAYER, OTHER)


def test_an_index_is_a_view_over_its_bytes() -> None:
    document = read_index()
    assert document.manifests == (CHILD,)
    assert document.descriptor.is_index


@pytest.mark.parametrize("media_type", sorted(mediatypes.IMAGE_MANIFESTS))
def test_the_media_type_may_be_left_to_the_descriptor(media_type: str) -> None:
    fields = {key: MANIFEST[key] for key in MANIFEST if key != "mediaType"}
    assert parse(raw(fields), media_type).media_type == media_type


@pytest.mark.parametrize(
    ("stated", "served"),
    [
        (mediatypes.OCI_MANIFEST, mediatypes.DOCKER_MANIFEST),
        (mediatypes.OCI_INDEX, mediatypes.OCI_MANIFEST),
        (mediatypes.DOCKER_LIST, mediatypes.OCI_INDEX),
        ("application/json", mediatypes.OCI_MANIFEST),
        ("", mediatypes.OCI_MANIFEST),
        (7, mediatypes.OCI_MANIFEST),
    ],
)
def test_media_type_confusion_is_refused(stated: object, served: str) -> None:
    with pytest.raises(InvalidManifest, match="but was served as"):
        parse(raw({**MANIFEST, "mediaType": stated}), served)


def test_an_index_served_as_manifest_is_refused_without_a_stated_type() -> None:
    fields = {key: INDEX[key] for key in INDEX if key != "mediaType"}
    with pytest.raises(InvalidManifest, match="lacks its list of layers"):
        parse(raw(fields), mediatypes.OCI_MANIFEST)


@pytest.mark.parametrize("served", ["application/json", "", mediatypes.OCI_CONFIG])
def test_other_media_types_are_no_manifests(served: str) -> None:
    with pytest.raises(InvalidManifest, match="not the media type of a manifest"):
        parse(raw(MANIFEST), served)


@pytest.mark.parametrize("extra", [{"layers": []}, {"layers": None}, {"config": CONFIG.to_json()}])
def test_layers_and_manifests_in_one_document_are_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(InvalidManifest, match="both layers and manifests"):
        parse(raw({**INDEX, **extra}), mediatypes.OCI_INDEX)
    with pytest.raises(InvalidManifest, match="both layers and manifests"):
        parse(raw({**MANIFEST, "manifests": []}), mediatypes.OCI_MANIFEST)


@pytest.mark.parametrize("key", ["Layers", "MANIFESTS", "Config", "schemaversion", "mediatype"])
def test_known_keys_in_other_capitals_are_refused(key: str) -> None:
    with pytest.raises(InvalidManifest, match="must be spelled"):
        read_manifest(**{key: []})


@pytest.mark.parametrize(
    ("fields", "served"),
    [
        ({"schemaVersion": 1, "fsLayers": [], "history": []}, mediatypes.DOCKER_MANIFEST),
        ({"schemaVersion": 1}, "application/vnd.docker.distribution.manifest.v1+json"),
        ({"schemaVersion": 1}, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
    ],
)
def test_schema_1_is_unsupported(fields: dict[str, Any], served: str) -> None:
    with pytest.raises(Unsupported, match="schema 1") as caught:
        parse(raw(fields), served)
    assert caught.value.remedy


def test_schema_1_of_unknown_origin_is_unsupported_too() -> None:
    data = raw({"schemaVersion": 1, "fsLayers": []})
    with pytest.raises(Unsupported):
        parse(data, media_type_of(data))


def test_schema_1_content_in_schema_2_is_refused() -> None:
    with pytest.raises(InvalidManifest, match="fsLayers"):
        read_manifest(fsLayers=[])


@pytest.mark.parametrize("version", [None, 0, 3, "2", 2.0, True, [2]])
def test_schema_version_must_be_the_integer_2(version: object) -> None:
    with pytest.raises(InvalidManifest, match="schemaVersion 2"):
        read_manifest(schemaVersion=version)


@pytest.mark.parametrize("layers", [{}, "x", 1, False])
def test_layers_must_be_a_list(layers: object) -> None:
    with pytest.raises(InvalidManifest, match="lacks its list of layers"):
        read_manifest(layers=layers)


def test_a_null_list_is_an_empty_one() -> None:
    assert read_manifest(layers=None).layers == ()
    assert read_index(manifests=None).manifests == ()


def test_zero_layers_are_allowed() -> None:
    assert read_manifest(layers=[]).layers == ()


@pytest.mark.parametrize("key", ["config", "layers"])
def test_a_manifest_lacks_a_part(key: str) -> None:
    fields = {each: MANIFEST[each] for each in MANIFEST if each != key}
    with pytest.raises(InvalidManifest, match=key):
        parse(raw(fields), mediatypes.OCI_MANIFEST)


def test_an_index_lacks_its_list() -> None:
    with pytest.raises(InvalidManifest, match="lacks its list of manifests"):
        parse(raw({"schemaVersion": 2}), mediatypes.OCI_INDEX)


@pytest.mark.parametrize("bad", [None, [], "x", 1, {}, {**LAYER.to_json(), "size": -1}])
def test_each_descriptor_is_checked_and_named(bad: object) -> None:
    with pytest.raises(InvalidManifest, match="config"):
        read_manifest(config=bad)
    with pytest.raises(InvalidManifest, match="layer 1"):
        read_manifest(layers=[LAYER.to_json(), bad])
    with pytest.raises(InvalidManifest, match="manifest 0"):
        read_index(manifests=[bad])
    if bad is not None:
        with pytest.raises(InvalidManifest, match="subject"):
            read_manifest(subject=bad)


@pytest.mark.parametrize("annotations", [[], "x", 1, {"a": 1}, {"a": None}, {"a": {}}])
def test_annotations_must_be_texts(annotations: object) -> None:
    with pytest.raises(InvalidManifest, match="annotation"):
        read_manifest(annotations=annotations)


@pytest.mark.parametrize("artifact_type", [1, [], {}])
def test_artifact_type_must_be_text(artifact_type: object) -> None:
    with pytest.raises(InvalidManifest, match="artifactType"):
        read_index(artifactType=artifact_type)


def test_too_many_descriptors_are_refused() -> None:
    with pytest.raises(InvalidManifest, match="more than 10000"):
        read_manifest(layers=[{}] * 10_001)


def test_over_4_mib_is_refused() -> None:
    data = raw(MANIFEST)
    padded = data[:-1] + b" " * (4 * 1024 * 1024 - len(data)) + b"}"
    assert len(padded) == 4 * 1024 * 1024
    assert parse(padded, mediatypes.OCI_MANIFEST).raw == padded
    with pytest.raises(InvalidManifest, match="larger than 4194304 bytes"):
        parse(padded + b"\n", mediatypes.OCI_MANIFEST)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"a":1,"a":1}', b"\xff", b'{"a":NaN}'])
def test_what_strict_json_refuses_is_no_manifest(data: bytes) -> None:
    with pytest.raises(InvalidManifest):
        parse(data, mediatypes.OCI_MANIFEST)
    with pytest.raises(InvalidManifest):
        media_type_of(data)


def test_subject_and_annotations() -> None:
    document = read_manifest(subject=CHILD.to_json(), annotations={"k": "v"})
    assert document.subject == CHILD
    assert document.annotations == {"k": "v"}
    assert read_manifest().subject is None
    assert read_manifest().annotations == {}


def test_artifact_type_is_the_manifests_own_or_its_configs() -> None:
    assert read_manifest(artifactType="application/x").artifact_type == "application/x"
    assert read_manifest().artifact_type == mediatypes.OCI_CONFIG
    assert read_index().artifact_type == ""


def test_is_image_goes_by_the_config() -> None:
    assert read_manifest().is_image
    assert read_manifest(
        config={**CONFIG.to_json(), "mediaType": mediatypes.DOCKER_CONFIG}
    ).is_image
    assert not read_manifest(
        config={**CONFIG.to_json(), "mediaType": mediatypes.OCI_EMPTY}
    ).is_image


@pytest.mark.parametrize(
    ("fields", "media_type"),
    [
        ({"mediaType": "text/plain"}, "text/plain"),
        ({"manifests": []}, mediatypes.OCI_INDEX),
        ({"layers": []}, mediatypes.OCI_MANIFEST),
        ({"config": {}}, mediatypes.OCI_MANIFEST),
    ],
)
def test_media_type_of(fields: dict[str, Any], media_type: str) -> None:
    assert media_type_of(raw(fields)) == media_type


def test_media_type_of_something_else() -> None:
    with pytest.raises(InvalidManifest, match="states no mediaType"):
        media_type_of(b'{"architecture": "amd64"}')


def test_made_documents_can_be_read_back() -> None:
    annotated = LAYER.annotated(k="v")
    manifest = make_manifest(CONFIG, [annotated], annotations={"a": "b"})
    again = parse(manifest.raw, manifest.media_type)
    assert isinstance(again, Manifest)
    assert again == manifest
    assert again.layers[0].annotations == {"k": "v"}

    index = make_index([CHILD], media_type=mediatypes.DOCKER_LIST)
    assert parse(index.raw, index.media_type) == index
    assert "annotations" not in index.fields


def test_replacing_children_keeps_everything_else() -> None:
    manifest = read_manifest(annotations={"a": "b"}, **{"org.example": [1]})
    changed = with_layers(manifest, [OTHER])
    assert changed.layers == (OTHER,)
    assert json.loads(changed.raw) == {**manifest.fields, "layers": [OTHER.to_json()]}
    assert manifest.layers == (LAYER, OTHER)

    index = read_index(**{"org.example": {}})
    assert json.loads(with_manifests(index, []).raw) == {**index.fields, "manifests": []}


def test_checked_digest() -> None:
    assert checked_digest(b"a", Digest.of(b"a"), "manifest") == b"a"
    assert checked_digest(b"a", Digest.of(b"a", "sha512"), "manifest") == b"a"
    with pytest.raises(InvalidManifest, match="manifest of x has digest"):
        checked_digest(b"a", Digest.of(b"b"), "manifest of x")


_junk = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(["digest", "size", "mediaType", "x"]), children)
    ),
    max_leaves=6,
)


def _paths(value: object, here: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [here, *(path for key, child in children for path in _paths(child, (*here, key)))]


def _changed(value: Any, path: tuple[Any, ...], new: object) -> Any:
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = _changed(value[path[0]], path[1:], new)
    return copied


_FULL = {
    **MANIFEST,
    "subject": CHILD.to_json(),
    "annotations": {"a": "b"},
    "artifactType": "application/x",
    "config": {**CONFIG.to_json(), "platform": {"os": "linux", "architecture": "arm"}},
}


@given(st.sampled_from([_FULL, INDEX]), st.data())
def test_a_document_changed_anywhere_is_read_or_refused(
    document: dict[str, Any], data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(_paths(document)))
    changed = _changed(document, path, data.draw(_junk))
    try:
        read = parse(raw(changed), document["mediaType"])
    except (InvalidManifest, Unsupported) as error:
        assert isinstance(error, InvalidManifest) or changed["schemaVersion"] == 1  # noqa: PT017
        return
    assert read.artifact_type is not None
    assert all(isinstance(value, str) for value in read.annotations.values())
    for each in read.manifests if isinstance(read, Index) else (read.config, *read.layers):
        assert each.size >= 0


@given(st.binary(max_size=40), st.integers(0, 400), st.integers(0, 40))
def test_a_document_with_damaged_bytes_is_read_or_refused(
    junk: bytes, position: int, cut: int
) -> None:
    data = raw(_FULL)
    damaged = data[:position] + junk + data[position + cut :]
    try:
        parse(damaged, mediatypes.OCI_MANIFEST)
    except InvalidManifest:
        return
    assert json.loads(damaged)["schemaVersion"] == 2
