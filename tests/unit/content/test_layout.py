from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.content import layout
from nacre.content.layout import NotALayout
from nacre.errors import Invalid, Unsupported
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import Index

ONE = Descriptor.of("application/vnd.oci.image.manifest.v1+json", b"one")
TWO = Descriptor.of("application/vnd.oci.image.manifest.v1+json", b"two")
EMPTY = layout.index_of([])


def entries(index: Index) -> list[tuple[str, Descriptor]]:
    return list(layout.named(index))


@given(st.lists(st.tuples(st.text(max_size=5), st.sampled_from([ONE, TWO]))))
def test_names_and_descriptors_come_back(pairs: list[tuple[str, Descriptor]]) -> None:
    index = layout.parse_index(layout.index_of(pairs).raw, "here")
    assert entries(index) == pairs


def test_the_written_index_is_what_the_specification_says() -> None:
    assert json.loads(layout.index_of([("v1", ONE)]).raw) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {**ONE.to_json(), "annotations": {"org.opencontainers.image.ref.name": "v1"}}
        ],
    }


def test_a_name_is_at_one_place_only() -> None:
    index = layout.tagged(layout.tagged(EMPTY, "a", ONE), "b", ONE)
    assert entries(index) == [("a", ONE), ("b", ONE)]
    assert entries(layout.tagged(index, "a", TWO)) == [("b", ONE), ("a", TWO)]


def test_a_name_takes_the_place_of_no_name() -> None:
    index = layout.index_of([("", ONE), ("", TWO)])
    assert entries(layout.tagged(index, "a", ONE)) == [("", TWO), ("a", ONE)]


def test_a_name_can_be_dropped() -> None:
    index = layout.index_of([("a", ONE), ("b", ONE)])
    assert entries(layout.untagged(index, "a")) == [("b", ONE)]


def test_what_nacre_does_not_know_survives() -> None:
    odd = {**ONE.to_json(), "annotations": {"x": "y"}, "odd": 1}
    raw = json.dumps({"schemaVersion": 2, "odd": [1], "manifests": [odd]}).encode()
    changed = json.loads(layout.tagged(layout.parse_index(raw, "here"), "a", TWO).raw)
    assert changed["odd"] == [1]
    assert changed["manifests"][0] == odd


def test_a_damaged_index_is_named() -> None:
    with pytest.raises(Invalid, match=r"index\.json of here: manifest is not valid JSON"):
        layout.parse_index(b"{", "here")


def test_another_version_is_not_supported() -> None:
    with pytest.raises(Unsupported, match=r"image layout version '2\.0\.0' of here is not 1\.0\.0"):
        layout.check_version(b'{"imageLayoutVersion": "2.0.0"}', "here")
    with pytest.raises(Invalid):
        layout.check_version(b"", "here")


def test_a_new_layout_is_empty_and_valid(tmp_path: Path) -> None:
    root = tmp_path / "new" / "layout"
    layout.create(root, 0o755)
    assert json.loads((root / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    assert entries(layout.read_index(root)) == []
    assert {path.name for path in root.iterdir()} == {"oci-layout", "index.json"}
    assert stat.S_IMODE((root / "oci-layout").stat().st_mode) & 0o044 == 0o044


def test_to_create_a_layout_that_is_there_changes_nothing(tmp_path: Path) -> None:
    layout.update_index(tmp_path, lambda index: layout.tagged(index, "a", ONE))
    layout.create(tmp_path, 0o755)
    assert entries(layout.read_index(tmp_path)) == [("a", ONE)]


@pytest.mark.parametrize("missing", ["oci-layout", "index.json"])
def test_a_folder_that_is_no_layout_is_not_found(tmp_path: Path, missing: str) -> None:
    layout.create(tmp_path, 0o755)
    (tmp_path / missing).unlink()
    with pytest.raises(NotALayout, match="no OCI image layout in"):
        layout.read_index(tmp_path)


def test_a_file_is_no_layout(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotALayout):
        layout.read_index(tmp_path / "file")


def test_a_layout_of_another_version_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion": "3"}')
    with pytest.raises(Unsupported):
        layout.update_index(tmp_path, lambda index: index)
    assert [path.name for path in tmp_path.iterdir()] == ["oci-layout"]


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    layout.update_index(tmp_path, lambda index: layout.tagged(index, "a", ONE))

    def fail(index: Index) -> Index:
        raise Invalid("no")

    with pytest.raises(Invalid):
        layout.update_index(tmp_path, fail)
    assert entries(layout.read_index(tmp_path)) == [("a", ONE)]


def test_concurrent_changes_all_count(tmp_path: Path) -> None:
    def add(name: str) -> None:
        layout.update_index(tmp_path, lambda index: layout.tagged(index, name, ONE))

    names = [f"name{number}" for number in range(20)]
    threads = [threading.Thread(target=add, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for name, _ in entries(layout.read_index(tmp_path))) == sorted(names)


def test_an_index_that_lives_elsewhere_replaces_whatever_is_there(tmp_path: Path) -> None:
    layout.create(tmp_path, 0o700)
    (tmp_path / "index.json").write_text("damaged")
    layout.replace_index(tmp_path, lambda: layout.index_of([("a", ONE)]))
    assert entries(layout.read_index(tmp_path)) == [("a", ONE)]


def test_an_index_too_large_to_be_read_again_is_not_written(tmp_path: Path) -> None:
    large = Descriptor.from_json({**ONE.to_json(), "annotations": {"x": "y" * 5_000_000}}, "test")
    with pytest.raises(Invalid, match="would be larger"):
        layout.update_index(tmp_path, lambda index: layout.tagged(index, "a", large))
    assert entries(layout.read_index(tmp_path)) == []


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_a_pipe_in_place_of_a_file_is_refused_and_does_not_hang(tmp_path: Path, name: str) -> None:
    layout.create(tmp_path, 0o700)
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(Invalid, match=f"{name} of .* is not a file"):
        layout.read_index(tmp_path)
