from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from nacre.cli.render.files import json_array, json_document, long_lines, mode_string
from nacre.images.tree import FileInfo

FILE = FileInfo("/a", "file", 0o644, 1, 0, 0, 5, 1_700_000_000 * 10**9, "", (0, 0), 0)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def lines(*files: FileInfo) -> list[str]:
    return list(long_lines(files, [file.path[1:] for file in files], str))


@pytest.mark.parametrize(
    ("kind", "mode", "text"),
    [
        ("file", 0o644, "-rw-r--r--"),
        ("file", 0o4755, "-rwsr-xr-x"),
        ("file", 0o6000, "---S--S---"),
        ("directory", 0o1777, "drwxrwxrwt"),
        ("symlink", 0o777, "lrwxrwxrwx"),
        ("char", 0o666, "crw-rw-rw-"),
        ("block", 0o660, "brw-rw----"),
        ("fifo", 0, "p---------"),
        ("hardlink", 0o600, "hrw-------"),
    ],
)
def test_modes_are_those_of_ls(kind: str, mode: int, text: str) -> None:
    assert mode_string(FILE._replace(kind=kind, mode=mode)) == text


def test_a_long_line_is_that_of_ls_with_numbers_for_owners() -> None:
    assert lines(FILE) == ["-rw-r--r-- 1 0 0 5 2023-11-14 22:13 a"]


def test_columns_are_aligned() -> None:
    assert lines(FILE, FILE._replace(links=12, uid=1000, size=12345)) == [
        "-rw-r--r--  1    0 0     5 2023-11-14 22:13 a",
        "-rw-r--r-- 12 1000 0 12345 2023-11-14 22:13 a",
    ]


def test_links_and_devices_have_what_they_are_about() -> None:
    link = FILE._replace(path="/l", kind="symlink", target="../été", size=0)
    assert lines(link)[0].endswith("0 8 2023-11-14 22:13 l -> ../été")
    hard = FILE._replace(path="/h", kind="hardlink", target="a", size=0)
    assert lines(hard)[0].endswith("0 0 2023-11-14 22:13 h link to a")
    device = FILE._replace(path="/d", kind="char", device=(1, 3), size=0)
    assert lines(device)[0].endswith("0 1, 3 2023-11-14 22:13 d")


@pytest.mark.parametrize("seconds", [1 << 62, -(1 << 62)])
def test_a_time_beyond_all_calendars_is_a_number(seconds: int) -> None:
    odd = FILE._replace(mtime=seconds * 10**9)
    assert str(seconds) in lines(odd)[0]
    assert json.loads("".join(json_document([odd])))[0]["mtime"] is None


def test_json_is_one_document_with_all_that_is_known() -> None:
    device = FILE._replace(path="/d", kind="block", device=(8, 0), size=0)
    link = FILE._replace(path="/l", kind="symlink", target="a", layer=2)
    first, second, third = json.loads("".join(json_document([FILE, device, link])))
    assert first == {
        "path": "/a", "type": "file", "mode": "0644", "uid": 0, "gid": 0, "size": 5,
        "mtime": "2023-11-14T22:13:20Z", "links": 1, "layer": 0,
    }  # fmt: skip
    assert second["device"] == [8, 0]
    assert (third["target"], third["layer"]) == ("a", 2)


def test_json_of_nothing_is_an_empty_array() -> None:
    assert json.loads("".join(json_array([]))) == []


def test_odd_names_come_back_from_json() -> None:
    (found,) = json.loads("".join(json_document([FILE._replace(path="/\udcff\n\x1b")])))
    assert found["path"] == "/\udcff\n\x1b"
