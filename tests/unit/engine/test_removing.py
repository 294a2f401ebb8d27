from __future__ import annotations

import threading

import pytest

from nacre.engine import removing
from nacre.engine.catalogue import Catalogue, LocalImage, NoSuchImage
from nacre.engine.removing import Deleted, Untagged
from nacre.engine.state import State
from nacre.errors import Conflict
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.platform import Platform
from nacre.testing.builders import LINUX, a_layer, an_image, an_index
from tests.unit.engine.stock import ARM, Stock, full, id_of, image_of


def test_a_name_of_several_goes_and_the_image_stays(stock: Stock) -> None:
    image = image_of("a")
    stock.keep(image, "app:1", "app:2")
    assert stock.images.remove("app:1") == [Untagged("app:1")]
    assert stock.tags() == {"app:2": id_of(image)}
    assert stock.blobs() >= set(image.blobs)


def test_the_image_goes_with_its_last_name(stock: Stock) -> None:
    image = image_of("a")
    stock.keep(image, "app:1")
    removals = stock.images.remove("app:1")
    assert removals[:2] == [Untagged("app:1"), Deleted(Digest(id_of(image)))]
    assert [type(each) for each in removals[2:]] == [Deleted]
    assert not stock.images.list()
    assert not stock.blobs()


def test_layers_are_told_from_the_top_down_and_shared_ones_stay(stock: Stock) -> None:
    layers = [a_layer({f"{at}": b"x"}) for at in range(3)]
    base, app = an_image(layers[:1]), an_image(layers)
    stock.keep(base, "base")
    stock.keep(app, "app")
    chain = stock.images.get("app").view.chain_ids
    assert stock.images.remove("app")[2:] == [Deleted(chain[2]), Deleted(chain[1])]
    assert stock.blobs() == set(base.blobs)


def test_an_id_takes_all_names_of_one_repository(stock: Stock) -> None:
    image = image_of("a")
    stock.keep(image, "app:1", "app:2")
    removals = stock.images.remove(id_of(image)[7:19])
    assert removals[:2] == [Untagged("app:1"), Untagged("app:2")]
    assert not stock.tags()


def test_an_id_that_several_repositories_name_must_be_forced(stock: Stock) -> None:
    image = image_of("a")
    stock.keep(image, "app:1", "team/app:1")
    with pytest.raises(Conflict, match="must be forced.*multiple repositories") as raised:
        stock.images.remove(id_of(image))
    assert raised.value.remedy
    assert len(stock.tags()) == 2
    stock.images.remove(id_of(image), force=True)
    assert not stock.images.list()
    assert not stock.blobs()


def test_a_digest_takes_all_names_of_its_repository(stock: Stock) -> None:
    image = image_of("a")
    root = stock.keep(image, "app:1", "app:2", "other:1")
    stock.store.state.add_repo_digest("docker.io/library/app", root, image=root.digest)
    removals = stock.images.remove(f"app@{root.digest}")
    assert removals == [
        Untagged("app:1"),
        Untagged("app:2"),
        Untagged(f"app@{root.digest}"),
    ]
    assert set(stock.tags()) == {"other:1"}


def test_the_last_tag_of_a_repository_takes_its_digests_along(stock: Stock) -> None:
    root = stock.keep(image_of("a"), "app:1", "other:1")
    for name in ("app", "other"):
        stock.store.state.add_repo_digest(f"docker.io/library/{name}", root, image=root.digest)
    assert stock.images.remove("app:1") == [Untagged("app:1"), Untagged(f"app@{root.digest}")]
    assert stock.images.get("other:1").repo_digests == (f"other@{root.digest}",)


def test_an_image_pulled_by_digest_only_goes_by_that_digest(stock: Stock) -> None:
    image = image_of("a")
    root = stock.keep(image)
    stock.store.state.add_repo_digest("docker.io/library/app", root, image=root.digest)
    stock.images.remove(f"app@{root.digest}")
    assert not stock.images.list()
    assert not stock.blobs()


REPOSITORY = "docker.io/library/app"


def keep_twice(stock: Stock, *, tags: bool) -> tuple[Descriptor, Descriptor]:
    """Keep one image as two manifests, each known by its digest, and as ``:d`` and ``:n``."""
    layer = a_layer({"a": b"a"})
    plain, packed = an_image([layer], compressed=False), an_image([layer])
    assert id_of(plain) == id_of(packed)
    roots = []
    for content, tag in ((plain, "d"), (packed, "n")):
        root = stock.keep(content, *([f"app:{tag}"] if tags else []))
        stock.store.state.add_repo_digest(REPOSITORY, root, image=root.digest)
        roots.append(root)
    return roots[0], roots[1]


