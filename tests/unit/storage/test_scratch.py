"""Scratches appear and go whole, have one user at a time, and survive everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from nacre.errors import AlreadyExists, Conflict, Invalid, NotFound
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain
from nacre.storage.scratch import Scratch, Scratches

CHAIN = Chain.of(Digest.of(name) for name in (b"a", b"b", b"a"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


@pytest.fixture
def scratches(folder: Path) -> Scratches:
    return Scratches(folder, "erofs")


def nothing(_scratch: Scratch) -> None:
    """Put nothing in it."""


def all_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_is_made_with_its_folders_and_filled(scratches: Scratches, folder: Path) -> None:
    scratches.make("one", CHAIN, lambda made: made.upper.joinpath("x").touch())
    with scratches.taken("one") as scratch:
        assert scratch == Scratch("one", "erofs", CHAIN, folder / "one")
        assert [path.name for path in scratch.upper.iterdir()] == ["x"]
        assert [*scratch.work.iterdir(), *scratch.tree.iterdir()] == []


def test_they_are_listed_by_name(scratches: Scratches) -> None:
    assert list(scratches) == []
    for name in ("b", "a"):
        scratches.make(name, CHAIN, nothing)
    assert [(each.name, each.chain) for each in scratches] == [("a", CHAIN), ("b", CHAIN)]


def test_the_chain_of_no_layers(scratches: Scratches) -> None:
    scratches.make("one", Chain(()), nothing)
    assert [each.chain for each in scratches] == [Chain(())]


def test_a_name_is_given_once(scratches: Scratches) -> None:
    scratches.make("one", CHAIN, nothing)
    with pytest.raises(AlreadyExists, match="one exists"):
        scratches.make("one", Chain(()), nothing)
    assert [each.chain for each in scratches] == [CHAIN]


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".a", "-a", "a/b", "/", "a b", "\n", "é", "a" * 201]
)
def test_what_is_no_name_is_refused(scratches: Scratches, name: str) -> None:
    with pytest.raises(Invalid, match="no name"):
        scratches.make(name, CHAIN, nothing)


@pytest.mark.parametrize("name", ["a", "0", "A.b_c-d", "a" * 200, "a.lock", "a.new"])
def test_names(scratches: Scratches, name: str) -> None:
    scratches.make(name, CHAIN, nothing)
    scratches.recover()
    assert [each.name for each in scratches] == [name]


def test_one_process_at_a_time(scratches: Scratches, folder: Path) -> None:
    scratches.make("one", CHAIN, nothing)
    others = Scratches(folder, "erofs")
    with scratches.taken("one"):
        with pytest.raises(Conflict, match="in use"), others.taken("one"):
            pass
        with pytest.raises(Conflict, match="in use"):
            others.remove("one")
    with others.taken("one"):
        pass


def test_one_that_is_not_there(scratches: Scratches) -> None:
    with pytest.raises(NotFound, match="no scratch one"), scratches.taken("one"):
        pass
    scratches.remove("one")


def test_one_of_another_driver(scratches: Scratches, folder: Path) -> None:
    Scratches(folder, "overlay").make("one", CHAIN, nothing)
    assert list(scratches) == []
    with pytest.raises(Conflict, match="storage driver overlay") as caught:
        scratches.remove("one")
    assert caught.value.remedy == "use --storage-driver overlay"


def test_removed_is_removed(scratches: Scratches, folder: Path) -> None:
    scratches.make("one", CHAIN, lambda made: made.upper.joinpath("x").mkdir(mode=0o000))
    scratches.remove("one")
    assert all_names(folder) == []


def test_nothing_is_left_of_one_that_cannot_be_made(scratches: Scratches, folder: Path) -> None:
    def fail(_made: Scratch) -> None:
        raise Conflict("no")

    with pytest.raises(Conflict):
        scratches.make("one", CHAIN, fail)
    assert all_names(folder) == []


def test_half_of_one_is_cleared_away(scratches: Scratches, folder: Path) -> None:
    scratches.make("kept", CHAIN, nothing)
    for left in (".one.new/upper/x", ".two.old/upper"):
        (folder / left).mkdir(parents=True)
    (folder / ".three.lock").touch()
    scratches.recover()
    assert all_names(folder) == ["kept"]


def test_half_of_one_is_no_obstacle(scratches: Scratches, folder: Path) -> None:
    (folder / ".one.new/upper/x").mkdir(parents=True)
    scratches.make("one", CHAIN, nothing)
    (folder / ".one.old/upper").mkdir(parents=True)
    scratches.remove("one")
    assert all_names(folder) == []


def test_one_in_use_is_not_cleared_away(scratches: Scratches, folder: Path) -> None:
    scratches.make("one", CHAIN, nothing)
    with scratches.taken("one") as scratch:
        Scratches(folder, "erofs").recover()
        assert scratch.upper.is_dir()


def test_mounts_are_ended_before_it_is_used_again(folder: Path) -> None:
    ended: list[str] = []
    scratches = Scratches(folder, "erofs", end=lambda scratch: ended.append(scratch.name))
    scratches.make("one", CHAIN, nothing)
    with scratches.taken("one"):
        pass
    scratches.recover()
    scratches.remove("one")
    assert ended == ["one"] * 3


@pytest.mark.parametrize("record", ["", "erofs\nnonsense\n", "erofs\nsha256:12\n", "\xff"])
def test_a_damaged_record_is_told(scratches: Scratches, folder: Path, record: str) -> None:
    scratches.make("one", CHAIN, nothing)
    (folder / "one" / "chain").write_text(record, encoding="latin-1")
    with pytest.raises(Invalid, match="damaged"):
        list(scratches)
    scratches.recover()
