"""The documented default settings, as TOML that can be saved and changed."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import timedelta

from nacre.hub.configuration import units
from nacre.hub.configuration.options import Options, Size, keys, sections, written

_WIDTH = 96


def printed(options: Options) -> str:
    """Return ``options`` as a documented file that reads back as the same."""
    return "\n".join(_lines(options)) + "\n"


def _lines(options: Options) -> Iterator[str]:
    yield "# Settings of a nacre hub. Every key can also be set by the environment, as"
    yield "# NACRE_HUB_SECTION_KEY: NACRE_HUB_SERVER_LISTEN=0.0.0.0:5000"
    for each in sections():
        section = getattr(options, each.name)
        yield ""
        yield f"# {type(section).__doc__}"
        yield f"[{each.name}]"
        for key in keys(section):
            yield ""
            yield from textwrap.wrap(
                key.metadata["doc"], _WIDTH, initial_indent="# ", subsequent_indent="# "
            )
            yield f"{written(key.name)} = {_toml(getattr(section, key.name))}"


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Size():
            return json.dumps(units.written_size(value))
        case timedelta():
            return json.dumps(units.written_duration(value))
        case tuple():
            return f"[{', '.join(json.dumps(each) for each in value)}]"
        case _:
            return json.dumps(value, ensure_ascii=False)