@pytest.mark.parametrize("tags", [True, False], ids=["tagged", "by digest only"])
def test_a_digest_leaves_the_other_digests_of_the_image(stock: Stock, *, tags: bool) -> None:
    plain, packed = keep_twice(stock, tags=tags)
    gone = [Untagged(f"app@{plain.digest}")]
    if tags:
        gone.insert(0, Untagged("app:d"))
    assert stock.images.remove(f"app@{plain.digest}") == gone
    left = stock.images.get(f"app@{packed.digest}")
    assert left.tags == (("app:n",) if tags else ())
    assert left.repo_digests == (f"app@{packed.digest}",)
    assert [record.descriptor for record in left.records] == [packed]
    assert plain.digest not in stock.blobs()
    assert not list(next(stock.images.verify([left.id])).problems)


def test_the_last_digest_takes_the_image_along(stock: Stock) -> None:
    plain, packed = keep_twice(stock, tags=True)
    stock.images.remove(f"app@{plain.digest}")
    removals = stock.images.remove(f"app@{packed.digest}")
    assert removals[:2] == [Untagged("app:n"), Untagged(f"app@{packed.digest}")]
    assert not stock.images.list()
    assert not stock.blobs()


def test_tags_that_may_be_another_digests_stay(stock: Stock) -> None:
    # Kept unpacked, what was pulled under two digests is here once: whose is the tag?
    root = stock.keep(image_of("a"), "app:1")
    other = image_of("other").root.bare()
    for known in (root, other):
        stock.store.state.add_repo_digest(REPOSITORY, known, image=root.digest)
    assert stock.images.remove(f"app@{other.digest}") == [Untagged(f"app@{other.digest}")]
    assert stock.images.get("app:1").repo_digests == (f"app@{root.digest}",)


def test_the_last_tag_leaves_what_another_repository_has_by_digest(stock: Stock) -> None:
    root = stock.keep(image_of("a"), "app:1")
    for name in ("app", "other"):
        stock.store.state.add_repo_digest(f"docker.io/library/{name}", root, image=root.digest)
    assert stock.images.remove("app:1") == [Untagged("app:1"), Untagged(f"app@{root.digest}")]
    assert stock.images.get(f"other@{root.digest}").repo_digests == (f"other@{root.digest}",)


def test_what_is_not_here_is_not_removed(stock: Stock) -> None:
    stock.keep(image_of("a"), "app:1")
    with pytest.raises(NoSuchImage):
        stock.images.remove("app:2")
    assert set(stock.tags()) == {"app:1"}


def test_bytes_stay_until_the_next_prune_when_so_asked(stock: Stock) -> None:
    image = image_of("a")
    stock.keep(image, "app:1")
    stock.images.remove("app:1", prune=False)
    assert stock.blobs() == set(image.blobs)
    assert stock.images.prune().reclaimed == sum(map(len, image.blobs.values()))
    assert not stock.blobs()


def test_an_index_goes_with_all_its_images(stock: Stock) -> None:
    index = an_index([image_of("1"), image_of("2", platform=ARM)])
    stock.keep(index, "app:1")
    stock.images.remove("app:1")
    assert not stock.blobs()


def test_an_image_that_an_index_lists_keeps_its_bytes(stock: Stock) -> None:
    child = image_of("1")
    index = an_index([child, image_of("2", platform=ARM)])
    stock.keep(index, "index:1")
    stock.keep(child, "child:1")
    stock.images.remove("child:1")
    assert stock.blobs() == set(index.blobs)
    assert not list(next(stock.images.verify(["index:1"])).problems)


@pytest.mark.parametrize("position", range(3))
def test_a_damaged_image_can_be_removed(position: int, stock: Stock) -> None:
    image, other = image_of("a"), image_of("other")
    stock.keep(image, "app:1")
    stock.keep(other, "other:1")
    stock.store.blobs.delete(Digest(list(image.blobs)[position]))
    stock.images.remove("app:1")
    assert stock.blobs() == set(other.blobs)


# Pruning.


