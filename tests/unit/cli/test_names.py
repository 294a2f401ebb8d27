from __future__ import annotations

import io
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacre.cli.render.names import namer, shell_quoted
from tests.peers.tools import require_tool


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "name", ["motd", "a-b_c.txt", "lib64", "a=b", "x86:64", "été", "/etc/motd", "+"]
)
def test_plain_names_stay_as_they_are(name: str) -> None:
    assert shell_quoted(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("my notes", "'my notes'"),
        ("it's", '"it\'s"'),
        ("$HOME", "'$HOME'"),
        ("a;b", "'a;b'"),
        ("*", "'*'"),
        ("", "''"),
        ("~root", "'~root'"),
        ("it's $1", "'it'$'\\'''s $1'"),
        ("two\nlines", "'two'$'\\n''lines'"),
        ("\x1b[31mred", "$'\\033''[31mred'"),
        ("\udcff", "$'\\377'"),
        ("\x9bm", "$'\\302\\233''m'"),
        ("a\u202eb", "'a'$'\\342\\200\\256''b'"),
    ],
)
def test_the_rest_is_quoted_as_a_shell_reads_it(name: str, shown: str) -> None:
    assert shell_quoted(name) == shown


@settings(max_examples=50)
@given(st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name))
def test_bash_reads_back_any_name(name: bytes) -> None:
    text = shell_quoted(name.decode("utf-8", "surrogateescape"))
    assert text.isprintable()
    bash = [str(require_tool("bash")), "--norc", "-c", f"printf %s {text}"]
    assert subprocess.run(bash, capture_output=True, check=True).stdout == name


def test_names_are_quoted_at_terminals_only() -> None:
    assert namer(Screen())("a\n") == "'a'$'\\n'"
    assert namer(io.StringIO())("a\n") == "a\n"
