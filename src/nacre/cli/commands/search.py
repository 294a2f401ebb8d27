"""``nacre search``: find images in a registry."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre.cli.options import add_filter, add_format
from nacre.cli.render.columns import ellipsis
from nacre.cli.render.format import render_rows
from nacre.errors import Invalid

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.engine.registries import SearchResult

_TABLE = "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}"
_HEADERS = {
    "Name": "NAME",
    "Description": "DESCRIPTION",
    "StarCount": "STARS",
    "IsOfficial": "OFFICIAL",
    "IsAutomated": "AUTOMATED",
}
_LIMIT = 100
_DESCRIPTION_WIDTH = 45


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("term", metavar="TERM")
    add_filter(parser, "-f")
    add_format(parser)
    parser.add_argument("--limit", type=int, default=25, help="Max number of search results")
    parser.add_argument("--no-trunc", action="store_true", help="Don't truncate output")


def run(arguments: Namespace, console: Console) -> int:
    """Print one row a repository."""
    if not 1 <= arguments.limit <= _LIMIT:
        raise Invalid(
            f"limit {arguments.limit} is outside the range of [1, {_LIMIT}]", remedy="change it"
        )
    found = console.engine.registries.search(arguments.term, limit=arguments.limit)
    chosen = [each for each in found if _suits(each, arguments.filter)]
    console.lines(
        render_rows(
            (_row(each, whole=arguments.no_trunc) for each in chosen),
            format=arguments.format,
            default_table=_TABLE,
            headers=_HEADERS,
            type_name="*formatter.searchContext",
        )
    )
    return 0


def _row(result: SearchResult, *, whole: bool) -> dict[str, object]:
    description = " ".join(result.description.split())
    return {
        "Name": result.name,
        "Description": description if whole else ellipsis(description, _DESCRIPTION_WIDTH),
        "StarCount": str(result.stars),
        "IsOfficial": "[OK]" if result.official else "",
        "IsAutomated": "",
    }


def _suits(result: SearchResult, filters: list[str]) -> bool:
    for text in filters:
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
