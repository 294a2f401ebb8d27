"""``inspect``: a JSON array for people, a compact one, or a template per object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nacre.cli.render.json import compact_array, inspect_array
from nacre.cli.render.template.evaluate import Template
from nacre.cli.render.template.values import Struct


def render_inspection(objects: Sequence[Mapping[str, Any]], format: str | None) -> str:  # noqa: A002
    """Return the text, with a newline at its end, that shows some objects.

    Raises:
        TemplateSyntaxError: ``format`` is neither ``json`` nor a template.
        TemplateExecutionError: the template does not fit an object.
    """
    if not format:
        return inspect_array(objects)
    if format == "json":
        return compact_array(objects)
    template = Template(format)
    return "".join(
        f"{template.render(Struct('image.InspectResponse', each))}\n" for each in objects
    )
