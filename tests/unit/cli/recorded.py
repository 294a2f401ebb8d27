"""An engine that answers what Docker was answered when its output was recorded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from nacre.distribution.registry import SearchResult
from nacre.engine.catalogue import LocalImage
from nacre.engine.state_values import ImageRecord
from nacre.images.history import HistoryRow
from nacre.images.image import Image
from nacre.oci import reference as references
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.timestamp import SECOND, format_rfc3339

DATA = Path(__file__).parents[2] / "data" / "docker_format"


def read(name: str) -> Any:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


class RecordedEngine:
    """Images, their history and search results from the files of the recording."""

    def __init__(self) -> None:
        self.images = self
        self.registries = self

    def list(self, *, filters: Iterable[str] = ()) -> Sequence[LocalImage]:
        return [] if list(filters) else [image(entry) for entry in read("images.json")]

    def size(self, found: LocalImage) -> int:
        sizes = {entry["Id"]: int(entry["Size"]) for entry in read("images.json")}
        return sizes[found.id]

    def history(self, _name: str, **_options: object) -> Sequence[HistoryRow]:
        return [
            HistoryRow(
                None if entry["Id"] == "<missing>" else Digest(entry["Id"]),
                format_rfc3339(entry["Created"] * SECOND),
                entry["CreatedBy"],
                entry["Size"],
                entry["Comment"],
            )
            for entry in read("history.json")
        ]

    def search(self, _term: str, **_options: object) -> Sequence[SearchResult]:
        return [
            SearchResult(
                entry["name"], entry["description"], entry["star_count"], entry["is_official"]
            )
            for entry in read("search.json")
        ]

    def close(self) -> None:
        pass


def image(entry: dict[str, Any]) -> LocalImage:
    """Return the image that an entry of the API's list stands for."""
    digest = Digest(entry["Id"])
    record = ImageRecord(
        Descriptor("application/vnd.oci.image.manifest.v1+json", digest, 2),
        digest,
        0,
        0,
        tuple(str(references.parse(tag)) for tag in entry["RepoTags"]),
        tuple(str(references.parse(text)) for text in entry["RepoDigests"]),
    )
    view = SimpleNamespace(created=format_rfc3339(entry["Created"] * SECOND))
    return LocalImage(digest, (record,), cast("Image", view))
