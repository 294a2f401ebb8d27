"""The table of docs/security.md and the cases named after CVEs agree."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.architecture.source import PROJECT
from tests.integration.test_cves import CASES

_CASES = "tests/integration/test_cves.py"
_LATER = {"containers", "build"}
_ROW = re.compile(r"^\| (?P<attack>[^|]+) \| [^|]+ \| [^|]+ \| (?P<held>[^|]+) \|$", re.MULTILINE)
_NUMBER = re.compile(r"CVE-\d{4}-\d+")


def rows() -> list[tuple[str, str]]:
    """Return each attack of the table, and what is said to hold it."""
    text = (PROJECT / "docs" / "security.md").read_text()
    found = [(row["attack"], row["held"].strip("`")) for row in _ROW.finditer(text)]
    return [row for row in found if row[0] != "attack" and not row[0].startswith("---")]


@cache
def functions_in(file: str) -> frozenset[str]:
    """Return the names of the functions of a file."""
    tree = ast.parse((PROJECT / file).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_attack_has_one_row() -> None:
    attacks = [attack for attack, _ in rows()]
    assert len(attacks) == len(set(attacks)) > 60


def test_every_case_has_a_row_and_the_other_way_round() -> None:
    assert {attack for attack, held in rows() if held == _CASES} == set(CASES)


@pytest.mark.parametrize(("attack", "held"), rows())
def test_what_holds_an_attack_is_there(attack: str, held: str) -> None:
    file, _, name = held.partition("::")
    if file == _CASES:
        assert attack in CASES
    elif held not in _LATER:
        assert name in functions_in(file)


@pytest.mark.parametrize("package", ["content", "layers", "oci", "storage", "images", "engine"])
def test_every_number_in_the_engine_and_its_tests_is_in_the_table(package: str) -> None:
    listed = {attack for attack, _ in rows()}
    folders = (PROJECT / "src" / "nacre" / package, PROJECT / "tests" / "unit" / package)
    files = [path for folder in folders for path in folder.rglob("*.py")]
    named = {number for path in files for number in _NUMBER.findall(path.read_text())}
    assert named <= listed
