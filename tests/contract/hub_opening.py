"""How the tests of a hub's records open them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nacre.hub.storage.sql import open_records
from nacre.testing.hub_contracts import Clock, Stage
from nacre.testing.hub_records import MemoryRecords


@contextmanager
def in_memory() -> Iterator[Stage]:
    """Open empty records in memory."""
    clock = Clock()
    with asyncio.Runner() as runner:
        yield Stage(MemoryRecords(clock), clock, runner)


@contextmanager
def in_sql(folder: Path) -> Iterator[Stage]:
    """Open empty records in SQL."""
    clock = Clock()
    with asyncio.Runner() as runner:
        opening = open_records(folder / "hub.db", now=clock)
        records = runner.run(opening.__aenter__())
        try:
            yield Stage(records, clock, runner)
        finally:
            runner.run(opening.__aexit__(None, None, None))
