"""Running a command line in this process, with streams that are strings."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, NamedTuple, cast

import pytest

from nacre.cli import main as cli

if TYPE_CHECKING:
    from nacre.engine.engine import Engine


class Ended(NamedTuple):
    """How a command line ended and what it printed."""

    code: int
    out: str
    err: str


def run(*words: str) -> Ended:
    """Run one that needs no store."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.main(words)
    return Ended(code, out.getvalue(), err.getvalue())


def run_on(engine: object, *words: str) -> Ended:
    """Run one on an engine of the test's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "_open_engine", lambda _options: cast("Engine", engine))
        return run(*words)
