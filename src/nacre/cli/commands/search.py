"""``nacre search``: find images in a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.options import NO_TRUNC, TABLE_FORMAT, filters, integer
from nacre.cli.render.columns import ellipsis
from nacre.cli.render.format import render_rows
from nacre.errors import Invalid

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.engine.registries import SearchResult

FLAGS = (
    filters("f"),
    TABLE_FORMAT,
    integer("limit", "Max number of search results", default=25, least=1, most=100),
    NO_TRUNC,
)
_TABLE = "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}"
_HEADERS = {
    "Name": "NAME",
    "Description": "DESCRIPTION",
    "StarCount": "STARS",
    "IsOfficial": "OFFICIAL",
}
_DESCRIPTION_WIDTH = 45


def run(given: Given, console: Console) -> int:
    """Print one row a repository."""
    found = console.engine.registries.search(given.words[0], limit=given.limit)
    official = {True: "true", False: "false"} if given.format == "json" else {True: "[OK]"}
    rows = (
        {
            "Name": each.name,
            "Description": _described(each, whole=given.no_trunc),
            "StarCount": str(each.stars),
            "IsOfficial": official.get(each.official, ""),
        }
        for each in found
        if _suits(each, given.filter)
    )
    console.lines(
        render_rows(
            rows,
            format=given.format,
            default_table=_TABLE,
            headers=_HEADERS,
            type_name="*registry.searchContext",
        )
    )
    return 0


def _described(result: SearchResult, *, whole: bool) -> str:
    description = " ".join(result.description.split())
    return description if whole else ellipsis(description, _DESCRIPTION_WIDTH)


def _suits(result: SearchResult, wanted: list[str]) -> bool:
    for text in filter(None, wanted):
        key, _, value = text.partition("=")
        if key == "stars" and value.isdigit():
            if result.stars < int(value):
                return False
        elif key == "is-official" and value in ("true", "false"):
            if result.official != (value == "true"):
                return False
        else:
            raise Invalid(f"invalid filter {text!r}", remedy="known are stars=N, is-official=BOOL")
    return True
