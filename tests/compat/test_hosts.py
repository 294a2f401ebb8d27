"""Hosts: TLS with authorities and client certificates, and Docker Hub's names served elsewhere.

Docker's engine reads no certificates for registries on loopback, so it has no part in this.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.compat.images import GZIP, image_id, inspected
from tests.conftest import RegistryStarter
from tests.peers.certificates import Authority
from tests.peers.nacre import NacreCli
from tests.peers.registry import DockerRegistry
from tests.peers.tools import Tool, isolated_environment

USER, PASSWORD = "ana", "secret"


@pytest.fixture
def others(skopeo: Tool, podman: Tool, nacre_cli: NacreCli) -> tuple[Tool, Tool]:
    """skopeo and podman, run by the person who runs nacre."""
    env = isolated_environment(nacre_cli.home)
    return skopeo.within(env), podman.within(env)


def give(nacre: NacreCli, name: str) -> None:
    """Give the local store an image."""
    copy(Shelf(GZIP), "", LayoutStore(nacre.home / "layout"), "it")
    nacre("image", "copy", f"oci:{nacre.home / 'layout'}:it", name)


def trust(folder: Path, authority: Authority, *, client: bool = False) -> None:
    """Make a host's folder in ``certs.d``, as Docker and Podman know it."""
    folder.mkdir(parents=True)
    shutil.copy(authority.certificate, folder / "ca.crt")
    if client:
        certificate = authority.issue("client")
        shutil.copy(certificate.certificate, folder / "client.cert")
        shutil.copy(certificate.key, folder / "client.key")


def certificates(nacre: NacreCli, registry: DockerRegistry) -> Path:
    """Return the folder where the person who runs nacre keeps a host's certificates."""
    return nacre.home / ".config/containers/certs.d" / registry.host


class TestTls:
    def test_an_authority_in_certs_d_is_trusted_by_all(
        self,
        nacre_cli: NacreCli,
        others: tuple[Tool, Tool],
        docker_registry: RegistryStarter,
        authority: Authority,
    ) -> None:
        skopeo, podman = others
        registry = docker_registry(authority=authority)
        name = f"{registry.host}/team/hello:1"
        give(nacre_cli, name)
        assert "certificate" in nacre_cli.refused("push", name)
        assert registry.count("PUT") == 0
        trust(certificates(nacre_cli, registry), authority)
        nacre_cli("push", name)
        assert json.loads(skopeo("inspect", f"docker://{name}"))["Digest"] == GZIP.root.digest
        podman("pull", name)
        assert f"sha256:{inspected(podman, name)['Id']}" == image_id(GZIP)

    def test_a_client_certificate_in_certs_d_is_shown_by_all(
        self,
        nacre_cli: NacreCli,
        others: tuple[Tool, Tool],
        docker_registry: RegistryStarter,
        authority: Authority,
    ) -> None:
        skopeo, _ = others
        registry = docker_registry(authority=authority, client_authority=authority)
        name = f"{registry.host}/team/hello:1"
        give(nacre_cli, name)
        trust(certificates(nacre_cli, registry), authority)
        nacre_cli.refused("push", name)
        assert skopeo.attempt("inspect", f"docker://{name}").returncode != 0
        shutil.rmtree(certificates(nacre_cli, registry))
        trust(certificates(nacre_cli, registry), authority, client=True)
        nacre_cli("push", name)
        assert json.loads(skopeo("inspect", f"docker://{name}"))["Digest"] == GZIP.root.digest

    def test_a_password_over_tls_is_shared(
        self,
        nacre_cli: NacreCli,
        others: tuple[Tool, Tool],
        docker_registry: RegistryStarter,
        authority: Authority,
    ) -> None:
        skopeo, podman = others
        registry = docker_registry(user=USER, password=PASSWORD, authority=authority)
        name = f"{registry.host}/team/hello:1"
        give(nacre_cli, name)
        trust(certificates(nacre_cli, registry), authority)
        nacre_cli.refused("push", name)
        podman("login", "--username", USER, "--password-stdin", registry.host, stdin=PASSWORD)
        nacre_cli("push", name)
        assert json.loads(skopeo("inspect", f"docker://{name}"))["Digest"] == GZIP.root.digest


