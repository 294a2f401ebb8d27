"""What every client of a registry can do, each in its own words: log in, push, pull."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from nacre.oci.digest import Digest
from nacre.testing.builders import Content
from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.compat.images import inspected, skopeo_copy
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool

PLAIN = "--tls-verify=false"


@dataclass(frozen=True, slots=True)
class Party:
    """One client; ``folder`` is where it may leave files."""

    tool: Tool
    folder: Path

    def log_in(self, host: str, user: str, password: str) -> subprocess.CompletedProcess[str]:
        """Log in and return how that ended."""
        argv = ("login", *self._plain(), "--username", user, "--password-stdin", host)
        return self.tool.attempt(*argv, stdin=password)

    def push(self, image: Content, name: str) -> None:
        """Push an image."""
        raise NotImplementedError

    def pull(self, name: str) -> Digest:
        """Pull an image and return the digest that it is said to have."""
        self.tool("pull", "--quiet", *self._plain(), name)
        return Digest(inspected(self.tool, name)["RepoDigests"][0].partition("@")[2])

    def tries_to_pull(self, name: str) -> subprocess.CompletedProcess[str]:
        """Pull an image and return how that ended."""
        return self.tool.attempt("pull", *self._plain(), name)

    def _plain(self) -> tuple[str, ...]:
        return (PLAIN,)

    def _layout(self, image: Content) -> str:
        copy(Shelf(image), "", LayoutStore(self.folder), image.root.digest.encoded)
        return f"oci:{self.folder}:{image.root.digest.encoded}"


class NacreParty(Party):
    """Our own command."""

    def push(self, image: Content, name: str) -> None:
        self.tool("image", "copy", "--quiet", self._layout(image), name)
        self.tool("push", name)

    def pull(self, name: str) -> Digest:
        self.tool("pull", name)
        self.tool("image", "verify", name)
        return Digest(inspected(self.tool, name)["Descriptor"]["digest"])

    def _plain(self) -> tuple[str, ...]:
        return ()


class SkopeoParty(Party):
    """Skopeo, which keeps no images."""

    def push(self, image: Content, name: str) -> None:
        every = ("--all", "--preserve-digests")
        skopeo_copy(self.tool, self._layout(image), f"docker://{name}", *every)

    def pull(self, name: str) -> Digest:
        folder = self.folder / "pulled"
        folder.mkdir(parents=True)
        skopeo_copy(self.tool, f"docker://{name}", f"dir:{folder}", "--all", "--preserve-digests")
        return Digest.of((folder / "manifest.json").read_bytes())

    def tries_to_pull(self, name: str) -> subprocess.CompletedProcess[str]:
        return self.tool.attempt("inspect", PLAIN, f"docker://{name}")


class PodmanParty(Party):
    """Podman."""

    def push(self, image: Content, name: str) -> None:
        held = self.tool("pull", "--quiet", self._layout(image)).strip()
        self.tool("push", "--quiet", PLAIN, "--format=oci", held, name)


class BuildahParty(Party):
    """Buildah."""

    def push(self, image: Content, name: str) -> None:
        held = self.tool("pull", "--quiet", self._layout(image)).strip()
        self.tool("push", "--quiet", PLAIN, "--format=oci", held, f"docker://{name}")

    def pull(self, name: str) -> Digest:
        held = self.tool("pull", "--quiet", PLAIN, name).strip()
        shown = self.tool("images", "--format={{.Digest}}", "--filter", f"id={held}")
        return Digest(shown.split()[0])


class DockerParty(Party):
    """Docker, which takes plain http from loopback as it is."""

    def push(self, image: Content, name: str) -> None:
        archive = self.folder.with_suffix(".tar")
        self.folder.mkdir(exist_ok=True)
        target = f"docker-archive:{archive}:{name}"
        copier = Tool((NacreCli(self.folder / "nacre").argv()[0],), self.tool.env)
        copier("--root", self.folder / "store", "image", "copy", self._layout(image), target)
        self.tool("load", "--input", archive)
        self.tool("push", name)

    def _plain(self) -> tuple[str, ...]:
        return ()
