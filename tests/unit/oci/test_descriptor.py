"""Descriptors: three properties that must be there, and all others kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor, InvalidDescriptor
from nacre.oci.digest import Digest
from nacre.oci.platform import Platform

DIGEST = "sha256:" + "a" * 64
GOOD: dict[str, Any] = {"mediaType": "a/b", "digest": DIGEST, "size": 7}


def test_of_bytes_at_hand() -> None:
    descriptor = Descriptor.of(mediatypes.OCI_CONFIG, b"{}")
    assert descriptor == Descriptor(mediatypes.OCI_CONFIG, Digest.of(b"{}"), 2)


def test_unknown_properties_survive() -> None:
    value = {**GOOD, "urls": ["https://a/b"], "data": "e30=", "org.example": {"deep": [1, None]}}
    assert Descriptor.from_json(value, "layer 0").to_json() == value


def test_properties_take_no_part_in_comparisons() -> None:
    plain = Descriptor.from_json(GOOD, "x")
    annotated = plain.annotated(**{"org.example.a": "1"})
    assert plain == annotated
    assert hash(plain) == hash(annotated)
    assert len({plain, annotated}) == 1
    assert plain != Descriptor("a/b", Digest(DIGEST), 8)


@pytest.mark.parametrize("size", [0, 1, 2**63 - 1])
def test_sizes_accepted(size: int) -> None:
    assert Descriptor.from_json({**GOOD, "size": size}, "x").size == size


@pytest.mark.parametrize("size", [-1, -(2**63), 2**63, 1.0, 1.5, "7", True, None, [], {}])
def test_sizes_refused(size: object) -> None:
    with pytest.raises(InvalidDescriptor, match="layer 3 has no valid size"):
        Descriptor.from_json({**GOOD, "size": size}, "layer 3")


@pytest.mark.parametrize("missing", ["mediaType", "digest", "size"])
def test_a_required_property_is_missing(missing: str) -> None:
    value = {key: GOOD[key] for key in GOOD if key != missing}
    with pytest.raises(InvalidDescriptor, match=f"has no.*{missing}"):
        Descriptor.from_json(value, "x")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mediaType", ""),
        ("mediaType", 1),
        ("mediaType", "a/b\r\nX-Evil: 1"),
        ("mediaType", "a/é"),
        ("digest", 1),
        ("digest", "sha256:../../x"),
        ("digest", DIGEST.upper()),
        ("annotations", []),
        ("annotations", "a"),
        ("annotations", {"a": 1}),
        ("annotations", {"a": None}),
        ("annotations", {"a": ["b"]}),
        ("platform", "linux/amd64"),
        ("platform", []),
        ("platform", {"os": 1, "architecture": "amd64"}),
        ("platform", {"os": "linux", "architecture": ["amd64"]}),
        ("platform", {"os": "linux", "architecture": "arm", "variant": 7}),
        ("platform", {"os": "windows", "architecture": "amd64", "os.version": 10}),
        ("artifactType", 1),
        ("artifactType", {}),
        ("urls", "https://a"),
        ("urls", [1]),
        ("data", 1),
    ],
)
def test_a_property_of_the_wrong_kind(key: str, value: object) -> None:
    with pytest.raises(InvalidDescriptor, match=r"^subject"):
        Descriptor.from_json({**GOOD, key: value}, "subject")


@pytest.mark.parametrize("key", ["MediaType", "Digest", "SIZE", "Annotations"])
def test_a_property_in_other_capitals_is_refused(key: str) -> None:
    with pytest.raises(InvalidDescriptor, match="must be spelled"):
        Descriptor.from_json({**GOOD, key: "x"}, "config")


@pytest.mark.parametrize("key", ["annotations", "platform", "artifactType", "urls", "data"])
def test_null_is_as_good_as_absent(key: str) -> None:
    descriptor = Descriptor.from_json({**GOOD, key: None}, "x")
    assert descriptor.annotations == {}
    assert descriptor.platform is None
    assert descriptor.artifact_type == ""


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_not_an_object(value: object) -> None:
    with pytest.raises(InvalidDescriptor, match="config is not a descriptor"):
        Descriptor.from_json(value, "config")


def test_views() -> None:
    value = {
        **GOOD,
        "annotations": {"k": "v"},
        "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"},
        "artifactType": "application/x",
    }
    descriptor = Descriptor.from_json(value, "x")
    assert descriptor.annotations == {"k": "v"}
    assert descriptor.platform == Platform("linux", "arm64")
    assert descriptor.artifact_type == "application/x"
    assert descriptor.bare().to_json() == GOOD


@pytest.mark.parametrize(
    ("media_type", "is_index", "is_manifest"),
    [
        (mediatypes.OCI_INDEX, True, True),
        (mediatypes.DOCKER_LIST, True, True),
        (mediatypes.OCI_MANIFEST, False, True),
        (mediatypes.DOCKER_MANIFEST, False, True),
        (mediatypes.OCI_LAYER_GZIP, False, False),
    ],
)
def test_kinds(media_type: str, *, is_index: bool, is_manifest: bool) -> None:
    descriptor = Descriptor(media_type, Digest(DIGEST), 1)
    assert (descriptor.is_index, descriptor.is_manifest) == (is_index, is_manifest)


def test_annotated_adds_and_replaces_and_leaves_the_old_one() -> None:
    old = Descriptor.from_json({**GOOD, "annotations": {"a": "1", "b": "2"}}, "x")
    assert old.annotated(b="3", c="4").annotations == {"a": "1", "b": "3", "c": "4"}
    assert old.annotations == {"a": "1", "b": "2"}


def test_on_states_a_platform() -> None:
    descriptor = Descriptor.from_json(GOOD, "x")
    stated = descriptor.on(Platform("windows", "arm", "v7", "10.0")).to_json()["platform"]
    assert stated == {
        "architecture": "arm",
        "os": "windows",
        "variant": "v7",
        "os.version": "10.0",
    }
    assert descriptor.on(Platform("linux", "amd64")).to_json()["platform"] == {
        "architecture": "amd64",
        "os": "linux",
    }


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "annotations", "platform", "urls", "data", "artifactType", "x"]),
        _json | st.sampled_from([DIGEST, "a/b", 5]),
    )
)
def test_arbitrary_objects_are_descriptors_or_refused(value: dict[str, Any]) -> None:
    try:
        descriptor = Descriptor.from_json(value, "x")
    except InvalidDescriptor:
        return
    assert descriptor.to_json() == value
    assert all(isinstance(each, str) for each in descriptor.annotations.values())
    assert descriptor.platform is None or str(descriptor.platform) is not None
