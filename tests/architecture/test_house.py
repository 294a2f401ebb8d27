"""The house is in order: file sizes, docstrings, pins, and nothing that belongs elsewhere."""

from __future__ import annotations

import ast
import re
import tomllib
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.architecture.source import PROJECT, SOURCE, Module, modules

MODULES = modules()
WRITTEN = ("src", "scripts", "tests", "docs", "bench", "requirements", ".ci")
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
URL = re.compile(r"\bhttps?://[^\s\"'`<>)\]}|\\]+")

# The hosts that a URL in this project may name: specifications and manuals we cite, and the hub
# whose names are part of the grammar. A place to download from is never one of them: where
# packages come from is each machine's own affair.
CITED_HOSTS = {
    "containers.dev", "datatracker.ietf.org", "distribution.github.io", "docker.io",
    "docs.docker.com",
    "docs.python.org", "github.com", "index.docker.io", "keepachangelog.com", "man7.org",
    "opencontainers.org", "auth.docker.io", "registry-1.docker.io", "semver.org",
    "spec.opencontainers.org", "specs.opencontainers.org", "www.apache.org", "www.iana.org",
    "www.rfc-editor.org", "www.w3.org", "docs.kernel.org",
}  # fmt: skip
# Names that are reserved for examples lead nowhere.
RESERVED = (".example", ".example.com", ".example.org", ".example.net", ".test", ".invalid")


def written_files() -> list[Path]:
    """Return every text file of the project that people write."""
    files = [path for path in PROJECT.iterdir() if path.is_file() and path.name != ".git"]
    for folder in WRITTEN:
        files += [path for path in (PROJECT / folder).rglob("*") if path.is_file()]
    return sorted(path for path in files if "__pycache__" not in path.parts and is_text(path))


def is_text(path: Path) -> bool:
    """Return whether a file is text as far as its beginning shows."""
    try:
        path.read_bytes()[:4096].decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


def may_be_named(url: str) -> bool:
    """Return whether a URL leads to a cited host, an example or a machine's own network."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # broken on purpose, in a test
        return True
    if host in CITED_HOSTS or "." not in host or f".{host}".endswith(RESERVED):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return not re.fullmatch(r"[a-z0-9.-]+", host)  # a placeholder such as {host}
    return address.is_private or address.is_loopback


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.within)
def test_a_module_is_short(module: Module) -> None:
    lines = len(module.path.read_text().splitlines())
    assert lines <= 500, f"{module.within} has more than one idea"


def test_every_module_says_what_it_is_for() -> None:
    assert not [module.within for module in MODULES if not ast.get_docstring(module.tree)]


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {module.path.parent for module in MODULES}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_the_types_are_published() -> None:
    assert (SOURCE / "py.typed").exists()


def test_nothing_is_left_unfinished() -> None:
    wrong = {
        path: found[0] for path in written_files() if (found := UNFINISHED.search(path.read_text()))
    }
    assert not wrong


def test_a_url_names_only_what_we_cite() -> None:
    wrong = {
        f"{path.relative_to(PROJECT)}: {url}"
        for path in written_files()
        for url in URL.findall(path.read_text(errors="replace"))
        if not may_be_named(url)
    }
    assert not wrong


@pytest.mark.parametrize("file", ["runtime.txt", "dev.txt"])
def test_every_package_is_pinned_and_hashed(file: str) -> None:
    text = (PROJECT / "requirements" / file).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    pin = re.compile(r"[a-z0-9-]+==[\w.]+ *(;[^#]*?)?( +--hash=sha256:[0-9a-f]{64})+ *")
    assert lines
    assert not [line for line in lines if not pin.fullmatch(line)]


def test_every_dependency_is_among_the_pins() -> None:
    wanted = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[^\w.-]", line)[0].lower().replace(".", "-") for line in wanted}
    for file in ("runtime.txt", "dev.txt"):
        text = (PROJECT / "requirements" / file).read_text()
        assert names <= set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)), file
