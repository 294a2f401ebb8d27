"""The reader that the architecture tests rely on sees what is there, so that they can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.source import Module, resolve
from tests.architecture.test_house import may_be_named
from tests.architecture.test_imports import NETWORK, allowed_for, imports_any, own_imports
from tests.architecture.test_rules import ENVIRONMENT, EXITS, SQL, STREAMS, belongs, used_by

CODE = '''"""A docstring that says SELECT and blobs."""
import os, sys
import http.client as web
from nacre.oci.digest import Digest
from nacre.oci import digest
from . import store
from ..layers.tar import read
def late():
    """Another docstring."""
    from urllib3 import PoolManager
    print(os.environ["HOME"], "blobs", f"blobs/{late}", b"bytes")
    sys.exit(1)
'''


@pytest.fixture
def module(tmp_path: Path) -> Module:
    """A module of content that breaks every rule."""
    path = tmp_path / "bad.py"
    path.write_text(CODE)
    return Module("content.bad", path)


def test_every_form_of_import_is_seen(module: Module) -> None:
    assert module.imports == {
        "os", "sys", "http.client", "nacre.oci.digest.Digest", "nacre.oci.digest",
        "nacre.content.store", "nacre.layers.tar.read", "urllib3.PoolManager",
    }  # fmt: skip


def test_relative_imports_of_a_package_start_at_the_package(tmp_path: Path) -> None:
    path = tmp_path / "__init__.py"
    path.write_text("from .store import Store\nfrom ..oci import digest\n")
    assert Module("content", path).imports == {"nacre.content.store.Store", "nacre.oci.digest"}


def test_an_import_for_types_only_never_runs(tmp_path: Path) -> None:
    path = tmp_path / "typed.py"
    path.write_text("import os\nif TYPE_CHECKING:\n    import ssl\ndef late():\n    import abc\n")
    module = Module("oci.typed", path)
    assert module.imports == {"os", "ssl", "abc"}
    assert module.running_imports == {"os", "abc"}


def test_an_import_is_resolved_to_its_module() -> None:
    known = frozenset({"", "oci", "oci.digest"})
    assert resolve("nacre.oci.digest.Digest", known) == "oci.digest"
    assert resolve("nacre.oci.Descriptor", known) == "oci"
    assert resolve("nacre.__version__", known) == ""
    assert resolve("os.path", known) is None


def test_a_forbidden_import_is_found(module: Module) -> None:
    assert "oci.digest" in own_imports(module)
    assert allowed_for(module) == {"errors", "value", "content", "oci"}
    assert imports_any(module, NETWORK) == {"http.client", "urllib3.PoolManager"}


def test_docstrings_are_not_code(module: Module) -> None:
    assert sorted(module.strings()) == ["HOME", "blobs", "blobs/", "bytes"]


def test_forbidden_names_are_found(module: Module) -> None:
    assert used_by(module, ENVIRONMENT) == {"os.environ"}
    assert used_by(module, EXITS) == {"sys.exit"}
    assert used_by(module, STREAMS | {"print"}) == {"print"}


@pytest.mark.parametrize(
    "text", ["SELECT name FROM refs", "\n  INSERT OR IGNORE INTO refs", "CREATE TABLE refs (a)"]
)
def test_sql_is_recognised(text: str) -> None:
    assert SQL.match(text)


@pytest.mark.parametrize("text", ["select a platform", "UPDATE", "CREATED BY", "Delete from here"])
def test_prose_is_not_sql(text: str) -> None:
    assert not SQL.match(text)


def test_a_package_file_may_hold_no_code(module: Module) -> None:
    assert [belongs(node, module) for node in module.tree.body] == [True] * 7 + [False]


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/opencontainers/image-spec",
        "https://registry.example/v2/",
        "http://localhost:5000/v2/",
        "http://127.0.0.1:5000",
        "https://{host}/v2/",
        "https://10.0.0.1/",
    ],
)
def test_cited_and_reserved_hosts_may_be_named(url: str) -> None:
    assert may_be_named(url)


@pytest.mark.parametrize("host", ["mirror.nacre.dev", "1.1.1.1"])
def test_other_hosts_may_not_be_named(host: str) -> None:
    assert not may_be_named(f"https://{host}/simple")
