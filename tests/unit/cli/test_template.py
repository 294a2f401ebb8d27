"""Go templates, against what docker printed for the same templates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nacre.cli.render.template.errors import (
    TemplateError,
    TemplateExecutionError,
    TemplateSyntaxError,
)
from nacre.cli.render.template.evaluate import Template
from nacre.cli.render.template.functions import FUNCTIONS, HEADER_FUNCTIONS
from nacre.cli.render.template.values import Duration, Struct, quote

DATA = Path(__file__).parents[2] / "data" / "docker_format"
SUBJECT = json.loads((DATA / "subject.json").read_text(encoding="utf-8"))
RECORDED = json.loads((DATA / "templates.json").read_text(encoding="utf-8"))


def outcome(template: str, value: object = SUBJECT) -> tuple[int, str]:
    """Return the exit code and the output, or the error, as the docker command has them."""
    try:
        return 0, Template(template).render(value)
    except TemplateError as error:
        return error.exit_code, str(error)


@pytest.mark.parametrize(
    ("template", "code", "text"),
    RECORDED,
    ids=[f"{n}-{case[0]}" for n, case in enumerate(RECORDED)],
)
def test_templates_do_what_docker_does(template: str, code: int, text: str) -> None:
    assert outcome(template) == (code, text)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Id}}", "sha256:12"),
        ("{{index .RepoTags 0}}", "alpine:3.20"),
        ("{{.Config.Env}}", "[PATH=/bin A=日本]"),
        ("{{.Config.Entrypoint}} {{.Config.Cmd}}", "<no value> [/bin/sh -c]"),
        ("{{.Size}}", "7800000"),
        ("{{.Created}}", "2024-01-02T15:04:05.123456789Z"),
        ("{{json .Config.Labels}}", '{"z":"1","a.b":"2"}'),
        ('{{index .Config.Labels "a.b"}}', "2"),
        ("{{range .RootFS.Layers}}{{println .}}{{end}}", "sha256:aa\nsha256:bb\n"),
        ("{{.GraphDriver.Data.MergedDir}}", "<no value>"),
    ],
)
def test_the_templates_of_scripts_work(template: str, text: str) -> None:
    assert Template(template).render(SUBJECT) == text


def test_structs_know_their_fields_only() -> None:
    value = Struct("*types.Image", {"Id": "x"})
    assert outcome("{{.Id}}", value) == (0, "x")
    problem = "can't evaluate field Foo in type *types.Image"
    where = 'template: :1:2: executing "" at <.Foo>'
    assert outcome("{{.Foo}}", value) == (1, f"template parsing error: {where}: {problem}")


def test_absent_fields_have_zero_values_that_json_leaves_out() -> None:
    value = Struct("config", {"Cmd": ["sh"]}, {"Entrypoint": [], "User": ""})
    assert outcome("{{.Entrypoint}} {{.Cmd}} [{{.User}}]", value) == (0, "[] [sh] []")
    assert outcome("{{json .}}", value) == (0, '{"Cmd":["sh"]}')


def test_structs_print_their_values_and_are_true() -> None:
    value = Struct("s", {"A": 1, "B": Struct("t", {"C": [None, True]})})
    assert outcome("{{.}}{{if .B}}!{{end}} {{printf `%v %T` .B .B}}", value) == (
        0,
        "{1 {[<nil> true]}}! {[<nil> true]} t",
    )


def test_missing_keys_of_maps_have_no_value_however_deep() -> None:
    assert outcome("{{.a.b.c}}", {}) == (0, "<no value>")


def test_floats_of_the_value_print_their_shortest_form() -> None:
    assert outcome("{{range .}}{{.}} {{end}}", [0.0, -0.5, 1 / 3, 1e300, 5e-324]) == (
        0,
        "0 -0.5 0.3333333333333333 1e+300 5e-324 ",
    )


def test_a_variable_whose_declaration_was_skipped_is_undefined() -> None:
    code, text = outcome("{{or 1 ($x := 2)}}{{$x}}")
    assert (code, text.rpartition(": ")[2]) == (1, "$x")
    assert outcome("{{or 0 ($x := 2)}}{{$x}}") == (0, "22")


def test_header_functions_leave_names_alone() -> None:
    template = Template(
        '{{lower .A}}|{{upper .A}}|{{split .A "e"}}|{{truncate .A 1}}|{{pad .A 1 1}}'
    )
    headers = {"A": "Name"}
    assert template.render(headers, functions=HEADER_FUNCTIONS) == "Name|Name|Name|Name| Name "


def test_errors_say_where_and_keep_what_was_written() -> None:
    with pytest.raises(TemplateExecutionError) as caught:
        Template("é\n日{{.Id}}{{lower .Size}}").render(SUBJECT)
    assert (caught.value.line, caught.value.column) == (2, 18)
    assert caught.value.written == "é\n日sha256:12"


def test_errors_say_which_template_they_are_in() -> None:
    with pytest.raises(TemplateExecutionError, match=r':2:9: executing "a\\"b" at <5>') as caught:
        Template('{{define "a\\"b"}}é\n\t{{lower 5}}{{end}}x{{template "a\\"b"}}').render(None)
    assert caught.value.written == "xé\n\t"


def test_texts_and_numbers_of_other_classes_are_texts_and_numbers() -> None:
    class Name(str):
        __slots__ = ()

    class Count(int):
        __slots__ = ()

    value = {"A": Name("a:b"), "N": Count(1), "L": [Name("x"), "y"]}
    asked = '{{split .A ":"}} {{pad .A .N 0}} {{join .L "-"}} {{eq .A "a:b"}} {{eq .N 1}}'
    assert outcome(asked, value) == (0, "[a b]  a:b x-y true true")
    assert outcome('{{printf "%T %T %T" .A .N .L}}', value) == (0, "string int []string")


def test_syntax_errors_say_the_line() -> None:
    with pytest.raises(
        TemplateSyntaxError, match=r"template: :3: unexpected \{\{end\}\}"
    ) as caught:
        Template("a\nb\n{{end}}")
    assert (caught.value.line, caught.value.exit_code) == (3, 64)


@pytest.mark.parametrize(
    "template", ["{{" + "(" * 5000 + "1" + ")" * 5000 + "}}", "{{if 1}}" * 5000 + "{{end}}" * 5000]
)
def test_deep_nesting_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        Template(template).render(None)


@pytest.mark.parametrize(
    ("template", "node"),
    [
        ('{{define "a"}}{{template "a" .}}{{end}}{{template "a" 1}}', '{{template "a" .}}'),
        ('{{template ""}}', '{{template ""}}'),
    ],
)
def test_templates_that_name_themselves_without_end_are_refused(template: str, node: str) -> None:
    code, text = outcome(template)
    assert code == 1
    assert text.endswith(f"at <{node}>: exceeded maximum template depth")


def test_templates_without_end_fail_at_their_first_branch() -> None:
    both = '{{define "%s"}}{{template "%s"}}{{template "%s"}}{{end}}'
    source = both % ("a", "b", "b") + both % ("b", "a", "a") + '{{template "a"}}'
    assert outcome(source)[1].endswith("exceeded maximum template depth")


def test_templates_may_name_themselves() -> None:
    walk = '{{define "walk"}}{{.N}}{{with .Next}}{{template "walk" .}}{{end}}{{end}}'
    value = {"N": 1, "Next": {"N": 2, "Next": {"N": 3}}}
    assert outcome(f'{walk}{{{{template "walk" .}}}}', value) == (0, "123")


@pytest.mark.parametrize("width", ["1000001", "-99999999", "9" * 500])
def test_widths_cannot_exhaust_memory(width: str) -> None:
    assert outcome(f'{{{{printf "%{width}d" 1}}}}') == (0, "%!(BADWIDTH)")
    assert outcome('{{pad "x" 99999999 0}}')[0] == 1


@given(st.text())
def test_quoting_is_one_line_of_printable_text(text: str) -> None:
    assert quote(text).isprintable()
    assert quote(text, ascii_only=True).isascii()


@given(st.text(alphabet=st.characters()))
def test_text_without_actions_is_itself(text: str) -> None:
    if "{{" not in text:
        assert Template(text).render(None) == text


PIECES = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{{-",
            "-}}",
            " ",
            "(",
            ")",
            "|",
            ":=",
            "=",
            ",",
            ".",
            "$",
            "$x",
            "\n",
            "/*",
            "*/",
        ),
        *(".Id", ".Config", ".Config.Cmd", ".Config.Labels", ".Nope", ".Size", ".RepoDigests"),
        *(
            '"a"',
            '"%d %s %q %x"',
            "`b`",
            "'c'",
            "0",
            "1",
            "2",
            "-1",
            "1.5",
            "true",
            "nil",
            '"\\x',
            "é",
        ),
        *('{{define "a"}}', '{{template "a" .}}', '{{block "a" .}}', "{{break}}", "{{continue}}"),
        *(
            "{{if ",
            "{{else}}",
            "{{else if ",
            "{{end}}",
            "{{range ",
            "{{with ",
            "{{range $i, $e := ",
        ),
        *FUNCTIONS,
        *("and", "or", "break", "define", "template", "block"),
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join) | st.text())
@settings(max_examples=500, deadline=None)
def test_any_text_renders_or_fails_with_its_own_error(source: str) -> None:
    code, _ = outcome(source)
    assert code in {0, 1, 64}


ATOMS = st.sampled_from(
    [
        ".Id",
        ".Size",
        ".Config",
        ".Config.Cmd",
        ".Nope",
        '"a"',
        '"%5.2d%v%q"',
        "1",
        "-3",
        "2.5",
        "nil",
        "true",
        ".",
    ]
)


@given(
    st.recursive(
        ATOMS,
        lambda inner: st.builds(
            lambda name, arguments: f"({name} {' '.join(arguments)})",
            st.sampled_from([*FUNCTIONS, "and", "or"]),
            st.lists(inner, max_size=4),
        ),
        max_leaves=8,
    ),
    st.sampled_from(["{{%s}}", "{{range %s}}{{.}}{{else}}-{{end}}", "{{with %s}}{{.}}{{end}}"]),
)
@settings(max_examples=500, deadline=None)
def test_any_call_of_any_function_renders_or_fails_with_its_own_error(
    call: str, frame: str
) -> None:
    code, _ = outcome(frame.replace("%s", call), {**SUBJECT, "Size": 78})
    assert code in {0, 1}


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0s"), (1, "1ns"), (1_500, "1.5µs"), (100_000, "100µs"), (1_000_000, "1ms"),
        (999_999_999, "999.999999ms"), (1_000_000_000, "1s"), (1_000_000_001, "1.000000001s"),
        (90_000_000_000, "1m30s"), (60_000_000_000, "1m0s"), (3_600_000_000_000, "1h0m0s"),
        (5_400_500_000_000, "1h30m0.5s"), (-2_000_000_000, "-2s"), (-1, "-1ns"),
        (9_223_372_036_854_775_807, "2562047h47m16.854775807s"),
    ],
)  # fmt: skip
def test_a_span_of_time_is_printed_as_go_does(count: int, text: str) -> None:
    assert Template("{{.}}").render(Duration(count)) == text
