"""Image layouts on disk: names, strangers' entries, many writers."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from nacre.content.layout import NotALayout
from nacre.content.refs import RefNotFound
from nacre.oci.descriptor import Descriptor
from nacre.oci.platform import Platform
from nacre.testing.builders import an_image, an_index
from nacre.testing.targets import Shelf, a_referrer
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore

IMAGE = an_image()
ARM = an_image(platform=Platform("linux", "arm64"))


@pytest.fixture
def layout(tmp_path: Path) -> LayoutStore:
    return LayoutStore(tmp_path)


def entries(folder: Path) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads((folder / "index.json").read_text())["manifests"]
    return listed


def test_reading_what_is_no_layout_is_refused_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotALayout):
        LayoutStore(tmp_path / "none").resolve("v1")
    assert list(tmp_path.iterdir()) == []


def test_a_layout_holds_nothing_but_a_layout(tmp_path: Path, layout: LayoutStore) -> None:
    copy(Shelf(IMAGE), "", layout, "v1")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["blobs", "index.json", "oci-layout"]


def test_a_layout_is_made_for_others_to_read(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    (tmp_path / "plain").mkdir()
    copy(Shelf(IMAGE), "", LayoutStore(folder), "v1")
    usual = (tmp_path / "plain").stat().st_mode
    assert {each.stat().st_mode for each in (folder, folder / "blobs")} == {usual}


def test_an_image_without_a_name_is_the_only_one(tmp_path: Path, layout: LayoutStore) -> None:
    copy(Shelf(IMAGE), "", layout, "")
    copy(Shelf(IMAGE), "", layout, "")
    assert layout.resolve("") == IMAGE.root
    assert list(layout.names()) == []
    assert entries(tmp_path) == [IMAGE.root.bare().to_json()]


def test_a_name_given_later_takes_the_place_of_none(tmp_path: Path, layout: LayoutStore) -> None:
    copy(Shelf(IMAGE), "", layout, "")
    layout.tag("v1", IMAGE.root)
    assert len(entries(tmp_path)) == 1
    assert layout.resolve("v1") == IMAGE.root


def test_a_whole_name_is_annotated_for_containerd_as_well(
    tmp_path: Path, layout: LayoutStore
) -> None:
    copy(Shelf(IMAGE), "", layout, "docker.io/library/nginx:latest")
    [entry] = entries(tmp_path)
    assert entry["annotations"] == {
        "io.containerd.image.name": "docker.io/library/nginx:latest",
        "org.opencontainers.image.ref.name": "docker.io/library/nginx:latest",
    }
    assert layout.resolve("nginx") == IMAGE.root


def test_entries_and_properties_of_others_stay(tmp_path: Path, layout: LayoutStore) -> None:
    copy(Shelf(IMAGE), "", layout, "v1")
    index = json.loads((tmp_path / "index.json").read_text())
    index["annotations"] = {"maker": "somebody"}
    stranger = {**Descriptor.of("a/b", b"x").to_json(), "odd": [1], "annotations": {"k": "v"}}
    index["manifests"].append(stranger)
    (tmp_path / "index.json").write_text(json.dumps(index))
    copy(Shelf(ARM), "", layout, "v2")
    changed = json.loads((tmp_path / "index.json").read_text())
    assert changed["annotations"] == {"maker": "somebody"}
    assert stranger in changed["manifests"]
    assert len(changed["manifests"]) == 3


def test_a_manifest_that_only_an_index_lists_is_found_by_digest(layout: LayoutStore) -> None:
    copy(Shelf(an_index([IMAGE, ARM])), "", layout, "both")
    assert layout.resolve(str(ARM.root.digest)) == ARM.root


def test_a_blob_that_is_no_manifest_is_not_found_by_digest(layout: LayoutStore) -> None:
    copy(Shelf(IMAGE), "", layout, "v1")
    layer = next(iter(IMAGE.blobs))
    with pytest.raises(RefNotFound):
        layout.resolve(str(layer))


def test_referrers_are_found_and_copied_along(tmp_path: Path, layout: LayoutStore) -> None:
    note = a_referrer(IMAGE.root)
    copy(Shelf(IMAGE), "", layout, "v1")
    copy(Shelf(note), "", layout)
    other = LayoutStore(tmp_path / "other")
    copy(layout, "v1", other, "v1", referrers=True)
    for place in (layout, other):
        [found] = place.referrers(IMAGE.root.digest).manifests
        assert found == note.root
        assert found.artifact_type == "application/vnd.test.note"
        assert place.referrers(IMAGE.root.digest, "another/type").manifests == ()
        assert place.resolve("") == IMAGE.root


def test_a_name_is_taken_off_the_list(layout: LayoutStore) -> None:
    copy(Shelf(IMAGE), "", layout, "v1")
    layout.tag("v2", IMAGE.root)
    layout.delete("v1")
    assert list(layout.names()) == ["v2"]
    with pytest.raises(RefNotFound):
        layout.delete("v1")


def test_a_digest_is_taken_off_the_list_with_all_its_names(layout: LayoutStore) -> None:
    copy(Shelf(IMAGE), "", layout, "v1")
    layout.tag("v2", IMAGE.root)
    layout.delete(str(IMAGE.root.digest))
    assert list(layout.names()) == []


def _add(folder: Path, number: int) -> None:
    copy(Shelf(IMAGE), "", LayoutStore(folder), f"v{number}")


def test_processes_that_write_at_once_lose_no_name(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_add, args=(tmp_path, each)) for each in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert list(LayoutStore(tmp_path).names()) == ["v0", "v1", "v2", "v3"]