def test_pruning_takes_images_without_a_name_only(stock: Stock) -> None:
    named, nameless = image_of("named"), image_of("nameless")
    stock.keep(named, "app:1")
    stock.keep(nameless)
    pruned = stock.images.prune()
    assert Deleted(Digest(id_of(nameless))) in pruned.removals
    assert pruned.reclaimed == sum(map(len, nameless.blobs.values()))
    assert stock.blobs() == set(named.blobs)


def test_pruning_everything_takes_all(stock: Stock) -> None:
    stock.keep(image_of("1"), "app:1", "team/app:1")
    stock.keep(image_of("2"))
    pruned = stock.images.prune(everything=True)
    assert {each.name for each in pruned.removals if isinstance(each, Untagged)} == {
        "app:1",
        "team/app:1",
    }
    assert not stock.images.list()
    assert not stock.blobs()


def test_a_shared_layer_is_told_once_when_all_its_images_are_pruned(stock: Stock) -> None:
    layers = [a_layer({f"{at}": b"x"}) for at in range(2)]
    stock.keep(an_image(layers), "two")
    stock.keep(an_image(layers[:1]), "one")
    removals = stock.images.prune(everything=True).removals
    gone = [each.digest for each in removals if isinstance(each, Deleted)]
    assert len(gone) == len(set(gone)) == 4


def test_pruning_by_label_and_age(stock: Stock) -> None:
    old = {"created": "2020-01-01T00:00:00Z", "config": {"Labels": {"keep": "yes"}}}
    new = {"created": "2024-01-01T00:00:00Z"}
    stock.keep(image_of("old", config=old), "old")
    stock.keep(image_of("new", config=new), "new")
    stock.images.prune(everything=True, filters=["label!=keep", "until=2022-01-01"])
    assert set(stock.tags()) == {"old:latest", "new:latest"}
    stock.images.prune(everything=True, filters=["until=2022-01-01"])
    assert set(stock.tags()) == {"new:latest"}


def test_the_name_that_moves_away_leaves_its_image_dangling(stock: Stock) -> None:
    one, two = image_of("1"), image_of("2")
    stock.keep(one, "app")
    stock.keep(two, "app")
    assert stock.tags() == {"app:latest": id_of(two)}
    assert stock.images.get(id_of(one)).is_dangling
    stock.images.prune()
    assert stock.blobs() == set(two.blobs)


def test_pruning_sweeps_what_dead_processes_were_writing(stock: Stock) -> None:
    stock.keep(image_of("a"), "app")
    ingest = stock.store.root / "ingest"
    ingest.mkdir(exist_ok=True)
    (ingest / "tmp-1-00112233aabbccdd").write_bytes(b"12345")
    (ingest / f"sha256-{'0' * 64}.part").write_bytes(b"123")
    assert stock.images.prune().reclaimed == 5
    assert [path.suffix for path in ingest.iterdir()] == [".part"]
    assert stock.engine.system.prune().reclaimed == 3
    assert not ingest.exists()


# Two at once.


class SlowCatalogue(Catalogue):
    """Lets somebody else try to change the store between looking and removing."""

    def __init__(self, stock: Stock, disturb: threading.Thread) -> None:
        super().__init__(stock.store, LINUX)
        self._disturb = disturb

    def find(self, text: str, platform: Platform | None = None) -> LocalImage:
        found = super().find(text, platform)
        self._start()
        return found

    def all(self) -> list[LocalImage]:
        found = super().all()
        self._start()
        return found

    def _start(self) -> None:
        if not self._disturb.ident:
            self._disturb.start()
            self._disturb.join(0.3)


@pytest.mark.parametrize("verb", ["remove", "prune"])
def test_a_name_given_meanwhile_does_not_go_with_the_image(verb: str, stock: Stock) -> None:
    root = stock.keep(image_of("a"), *(["app:1"] if verb == "remove" else []))
    image_id = stock.images.list()[0].id

    def give_name() -> None:
        with State(stock.store.root) as other:
            other.tag(full("other:1"), root, image_id=image_id)

    giver = threading.Thread(target=give_name)
    catalogue = SlowCatalogue(stock, giver)
    if verb == "remove":
        removing.remove(stock.store, catalogue, "app:1", force=False, prune=False, mounts=list)
    else:
        removing.prune(
            stock.store, catalogue, everything=False, filters=[], downloads=False, mounts=list
        )
    giver.join()
    assert list(stock.store.names()) == [full("other:1")]