class TestRelocation:
    """``[registry."docker.io"] location``: Docker Hub's names live at another registry."""

    @pytest.fixture
    def registry(self, nacre_cli: NacreCli, docker_registry: RegistryStarter) -> DockerRegistry:
        registry = docker_registry()
        nacre_cli.config.write_text(f'[registry."docker.io"]\nlocation = "{registry.host}"\n')
        return registry

    def test_pushes_go_where_skopeo_finds_them(
        self, nacre_cli: NacreCli, registry: DockerRegistry, skopeo: Tool
    ) -> None:
        give(nacre_cli, "debian:x")
        nacre_cli("tag", "debian:x", "team/hello:1")
        for name, path in (("debian:x", "library/debian:x"), ("team/hello:1", "team/hello:1")):
            assert f"[docker.io/{path.partition(':')[0]}]" in nacre_cli("push", name)
            where = f"docker://{registry.host}/{path}"
            document = json.loads(skopeo("inspect", "--tls-verify=false", where))
            assert document["Digest"] == GZIP.root.digest

    def test_pulls_keep_dockers_names(
        self, nacre_cli: NacreCli, registry: DockerRegistry, skopeo: Tool, tmp_path: Path
    ) -> None:
        copy(Shelf(GZIP), "", LayoutStore(tmp_path / "layout"), "it")
        there = f"docker://{registry.host}/library/debian:x"
        skopeo(
            "--insecure-policy",
            "copy",
            "--dest-tls-verify=false",
            f"oci:{tmp_path / 'layout'}:it",
            there,
        )
        said = nacre_cli("pull", "debian:x")
        assert said.endswith("docker.io/library/debian:x\n")
        document = inspected(nacre_cli, "debian:x")
        assert document["RepoTags"] == ["debian:x"]
        assert document["RepoDigests"] == [f"debian@{GZIP.root.digest}"]

    def test_is_what_podmans_settings_call_a_location(
        self, nacre_cli: NacreCli, registry: DockerRegistry, podman: Tool, tmp_path: Path
    ) -> None:
        """The same words in registries.conf lead podman to the same image."""
        settings = tmp_path / "registries.conf"
        settings.write_text(
            f'[[registry]]\nprefix = "docker.io"\nlocation = "{registry.host}"\ninsecure = true\n'
        )
        give(nacre_cli, "debian:x")
        nacre_cli("push", "debian:x")
        podman = podman.within({"CONTAINERS_REGISTRIES_CONF": str(settings)})
        podman("pull", "docker.io/library/debian:x")
        document = inspected(podman, "docker.io/library/debian:x")
        assert f"sha256:{document['Id']}" == image_id(GZIP)
        assert document["RepoDigests"][0] == f"docker.io/library/debian@{GZIP.root.digest}"

    def test_a_login_to_docker_hub_is_one_to_the_location(
        self, nacre_cli: NacreCli, docker_registry: RegistryStarter, skopeo: Tool
    ) -> None:
        registry = docker_registry(user=USER, password=PASSWORD)
        nacre_cli.config.write_text(f'[registry."docker.io"]\nlocation = "{registry.host}"\n')
        skopeo = skopeo.within(isolated_environment(nacre_cli.home))
        words = ("--username", USER, "--password-stdin")
        there = f"docker://{registry.host}/library/debian:x"
        give(nacre_cli, "debian:x")
        nacre_cli.refused("push", "debian:x")
        skopeo("login", "--tls-verify=false", *words, registry.host, stdin=PASSWORD)
        nacre_cli("push", "debian:x")
        skopeo("logout", registry.host)
        nacre_cli("login", *words, stdin=PASSWORD)
        skopeo("inspect", "--tls-verify=false", there)
        nacre_cli("logout")
        assert skopeo.attempt("inspect", "--tls-verify=false", there).returncode != 0
