from __future__ import annotations

import itertools
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.engine.state import State
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest

ONE = Descriptor.of(mediatypes.OCI_MANIFEST, b"one")
TWO = Descriptor.of(mediatypes.OCI_INDEX, b"two")
PACKED = Descriptor.of(mediatypes.OCI_MANIFEST, b"one, compressed")
LAYER = Descriptor.of(mediatypes.OCI_LAYER_GZIP, b"layer")
TAR = Descriptor.of(mediatypes.OCI_LAYER_TAR, b"tar")
IMAGE_ID = Digest.of(b"config")


class _Failure(Exception):
    pass


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def state(root: Path) -> Iterator[State]:
    ticks = itertools.count(1)
    with State(root, clock=lambda: next(ticks)) as state:
        yield state


def test_a_new_store_is_private_and_empty(root: Path, state: State) -> None:
    assert state.images() == []
    assert state.roots() == []
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in root.iterdir()} == {0o600}


def test_what_was_written_is_there_when_opened_again(root: Path) -> None:
    with State(root) as state:
        state.tag("a", ONE, image_id=IMAGE_ID)
        before = state.images()
    with State(root) as state:
        assert state.images() == before


def test_a_record_tells_all_about_an_image(state: State) -> None:
    state.add_image(ONE, image_id=IMAGE_ID)
    state.tag("b", ONE)
    state.tag("a", ONE)
    state.add_repo_digest("docker.io/library/x", ONE, image=ONE.digest)
    state.add_repo_digest("example.com/x", PACKED, image=ONE.digest)
    (record,) = state.images()
    assert record.descriptor == ONE
    assert record.image_id == IMAGE_ID
    assert (record.added_at, record.last_tag_time) == (1, 3)
    assert record.names == ("a", "b")
    assert record.repo_digests == (
        f"docker.io/library/x@{ONE.digest}",
        f"example.com/x@{PACKED.digest}",
    )


def test_an_image_without_a_config_goes_by_its_own_digest(state: State) -> None:
    state.add_image(ONE)
    (record,) = state.images()
    assert record.image_id == ONE.digest
    assert record.last_tag_time == 0


def test_an_id_once_known_stays_known(state: State) -> None:
    state.tag("a", ONE, image_id=IMAGE_ID)
    state.tag("b", ONE)
    assert [record.image_id for record in state.images()] == [IMAGE_ID]


def test_images_are_in_the_order_they_were_added(state: State) -> None:
    for descriptor in (TWO, ONE, PACKED):
        state.add_image(descriptor)
    state.add_image(TWO)
    assert [record.descriptor for record in state.images()] == [TWO, ONE, PACKED]


def test_a_name_that_moves_leaves_the_image_without_one(state: State) -> None:
    state.tag("a", ONE)
    state.tag("a", TWO)
    assert {record.descriptor: record.names for record in state.images()} == {ONE: (), TWO: ("a",)}


def test_removing_an_image_drops_its_names_and_repo_digests(state: State) -> None:
    state.tag("a", ONE)
    state.tag("b", TWO)
    state.add_repo_digest("x", ONE, image=ONE.digest)
    state.remove_image(ONE.digest)
    state.remove_image(ONE.digest)
    assert list(state.names()) == ["b"]
    assert state.image(ONE.digest) is None
    assert state.image_at("x", ONE.digest) is None
    assert state.roots() == [TWO]


def test_images_are_found_by_digest_id_and_repository(state: State) -> None:
    state.add_image(ONE, image_id=IMAGE_ID)
    state.add_image(PACKED, image_id=IMAGE_ID)
    state.add_image(TWO)
    state.add_repo_digest("x", PACKED, image=ONE.digest)
    found = state.image(ONE.digest)
    assert found
    assert found.descriptor == ONE
    assert state.image_at("x", PACKED.digest) == found
    assert state.image_at("y", PACKED.digest) is None
    assert [each.descriptor for each in state.images_of(IMAGE_ID)] == [ONE, PACKED]
    assert state.image(IMAGE_ID) is None


@pytest.mark.parametrize("length", [1, 12, 64])
def test_images_are_found_by_the_beginning_of_either_id(state: State, length: int) -> None:
    state.add_image(ONE, image_id=IMAGE_ID)
    state.add_image(TWO)
    for digest, descriptor in ((IMAGE_ID, ONE), (ONE.digest, ONE), (TWO.digest, TWO)):
        found = state.images_with_id_prefix(digest.encoded[:length])
        assert descriptor in [record.descriptor for record in found]
    assert state.images_with_id_prefix("f" * 63) == []


