"""Commands that only look at local images import little: that is most of the time they take."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import nacre
from nacre.engine.engine import Engine
from nacre.testing import a_layer
from tests.peers.tools import isolated_environment

# What may be imported beside what is built into the interpreter. The last line is what pathlib
# takes in, differently from Python to Python.
STANDARD = {
    "__future__", "_blake2", "_collections_abc", "_datetime", "_hashlib", "_json", "_sqlite3",
    "_weakrefset", "collections", "contextlib", "copyreg", "datetime", "enum", "fcntl",
    "functools", "genericpath", "hashlib", "importlib", "json", "keyword", "math", "operator",
    "os", "pathlib", "posixpath", "re", "reprlib", "sqlite3", "stat", "threading", "types",
    "fnmatch", "glob", "grp", "ipaddress", "ntpath", "urllib", "warnings",
}  # fmt: skip
OURS = {
    "nacre.cli", "nacre.content", "nacre.engine", "nacre.errors", "nacre.images", "nacre.oci",
    "nacre.value",
}  # fmt: skip
# Parts of those that are for writing, for templates or for other commands.
NOT_OURS = {
    "nacre.cli.overview", "nacre.cli.progress", "nacre.cli.render.template.evaluate",
    "nacre.cli.render.template.parser", "nacre.content.gc", "nacre.content.ingest",
    "nacre.content.layout", "nacre.content.target", "nacre.engine.local_target",
    "nacre.engine.registries", "nacre.engine.state_leases", "nacre.images.edit",
    "nacre.images.receive", "nacre.images.validate",
}  # fmt: skip
RUN = """
import sys
before = set(sys.modules)
from nacre.cli.main import main
code = main(sys.argv[1:])
found = sorted(set(sys.modules) - before - set(sys.builtin_module_names))
import json
json.dump([code, found], sys.stderr)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a store that has an image ``demo:1``."""
    root = tmp_path_factory.mktemp("startup") / "store"
    with Engine(root=root, environment={}) as engine:
        engine.images.import_(io.BytesIO(a_layer({"etc/motd": b"hello"})), "demo:1")
    return root


def imported(store: Path, words: Sequence[str]) -> set[str]:
    """Return what a command imports after Python has started.

    It starts without the ``site`` module: what an environment loads at every start stays out of
    it, and so do the packages of others, which these commands can do without.
    """
    places = {"PYTHONPATH": str(Path(nacre.__file__).parents[1]), "NACRE_ROOT": str(store)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", RUN, *words],
        env=isolated_environment(store.parent) | places,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout
    code, found = json.loads(done.stderr)
    assert code == 0
    return set(found)


def within(module: str, packages: set[str]) -> bool:
    """Say whether a module is one of these packages or inside one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


COMMANDS = [
    ["history", "demo:1"],
    ["history", "--no-trunc", "--human=false", "-q", "demo:1"],
    ["image", "inspect", "demo:1"],
    ["inspect", "demo:1"],
    ["images"],
    ["image", "ls", "--no-trunc", "--digests", "dem*"],
    ["__complete", "rmi", ""],
    ["--version"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_of_the_standard_library_only_what_is_needed(store: Path, words: list[str]) -> None:
    others = {name for name in imported(store, words) if not within(name, {"nacre"})}
    assert {name for name in others if name.partition(".")[0] not in STANDARD} == set()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_of_nacre_only_what_reads(store: Path, words: list[str]) -> None:
    own = {name for name in imported(store, words) if within(name, {"nacre"})} - {"nacre"}
    assert {name for name in own if not within(name, OURS) or within(name, NOT_OURS)} == set()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_neither_dataclasses_nor_typing_are_imported(store: Path, words: list[str]) -> None:
    assert not imported(store, words) & {"dataclasses", "inspect", "typing"}


PULLING = (
    "nacre.cli.main, nacre.cli.commands.image_pull, nacre.engine.images, nacre.engine.pulling, "
    "nacre.engine.registries, nacre.engine.local_target, nacre.engine.storage, "
    "nacre.images.layers, nacre.storage.erofs.probe, nacre.storage.erofs.tree, "
    "nacre.erofs.writer, isal.igzip_lib"
)


def test_pulling_needs_no_dataclasses_and_starts_no_programs() -> None:
    # They are a tenth of the time that a small image takes.
    program = f"import sys, {PULLING}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    found = set(done.stdout.decode().split())
    assert not found & {"dataclasses", "inspect", "subprocess", "nacre.layers.apply"}


SEEING = [
    ["image", "ls", "demo:1:/"],
    ["image", "ls", "-l", "--json", "demo:1:/"],
    ["image", "cat", "demo:1:/etc/motd"],
    ["image", "blame", "demo:1:/etc/motd"],
    ["image", "layers", "demo:1"],
]
HEAVY = {
    "isal", "zlib_ng", "backports", "compression", "lzma", "bz2", "urllib3", "ssl", "socket",
    "http", "asyncio", "logging", "rich", "subprocess", "tempfile", "shutil", "uuid", "ctypes",
    "nacre.distribution", "nacre.transports", "nacre.erofs", "nacre.layers.apply",
    "nacre.layers.diff", "nacre.storage.driver", "nacre.content.ingest", "nacre.content.gc",
}  # fmt: skip


@pytest.mark.parametrize("words", SEEING, ids=" ".join)
def test_looking_into_an_image_imports_no_codec_and_nothing_that_writes(
    store: Path, words: list[str]
) -> None:
    imported(store, SEEING[0])  # now there is a table
    assert {name for name in imported(store, words) if within(name, HEAVY)} == set()


def test_help_needs_no_engine(store: Path) -> None:
    assert not {name for name in imported(store, ["--help"]) if within(name, {"nacre.engine"})}


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    code = (
        "import signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from nacre.cli.startup import end_in_order\n"
        "end_in_order()\n"
        "signal.raise_signal(signal.SIGHUP)\n"
        "try:\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "finally:\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    print('closed')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (143, "closed\n", "")
