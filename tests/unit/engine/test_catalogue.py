from __future__ import annotations

import pytest

from nacre.engine.catalogue import AmbiguousID, NoSuchImage
from nacre.oci.digest import Digest
from nacre.oci.reference import InvalidReference
from nacre.testing.builders import LINUX, Content, an_index
from tests.unit.engine.stock import ARM, Stock, id_of, image_of


def two_ids_that_start_alike() -> tuple[Content, Content, str]:
    """Return two images and the first digit that their IDs have in common."""
    seen: dict[str, Content] = {}
    for number in range(100):
        image = image_of(str(number))
        start = id_of(image)[len("sha256:") :][0]
        if start in seen:
            return seen[start], image, start
        seen[start] = image
    raise AssertionError


@pytest.mark.parametrize(
    "text", ["app", "app:latest", "docker.io/library/app", "index.docker.io/library/app:latest"]
)
def test_a_name_is_found_in_each_of_its_spellings(text: str, stock: Stock) -> None:
    image = image_of("a")
    stock.keep(image, "app")
    assert stock.images.get(text).id == id_of(image)


@pytest.mark.parametrize("length", [1, 7, 12, 63, 64])
@pytest.mark.parametrize("scheme", ["", "sha256:"])
def test_an_id_is_found_at_any_length(length: int, scheme: str, stock: Stock) -> None:
    image = image_of("a")
    stock.keep(image, "app")
    text = scheme + id_of(image)[len("sha256:") :][:length]
    assert stock.images.get(text).id == id_of(image)


def test_an_image_without_a_name_is_found_by_its_id(stock: Stock) -> None:
    image = image_of("a")
    stock.keep(image)
    assert stock.images.get(id_of(image)).is_dangling


def test_a_short_id_of_several_images_is_ambiguous(stock: Stock) -> None:
    one, two, start = two_ids_that_start_alike()
    stock.keep(one, "one")
    stock.keep(two, "two")
    with pytest.raises(AmbiguousID, match="2 images") as raised:
        stock.images.get(start)
    assert raised.value.remedy
    assert stock.images.get(id_of(one)).tags == ("one:latest",)


def test_two_forms_of_one_image_are_not_ambiguous(stock: Stock) -> None:
    plain, packed = image_of("a", compressed=False), image_of("a")
    assert id_of(plain) == id_of(packed)
    stock.keep(plain, "app")
    stock.keep(packed, "app:packed")
    found = stock.images.get(id_of(plain)[7:14])
    assert found.tags == ("app:latest", "app:packed")
    assert len(stock.images.list()) == 1


def test_a_name_takes_precedence_over_an_id(stock: Stock) -> None:
    """An image may be called as the ID of another begins."""
    one, two = image_of("1"), image_of("2")
    stock.keep(one, "app")
    prefix = id_of(one)[7:19]
    stock.keep(two, prefix)
    assert stock.images.get(prefix).id == id_of(two)
    assert stock.images.get(f"sha256:{prefix}").id == id_of(one)


@pytest.mark.parametrize(
    "text", ["nobody", "0" * 12, "sha256:" + "0" * 64, f"app@sha256:{'0' * 64}"]
)
def test_what_is_not_here_is_named(text: str, stock: Stock) -> None:
    stock.keep(image_of("a"), "app")
    with pytest.raises(NoSuchImage, match="No such image: "):
        stock.images.get(text)


def test_what_is_neither_name_nor_id_says_so(stock: Stock) -> None:
    with pytest.raises(InvalidReference):
        stock.images.get("Upper/Case")


def test_a_digest_is_found_in_the_repository_that_has_it(stock: Stock) -> None:
    root = stock.keep(image_of("a"), "app")
    stock.store.state.add_repo_digest("docker.io/library/app", root, image=root.digest)
    assert stock.images.get(f"app@{root.digest}").repo_digests == (f"app@{root.digest}",)
    assert stock.images.get(f"app:ignored@{root.digest}").tags == ("app:latest",)
    with pytest.raises(NoSuchImage):
        stock.images.get(f"other@{root.digest}")


def test_the_digest_of_a_manifest_finds_the_image(stock: Stock) -> None:
    image = image_of("a")
    root = stock.keep(image, "app")
    assert stock.images.get(str(root.digest)).id == id_of(image)


def test_an_index_goes_by_the_id_of_this_machines_image(stock: Stock) -> None:
    here, there = image_of("here"), image_of("there", platform=ARM)
    index = an_index([there, here])
    root = stock.keep(index, "app")
    found = stock.images.get("app")
    assert found.id == id_of(here)
    assert found.records[0].descriptor == root
    assert found.view.platform == LINUX
    assert stock.images.get("app", platform="linux/arm64").view.config.digest == id_of(there)
    assert stock.images.get(str(root.digest)).id == id_of(here)


def test_a_damaged_image_does_not_hide_the_others(stock: Stock) -> None:
    sound, broken = image_of("sound"), image_of("broken")
    stock.keep(sound, "sound")
    stock.keep(broken, "broken")
    stock.store.blobs.delete(Digest(id_of(broken)))
    listed = {image.tags[0]: image for image in stock.images.list()}
    assert set(listed) == {"sound:latest", "broken:latest"}
    assert listed["broken:latest"].created == ""
    assert listed["broken:latest"].labels == {}
    assert stock.images.size(listed["broken:latest"]) == 0
    assert stock.images.size(listed["sound:latest"]) > 0


def test_images_are_listed_newest_first(stock: Stock) -> None:
    for day in ("03", "01", "02"):
        stock.keep(image_of(day, config={"created": f"2024-01-{day}T00:00:00Z"}), f"app:{day}")
    assert [image.tags for image in stock.images.list()] == [
        ("app:03",),
        ("app:02",),
        ("app:01",),
    ]