def test_a_repo_digest_can_be_forgotten(state: State) -> None:
    state.add_image(ONE)
    state.add_repo_digest("x", ONE, image=ONE.digest)
    state.forget_repo_digest("x", ONE.digest)
    state.forget_repo_digest("x", ONE.digest)
    assert state.images()[0].repo_digests == ()


def test_of_an_image_that_is_gone_no_repo_digest_is_noted(state: State) -> None:
    state.add_repo_digest("x", ONE, image=ONE.digest)
    assert state.roots() == []


def test_what_was_pushed_of_an_image_stays_with_it(state: State) -> None:
    state.add_image(ONE)
    state.add_repo_digest("x", PACKED, image=ONE.digest)
    assert set(state.roots()) == {ONE, PACKED}


def test_sources_of_a_blob_are_those_of_one_registry_latest_first(state: State) -> None:
    state.note_sources([LAYER, TAR], "example.com", "a")
    state.note_sources([LAYER], "example.com", "b")
    state.note_sources([LAYER], "docker.io", "c")
    assert state.blob_sources(LAYER.digest, "example.com") == ["b", "a"]
    state.note_sources([LAYER], "example.com", "a")
    assert state.blob_sources(LAYER.digest, "example.com") == ["a", "b"]
    assert state.blob_sources(TAR.digest, "example.com") == ["a"]
    assert state.blob_sources(ONE.digest, "example.com") == []


def test_a_layer_is_known_by_all_its_forms(state: State) -> None:
    assert state.diff_id_of(LAYER.digest) is None
    assert state.layer_size(TAR.digest) is None
    state.note_layer(TAR, diff_id=TAR.digest, size=3)
    state.note_layer(LAYER, diff_id=TAR.digest, size=3)
    state.note_layer(LAYER, diff_id=TAR.digest, size=3)
    assert state.diff_id_of(LAYER.digest) == state.diff_id_of(TAR.digest) == TAR.digest
    assert state.layer_size(TAR.digest) == 3
    assert state.forms_of(TAR.digest) == [TAR, LAYER]
    assert state.forms_of(LAYER.digest) == []


def test_threads_share_a_state(state: State) -> None:
    def work(prefix: str) -> None:
        for number in range(30):
            state.tag(f"{prefix}{number}", ONE)
            state.resolve(f"{prefix}{number}")

    threads = [threading.Thread(target=work, args=(prefix,)) for prefix in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(state.names())) == 90


def test_roots_are_images_and_what_is_held(state: State) -> None:
    state.add_image(ONE)
    with state.lease() as lease:
        lease.hold([LAYER])
        assert set(state.roots()) == {ONE, LAYER}
        with state.collecting() as roots:
            assert set(roots) == {ONE, LAYER}
    assert state.roots() == [ONE]


def test_a_collection_that_fails_changes_nothing(state: State) -> None:
    state.add_image(ONE)
    with pytest.raises(_Failure), state.collecting():  # noqa: PT012
        state.remove_image(ONE.digest)
        raise _Failure
    assert state.roots() == [ONE]


def test_a_change_of_several_steps_is_whole_or_nothing(state: State) -> None:
    state.tag("a", ONE)
    with pytest.raises(_Failure), state.changing():  # noqa: PT012
        state.untag("a")
        raise _Failure
    assert list(state.names()) == ["a"]
    with state.changing():
        state.untag("a")
        state.remove_image(ONE.digest)
    assert state.images() == []


def test_a_collection_may_change_the_state_itself(state: State) -> None:
    state.add_image(ONE)
    with state.collecting():
        state.remove_image(ONE.digest)
    assert state.roots() == []


def test_holding_waits_for_a_collection_to_end(root: Path, state: State) -> None:
    steps: list[str] = []
    started = threading.Event()

    def hold() -> None:
        with State(root) as other, other.lease() as lease:
            started.set()
            lease.hold([LAYER])
            steps.append("held")

    with state.collecting() as roots:
        thread = threading.Thread(target=hold)
        thread.start()
        started.wait()
        thread.join(0.2)
        steps.append("collected")
        assert roots == []
    thread.join()
    assert steps == ["collected", "held"]


def test_tagging_waits_for_a_collection_to_end(root: Path, state: State) -> None:
    steps: list[str] = []

    def tag() -> None:
        with State(root) as other:
            other.tag("a", ONE)
            steps.append("tagged")

    with state.collecting():
        thread = threading.Thread(target=tag)
        thread.start()
        thread.join(0.2)
        steps.append("collected")
    thread.join()
    assert steps == ["collected", "tagged"]


def test_reading_does_not_wait_for_a_collection(root: Path, state: State) -> None:
    state.tag("a", ONE)
    with State(root) as other, state.collecting():
        state.remove_image(ONE.digest)
        assert other.resolve("a") == ONE
