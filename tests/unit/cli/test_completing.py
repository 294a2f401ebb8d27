"""What the last word of a command line may become."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from nacre.cli import catalogue
from nacre.cli.completing import candidates
from nacre.cli.flags import Given

NAMES = ["debian:base", "debian:testing", "localhost:5000/demo/debian:base"]


def complete(line: str) -> list[str]:
    """Return what may follow a line; a blank at its end begins a new word."""
    return candidates(line.split(" "), lambda _options: NAMES)


def refuse(_options: Given) -> Iterable[str]:
    pytest.fail("image names are not needed for that")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("im", ["image", "images", "import"]),
        ("image l", ["layers", "load", "ls"]),
        ("manifest ", ["create", "inspect", "push"]),
        ("image rm --f", ["--force"]),
        ("image rm --f debian:base", []),
        ("history debian:", ["debian:base", "debian:testing"]),
        ("history --no-trunc debian:t", ["debian:testing"]),
        ("rmi debian:base local", ["localhost:5000/demo/debian:base"]),
        ("tag debian:base debian:", ["debian:base", "debian:testing"]),
        ("images d", ["debian:base", "debian:testing"]),
        ("save -o x.tar debian:b", ["debian:base"]),
        ("image copy debian:b", ["debian:base"]),
        ("image cat debian:b", ["debian:base"]),
        ("image cat debian:base:/x debian:b", ["debian:base"]),
        ("image diff debian:base debian:t", ["debian:testing"]),
        ("image ls -l debian:b", ["debian:base"]),
        ("pull --progress ", ["auto", "bars", "json", "plain", "quiet"]),
        ("pull --progress=p", ["--progress=plain"]),
        ("pull -q --progress p", ["plain"]),
        ("completion z", ["zsh"]),
        ("--ro", ["--root"]),
        ("--root /x --debug hist", ["history"]),
        ("history -- --", []),
    ],
)
def test_the_last_word_is_completed(line: str, found: list[str]) -> None:
    assert complete(line) == found


def test_an_empty_line_offers_every_command() -> None:
    assert set(complete("")) == {*catalogue.single_words(), *catalogue.GROUPS}


@pytest.mark.parametrize(
    "line",
    [
        "load -i ",
        "save -o ",
        "--root ",
        "history --format ",
        "import ",
        "image cp debian:base:/etc ",
        "image export -o ",
        "login ",
        "nope ",
        "image nope ",
        "image ls --nope ",
        "images --filter x ",
        "version ",
    ],
)
def test_where_nothing_is_known_the_shell_offers_files(line: str) -> None:
    assert candidates(line.split(" "), refuse) == []


def test_names_come_from_the_store_that_the_line_chooses() -> None:
    roots: list[str] = []

    def names(options: Given) -> Iterable[str]:
        roots.append(options.root)
        return NAMES

    candidates(["--root", "/a", "history", ""], names)
    candidates(["--root=/b", "-D", "image", "history", ""], names)
    assert roots == ["/a", "/b"]


def test_every_flag_of_a_command_is_offered() -> None:
    assert complete("history --") == [
        "--format", "--help", "--human", "--no-trunc", "--platform", "--quiet",
    ]  # fmt: skip


def test_paths_inside_of_images_are_completed() -> None:
    asked: list[tuple[str, str]] = []

    def inside(_options: Given, image: str, directory: str) -> Iterable[str]:
        asked.append((image, directory))
        return ["etc/", "motd", "my notes", "bad\nname"]

    def found(line: str) -> list[str]:
        return candidates(line.split(" "), refuse, inside)

    assert found("image cat debian:base:/") == ["debian:base:/etc/", "debian:base:/motd"]
    assert found("image ls -l debian:/usr/e") == ["debian:/usr/etc/"]
    assert found("image cp host:5000/a:1:/a/b/m") == ["host:5000/a:1:/a/b/motd"]
    assert asked == [("debian:base", "/"), ("debian", "/usr/"), ("host:5000/a:1", "/a/b/")]


def test_paths_are_offered_only_where_one_can_be() -> None:
    def never(_options: Given, _image: str, _directory: str) -> Iterable[str]:
        pytest.fail("no path can be there")

    assert candidates(["image", "diff", "debian:/"], lambda _: NAMES, never) == []
    assert candidates(["image", "cp", "debian:/etc", "x:/"], refuse, never) == []
