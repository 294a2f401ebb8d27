"""Lists in the formats that users ask for, as docker itself prints them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.cli.render.columns import display_width, ellipsis, tabulate
from nacre.cli.render.format import render_rows
from nacre.cli.render.template.errors import (
    TemplateError,
    TemplateExecutionError,
    TemplateSyntaxError,
)
from nacre.cli.render.templated import Templated
from nacre.cli.render.times import created_since
from nacre.cli.render.units import human_size
from nacre.oci.timestamp import SECOND, format_rfc3339

DATA = Path(__file__).parents[2] / "data" / "docker_format"
RECORDED = json.loads((DATA / "tables.json").read_text(encoding="utf-8"))
NOW = 1_795_400_000 * SECOND
TABLE = r"table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
HEADERS = {
    "ID": "IMAGE",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY",
    "Size": "SIZE",
    "Comment": "COMMENT",
}


def row(**fields: str) -> dict[str, object]:
    """Return a row of history; every field not given is empty."""
    return {**dict.fromkeys(HEADERS, ""), **fields}


def history() -> Iterator[Mapping[str, object]]:
    """Yield the rows of the history that docker was given."""
    for entry in json.loads((DATA / "history.json").read_text(encoding="utf-8")):
        created = entry["Created"] * SECOND
        yield row(
            ID=entry["Id"].removeprefix("sha256:")[:12],
            CreatedSince=created_since(created, NOW),
            CreatedAt=format_rfc3339(created),
            CreatedBy=ellipsis(entry["CreatedBy"].replace("\t", " "), 45),
            Size=human_size(entry["Size"], precision=3),
            Comment=entry["Comment"],
        )


def render(
    rows: list[dict[str, object]] | None = None,
    *,
    asked: str | None = None,
    quiet_field: str | None = None,
) -> list[str]:
    lines = render_rows(
        history() if rows is None else rows,
        format=asked,
        default_table=TABLE,
        headers=HEADERS,
        quiet_field=quiet_field,
        type_name="*image.historyContext",
    )
    return list(lines)


@pytest.mark.parametrize(("asked", "lines"), RECORDED, ids=[case[0] for case in RECORDED])
def test_lists_are_what_docker_prints(asked: str, lines: list[str]) -> None:
    try:
        got = "\n".join(render(asked=asked)).split("\n")
    except TemplateError as error:
        got = [str(error)]
    assert got == lines


def test_the_default_table_is_dockers() -> None:
    entry = row(ID="123456789012", CreatedSince="Less than a second ago", Size="0B", Comment="none")
    assert render([entry]) == [
        "IMAGE          CREATED                  CREATED BY   SIZE      COMMENT",
        "123456789012   Less than a second ago                0B        none",
    ]


def test_dates_and_raw_sizes_fit_the_same_table() -> None:
    table = TABLE.replace("CreatedSince", "CreatedAt")
    entry = row(
        ID="abcdef",
        CreatedAt="2017-01-01T12:00:03Z",
        CreatedBy="rose",
        Size="0",
        Comment="new history item!",
    )
    assert list(render_rows([entry], default_table=table, headers=HEADERS)) == [
        "IMAGE     CREATED AT             CREATED BY   SIZE      COMMENT",
        "abcdef    2017-01-01T12:00:03Z   rose         0         new history item!",
    ]


def test_a_real_history_lines_up() -> None:
    columns = [
        ("IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"),
        (
            "123456789012",
            "9 years ago",
            '/bin/sh -c #(nop) CMD ["bash"] <a> & 日本語…',
            "0B",
            "none",
        ),
        ("<missing>", "N/A", "rose", "1.05GB", ""),
    ]
    shown = render()
    for line, (image, created, command, size, comment) in zip(shown, columns, strict=False):
        wide = command + " " * (48 - display_width(command))
        assert line == f"{image:15}{created:14}{wide}{size:10}{comment}"
    assert shown[3].startswith(
        "<missing>      9 years ago   RUN echo a very long command line that "
    )
    assert shown[4:] == ["<missing>      9 years ago   RUN <<E", "multi", "E         1B        x"]


def test_a_table_of_nothing_is_its_header() -> None:
    assert render([]) == ["IMAGE     CREATED   CREATED BY   SIZE      COMMENT"]


def test_quiet_shows_one_field_without_a_header() -> None:
    assert render(quiet_field="ID") == ["123456789012", "<missing>", "<missing>", "<missing>"]
    assert render(asked="table", quiet_field="ID")[0] == "123456789012"


def test_raw_is_a_template_where_rows_have_no_blocks() -> None:
    assert render([row(ID="x")], asked="raw") == ["raw"]
    assert render([row(ID="x")], asked="raw", quiet_field="ID") == ["raw"]


def test_a_template_overrides_quiet() -> None:
    assert render([row(Size="1B")], asked="{{.Size}}", quiet_field="ID") == ["1B"]


def test_json_is_an_object_per_line_with_sorted_keys() -> None:
    entry = row(ID="<missing>", Size="1B", Comment="a & b")
    dates = '"CreatedAt":"","CreatedBy":"","CreatedSince":""'
    line = f'{{"Comment":"a \\u0026 b",{dates},"ID":"\\u003cmissing\\u003e","Size":"1B"}}'
    assert render([entry, entry], asked="json") == [line, line]


def test_json_of_dot_sorts_too() -> None:
    entry = row(ID="x")
    assert render([entry], asked="{{json .}}") == render([entry], asked="json")


def test_rows_are_taken_one_by_one() -> None:
    taken: list[int] = []

    def rows() -> Iterator[dict[str, object]]:
        for number in range(3):
            taken.append(number)
            yield row(ID=str(number))

    lines = render_rows(rows(), format="{{.ID}}", default_table=TABLE, headers=HEADERS)
    assert (next(lines), taken) == ("0", [0])


def test_a_template_that_cannot_be_parsed_fails_at_once() -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        render_rows([], format="{{", default_table=TABLE, headers=HEADERS)
    assert caught.value.exit_code == 1


def test_an_unknown_field_names_the_kind_of_row() -> None:
    with pytest.raises(TemplateExecutionError, match=r"field Nope in type \*image\.historyContext"):
        render(asked="{{.Nope}}")


def test_values_that_are_no_strings_print_as_in_go() -> None:
    assert render(
        [row() | {"Size": 5, "Comment": ["a", True]}], asked="{{.Size}} {{.Comment}}"
    ) == ["5 [a true]"]


@given(
    st.lists(
        st.sampled_from(
            ["{{.ID}}", "{{.Size}}", "{{.Nope}}", r"\t", "{", "}", "}}", " ", "é", "\n"]
        ),
        max_size=8,
    ).map("".join)
)
def test_plain_templates_need_no_engine_but_agree_with_it(source: str) -> None:
    entry = row(ID="1{{.Size}}2", Size="日本")
    text = source.strip(" ").replace(r"\t", "\t")

    def quick(asked: str) -> list[str]:
        rows = render_rows([entry], format=asked, default_table="", headers=HEADERS)
        return list(rows)

    def slow() -> tuple[str, str]:
        engine = Templated(text, "row")
        return engine.header(HEADERS), engine.row(entry)

    try:
        header, line = slow()
    except TemplateError as error:
        with pytest.raises(TemplateError, match=re.escape(str(error))):
            quick(source)
    else:
        assert quick(source or " ") == [line]
        assert quick(f"table {source}") == tabulate(f"{header}\n{line}".split("\n"))
