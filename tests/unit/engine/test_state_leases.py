from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nacre.engine.state import State
from nacre.oci.descriptor import Descriptor
from tests.unit.processes import child

BLOB = Descriptor.of("application/octet-stream", b"blob")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path) as state:
        yield state


def rows(state: State) -> int:
    return len(state._database.rows("SELECT * FROM held"))


def test_a_lease_holds_across_processes(tmp_path: Path, state: State) -> None:
    with child("hold", tmp_path, BLOB.digest, BLOB.size) as process:
        assert process.line() == "held"
        assert state.held() == [BLOB]
        with state.collecting() as roots:
            assert roots == [BLOB]
        assert state.held() == [BLOB]


def test_a_lease_dies_with_its_process(tmp_path: Path, state: State) -> None:
    with child("hold", tmp_path, BLOB.digest, BLOB.size) as process:
        assert process.line() == "held"
        process.kill()
        assert state.held() == []
    assert rows(state) == 1
    with state.collecting() as roots:
        assert roots == []
    assert rows(state) == 0
    assert list((tmp_path / "leases").iterdir()) == []


def test_a_collection_spares_leases_that_hold_nothing_yet(state: State) -> None:
    with state.lease() as lease:
        with state.collecting():
            pass
        lease.hold([BLOB])
        assert state.held() == [BLOB]


def test_a_lease_leaves_nothing(tmp_path: Path, state: State) -> None:
    with state.lease() as lease:
        lease.hold([BLOB])
        assert len(list((tmp_path / "leases").iterdir())) == 1
    assert rows(state) == 0
    assert list((tmp_path / "leases").iterdir()) == []


def test_a_lease_without_its_file_is_dead(tmp_path: Path, state: State) -> None:
    with state.lease() as lease:
        lease.hold([BLOB])
        for file in (tmp_path / "leases").iterdir():
            file.unlink()
        assert state.held() == []


def test_what_others_keep_in_a_folder_of_that_name_stays(tmp_path: Path, state: State) -> None:
    (tmp_path / "leases").mkdir()
    (tmp_path / "leases" / "contract.pdf").write_text("precious")
    with state.collecting():
        pass
    assert (tmp_path / "leases" / "contract.pdf").read_text() == "precious"
