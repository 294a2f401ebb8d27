"""A nacre that holds a sound image, and the proof that a refusal left it as it was."""

from __future__ import annotations

import io
import re
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any

from nacre import Engine
from nacre.testing.builders import a_layer
from tests.peers.nacre import NacreCli

SOUND = "sound:base"
KEPT = ("blobs/", "tocs/", "storage/erofs/", "storage/overlay/", "storage/copies/")
"""Where the files are that images consist of."""
_REFUSAL = re.compile(r"Error: (?P<what>.+) \((?P<remedy>[^()].*)\)")


class Unharmed:
    """Runs commands that must be refused, and holds the store before against the store after.

    One image is in the store, named ``sound:base``, so that there is something to harm.
    """

    def __init__(self, cli: NacreCli) -> None:
        self.cli = cli
        with self.engine() as engine:
            engine.images.import_(io.BytesIO(a_layer({"etc/motd": b"sound\n"})), SOUND)
        self._before = self.state()

    def engine(self) -> Engine:
        """Return an engine on the same store, for looking at it from within."""
        return Engine(root=self.cli.root, environment=self.cli.env)

    def refuses(self, *args: str | Path, saying: str, stdin: str | None = None) -> str:
        """Run a command that must fail in one line, and leave everything as it was.

        ``saying`` is a regular expression that the line must contain. Returns the line.
        """
        line = refusal(self.cli, *args, saying=saying, stdin=stdin)
        self.check()
        return line

    def check(self) -> None:
        """Hold the store against what it was, byte for byte, and verify it."""
        assert self.state() == self._before
        assert not list((self.cli.home / "tmp").iterdir())
        with self.engine() as engine:
            reports = list(engine.images.verify())
        assert reports
        assert not [problem for report in reports for problem in report.problems]

    def state(self) -> dict[str, Any]:
        """Return all that a user or another tool can see of the store."""
        database = self.cli.root / "state.db"
        tables = ("images", "names", "repo_digests", "held")
        return {"files": files(self.cli.root)} | {name: rows(database, name) for name in tables}


def refusal(cli: NacreCli, *args: str | Path, saying: str, stdin: str | None = None) -> str:
    """Run a command that must fail in one line, which names what is wrong and what to do."""
    said = cli.refused(*args, stdin=stdin)
    lines = said.splitlines()
    assert len(lines) == 1, said
    assert _REFUSAL.fullmatch(lines[0]), f"no remedy: {said}"
    assert re.search(saying, said), said
    return lines[0]


def files(root: Path) -> dict[str, str]:
    """Return the hash of every file below a folder, those of the database and locks left out."""
    return {
        str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith("state.db") and path.name != "users"
    }


def rows(database: Path, table: str) -> list[tuple[object, ...]]:
    """Return all rows of a table."""
    connection = sqlite3.connect(database)
    try:
        return connection.execute(f"SELECT * FROM {table}").fetchall()
    finally:
        connection.close()
