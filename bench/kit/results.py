"""Where results go: raw figures as JSON, and one section of RESULTS.md for each benchmark."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "results"
_REPORT = FOLDER.parent / "RESULTS.md"
_HEAD = """\
# Results

Written by `bench/run`; every section by its own benchmark, which can be run alone. Raw figures are
in `results/*.json`. A ratio is of medians, nacre's over the other's, so below 1 nacre is faster or
smaller; the range behind it holds 95 % of the ratios when rounds are drawn again (bootstrap).
"""


def save(name: str, raw: Mapping[str, Any]) -> None:
    """Write the raw figures of a benchmark."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(raw, indent=1) + "\n")


def report(name: str, text: str) -> None:
    """Put a benchmark's section into RESULTS.md, in place of the one it wrote before."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = _REPORT.read_text() if _REPORT.exists() else _HEAD
    section = f"{begin}\n{text.strip()}\n{end}\n"
    found = re.compile(re.escape(begin) + ".*?" + re.escape(end) + "\n", re.DOTALL)
    known = found.search(old) is not None
    _REPORT.write_text(found.sub(lambda _: section, old) if known else f"{old}\n{section}")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; all columns but the first are aligned to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


def facts(*groups: Mapping[str, str]) -> str:
    """Return what is known of machine and tools as one list."""
    return "".join(f"- {name}: {value}\n" for group in groups for name, value in group.items())


def megabytes(count: float) -> str:
    """Return a number of bytes in MB, as memory is spoken of."""
    return f"{count / 1e6:.0f} MB" if count >= 1e7 else f"{count / 1e6:.1f} MB"
