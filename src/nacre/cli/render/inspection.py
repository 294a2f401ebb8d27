"""``inspect``: a JSON array for people, a compact one, or a template per object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from nacre.cli.render.json import compact, inspect_array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from nacre.errors import NacreError

    Document = Mapping[str, Any]


def render_inspection(
    documents: Sequence[Document],
    format: str,  # noqa: A002 - the option's name
    typed: Callable[[Document], object],
    refuse: Callable[[NacreError], object],
) -> Iterator[str]:
    """Return the texts, each with a newline at its end, that show some documents.

    A template is first held against ``typed(document)``, which knows the zero values of what a
    document leaves out; where it does not fit, it gets the document itself, whose keys must then
    exist. So does Docker. Where it fits neither, ``refuse`` is told, and the next one is shown.

    Raises:
        TemplateSyntaxError: at once, when ``format`` is neither ``json`` nor a template.
    """
    if not format:
        return iter([inspect_array(documents)])
    if format == "json":
        return iter([f"{compact(documents)}\n"])
    return _by_template(documents, format, typed, refuse)


def render_one(document: Document, format: str, type_name: str) -> str:  # noqa: A002
    """Return one thing as JSON or through a template, with a newline at its end.

    Raises:
        TemplateSyntaxError: ``format`` is neither ``json`` nor a template.
        TemplateExecutionError: it asks for what there is not.
    """
    if format == "json":
        return f"{compact(document)}\n"
    from nacre.cli.render.template.evaluate import Template
    from nacre.cli.render.template.values import Struct

    return f"{Template(format).render(Struct(type_name, document))}\n"


def _by_template(
    documents: Sequence[Document],
    source: str,
    typed: Callable[[Document], object],
    refuse: Callable[[NacreError], object],
) -> Iterator[str]:
    from nacre.cli.render.template.errors import TemplateExecutionError
    from nacre.cli.render.template.evaluate import Template

    template = Template(source)

    def rendered(document: Document) -> str:
        try:
            return template.render(typed(document))
        except TemplateExecutionError:
            return template.render(document, missing_is_error=True)

    def texts() -> Iterator[str]:
        shown = False
        for document in documents:
            try:
                yield f"{rendered(document)}\n"
                shown = True
            except TemplateExecutionError as error:
                refuse(error)
        if not shown:
            yield "\n"  # Docker ends its output with a newline also where there is nothing to show

    return texts()
