"""The next Debian, whose programs stand in for those that this machine's own release has not got.

Where its packages come from is what this machine's apt is set up to use.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peers.tools import require_tool, run, succeed

SUITE = "trixie"
RELEASE = "Debian 13"
_TARGETS = ("apt-get", "indextargets", "--format", "$(ORIGIN) $(SITE)", "Identifier: Packages")


def command_making_tree(folder: Path, *packages: str, variant: str) -> tuple[str, ...]:
    """Return the command that makes a tree with these packages in ``folder``, which is new.

    ``variant`` is mmdebstrap's: ``extract`` only unpacks them, with ``apt`` they are set up.
    """
    options = ("--quiet", f"--variant={variant}", f"--include={','.join(packages)}")
    place = (SUITE, str(folder), _site())
    return (require_tool("mmdebstrap"), *options, "--format=directory", *place)


def _site() -> str:
    said = succeed(run(*_TARGETS)).stdout
    sites = [line.split()[1] for line in said.splitlines() if line.startswith("Debian ")]
    if not sites:
        pytest.fail(f"apt has no package source of Debian, so none of {RELEASE}", pytrace=False)
    return sites[0]
