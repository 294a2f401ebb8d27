"""Listings by the page: how long one takes, of many tags, referrers and repositories."""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.kit.hub_records import fill_with_names
from bench.kit.pushing import BASIC, Client
from bench.kit.results import table
from bench.kit.servers import add_user, hub

TITLE = "Listings"
_TAGS, _REFERRERS, _REPOSITORIES = 100_000, 10_000, 100_000
_PAGES = (100, 1000, 10_000)
_ENOUGH = 1000  # pages of one size
_TITLES = {"tags": "tags", "manifests": "referrers", "repositories": "catalog"}
_NEXT = re.compile(r"<([^>]+)>")


@dataclass(frozen=True, slots=True)
class Listing:
    """One listing gone through from end to end, some times: seconds of each page."""

    name: str
    page: int
    entries: int
    pages: list[float]


def measure(work: Path, *, passes: int) -> dict[str, Any]:
    """Go through each listing so many times, in pages of several sizes."""
    data = work / "listings"
    subject = fill_with_names(data, tags=_TAGS, referrers=_REFERRERS, repositories=_REPOSITORIES)
    lists = (
        ("tags", "/v2/many/r000000/tags/list"),
        ("manifests", f"/v2/many/r000000/referrers/{subject}"),
        ("repositories", "/v2/_catalog"),
    )
    found = []
    with hub(data, auth=True, log=True, processor=0) as serving:
        add_user(data)
        with Client(serving, BASIC) as client:
            for name, path in lists:
                for size in _PAGES:
                    found.append(_gone_through(client, name, f"{path}?n={size}", passes))
                    print(_said(found[-1]), flush=True)
    return {"listings": [asdict(each) for each in found], "passes": passes}


def _gone_through(client: Client, name: str, first: str, passes: int) -> Listing:
    pages: list[float] = []
    entries = 0
    for number in range(passes):
        following: str | None = first
        while following and (number == 0 or len(pages) < _ENOUGH):
            began = time.perf_counter()
            head, said = client.ask("GET", following)
            pages.append(time.perf_counter() - began)
            if number == 0:
                entries += len(json.loads(said)[name])
            link = _NEXT.search(head.get("Link") or "")
            following = link[1] if link else None
    return Listing(_TITLES[name], int(first.rpartition("=")[2]), entries, pages)


def _percentile(pages: list[float]) -> float:
    return quantiles(pages, n=100, method="inclusive")[98] if len(pages) > 1 else pages[0]


def _said(listing: Listing) -> str:
    middle, worst = median(listing.pages) * 1e3, _percentile(listing.pages) * 1e3
    return (
        f"{listing.name}, {listing.entries:,} in pages of {listing.page:,}: "
        f"median {middle:.1f} ms, p99 {worst:.1f} ms"
    )


def render(raw: dict[str, Any]) -> str:
    """Return the table."""
    head = ("listing", "entries", "a page", "pages asked for", "median, ms", "p99, ms", "most, ms")
    rows = [
        (each["name"], f"{each['entries']:,}", f"{each['page']:,}", len(each["pages"]),
         f"{median(each['pages']) * 1e3:.1f}", f"**{_percentile(each['pages']) * 1e3:.1f}**",
         f"{max(each['pages']) * 1e3:.1f}")
        for each in raw["listings"]
    ]  # fmt: skip
    return (
        "The hub alone: Basic auth, access log, one connection that goes from page to page. "
        f"Wanted: p99 of a page of tags below 50 ms.\n\n{table(head, rows)}"
    )
