"""The ``nacre`` command: global flags, dispatch, and the one place where errors become text."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from nacre import __version__
from nacre.cli import catalogue
from nacre.cli.catalogue import COMPLETE
from nacre.cli.console import Console, error_line, open_streams
from nacre.cli.flags import Given, UsageError, parse
from nacre.cli.options import GLOBAL_FLAGS, HELP
from nacre.cli.startup import end_in_order, hurry
from nacre.cli.usage import check_count, command_help
from nacre.errors import NacreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from nacre.engine.engine import Engine

_INTERRUPTED = 130
_BROKEN_PIPE = 141

_OF_THE_HUB = frozenset(
    {
        "alembic",
        "argon2",
        "granian",
        "joserfc",
        "prometheus_client",
        "sqlalchemy",
        "starlette",
        "uvloop",
    }
)
"""What only the extra ``hub`` installs."""


def entry() -> NoReturn:
    """Run the command line of this process and end it."""
    hurry()
    end_in_order()
    open_streams()
    code = main(sys.argv[1:])
    # Everything is closed and flushed. Taking the interpreter apart would take longer than that.
    os._exit(code)


def main(words: Sequence[str]) -> int:
    """Run one command line and return its exit code; never raises for what a user can cause."""
    debug = False
    try:
        options = parse(GLOBAL_FLAGS, words, until_word=True)
        debug = options.debug
        code = _run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except SystemExit as ended:  # by a signal
        return int(ended.code or 0)
    except BrokenPipeError:
        return _BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last resort of every command
        return _refuse(error, debug=debug)
    return code


def _run(options: Given) -> int:
    _tell(options)
    words = [] if options.help else options.words
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    if options.version:
        sys.stdout.write(f"nacre version {__version__}\n")
        return 0
    if words[:1] == [COMPLETE]:
        return _complete(words[1:])
    found = catalogue.find(words)
    if found is None:
        sys.stdout.write(_overview(words))
        return 0
    command_entry, length = found
    command = f"nacre {' '.join(words[:length])}"
    module = command_entry.load()
    flags = (*module.FLAGS, HELP)
    until_word = getattr(module, "UNTIL_WORD", False)
    given = parse(flags, words[length:], command=command, until_word=until_word)
    _tell(given)
    if given.help:
        more = getattr(module, "MORE", "")
        sys.stdout.write(command_help(command, command_entry, flags, more))
        return 0
    check_count(command, command_entry.usage, given.words)
    console = Console(sys.stdin, sys.stdout, sys.stderr, lambda: _open_engine(options))
    try:
        return module.run(given, console)
    finally:
        console.close()


def _tell(given: Given) -> None:
    """Tell what there is to say about the flags that were given."""
    for note in given.notes:
        sys.stderr.write(f"{note}\n")


def _complete(words: Sequence[str]) -> int:
    """Print what the last word may become, a line each: the scripts of the shells ask."""
    from nacre.cli.completing import candidates

    def image_names(options: Given) -> list[str]:
        with _open_engine(options) as engine:
            return [name for image in engine.images.list() for name in image.tags]

    def image_paths(options: Given, image: str, directory: str) -> list[str]:
        with _open_engine(options) as engine:
            found = engine.images.files(image, directory).files
        ends = {"directory": "/"}
        return [f"{file.path.rpartition('/')[2]}{ends.get(file.kind, '')}" for file in found]

    sys.stdout.writelines(f"{each}\n" for each in candidates(words, image_names, image_paths))
    return 0


def _open_engine(options: Given) -> Engine:
    from nacre.engine.engine import Engine

    return Engine(
        root=options.root or None,
        config_file=options.config or None,
        storage_driver=options.storage_driver or None,
    )


def _overview(words: Sequence[str]) -> str:
    """Return the help of nacre or of a group of commands, where no command is named."""
    from nacre.cli import overview

    inside = catalogue.group_of(words)
    command = " ".join(("nacre", *inside))
    given = parse((HELP,), words, command=command)
    _tell(given)
    names = given.words
    if not names:
        return overview.top(GLOBAL_FLAGS)
    if inside and len(names) == len(inside):
        return overview.group(" ".join(names))
    raise UsageError(
        f"unknown command: nacre {' '.join(names[: len(inside) + 1])}",
        remedy=f"see '{command} --help'",
    )


def _refuse(error: Exception, *, debug: bool) -> int:
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):
        if debug:
            import traceback

            traceback.print_exception(error)
        failure = _as_failure(error)
        sys.stderr.write(f"{error_line(failure)}\n")
    return getattr(error, "exit_code", 1)


def _as_failure(error: Exception) -> NacreError:
    match error:
        case NacreError():
            return error
        case OSError():
            if not error.filename:
                return NacreError(error.strerror or str(error))
            return NacreError(
                f"{os.fsdecode(error.filename)}: {error.strerror}",
                remedy="check the path and its permissions",
            )
        case MemoryError():
            return NacreError("out of memory")
        case ModuleNotFoundError() if (error.name or "").partition(".")[0] in _OF_THE_HUB:
            return NacreError(
                f"a hub needs more than nacre alone: {error.name} is missing",
                remedy="install nacre[hub]",
            )
        case _:
            return NacreError(
                f"internal error: {type(error).__name__}: {error}",
                remedy="a bug in nacre: run 'nacre --debug …' to see where",
            )
