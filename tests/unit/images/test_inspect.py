"""Inspect: Docker's keys, Docker's order, nothing empty."""

from __future__ import annotations

from typing import Any

from nacre.images.image import Image
from nacre.images.inspect import inspect
from nacre.oci.descriptor import Descriptor
from nacre.oci.platform import Platform
from tests.unit.images.building import AMD64, BASE, TOP, Builder


def inspected(built: Builder, root: Descriptor) -> dict[str, Any]:
    return inspect(
        Image(built.blobs, root, AMD64),
        tags=["app:1"],
        repo_digests=[f"app@{root.digest}"],
        size=42,
        last_tag_time="2026-02-03T04:05:06Z",
    )


def test_a_full_document(built: Builder) -> None:
    fields: dict[str, Any] = {"os.version": "10.0"}
    root = built.image(
        platform=Platform("windows", "arm"),
        variant="v7",
        author="me",
        history=[{"comment": "first"}, {"comment": "last", "empty_layer": True}],
        container_config={"Hostname": "f00", "Tty": False},
        **fields,
    )
    document = inspected(built, root)
    assert document == {
        "Id": Image(built.blobs, root, AMD64).id,
        "RepoTags": ["app:1"],
        "RepoDigests": [f"app@{root.digest}"],
        "Comment": "last",
        "Created": "2026-01-02T03:04:05Z",
        "ContainerConfig": {"Hostname": "f00", "Tty": False},
        "Author": "me",
        "Config": {"Cmd": ["sh"]},
        "Architecture": "arm",
        "Variant": "v7",
        "Os": "windows",
        "OsVersion": "10.0",
        "Size": 42,
        "RootFS": {"Type": "layers", "Layers": [BASE.diff_id, TOP.diff_id]},
        "Metadata": {"LastTagTime": "2026-02-03T04:05:06Z"},
        "Descriptor": {"mediaType": root.media_type, "digest": root.digest, "size": root.size},
    }
    assert list(document) == [
        *("Id", "RepoTags", "RepoDigests", "Comment", "Created", "ContainerConfig", "Author"),
        *("Config", "Architecture", "Variant", "Os", "OsVersion", "Size", "RootFS", "Metadata"),
        "Descriptor",
    ]


def test_what_is_empty_is_left_out(built: Builder) -> None:
    root = built.image([], created="", author="", comment="", container_config=None)
    document = inspected(built, root)
    assert not {"Comment", "Created", "ContainerConfig", "Author", "Variant"} & set(document)
    assert document["RootFS"] == {"Type": "layers"}


def test_the_configs_own_comment_comes_first(built: Builder) -> None:
    root = built.image(comment="own", history=[{"comment": "of a step"}])
    assert inspected(built, root)["Comment"] == "own"


def test_run_parameters_in_dockers_order_without_empty_ones(built: Builder) -> None:
    run = {
        "Hostname": "",
        "AttachStdin": False,
        "x-own": {"kept": None},
        "OnBuild": None,
        "Labels": {"b": "2", "a": "1"},
        "WorkingDir": "/",
        "Entrypoint": [],
        "Cmd": ["sh"],
        "Env": ["B=2", "A=1"],
        "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
        "User": "",
        "Image": "sha256:1",
        "Healthcheck": {"Test": ["NONE"]},
        "Volumes": {},
    }
    shown = inspected(built, built.image(config=run))["Config"]
    assert list(shown.items()) == [
        ("ExposedPorts", {"443/tcp": {}, "80/tcp": {}}),
        ("Env", ["B=2", "A=1"]),
        ("Cmd", ["sh"]),
        ("WorkingDir", "/"),
        ("Labels", {"a": "1", "b": "2"}),
        ("Healthcheck", {"Test": ["NONE"]}),
        ("x-own", {"kept": None}),
        ("Image", "sha256:1"),
    ]
    assert list(shown["Labels"]) == ["a", "b"]
    assert list(shown["ExposedPorts"]) == ["443/tcp", "80/tcp"]


def test_no_run_parameters(built: Builder) -> None:
    assert inspected(built, built.image(config=None))["Config"] == {}


def test_never_tagged(built: Builder) -> None:
    image = Image(built.blobs, built.image(), AMD64)
    document = inspect(image, tags=[], repo_digests=[], size=0, last_tag_time="")
    assert document["RepoTags"] == []
    assert document["Metadata"] == {"LastTagTime": "0001-01-01T00:00:00Z"}
    assert document["Size"] == 0


def test_of_an_index_the_target_is_shown(built: Builder) -> None:
    manifest = built.image()
    root = built.index(manifest.on(AMD64))
    document = inspected(built, root)
    assert document["Descriptor"]["digest"] == root.digest
    assert document["Id"] == inspected(built, manifest)["Id"]


def test_an_artifact_shows_what_it_has(built: Builder) -> None:
    root = built.artifact(title="note")
    assert inspected(built, root) == {
        "Id": root.digest,
        "RepoTags": ["app:1"],
        "RepoDigests": [f"app@{root.digest}"],
        "ArtifactType": "application/vnd.oci.empty.v1+json",
        "Annotations": {"title": "note"},
        "Size": 42,
        "Metadata": {"LastTagTime": "2026-02-03T04:05:06Z"},
        "Descriptor": {"mediaType": root.media_type, "digest": root.digest, "size": root.size},
    }
