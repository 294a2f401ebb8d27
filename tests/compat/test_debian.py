"""A real Debian, made from packages: imported by nacre and seen through everyone's tools."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from nacre.oci.digest import Digest
from tests.compat.images import digest_of, filled, inspected, skopeo_copy
from tests.conftest import RegistryStarter
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool

NAME = "debian:base"


@pytest.fixture(scope="session")
def archive(debian: NacreCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``nacre save`` makes of it."""
    file = tmp_path_factory.mktemp("saved") / "debian.tar"
    debian("save", "--output", file, NAME)
    return file


def identity(nacre: NacreCli) -> str:
    return str(inspected(nacre, NAME)["Id"])


def test_docker_knows_it_as_nacre_does(
    docker: Tool, debian: NacreCli, archive: Path, tmp_path: Path
) -> None:
    docker("load", "--input", archive)
    theirs, ours = inspected(docker, NAME), inspected(debian, NAME)
    for key in ("Id", "RepoTags", "Architecture", "Os", "RootFS", "Created", "Comment"):
        assert ours[key] == theirs[key]
    assert ours["Config"] == filled(theirs["Config"])
    form = "{{.ID}}|{{.CreatedAt}}|{{.CreatedBy}}|{{.Comment}}"
    history = debian("history", "--format", form, NAME)
    assert history == docker("history", "--format", form, NAME)
    assert "made by mmdebstrap" in history
    container = docker("create", NAME).strip()
    docker("cp", f"{container}:/usr/lib/os-release", tmp_path)
    assert "Debian" in (tmp_path / "os-release").read_text()


def test_podman_loads_it(podman: Tool, debian: NacreCli, archive: Path) -> None:
    podman("load", "--input", archive)
    theirs, ours = inspected(podman, NAME), inspected(debian, NAME)
    assert f"sha256:{theirs['Id']}" == ours["Id"]
    assert theirs["Config"] == ours["Config"]
    assert theirs["RootFS"] == ours["RootFS"]


def test_skopeo_reads_the_archive_both_ways(skopeo: Tool, debian: NacreCli, archive: Path) -> None:
    for where in (f"oci-archive:{archive}", f"docker-archive:{archive}"):
        config = skopeo("inspect", "--config", "--raw", where)
        assert Digest.of(config.encode()) == identity(debian)


@pytest.mark.root
def test_umoci_unpacks_every_file_of_it(
    umoci: Tool, debian: NacreCli, debian_rootfs_tar: Path, tmp_path: Path
) -> None:
    debian("image", "copy", NAME, f"oci:{tmp_path / 'layout'}:base")
    umoci("unpack", "--image", f"{tmp_path / 'layout'}:base", tmp_path / "bundle")
    rootfs = tmp_path / "bundle/rootfs"
    wrong = []
    with tarfile.open(debian_rootfs_tar) as tar:
        for member in tar:
            found = (rootfs / member.name).lstat()
            wanted = (member.uid, member.gid, member.size if member.isreg() else found.st_size)
            if (found.st_uid, found.st_gid, found.st_size) != wanted and not member.islnk():
                wrong.append(member.name)
    assert wrong == []


def test_it_comes_back_from_a_registry_by_way_of_skopeo(
    skopeo: Tool,
    debian: NacreCli,
    nacre_cli: NacreCli,
    docker_registry: RegistryStarter,
    tmp_path: Path,
) -> None:
    name = f"{docker_registry().host}/team/debian:base"
    copied = f"{docker_registry().host}/other/debian:base"
    layout = f"oci:{tmp_path / 'layout'}:base"
    debian("image", "copy", NAME, layout)
    nacre_cli("image", "copy", layout, name)
    nacre_cli("push", name)
    skopeo_copy(skopeo, f"docker://{name}", f"docker://{copied}")
    digest = digest_of(skopeo, f"docker://{name}")
    assert digest_of(skopeo, f"docker://{copied}") == digest
    nacre_cli("pull", copied)
    nacre_cli("image", "verify", copied)
    document = inspected(nacre_cli, copied)
    assert document["Id"] == identity(debian)
    assert document["Descriptor"]["digest"] == digest
    manifest = json.loads(nacre_cli("manifest", "inspect", copied))
    assert [layer["mediaType"].rpartition("+")[2] for layer in manifest["layers"]] == ["gzip"]
