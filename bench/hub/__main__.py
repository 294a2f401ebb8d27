"""The hub beside Debian's docker-registry, on this machine, in one run; see bench/run."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench.hub import growth, listings, memory, requests, transfers
from bench.kit import machine, results, tools
from bench.kit.cache import CACHE
from bench.kit.ending import end_in_order

_NAME = "hub"
_PARTS: Mapping[str, Any] = {
    "requests": requests,
    "transfers": transfers,
    "listings": listings,
    "growth": growth,
    "memory": memory,
}


def _measures(given: argparse.Namespace) -> Mapping[str, Callable[[Path], dict[str, Any]]]:
    return {
        "requests": partial(requests.measure, rounds=given.rounds, seconds=given.seconds),
        "transfers": partial(transfers.measure, rounds=given.rounds, size=given.size),
        "listings": partial(listings.measure, passes=given.rounds),
        "growth": partial(growth.measure, rounds=given.rounds, seconds=given.seconds),
        "memory": partial(memory.measure, size=given.size),
    }


def main() -> None:
    """Measure and write the results down; parts that are not measured keep what they had."""
    parser = argparse.ArgumentParser(prog="bench/run hub", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(_PARTS), help="only this part")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of each run of small requests")
    parser.add_argument("--size", type=int, default=200_000_000, help="of large blobs, in bytes")
    given = parser.parse_args()
    end_in_order()
    CACHE.mkdir(parents=True, exist_ok=True)
    saved = results.FOLDER / f"{_NAME}.json"
    raw: dict[str, Any] = json.loads(saved.read_text()) if saved.exists() else {}
    for name, measure in _measures(given).items():
        if not given.only or name in given.only:
            about = machine.describe() | tools.versions("nacre", "docker-registry")
            with tempfile.TemporaryDirectory(prefix="hub-", dir=CACHE) as work:
                raw[name] = {"about": about, **measure(Path(work))}
            results.save(_NAME, raw)
    results.report(_NAME, _rendered(raw))


def _rendered(raw: Mapping[str, Any]) -> str:
    text = "## The hub beside docker-registry\n"
    for name, part in _PARTS.items():
        if name in raw:
            facts = ", ".join(f"{key} {value}" for key, value in raw[name]["about"].items())
            text += f"\n### {part.TITLE}\n\n{part.render(raw[name])}\n{facts}.\n"
    return text


if __name__ == "__main__":
    main()
