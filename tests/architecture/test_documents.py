"""What the documents name is there: files of the project, functions in them, and linked pages.

A word between backticks is taken for a file when it is a path that ends in ``.py`` or ``.md``, or
whose first folder is one of ours. So ``team/app``, ``/etc/nacre/hub.toml`` and
``tests/unit/<package>`` are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import PROJECT, SOURCE
from tests.architecture.test_security import functions_in

DOCUMENTS = [*sorted((PROJECT / "docs").rglob("*.md")), PROJECT / "README.md"]
DOCUMENTS.append(PROJECT / "CONTRIBUTING.md")

# Where a path may begin: documents leave out what a reader of the part can do without.
BASES = (PROJECT, SOURCE, SOURCE / "hub")

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"`([^`]+)`")
_PATH = re.compile(r"(?P<path>[\w.*-][\w.*/-]*)(?:::(?P<function>\w+))?")
_LINK = re.compile(r"\]\((?!https?://)([^)#]+)[^)]*\)")


def named(text: str) -> Iterator[tuple[str, str]]:
    """Give each path between backticks that means a file of ours, and the function named in it."""
    for quoted in _QUOTED.findall(_FENCED.sub("", text)):
        for word in quoted.split():
            found = _PATH.fullmatch(word)
            if found and is_ours(found["path"]):
                yield found["path"], found["function"] or ""


def is_ours(path: str) -> bool:
    """Say whether a path means a file of the project, whether it is there or not."""
    first, slash, _ = path.partition("/")
    return path.endswith((".py", ".md")) or any(slash and (base / first).is_dir() for base in BASES)


def files_at(path: str) -> list[Path]:
    """Return the files and folders that a path means, which may be a pattern."""
    return [found for base in BASES for found in base.glob(path)]


def missing(text: str) -> list[str]:
    """Return what a document names and is not there."""
    wrong = []
    for path, function in named(text):
        found = files_at(path)
        if not found:
            wrong.append(path)
        elif function and not any(function in functions_in(str(file)) for file in found):
            wrong.append(f"{path}::{function}")
    return wrong


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_files_that_a_document_names_are_there(document: Path) -> None:
    assert not missing(document.read_text())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    links = _LINK.findall(document.read_text())
    assert not [link for link in links if not (document.parent / link).exists()]


@pytest.mark.parametrize(
    "text",
    [
        "`oci/gone.py`",
        "`gone.py`",
        "`hub/gone`",
        "`scripts/gone --fast`",
        "`oci/gone*.py`",
        "`oci/digest.py::gone`",
    ],
)
def test_a_file_that_is_gone_is_noticed(text: str) -> None:
    assert missing(text)


@pytest.mark.parametrize(
    "text",
    [
        "`value.py`",
        "`registry/`",
        "`distribution/transport*.py`",
        "`layers/stack.py::is_regular`",
        "`team/app`",
        "`/etc/nacre/hub.toml`",
        "`tests/unit/<package>/test_<file>.py`",
        "oci/gone.py",
        "```\noci/gone.py\n```",
    ],
)
def test_what_is_there_or_no_file_of_ours_is_passed_over(text: str) -> None:
    assert not missing(text)
