"""The files inside an archive: strict names, links that stay inside, nothing extracted."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nacre.transports import members as members_module
from nacre.transports.members import InvalidArchive, Members, NoSuchMember
from tests.unit.transports.tars import Member, a_tar

Opener = Callable[..., Members]


@pytest.fixture
def members(tmp_path: Path) -> Iterator[Opener]:
    with ExitStack() as stack:

        def opened(*listed: Member, kind: bytes = tarfile.SYMTYPE) -> Members:
            path = tmp_path / "archive.tar"
            path.write_bytes(a_tar(*listed, kind=kind))
            return Members(stack.enter_context(path.open("rb")), "the archive")

        yield opened


def test_files_are_found_by_their_normal_name(members: Opener) -> None:
    found = members(("./a/b", b"one"), ("c//d", b"two"))
    assert list(found.names()) == ["a/b", "c/d"]
    assert found.read("a/./b", 10) == b"one"
    assert found.read("c/d", 10) == b"two"


def test_a_stream_reads_its_member_and_nothing_beyond(members: Opener) -> None:
    found = members(("a", b"0123456789"), ("b", b"next"))
    with found.stream(found.find("a"), 4) as stream:
        assert stream.read(3) == b"456"
        buffer = bytearray(10)
        assert stream.readinto(buffer) == 3  # type: ignore[attr-defined]
        assert stream.read() == b""


def test_what_is_not_there_is_not_found(members: Opener) -> None:
    found = members(("a", b""))
    assert not found.has("b")
    with pytest.raises(NoSuchMember, match="the archive has no file 'b'"):
        found.find("b")


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "..", "./../x"])
def test_a_member_outside_is_refused(members: Opener, name: str) -> None:
    with pytest.raises(InvalidArchive, match="which lies outside of it") as caught:
        members(("good", b""), (name, b"evil"))
    assert caught.value.remedy


def test_a_member_with_dots_in_the_middle_is_refused(members: Opener) -> None:
    with pytest.raises(InvalidArchive, match="ambiguous"):
        members(("a/../b", b""))


@pytest.mark.parametrize("name", ["../x", "/etc/passwd"])
def test_asking_for_what_lies_outside_is_refused(members: Opener, name: str) -> None:
    with pytest.raises(InvalidArchive, match="lies outside"):
        members(("a", b"")).find(name)


@pytest.mark.parametrize("names", [("a", "a"), ("a", "./a"), ("a/b", "a//b")])
def test_two_files_of_one_name_are_refused(members: Opener, names: tuple[str, str]) -> None:
    with pytest.raises(InvalidArchive, match="twice"):
        members((names[0], b"1"), (names[1], b"2"))


def test_a_link_and_a_file_of_one_name_are_refused(members: Opener) -> None:
    with pytest.raises(InvalidArchive, match="twice"):
        members(("a", b"1"), ("a", "b"))


def test_a_symbolic_link_is_followed_inside(members: Opener) -> None:
    found = members(("one/layer.tar", b"layer"), ("two/layer.tar", "../one/layer.tar"))
    assert found.read("two/layer.tar", 10) == b"layer"


def test_a_link_may_come_before_what_it_leads_to(members: Opener) -> None:
    assert members(("a", "b"), ("b", b"data")).read("a", 10) == b"data"


@pytest.mark.parametrize("target", ["../x", "/etc/passwd", "../../etc/passwd"])
def test_a_symbolic_link_to_the_outside_is_refused(members: Opener, target: str) -> None:
    with pytest.raises(InvalidArchive, match="lies outside"):
        members(("layer.tar", target))


def test_links_in_a_circle_are_refused(members: Opener) -> None:
    found = members(("a", "b"), ("b", "a"))
    with pytest.raises(InvalidArchive, match="leads in a circle"):
        found.has("a")


def test_a_link_to_nothing_is_nothing(members: Opener) -> None:
    assert not members(("a", "b")).has("a")


def test_a_hard_link_is_another_name(members: Opener) -> None:
    found = members(("dir/a", b"data"), ("dir/b", "dir/a"), kind=tarfile.LNKTYPE)
    assert found.read("dir/b", 10) == b"data"


def test_a_hard_link_to_the_outside_is_refused(members: Opener) -> None:
    with pytest.raises(InvalidArchive, match="lies outside"):
        members(("a", "../a"), kind=tarfile.LNKTYPE)


def test_a_device_is_refused(members: Opener) -> None:
    with pytest.raises(InvalidArchive, match="neither file, folder nor link"):
        members(("null", ""), kind=tarfile.CHRTYPE)


def test_a_small_file_has_a_limit(members: Opener) -> None:
    with pytest.raises(InvalidArchive, match="'a' is larger than 3 bytes"):
        members(("a", b"four")).read("a", 3)


@pytest.mark.parametrize(
    "raw", [b"", b"no tar at all", b"x" * 2000, a_tar(("a", b"x" * 1000))[:1024]]
)
def test_what_is_no_sound_tar_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "archive.tar"
    path.write_bytes(raw)
    with path.open("rb") as file, pytest.raises(InvalidArchive, match="the archive is"):
        Members(file, "the archive")


def test_hostile_names_are_shown_without_their_control_characters(members: Opener) -> None:
    with pytest.raises(InvalidArchive) as caught:
        members(("../\x1b[31m", b""))
    assert "\x1b" not in str(caught.value)


def test_more_members_than_any_image_has_are_refused(
    members: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members_module, "_MOST_MEMBERS", 3)
    with pytest.raises(InvalidArchive, match="more than 3 entries"):
        members(*((str(number), b"") for number in range(4)))
