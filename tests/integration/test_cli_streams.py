"""Odd surroundings: closed streams, full disks, legacy locales, words that are no text."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from nacre.testing.builders import a_layer
from tests.peers.nacre import NacreCli
from tests.peers.tools import run

LEGACY = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
CREATED_BY = "made by 日本語 <hand>, and by a tool with a very long name"


@pytest.fixture
def demo(nacre_cli: NacreCli, a_tar: Path) -> NacreCli:
    """A nacre with an image ``demo:1`` whose label and comment are not ASCII."""
    nacre_cli("import", "-c", "LABEL name=日本語", "-m", CREATED_BY, a_tar, "demo:1")
    return nacre_cli


def test_a_reader_who_has_enough_ends_the_command_quietly(demo: NacreCli) -> None:
    done = demo.in_shell("nacre inspect demo:1 | head -1; echo ${PIPESTATUS[0]}")
    assert done.stdout.splitlines()[0] == "["
    assert done.stdout.splitlines()[1] in ("0", "141")
    assert done.stderr == ""


def test_a_pipe_without_a_reader_ends_it_with_141(demo: NacreCli) -> None:
    read, write = os.pipe()
    os.close(read)
    with subprocess.Popen(
        demo.argv("images"), env=demo.env, stdout=write, stderr=subprocess.PIPE
    ) as process:
        os.close(write)
        assert process.communicate()[1] == b""
    assert process.returncode == 141


def test_an_archive_to_a_pipe_without_a_reader_ends_with_141(demo: NacreCli) -> None:
    done = demo.in_shell("nacre save demo:1 | true; echo ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("141\n", "")


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("nacre images >&-", 0),
        ("nacre history demo:1 >&- 2>&- <&-", 0),
        ("nacre history nope 2>&-", 1),
        ("nacre rmi demo:1 <&- >/dev/null", 0),
    ],
)
def test_closed_streams_lead_nowhere(demo: NacreCli, script: str, code: int) -> None:
    done = demo.in_shell(script)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_a_closed_standard_input_is_no_archive(demo: NacreCli) -> None:
    done = demo.in_shell("nacre load <&-")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1


def test_a_full_disk_under_standard_output_is_told(demo: NacreCli) -> None:
    done = demo.in_shell("nacre images > /dev/full")
    assert (done.returncode, done.stderr) == (1, "Error: No space left on device\n")
    done = demo.in_shell("nacre save demo:1 > /dev/full")
    assert done.returncode == 1
    assert "No space left" in done.stderr or "no space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("locale", [{}, {"LANG": "C"}, {"LC_ALL": "POSIX"}, LEGACY])
def test_output_is_utf8_whatever_the_locale(demo: NacreCli, locale: dict[str, str]) -> None:
    assert CREATED_BY in demo.in_shell("nacre history --no-trunc demo:1", **locale).stdout
    assert "日本語" in demo.in_shell("nacre inspect demo:1", **locale).stdout
    assert "…" in demo.in_shell("nacre history demo:1 --format '{{.CreatedBy}}…'", **locale).stdout


@pytest.mark.parametrize("locale", [{}, LEGACY])
@pytest.mark.parametrize(
    "words", [["history", b"\xff\xfe"], ["images", "--format", b"\xff{{"], [b"\xff"], [b"--\xff"]]
)
def test_words_that_are_no_text_are_shown_escaped(
    nacre_cli: NacreCli, words: list[str | bytes], locale: dict[str, str]
) -> None:
    done = subprocess.run(
        [*nacre_cli.argv(), *words],
        env=nacre_cli.env | locale,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode in (1, 125)
    assert done.stderr.startswith(b"Error: ")
    assert done.stderr.count(b"\n") == 1
    done.stderr.decode("ascii")


@pytest.mark.parametrize("locale", [{}, LEGACY])
def test_a_file_name_need_not_be_text(
    demo: NacreCli, tmp_path: Path, locale: dict[str, str]
) -> None:
    file = os.fsencode(tmp_path) + b"/\xff.tar"
    env = demo.env | locale
    for words in (["save", "-o", file, "demo:1"], ["rmi", "demo:1"], ["load", "-i", file]):
        subprocess.run([*demo.argv(), *words], env=env, check=True, capture_output=True)
    assert demo("images", "--format", "{{.Repository}}:{{.Tag}}") == "demo:1\n"


def test_a_password_need_be_utf8(nacre_cli: NacreCli) -> None:
    done = nacre_cli.in_shell(r"printf '\377' | nacre login -u ana --password-stdin 127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr == "Error: the password on standard input is no UTF-8\n"


def test_output_to_a_file_and_errors_to_the_same_stay_in_order(demo: NacreCli) -> None:
    done = demo.in_shell("nacre inspect -f '{{.Os}}' demo:1 nope 2>&1")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "linux",
        "Error: No such image: nope:latest ('nacre images' shows what is here)",
    ]


def test_the_layer_of_an_import_may_come_through_a_pipe(nacre_cli: NacreCli) -> None:
    done = subprocess.run(
        nacre_cli.argv("import", "-", "demo:2"),
        input=a_layer({"etc/motd": b"hello\n"}),
        env=nacre_cli.env,
        capture_output=True,
        check=True,
    )
    assert run(*nacre_cli.argv("images", "-q", "--no-trunc"), env=nacre_cli.env).stdout == (
        done.stdout.decode()
    )
