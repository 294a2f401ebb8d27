"""``nacre hub config``: the documented settings of a hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nacre.cli.options import string, switch
from nacre.hub.configuration.options import Options
from nacre.hub.configuration.settings import load
from nacre.hub.configuration.text import printed

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = (
    string("config", "Settings file of the hub; implies --current"),
    switch("current", "Print the settings in force instead of the default ones"),
)
MORE = """\
Save what this prints, change what should be different, and start the hub anew:
  nacre hub config > /etc/nacre/hub.toml
Ordinary users save it as ~/.config/nacre/hub.toml. A file elsewhere is named
with --config, or by NACRE_HUB_CONFIG.
"""


def run(given: Given, console: Console) -> int:
    """Print them."""
    in_force = given.current or given.config
    options = load(file=given.config or None).options if in_force else Options()
    console.write(printed(options))
    return 0
