"""Lines about what happens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nacre.errors import Unavailable
from nacre.hub.logs import LineLog

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


def now() -> datetime:
    return AT


def test_a_line_of_text(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "log", as_json=False, now=now)
    log.line("access", {"path": "/v2/", "status": 200})
    log.close()
    assert (tmp_path / "log").read_text() == (
        "2026-01-02T03:04:05.678Z access path=/v2/ status=200\n"
    )


def test_a_line_of_json(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "log", as_json=True, now=now)
    log.line("audit", {"user": "alice"})
    log.close()
    assert json.loads((tmp_path / "log").read_text()) == {
        "time": "2026-01-02T03:04:05.678Z", "kind": "audit", "user": "alice"
    }  # fmt: skip


@pytest.mark.parametrize("as_json", [False, True])
def test_what_a_client_sent_can_never_make_a_second_line(tmp_path: Path, as_json: bool) -> None:
    log = LineLog(tmp_path / "log", as_json=as_json, now=now)
    log.line("access", {"path": '/x\n2026 access user=admin "', "client": ""})
    log.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 1
    assert "\\n2026 access" in lines[0]


def test_lines_come_by_themselves_a_moment_later(tmp_path: Path) -> None:
    import time

    log = LineLog(tmp_path / "log", as_json=False, now=now)
    log.line("hub", {"a": 1})
    for _ in range(500):
        if (tmp_path / "log").read_text():
            break
        time.sleep(0.01)
    assert "a=1" in (tmp_path / "log").read_text()
    log.close()


def test_many_lines_are_written_without_waiting(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "log", as_json=False, now=now)
    for number in range(501):
        log.line("hub", {"n": number})
    assert len((tmp_path / "log").read_text().splitlines()) >= 500
    log.close()
    assert len((tmp_path / "log").read_text().splitlines()) == 501


def test_a_file_that_was_moved_away_is_opened_anew(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "log", as_json=False, now=now)
    log.line("hub", {"n": 1})
    log.flush()
    (tmp_path / "log").rename(tmp_path / "log.1")
    log.line("hub", {"n": 2})
    log.close()
    assert "n=1" in (tmp_path / "log.1").read_text()
    assert "n=2" in (tmp_path / "log").read_text()


def test_a_file_whose_folder_went_away_is_written_on_and_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log = LineLog(folder / "log", as_json=False, now=now)
    folder.rename(tmp_path / "away")
    log.line("hub", {"n": 1})
    log.flush()
    # The number of a closed file would be the next one's that is opened: a blob's, a database's.
    with (tmp_path / "other").open("w"):
        log.line("hub", {"n": 2})
        log.flush()
    log.close()
    assert (tmp_path / "other").read_text() == ""
    assert "n=2" in (tmp_path / "away" / "log").read_text()


def test_a_file_that_cannot_be_written_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot write the log"):
        LineLog(tmp_path / "missing" / "log", as_json=False, now=now)
