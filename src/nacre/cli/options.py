"""Options that several commands share."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

PROGRESS_KINDS = ("auto", "bars", "plain", "json", "quiet")


def add_platforms(parser: ArgumentParser) -> None:
    """Declare ``--platform a,b`` and ``--all-platforms``."""
    parser.add_argument(
        "--platform",
        metavar="OS/ARCH",
        help="Platforms of a multi-platform image, separated by commas",
    )
    parser.add_argument(
        "--all-platforms", action="store_true", help="All platforms of a multi-platform image"
    )


def platforms_of(arguments: Namespace, default: str | None = None) -> str | None:
    """Return the platforms that the options name, ``"all"``, or the default."""
    return "all" if arguments.all_platforms else arguments.platform or default


def add_platform(parser: ArgumentParser) -> None:
    """Declare ``--platform`` for one platform."""
    parser.add_argument("--platform", metavar="OS/ARCH", help="Platform of a multi-platform image")


def add_progress(parser: ArgumentParser) -> None:
    """Declare ``--quiet`` and ``--progress``."""
    parser.add_argument("-q", "--quiet", action="store_true", help="Suppress verbose output")
    parser.add_argument(
        "--progress",
        choices=PROGRESS_KINDS,
        default="auto",
        help="How to show progress (default: bars on a terminal, plain lines elsewhere)",
    )


def add_format(parser: ArgumentParser, *names: str) -> None:
    """Declare ``--format`` (and other names for it)."""
    parser.add_argument(
        *names,
        "--format",
        metavar="TEMPLATE",
        help="Format output: 'table', 'table TEMPLATE', 'json' or a Go template",
    )


def add_filter(parser: ArgumentParser, *names: str) -> None:
    """Declare a repeatable ``--filter`` (and other names for it)."""
    parser.add_argument(
        *names,
        "--filter",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="Filter output based on conditions provided",
    )


def add_boolean(parser: ArgumentParser, *names: str, default: bool, text: str) -> None:
    """Declare a flag that also takes ``=true`` and ``=false``, as Go's flags do."""
    parser.add_argument(*names, nargs="?", const=True, default=default, type=_boolean, help=text)


def _boolean(text: str) -> bool:
    known = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}
    return known[text.lower()]
