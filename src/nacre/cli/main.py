"""The ``nacre`` command: global options, dispatch, and the one place where errors become text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nacre.cli import catalogue
from nacre.cli.console import Console, error_line
from nacre.cli.parser import BAD_OPTION, Parser, UsageError
from nacre.errors import NacreError

if TYPE_CHECKING:
    from nacre.engine.engine import Engine

_INTERRUPTED = 130
_BROKEN_PIPE = 141
_VALUED = {"--root": "root", "--config": "config"}


def entry() -> int:
    """Run the command line of this process."""
    return main(sys.argv[1:])


def main(words: Sequence[str]) -> int:
    """Run one command line and return its exit code; never raises for what a user can cause."""
    debug = "--debug" in words[:3] or "-D" in words[:3]
    try:
        return _run(list(words))
    except UsageError as error:
        return _refuse(error, error.exit_code, debug=debug)
    except NacreError as error:
        return _refuse(error, getattr(error, "exit_code", 1), debug=debug)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return _INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return _BROKEN_PIPE
    except OSError as error:
        return _refuse(NacreError(_os_sentence(error)), 1, debug=debug)
    except MemoryError:
        return _refuse(NacreError("out of memory"), 1, debug=debug)


def _run(words: list[str]) -> int:
    options, words = _global_options(words)
    if "version" in options:
        words = ["version", "--short"]
    found = None if "help" in options else catalogue.find(words)
    if not found:
        return _help_or_unknown(words)
    entry_, rest = found
    command = entry_.load()
    parser = Parser(" ".join(entry_.path), entry_.usage, entry_.summary)
    command.configure(parser)
    try:
        arguments = parser.parse_args(rest)
    except SystemExit:  # --help, which argparse prints itself
        return 0
    return _with_console(options, lambda console: command.run(arguments, console))


def _with_console(options: dict[str, str], run: Callable[[Console], int]) -> int:
    def open_engine() -> Engine:
        from nacre.engine.engine import Engine

        return Engine(root=options.get("root"), config_file=options.get("config"))

    console = Console(sys.stdin, sys.stdout, sys.stderr, open_engine)
    try:
        code = run(console)
        sys.stdout.flush()
        return code
    finally:
        console.close()


def _global_options(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """Take the options before the command off the words."""
    options: dict[str, str] = {}
    while words and words[0].startswith("-"):
        name, equals, value = words[0].partition("=")
        if name in _VALUED:
            if not equals and len(words) < 2:
                raise UsageError(
                    f"flag needs an argument: {name}",
                    exit_code=BAD_OPTION,
                    remedy="see 'nacre --help'",
                )
            options[_VALUED[name]] = value if equals else words[1]
            words = words[1:] if equals else words[2:]
            continue
        if name in ("--debug", "-D"):
            options["debug"] = "1"
        elif name in ("--help", "-h"):
            options["help"] = "1"
        elif name in ("--version", "-v"):
            options["version"] = "1"
        else:
            raise UsageError(
                f"unknown flag: {name}", exit_code=BAD_OPTION, remedy="see 'nacre --help'"
            )
        words = words[1:]
    return options, words


def _help_or_unknown(words: list[str]) -> int:
    from nacre.cli import overview

    names = [word for word in words if word not in ("--help", "-h", "help")]
    if not names:
        sys.stdout.write(overview.top())
        return 0
    if names[0] in catalogue.GROUPS and len(names) == 1:
        sys.stdout.write(overview.group(names[0]))
        return 0
    command = " ".join(names[:2] if names[0] in catalogue.GROUPS else names[:1])
    raise UsageError(
        f"'{command}' is not a nacre command", exit_code=1, remedy="see 'nacre --help'"
    )


def _refuse(error: NacreError, code: int, *, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exception(error)
    sys.stdout.flush()
    sys.stderr.write(f"{error_line(error)}\n")
    return code


def _os_sentence(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _silence_stdout() -> None:
    """Point standard output nowhere, so that closing it at exit does not fail once more."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
