"""The quickest driver that works is taken, and found out once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nacre.storage.detect import NoDriver, Probe, choose, recall, survey


class Tried:
    """Probes that count how often they are asked."""

    def __init__(self, **problems: str | None) -> None:
        self.asked: list[str] = []
        self.probes: Mapping[str, Probe] = {
            name: self._probe(name, problem) for name, problem in problems.items()
        }

    def _probe(self, name: str, problem: str | None) -> Probe:
        def probe(_folder: Path) -> str | None:
            self.asked.append(name)
            return problem

        return probe


def test_every_driver_is_tried(tmp_path: Path) -> None:
    found = survey(tmp_path, Tried(erofs="no root", overlay=None, copying=None).probes)
    assert dict(found.problems) == {"erofs": "no root", "overlay": "", "copying": ""}
    assert found.working == ("overlay", "copying")


def test_the_first_that_works_is_taken(tmp_path: Path) -> None:
    tried = Tried(erofs="no root", overlay=None, copying=None)
    assert choose(tmp_path, tried.probes) == "overlay"
    assert tried.asked == ["erofs", "overlay"]


def test_none_works(tmp_path: Path) -> None:
    with pytest.raises(NoDriver, match="no storage driver works here: it is full"):
        choose(tmp_path, Tried(erofs="no root", copying="it is full").probes)


def test_a_forced_one_is_taken_alone(tmp_path: Path) -> None:
    tried = Tried(erofs=None, copying=None)
    assert choose(tmp_path, tried.probes, forced="copying") == "copying"
    assert tried.asked == ["copying"]


def test_a_forced_one_has_to_work(tmp_path: Path) -> None:
    tried = Tried(erofs="no root", copying=None)
    with pytest.raises(NoDriver, match="driver erofs does not work here: no root"):
        choose(tmp_path, tried.probes, forced="erofs")


def test_the_choice_is_remembered(tmp_path: Path) -> None:
    memory, tried = tmp_path / "run" / "driver", Tried(erofs="no root", overlay=None)
    for forced in ("", "", "overlay"):
        assert choose(tmp_path, tried.probes, forced=forced, memory=memory) == "overlay"
    assert tried.asked == ["erofs", "overlay"]


def test_what_is_forced_is_remembered_apart(tmp_path: Path) -> None:
    memory, tried = tmp_path / "driver", Tried(erofs=None, overlay=None)
    for _ in range(2):
        choose(tmp_path, tried.probes, forced="overlay", memory=memory)
    assert tried.asked == ["overlay"]
    assert choose(tmp_path, tried.probes, memory=memory) == "erofs"
    assert choose(tmp_path, tried.probes, forced="overlay", memory=memory) == "overlay"
    assert tried.asked == ["overlay", "erofs"]


def test_what_is_forced_in_vain_is_tried_again(tmp_path: Path) -> None:
    memory, tried = tmp_path / "driver", Tried(erofs="no root")
    for _ in range(2):
        with pytest.raises(NoDriver):
            choose(tmp_path, tried.probes, forced="erofs", memory=memory)
    assert tried.asked == ["erofs", "erofs"]


def test_it_counts_for_one_place(tmp_path: Path) -> None:
    memory, tried = tmp_path / "driver", Tried(erofs=None)
    choose(tmp_path, tried.probes, memory=memory)
    assert recall(tmp_path, memory) == "erofs"
    (tmp_path / "other").mkdir()
    assert recall(tmp_path / "other", memory) == ""


@pytest.mark.parametrize("text", ["", "x", "a\nb\nc\n", "another boot\nerofs\n", "\xff"])
def test_nonsense_is_not_remembered(tmp_path: Path, text: str) -> None:
    memory = tmp_path / "driver"
    memory.write_text(text, "latin-1")
    assert choose(tmp_path, Tried(overlay=None).probes, memory=memory) == "overlay"


def test_where_nothing_can_be_written_it_is_chosen_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    tried = Tried(erofs=None)
    for _ in range(2):
        assert choose(tmp_path, tried.probes, memory=tmp_path / "file" / "driver") == "erofs"
    assert tried.asked == ["erofs"] * 2
