"""schemathesis: makes requests from a description of an API, and compares the answers with it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.peers.tools import isolated_environment

Asked = tuple[str, int]


@dataclass(frozen=True)
class Findings:
    """What came of a run.

    Attributes:
        failures: by the name of the check that failed, what it failed on.
        answers: how often each operation ("GET /v2/") was answered with each status.
        checks: the names of all checks that looked at an answer.
        said: the report as people read it.
    """

    failures: Mapping[str, list[str]]
    answers: Counter[Asked]
    checks: frozenset[str]
    said: str

    def statuses(self, operation: str) -> set[int]:
        """Return all statuses that an operation was answered with."""
        return {status for asked, status in self.answers if asked == operation}


def examined(
    description: Path,
    url: str,
    *flags: str,
    folder: Path,
    settings: str = "",
    authorization: str = "",
    examples: int,
    seed: int = 1,
) -> Findings:
    """Let schemathesis ask the server at ``url`` about all that a description has.

    Args:
        description: the OpenAPI file.
        url: of the server.
        flags: more of the command's flags.
        folder: where the run leaves its files.
        settings: schemathesis' own, in TOML.
        authorization: sent with each request; "" sends none.
        examples: how many requests are made up of each operation, besides those at its limits.
        seed: the same makes the same requests up.
    """
    folder.mkdir(parents=True)
    config, report = folder / "schemathesis.toml", folder / "report.ndjson"
    config.write_text(settings)
    login = ("--header", f"Authorization: {authorization}") if authorization else ()
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config),
            "run", str(description), "--url", url, *login, "--no-color",
            "--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none",
            "--no-shrink", "--continue-on-failure", "--suppress-health-check", "all",
            "--report", "ndjson", "--report-ndjson-path", str(report), *flags,
        ],
        cwd=folder,
        env=isolated_environment(folder / "home"),
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    findings = _read(report, done.stdout)
    assert bool(findings.failures) == (done.returncode == 1), done.stdout + done.stderr
    return findings


def _read(report: Path, said: str) -> Findings:
    failures: dict[str, list[str]] = {}
    answers: Counter[Asked] = Counter()
    checks: set[str] = set()
    with report.open() as lines:
        for line in lines:
            scenario = json.loads(line).get("ScenarioFinished")
            if scenario is None:
                continue
            its: dict[str, Any] = scenario["recorder"]
            for number, case in its.get("cases", {}).items():
                asked = f"{case['value']['method']} {case['value']['path']}"
                answer = (its.get("interactions", {}).get(number) or {}).get("response")
                if answer is not None:
                    answers[asked, answer["status_code"]] += 1
                for check in its.get("checks", {}).get(number, ()):
                    checks.add(check["name"])
                    if check["status"] != "success":
                        failures.setdefault(check["name"], []).append(asked)
    return Findings(failures, answers, frozenset(checks), said)
