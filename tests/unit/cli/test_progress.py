"""Progress of pulls and pushes, in each way of showing it."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from nacre.cli.progress.choose import Kind, progress_for
from nacre.cli.progress.jsonlines import bar
from nacre.cli.progress.words import Verb
from nacre.oci.descriptor import Descriptor
from nacre.oci.mediatypes import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST
from nacre.transports.events import (
    Event,
    Existed,
    Mounted,
    Progress,
    Queued,
    Retried,
    Stored,
    Tagged,
    Warned,
)

LAYER = Descriptor.of(OCI_LAYER_GZIP, b"x" * 3_000_000)
OTHER = Descriptor.of(OCI_LAYER_GZIP, b"other")
MANIFEST = Descriptor.of(OCI_MANIFEST, b"manifest")
ID, OTHER_ID = LAYER.digest[7:19], OTHER.digest[7:19]
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class ClosedPipe(io.StringIO):
    """A stream whose reader went away."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def shown(kind: Kind, verb: Verb, *events: Event, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    with progress_for(kind, stream, verb) as on_event:
        for event in events:
            on_event(event)
    return stream.getvalue()


PULLED = (Queued(LAYER), Progress(LAYER, 1), Progress(LAYER, 9), Stored(LAYER, LAYER.size))


def test_plain_pull_has_a_line_per_state() -> None:
    events = (*PULLED[:-1], Progress(LAYER, LAYER.size), PULLED[-1], Existed(OTHER))
    assert shown("plain", "pull", *events).splitlines() == [
        f"{ID}: Pulling fs layer",
        f"{ID}: Downloading",
        f"{ID}: Download complete",
        f"{ID}: Pull complete",
        f"{OTHER_ID}: Already exists",
    ]


def test_a_layer_that_is_here_was_never_pulled() -> None:
    assert shown("plain", "pull", Queued(LAYER), Existed(LAYER)) == f"{ID}: Already exists\n"
    assert shown("plain", "push", Queued(LAYER), Existed(LAYER)).splitlines() == [
        f"{ID}: Preparing",
        f"{ID}: Layer already exists",
    ]


def test_bars_leave_no_trace_when_there_is_nothing_to_show() -> None:
    assert shown("bars", "push") == ""


def test_plain_push_has_a_line_per_state() -> None:
    events = (*PULLED, Existed(OTHER), Mounted(LAYER, "a/b"))
    assert shown("plain", "push", *events).splitlines() == [
        f"{ID}: Preparing",
        f"{ID}: Pushing",
        f"{ID}: Pushed",
        f"{OTHER_ID}: Layer already exists",
        f"{ID}: Mounted from a/b",
    ]


def test_a_download_that_starts_over_says_so() -> None:
    events = (Progress(LAYER, LAYER.size), Progress(LAYER, 1))
    lines = shown("plain", "pull", *events).splitlines()
    assert lines == [f"{ID}: Download complete", f"{ID}: Downloading"]


@pytest.mark.parametrize("kind", ["plain", "json"])
def test_manifests_and_configs_are_not_shown(kind: Kind) -> None:
    config = Descriptor.of(OCI_CONFIG, b"config")
    assert shown(kind, "pull", Queued(MANIFEST), Stored(MANIFEST, 8), Existed(config)) == ""


def test_retries_and_warnings_are_told() -> None:
    events = (
        Retried("layer abc", "connection reset", 4.6), Retried("x", "y", 1),
        Retried("x", "y", 0), Retried("x", "y", 0.04), Retried("x", "y", 0.34),
        Retried("x", "y", 0.97), Warned("old"),
    )  # fmt: skip
    assert shown("plain", "pull", *events).splitlines() == [
        "layer abc: connection reset; retrying in 5 seconds",
        "x: y; retrying in 1 second",
        "x: y; retrying now",
        "x: y; retrying now",
        "x: y; retrying in 0.3 seconds",
        "x: y; retrying in 1 second",
        "WARNING: old",
    ]


def test_json_lines_are_dockers_progress_objects() -> None:
    events = (Queued(LAYER), Progress(LAYER, 1_000_000), Stored(LAYER, 3_000_000), Warned("old"))
    lines = [json.loads(line) for line in shown("json", "pull", *events).splitlines()]
    assert lines == [
        {"status": "Pulling fs layer", "id": ID, "progressDetail": {}},
        {
            "status": "Downloading",
            "id": ID,
            "progressDetail": {"current": 1_000_000, "total": 3_000_000},
            "progress": f"[{'=' * 16}>{' ' * 34}]      1MB/3MB",
        },
        {"status": "Pull complete", "id": ID, "progressDetail": {}},
        {"status": "WARNING: old"},
    ]


