"""``images``, ``history`` and ``search`` print what docker prints for the same things."""

from __future__ import annotations

import json
import re

import pytest

from tests.unit.cli.recorded import RecordedEngine, read
from tests.unit.cli.running import run_on

LISTS = read("lists.json")


def comparable(text: str) -> str:
    """Return output with what the passing of time changes left out."""
    return re.sub(r"\d+ years ago", "N years ago", text).replace("docker", "nacre")


@pytest.mark.parametrize(
    ("words", "code", "out", "err"), LISTS, ids=[" ".join(case[0]) for case in LISTS]
)
def test_lists_are_what_docker_prints(words: list[str], code: int, out: str, err: str) -> None:
    got = run_on(RecordedEngine(), *words)
    assert (got.code, comparable(got.out)) == (code, comparable(out))
    assert got.err.removeprefix("Error: ") == comparable(err)


def test_the_default_table_shows_a_row_a_tag() -> None:
    assert re.sub(r"\d+ years", "N years", run_on(RecordedEngine(), "images").out) == (
        "REPOSITORY        TAG       IMAGE ID       CREATED        SIZE\n"
        "abc               1         aaaaaaaaaaaa   N years ago    123MB\n"
        "abc               2         aaaaaaaaaaaa   N years ago    123MB\n"
        "other             <none>    aaaaaaaaaaaa   N years ago    123MB\n"
        "reg.io:5000/x/y   latest    bbbbbbbbbbbb   N years ago    999B\n"
        "only              <none>    cccccccccccc   N years ago    1kB\n"
        "<none>            <none>    dddddddddddd   N years ago   0B\n"
    )


def test_json_rows_have_dockers_keys_and_escapes() -> None:
    first, *_, last = run_on(RecordedEngine(), "images", "--format", "json").out.splitlines()
    assert list(json.loads(first)) == [
        "Containers", "CreatedAt", "CreatedSince", "Digest", "ID", "Repository", "SharedSize",
        "Size", "Tag", "UniqueSize",
    ]  # fmt: skip
    assert '"Repository":"\\u003cnone\\u003e"' in last


def test_the_hint_is_for_image_commands_after_images_only() -> None:
    hint = '\nNo images found matching "rm": did you mean "nacre image rm"?\n'
    assert run_on(RecordedEngine(), "images", "rm").err == hint
    assert run_on(RecordedEngine(), "images", "debian").err == ""
    assert run_on(RecordedEngine(), "image", "list", "rm").err == ""


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["stars=1"], ["nginx"]),
        (["is-official=false"], ["someone/nginx"]),
        (["", "is-official=false"], ["someone/nginx"]),
        (["stars=1", "is-official=false"], []),
    ],
)
def test_search_results_can_be_filtered(wanted: list[str], names: list[str]) -> None:
    flags = [f"--filter={each}" for each in wanted]
    got = run_on(RecordedEngine(), "search", "--format", "{{.Name}}", *flags, "nginx")
    assert got.out.split() == names


def test_an_unknown_search_filter_is_refused() -> None:
    got = run_on(RecordedEngine(), "search", "--filter", "stars=many", "nginx")
    assert (got.code, got.err) == (
        1,
        "Error: invalid filter 'stars=many' (known are stars=N, is-official=BOOL)\n",
    )
