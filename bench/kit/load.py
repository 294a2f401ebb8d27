"""Requests as fast as they are answered: wrk, and ab for HEAD, which wrk cannot read answers to."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.kit.servers import Serving, on_processor
from bench.kit.stopwatch import CommandFailed, program

CONNECTIONS = 16
_ENOUGH = 10_000_000
_MANIFESTS = "application/vnd.oci.image.manifest.v1+json"


def rate(
    serving: Serving,
    method: str,
    paths: Sequence[str],
    *,
    seconds: int,
    headers: Mapping[str, str] | None = None,
    processor: int | None = None,
) -> float:
    """Return how many requests a second are answered, all of them well.

    Args:
        serving: who answers.
        method: GET or HEAD; for HEAD only the first path is asked for.
        paths: asked for one after another, over and over.
        seconds: how long.
        headers: more of them.
        processor: the one that the requests come from.

    Raises:
        CommandFailed: something was not answered with success.
    """
    sent = {"Accept": _MANIFESTS, **(headers or {})}
    options = [word for name, value in sent.items() for word in ("-H", f"{name}: {value}")]
    run = _ab if method == "HEAD" else _wrk
    return run(serving, paths, seconds, [*on_processor(processor)], options)


def _wrk(
    serving: Serving, paths: Sequence[str], seconds: int, before: list[str], options: list[str]
) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        listed = ",".join(map(json.dumps, paths))
        script.write(
            f"local paths, at = {{{listed}}}, 0\n"
            "function request() at = at % #paths + 1; return wrk.format(nil, paths[at]) end\n"
        )
        script.flush()
        several = ["-s", script.name] if len(paths) > 1 else []
        said = _run(
            *(*before, program("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"),
            *(*several, *options, f"http://{serving.host}{paths[0]}"),
        )
    if "Non-2xx" in said or "Socket errors" in said:
        raise CommandFailed(f"{serving.name}, {paths[0]}: {said}")
    return _number(r"Requests/sec:\s*([\d.]+)", said)


def _ab(
    serving: Serving, paths: Sequence[str], seconds: int, before: list[str], options: list[str]
) -> float:
    said = _run(
        *(*before, program("ab"), "-q", "-i", "-k", "-c", str(CONNECTIONS)),
        *("-t", str(seconds), "-n", str(_ENOUGH)),
        *(*options, f"http://{serving.host}{paths[0]}"),
    )
    if "Non-2xx" in said:
        raise CommandFailed(f"{serving.name}, HEAD {paths[0]}: {said}")
    return _number(r"Requests per second:\s*([\d.]+)", said)


def _run(*argv: str | Path) -> str:
    done = subprocess.run(list(map(str, argv)), text=True, capture_output=True, check=False)
    if done.returncode:
        raise CommandFailed(f"$ {' '.join(map(str, argv))}\n{done.stdout}{done.stderr}")
    return done.stdout


def _number(pattern: str, said: str) -> float:
    found = re.search(pattern, said)
    if found is None:
        raise CommandFailed(f"no number in what was said:\n{said}")
    return float(found[1])
