"""The main job of ``scripts/demo``, done with one storage driver by whoever runs this process."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from nacre.engine.engine import Engine
from nacre.storage.mounting import mounts
from tests.peers.nacre import NacreCli
from tests.peers.registry import DockerRegistry
from tests.peers.tools import require_tool, run, succeed

USER, PASSWORD = "ana", "mother-of-pearl"
IMPORTED = "made by mmdebstrap"

_NAME = "debian:base"
_VERSION = "/etc/debian_version"
# Path, kind, mode, time and where a link leads; then the bytes. Devices are for root alone.
_LOOK = r"""
find . -path ./dev -prune -o -printf '%P %y %m %Ts %l{owners}\n' | LC_ALL=C sort
find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
"""

_MOUNT_TWICE = """
cd "$WORK"
nacre image mount debian:base one
nacre image mount debian:base two
cat two/etc/debian_version
stat --format %d:%i one/etc/debian_version two/etc/debian_version
(cd two; eval "$LOOK")
nacre image unmount one two
"""


@dataclass(frozen=True)
class Way:
    """How a driver is used."""

    driver: str
    is_inside: bool = False
    """Whether what is mounted is seen in ``nacre unshare`` only."""
    has_owners: bool = False
    """Whether files belong to whom the layers say."""
    one_mount: bool = True
    """Whether an image that is mounted twice is mounted once; if not, its files are kept once."""


def look(root: Path, *, owners: bool) -> str:
    """Return what find(1) and sha256sum(1) say of all that is in a folder."""
    script = looking(owners=owners)
    return succeed(
        run(require_tool("bash"), "-euc", f"cd {shlex.quote(str(root))}\n{script}")
    ).stdout


def looking(*, owners: bool) -> str:
    """Return the script that looks at the present folder."""
    return _LOOK.replace("{owners}", " %U:%G" if owners else "")


class MainJob:
    """One run of it, on a store of its own, which is empty again in the end.

    Args:
        way: how.
        folder: an empty one.
        registry: wants the password.
        rootfs: the tar of a real root file system.
        truth: what ``look`` says of it when GNU tar unpacked it.
    """

    def __init__(
        self, way: Way, folder: Path, *, registry: DockerRegistry, rootfs: Path, truth: str
    ) -> None:
        self._way = way
        self._work = folder
        self._registry = registry
        self._rootfs = rootfs
        self._truth = truth
        self._there = f"{registry.host}/job/{way.driver}:base"
        self._id = self._version = ""
        self._nacre = NacreCli(folder)
        self._nacre.env["NACRE_STORAGE_DRIVER"] = way.driver

    def run(self) -> None:
        """Do all of it."""
        self._import()
        self._describe()
        digest = self._push()
        self._pull_again(digest)
        self._see()
        self._mount_twice()
        self._save_and_load()
        self._push_again()
        self._leave_nothing()

    def _import(self) -> None:
        (said,) = self._nacre(
            *("import", "--change", "ENV GREETING=hello", "--change", 'CMD ["bash"]'),
            *("--message", IMPORTED, self._rootfs, _NAME),
        ).splitlines()
        assert re.fullmatch("sha256:[0-9a-f]{64}", said)
        self._id = said
        assert re.search("^debian +base +", self._nacre("images"), re.MULTILINE)
        assert f"Storage Driver: {self._way.driver}\n" in self._nacre("info")

    def _describe(self) -> None:
        with self._rootfs.open("rb") as tar:
            layer = f"sha256:{hashlib.file_digest(tar, 'sha256').hexdigest()}"
        layers = self._nacre("inspect", "--format", "{{json .RootFS.Layers}}", _NAME)
        assert json.loads(layers) == [layer]
        assert IMPORTED in self._nacre("history", _NAME)
        asked = "{{json .Config.Env}} {{json .Config.Cmd}}"
        assert self._nacre("inspect", "--format", asked, _NAME).endswith(
            '"GREETING=hello"] ["bash"]\n'
        )

    def _push(self) -> str:
        """Return the digest of what was pushed."""
        self._nacre("tag", _NAME, self._there)
        assert "login" in self._nacre.refused("push", self._there)
        login = ("login", "--username", USER, "--password-stdin", self._registry.host)
        assert "Login Succeeded" in self._nacre(*login, stdin=PASSWORD)
        found = re.search(
            "^base: digest: (sha256:[0-9a-f]{64}) size",
            self._nacre("push", self._there),
            re.MULTILINE,
        )
        assert found
        return found[1]

    def _pull_again(self, digest: str) -> None:
        self._nacre("rmi", _NAME, self._there)
        assert "No such image" in self._nacre.refused("inspect", _NAME)
        said = self._nacre("pull", self._there)
        assert f"Digest: {digest}\n" in said
        assert "Status: Downloaded newer image" in said
        self._nacre("tag", self._there, _NAME)
        self._nacre("image", "verify", _NAME)
        self._is_the_same()

    def _is_the_same(self) -> None:
        assert self._nacre("inspect", "--format", "{{.Id}}", _NAME) == f"{self._id}\n"

    def _see(self) -> None:
        listed = {
            one["path"][1:] for one in json.loads(self._nacre("image", "ls", "--json", "-R", _NAME))
        }
        assert {path for path in listed if path.split("/")[0] != "dev"} == self._paths()
        self._version = self._nacre("image", "cat", f"{_NAME}:{_VERSION}")
        assert IMPORTED in self._nacre("image", "blame", f"{_NAME}:{_VERSION}")
        self._nacre("import", self._rootfs.with_name("nameless.tar"), "debian:nameless")
        (gone,) = self._nacre("image", "diff", _NAME, "debian:nameless").splitlines()
        assert re.fullmatch(f"D .*{_VERSION}", gone)
        self._nacre("rmi", "debian:nameless")

    def _paths(self) -> set[str]:
        return {line.split(" ")[0] for line in self._truth.splitlines()[:-1]} - {""}

    def _mount_twice(self) -> None:
        if self._way.driver == "copying":
            seen = self._copied_twice()
        else:
            for name in ("one", "two"):
                (self._work / name).mkdir()
            seen = self._in_shell(_MOUNT_TWICE)
        version, one, two, tree = seen.split("\n", 3)
        assert f"{version}\n" == self._version
        assert (one == two) is self._way.one_mount
        assert tree == self._truth

    def _in_shell(self, script: str) -> str:
        """Return what a script of ours says, where one can mount."""
        given = {"WORK": str(self._work), "LOOK": looking(owners=self._way.has_owners)}
        if self._way.is_inside:
            script = f"exec nacre unshare -- bash -euc {shlex.quote(script)}"
        return succeed(self._nacre.in_shell(f"set -euo pipefail\n{script}", **given)).stdout

    def _copied_twice(self) -> str:
        """Look at the tree from Python: nothing is mounted."""
        refusal = self._nacre.refused("image", "mount", _NAME, self._work)
        assert "nacre image cp" in refusal
        with (
            Engine(root=self._nacre.root, environment=self._nacre.env) as engine,
            engine.images.mounted(_NAME) as one,
            engine.images.mounted(_NAME) as two,
        ):
            version = (one / _VERSION[1:]).read_text()
            return f"{version}{one}\n{two}\n{look(two, owners=self._way.has_owners)}"

    def _save_and_load(self) -> None:
        saved = self._work / "debian.tar"
        self._nacre("save", "--output", saved, _NAME)
        self._nacre("rmi", _NAME)
        assert self._nacre("load", "--input", saved) == f"Loaded image: {_NAME}\n"
        saved.unlink()
        self._is_the_same()

    def _push_again(self) -> None:
        before = self._registry.count("PUT", "/blobs/uploads/")
        other = self._there.replace("/job/", "/other/")
        for name, why in (
            (f"{self._there}-again", "Layer already exists"),
            (other, "Mounted from job/"),
        ):
            self._nacre("tag", _NAME, name)
            said = self._nacre("push", name)
            assert why in said
            assert "Pushed" not in said
        assert self._registry.count("PUT", "/blobs/uploads/") == before

    def _leave_nothing(self) -> None:
        self._nacre("logout", self._registry.host)
        self._nacre("rmi", "--force", self._id)
        assert self._nacre("images", "--quiet") == ""
        self._in_shell("nacre system prune --all --force")
        assert [each.point for each in mounts() if each.point.is_relative_to(self._work)] == []
        assert self._left() == []

    def _left(self) -> list[str]:
        kept = ("state.db", "index.json", "oci-layout")
        return [
            str(path.relative_to(self._nacre.root))
            for path in self._nacre.root.rglob("*")
            if path.is_file() and path.stat().st_size and not path.name.startswith(kept)
        ]
