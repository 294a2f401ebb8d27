"""The other people's tools start here, each with storage and settings of its own."""

from __future__ import annotations

from pathlib import Path

from nacre.testing.builders import a_layer
from tests.peers.tools import Tool


def test_podman_has_storage_of_its_own(podman: Tool, debian_rootfs_tar: Path) -> None:
    assert podman("images", "--quiet") == ""
    image = podman("import", debian_rootfs_tar, "debian:base").strip().removeprefix("sha256:")
    assert podman("images", "--quiet", "--no-trunc").strip() == f"sha256:{image}"


def test_buildah_has_storage_of_its_own(buildah: Tool) -> None:
    assert buildah("images", "--quiet") == ""
    container = buildah("from", "scratch").strip()
    buildah("commit", container, "empty:latest")
    assert "localhost/empty" in buildah("images")


def test_umoci_and_skopeo_read_the_same_layout(umoci: Tool, skopeo: Tool, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    umoci("init", "--layout", layout)
    umoci("new", "--image", f"{layout}:empty")
    assert '"rootfs"' in skopeo("inspect", "--config", "--raw", f"oci:{layout}:empty")


def test_docker_has_an_engine_of_its_own(docker: Tool, tmp_path: Path) -> None:
    assert docker("images", "--quiet") == ""
    (tmp_path / "tree.tar").write_bytes(a_layer({"etc/motd": b"hello\n"}))
    docker("import", tmp_path / "tree.tar", "tree:1")
    container = docker("create", "tree:1", "true").strip()
    assert docker("cp", f"{container}:/etc/motd", "-") != ""
    assert "docker-" not in Path("/proc/mounts").read_text()


def test_the_engine_has_none_of_the_images_of_the_test_before(docker: Tool) -> None:
    assert docker("images", "--all", "--quiet") == docker("ps", "--all", "--quiet") == ""


def test_a_tool_that_fails_is_no_error_where_that_is_asked(skopeo: Tool, tmp_path: Path) -> None:
    assert skopeo.attempt("inspect", f"oci:{tmp_path / 'none'}").returncode != 0