def test_json_names_the_digest_of_a_tag() -> None:
    line = json.loads(shown("json", "push", Tagged("latest", MANIFEST)))
    assert line == {"aux": {"Tag": "latest", "Digest": str(MANIFEST.digest), "Size": 8}}


@pytest.mark.parametrize(
    ("current", "total", "text"),
    [
        (0, 0, ""),
        (1500, 0, "   1.5kB"),
        (0, 100, f"[>{' ' * 50}]       0B/100B"),
        (1, 100, f"[>{' ' * 50}]       1B/100B"),
        (50, 100, f"[{'=' * 25}>{' ' * 25}]      50B/100B"),
        (100, 100, f"[{'=' * 50}>]     100B/100B"),
        (150, 100, f"[{'=' * 50}>]     150B"),
    ],
)
def test_the_bar_is_fifty_wide(current: int, total: int, text: str) -> None:
    assert bar(current, total) == text


def test_quiet_shows_nothing() -> None:
    assert shown("quiet", "pull", *PULLED, Warned("old")) == ""


def test_auto_is_plain_where_there_is_no_terminal() -> None:
    assert shown("auto", "pull", *PULLED) == shown("plain", "pull", *PULLED)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def text_of(screen: str) -> str:
    """Return what a screen says, without control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen)


def test_auto_is_bars_on_a_terminal(terminal: Terminal) -> None:
    events = (*PULLED, Existed(OTHER), Retried("x", "[reset]", 2))
    screen = text_of(shown("auto", "pull", *events, stream=terminal))
    last = screen[screen.rindex(f"{ID}: Pull complete") :]
    assert "3.0/3.0 MB" in last
    assert f"{OTHER_ID}: Already exists" in last
    assert "x: [reset]; retrying in 2 seconds" in screen


def interrupted(kind: Kind, stream: io.StringIO, error: BaseException) -> None:
    with progress_for(kind, stream, "pull") as on_event:
        on_event(Queued(LAYER))
        raise error


def test_bars_give_the_cursor_back_when_interrupted(terminal: Terminal) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted("bars", terminal, KeyboardInterrupt())
    screen = terminal.getvalue()
    assert HIDE_CURSOR in screen
    assert screen.rindex(SHOW_CURSOR) > screen.rindex(HIDE_CURSOR)


def test_bars_work_on_a_real_terminal() -> None:
    script = (
        "import sys\n"
        "from nacre.cli.progress.choose import progress_for\n"
        "from nacre.oci.descriptor import Descriptor\n"
        "from nacre.oci.mediatypes import OCI_LAYER_GZIP\n"
        "from nacre.transports.events import Stored\n"
        "layer = Descriptor.of(OCI_LAYER_GZIP, b'x')\n"
        "with progress_for('auto', sys.stdout, 'push') as on_event:\n"
        "    on_event(Stored(layer, 1))\n"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with open(ours, "rb", closefd=True) as screen:
        try:
            subprocess.run(
                [sys.executable, "-c", script], stdout=theirs, env=environment, check=True
            )
            output = os.read(screen.fileno(), 65536).decode()
        finally:
            os.close(theirs)
    assert ": Pushed" in text_of(output)
    assert output.rindex(SHOW_CURSOR) > output.rindex(HIDE_CURSOR)


def test_rich_is_left_alone_without_a_terminal() -> None:
    script = (
        "import io, sys\n"
        "from nacre.cli.progress.choose import progress_for\n"
        "for kind in ('auto', 'plain', 'json', 'quiet'):\n"
        "    with progress_for(kind, io.StringIO(), 'pull'):\n"
        "        pass\n"
        "assert not any(name.startswith('rich') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("kind", ["plain", "json"])
def test_lines_of_several_threads_stay_whole(kind: Kind) -> None:
    layers = [Descriptor.of(OCI_LAYER_GZIP, b"%d" % number) for number in range(40)]
    stream = io.StringIO()
    with progress_for(kind, stream, "pull") as on_event, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda layer: [on_event(Queued(layer)), on_event(Stored(layer, 1))], layers))
    lines = stream.getvalue().splitlines()
    assert len(lines) == len(set(lines)) == 80
    assert all(any(layer.digest[7:19] in line for layer in layers) for line in lines)


@pytest.mark.parametrize("kind", ["plain", "json"])
def test_a_closed_pipe_silences_progress_but_not_the_copy(kind: Kind) -> None:
    with progress_for(kind, ClosedPipe(), "pull") as on_event:
        on_event(Queued(LAYER))
        on_event(Stored(LAYER, 1))


def test_a_closed_pipe_does_not_hide_the_copys_own_error() -> None:
    with pytest.raises(ValueError, match="copy"):
        interrupted("plain", ClosedPipe(), ValueError("copy"))
