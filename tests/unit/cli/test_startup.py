"""Commands that only look at local images import little: that is most of the time they take."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from nacre.engine.engine import Engine
from nacre.testing import a_layer
from tests.peers.tools import isolated_environment

# What may be imported beside what Python itself imports to start, and json.
STANDARD = {
    "__future__", "_blake2", "_datetime", "_hashlib", "_sqlite3", "_typing", "_weakrefset",
    "collections", "contextlib", "copy", "dataclasses", "datetime", "errno", "fcntl", "fnmatch",
    "gc", "hashlib", "importlib", "inspect", "ipaddress", "math", "ntpath", "pathlib",
    "sqlite3", "threading", "typing", "urllib", "warnings", "weakref",
}  # fmt: skip
OURS = {"nacre", "nacre.errors", "nacre.cli", "nacre.oci", "nacre.images", "nacre.content",
        "nacre.engine"}  # fmt: skip
# Parts of those that are for writing, for templates or for other commands.
NOT_OURS = {
    "nacre.cli.overview", "nacre.cli.progress", "nacre.cli.render.template.evaluate",
    "nacre.cli.render.template.parser", "nacre.content.gc", "nacre.content.ingest",
    "nacre.content.layout", "nacre.content.target", "nacre.engine.filtering",
    "nacre.engine.local_target", "nacre.engine.registries", "nacre.engine.state_leases",
    "nacre.images.edit", "nacre.images.receive", "nacre.images.validate",
}  # fmt: skip
RUN = """
import json, sys
before = set(sys.modules)
from nacre.cli.startup import hurry
hurry()
from nacre.cli.main import main
code = main(sys.argv[1:])
json.dump([code, sorted(set(sys.modules) - before)], sys.stderr)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a store that has an image ``demo:1``."""
    root = tmp_path_factory.mktemp("startup") / "store"
    with Engine(root=root, environment={}) as engine:
        engine.images.import_(io.BytesIO(a_layer({"etc/motd": b"hello"})), "demo:1")
    return root


def imported(store: Path, words: Sequence[str]) -> set[str]:
    """Return what a command imports after Python has started."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, "--root", str(store), *words],
        env=isolated_environment(store.parent),
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
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_of_the_standard_library_only_what_is_needed(store: Path, words: list[str]) -> None:
    others = {name for name in imported(store, words) if not within(name, {"nacre"})}
    assert {name for name in others if name.partition(".")[0] not in STANDARD} == set()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_of_nacre_only_what_reads(store: Path, words: list[str]) -> None:
    own = {name for name in imported(store, words) if within(name, {"nacre"})}
    assert {name for name in own if not within(name, OURS | {"nacre"})} == set()
    assert {name.split(".")[1] for name in own if "." in name} <= {
        name.partition(".")[2] for name in OURS
    }
    assert {name for name in own if within(name, NOT_OURS)} == set()


def test_the_inspect_module_is_put_off(store: Path) -> None:
    assert not imported(store, ["history", "demo:1"]) & {"ast", "dis", "tokenize"}


def test_a_module_put_off_is_there_when_needed() -> None:
    code = (
        "from nacre.cli.startup import hurry; hurry()\n"
        "import dataclasses, inspect, sys\n"
        "@dataclasses.dataclass\n"
        "class A:\n"
        "    x: int\n"
        "import inspect as later\n"
        "print(A.__doc__, inspect.isclass(A), later.__file__ == sys.modules['inspect'].__file__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "A(x: int) True True\n"


def test_help_needs_no_engine(store: Path) -> None:
    assert not {name for name in imported(store, ["--help"]) if within(name, {"nacre.engine"})}
