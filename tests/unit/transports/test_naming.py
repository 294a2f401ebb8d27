"""Which image of an index somebody means."""

from __future__ import annotations

import pytest

from nacre.content.layout import REF_NAME
from nacre.content.refs import RefNotFound
from nacre.oci.descriptor import Descriptor
from nacre.transports import naming

ONE, TWO = (Descriptor.of("application/vnd.oci.image.manifest.v1+json", b) for b in (b"1", b"2"))
NGINX = "docker.io/library/nginx:latest"


def entry(descriptor: Descriptor, name: str = "", image_name: str = "") -> Descriptor:
    given = {REF_NAME: name, naming.IMAGE_NAME: image_name}
    return descriptor.annotated(**{key: value for key, value in given.items() if value})


ENTRIES = [entry(ONE, "v1"), entry(TWO, "latest", NGINX)]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("v1", ONE),
        ("latest", TWO),
        (NGINX, TWO),
        ("nginx", TWO),
        ("nginx:latest", TWO),
        (str(TWO.digest), TWO),
        ("docker.io/library/v1:latest", ONE),
        ("v2", None),
        ("nginx:1", None),
        ("UPPER", None),
    ],
)
def test_a_name_is_found_as_written_in_full_or_short(name: str, found: Descriptor | None) -> None:
    assert naming.find(ENTRIES, name, "here") == found


def test_no_name_is_the_only_image() -> None:
    assert naming.find([entry(ONE, "v1"), entry(ONE, "v2")], "", "here") == ONE


def test_what_states_an_artifact_type_is_not_the_only_image() -> None:
    signature = Descriptor(TWO.media_type, TWO.digest, TWO.size, {"artifactType": "a/b"})
    assert naming.find([signature, entry(ONE)], "", "here") == ONE


def test_no_name_among_several_images_is_refused_with_the_names() -> None:
    with pytest.raises(RefNotFound, match="here holds 2 images and none was named") as caught:
        naming.find(ENTRIES, "", "here")
    assert caught.value.remedy == f"add one of {NGINX}, v1"


def test_no_name_where_there_is_nothing_is_refused() -> None:
    with pytest.raises(RefNotFound, match="there is no image in here"):
        naming.find([], "", "here")


def test_a_missing_name_is_told_with_those_that_are_there() -> None:
    error = naming.not_found(ENTRIES, "v\x1b3", "here")
    assert str(error) == r"no image 'v\x1b3' in here"
    assert error.remedy == f"it holds {NGINX}, v1"


def test_the_whole_name_is_listed_before_the_tag_alone() -> None:
    assert list(naming.all_names([*ENTRIES, entry(ONE)])) == [NGINX, "v1"]


def test_a_whole_name_is_written_for_containerd_too() -> None:
    assert naming.name_annotations(NGINX) == {naming.IMAGE_NAME: NGINX, REF_NAME: NGINX}
    assert naming.name_annotations("v1") == {REF_NAME: "v1"}
    assert naming.name_annotations("nginx:1") == {REF_NAME: "nginx:1"}
    assert naming.name_annotations("") == {}


def test_annotations_of_another_kind_than_text_are_no_names() -> None:
    odd = Descriptor(ONE.media_type, ONE.digest, ONE.size, {"annotations": {REF_NAME: 1}})
    assert naming.names_of(odd) == ()
