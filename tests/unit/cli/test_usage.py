"""Mistakes on the command line, against what docker says; and help."""

from __future__ import annotations

import re

import pytest

from nacre.cli import catalogue
from nacre.cli.flags import UsageError
from nacre.cli.usage import check_count
from tests.unit.cli.recorded import read
from tests.unit.cli.running import run

MISTAKES = read("usage.json")


@pytest.mark.parametrize(
    ("words", "code", "line"), MISTAKES, ids=[" ".join(case[0]) for case in MISTAKES]
)
def test_mistakes_are_told_in_dockers_words(words: list[str], code: int, line: str) -> None:
    got = run(*words)
    said = got.err.removeprefix("Error: ").rstrip("\n")
    assert (got.code, got.out) == (code, "")
    assert said.startswith(line.removeprefix("docker: ").replace("docker", "nacre"))
    assert "\n" not in said


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ("", [0]),
        ("IMAGE", [1]),
        ("[SERVER]", [0, 1]),
        ("FILE|- [REPOSITORY[:TAG]]", [1, 2]),
        ("SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", [2]),
        ("IMAGE [IMAGE...]", [1, 2, 3, 4]),
        ("INDEX MANIFEST [MANIFEST...]", [2, 3, 4]),
        ("[IMAGE...]", [0, 1, 2, 3, 4]),
    ],
)
def test_the_usage_says_how_many_words_there_may_be(usage: str, counts: list[int]) -> None:
    for count in range(5):
        if count in counts:
            check_count("nacre x", usage, ["a"] * count)
        else:
            with pytest.raises(UsageError, match="'nacre x' (requires|accepts no)"):
                check_count("nacre x", usage, ["a"] * count)


def test_a_range_of_words_is_told_from_both_ends() -> None:
    got = run("import", "a", "b", "c")
    assert got.err == (
        "Error: 'nacre import' requires at least 1 and at most 2 arguments "
        "(see 'nacre import --help')\n"
    )


def test_help_of_a_command_is_in_dockers_form() -> None:
    assert run("history", "--help").out == (
        "Usage:  nacre history [OPTIONS] IMAGE\n"
        "\n"
        "Show the history of an image\n"
        "\n"
        "Aliases:\n"
        "  nacre image history, nacre history\n"
        "\n"
        "Options:\n"
        "      --format string     Format output: 'table', 'table TEMPLATE', 'json' or a\n"
        "                          Go template per row\n"
        "      --help              Print usage\n"
        "  -H, --human             Print sizes and dates in human readable format\n"
        "                          (default true)\n"
        "      --no-trunc          Don't truncate output\n"
        "      --platform string   Platform of a multi-platform image (e.g.,\n"
        '                          "linux/arm64")\n'
        "  -q, --quiet             Only show image IDs\n"
    )


@pytest.mark.parametrize("entry", catalogue.ENTRIES.values(), ids=lambda e: " ".join(e.path))
def test_every_command_has_help_that_fits_a_terminal(entry: catalogue.Entry) -> None:
    got = run(*entry.path, "--help", "any", "words", "at", "all")
    assert got.code == 0
    assert got.out.startswith(f"Usage:  nacre {' '.join(entry.path)} [OPTIONS]")
    assert max(map(len, got.out.splitlines())) <= 80
    assert got.err == ""


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"], ["--help", "images"]])
def test_help_of_all_lists_every_command(words: list[str]) -> None:
    got = run(*words)
    assert got.code == 0
    assert got.out.startswith("Usage:  nacre [OPTIONS] COMMAND\n")
    listed = set(re.findall(r"^  (\S+)", got.out, re.MULTILINE))
    assert listed >= {*catalogue.single_words(), *catalogue.GROUPS}


OLD_HELP = "Flag shorthand -h has been deprecated, use --help\n"


@pytest.mark.parametrize(
    "line", ["-h", "-h pull", "pull -h", "pull x -qh", "system df -h", "image -h", "nope -h"]
)
def test_the_old_short_form_of_help_is_understood_with_a_note(line: str) -> None:
    got = run(*line.split())
    whole = run(*re.sub("-q?h", "--help", line).split())
    assert (got.code, got.out) == (whole.code, whole.out)
    assert got.err == OLD_HELP + whole.err


@pytest.mark.parametrize("entry", catalogue.ENTRIES.values(), ids=lambda e: " ".join(e.path))
def test_every_command_understands_the_old_short_form_of_help(entry: catalogue.Entry) -> None:
    assert run(*entry.path, "-h") == (0, run(*entry.path, "--help").out, OLD_HELP)


def test_a_note_does_not_end_the_command() -> None:
    got = run("version", "-h=false", "--format", "{{.Client.Version}}")
    assert (got.code, got.err) == (0, OLD_HELP)
    assert got.out.count("\n") == 1


def test_an_unknown_flag_of_a_group_is_told_as_one() -> None:
    assert run("image", "--foo") == (
        125,
        "",
        "Error: unknown flag: --foo (see 'nacre image --help')\n",
    )
    assert run("nope", "--foo").err == "Error: unknown flag: --foo (see 'nacre --help')\n"


@pytest.mark.parametrize("name", catalogue.GROUPS)
def test_help_of_a_group_lists_its_commands(name: str) -> None:
    for words in ([name], [name, "--help"], ["help", name]):
        listed = set(re.findall(r"^  (\S+)", run(*words).out, re.MULTILINE))
        assert listed == {entry.path[1] for entry in catalogue.group(name)}


def test_help_knows_the_default_of_a_flag() -> None:
    assert "(default true)" in run("help", "history").out
    assert "(default 25)" in run("help", "search").out


def test_a_topic_that_is_no_command_is_refused() -> None:
    got = run("help", "nope")
    assert (got.code, got.err) == (
        1,
        "Error: unknown command: nacre nope (see 'nacre --help')\n",
    )


@pytest.mark.parametrize("entry", catalogue.ENTRIES.values(), ids=lambda e: " ".join(e.path))
def test_no_command_has_two_flags_of_one_name(entry: catalogue.Entry) -> None:
    flags = [*entry.load().FLAGS]
    for names in ([flag.name for flag in flags], [flag.short for flag in flags if flag.short]):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("entry", catalogue.ENTRIES.values(), ids=lambda e: " ".join(e.path))
def test_every_way_to_type_a_command_finds_it(entry: catalogue.Entry) -> None:
    for name in entry.names:
        words = name.split()[1:]
        assert catalogue.find([*words, "x"]) == (entry, len(words))
