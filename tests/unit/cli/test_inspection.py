"""``inspect``: JSON for people and programs, and templates as docker renders them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from nacre.cli.render import imagetypes
from nacre.cli.render.inspection import render_inspection, render_one
from nacre.cli.render.template.errors import TemplateError, TemplateExecutionError
from nacre.engine.engine import Engine
from nacre.errors import NacreError
from nacre.testing import a_layer
from tests.unit.cli.recorded import read

DOCUMENT = read("document.json")
RECORDED = read("inspections.json")


def rendered(template: str, *documents: Mapping[str, object]) -> str:
    return "".join(render_inspection(documents or (DOCUMENT,), template, imagetypes.image, refuse))


def refuse(error: NacreError) -> None:
    raise error


@pytest.mark.parametrize(
    ("template", "code", "text"), RECORDED, ids=[case[0][:60] for case in RECORDED]
)
def test_templates_of_images_do_what_docker_does(template: str, code: int, text: str) -> None:
    try:
        got = 0, rendered(template).removesuffix("\n")
    except TemplateError as error:
        got = error.exit_code, str(error)
    assert got == (code, text)


def test_the_names_of_the_document_mix_with_those_of_empty_fields() -> None:
    # Docker does one or the other: here `.Id` makes it fail at `.Config.Entrypoint`.
    assert rendered("{{.Id}} {{.Config.Entrypoint}}") == f"{DOCUMENT['Id']} []\n"


def test_fields_that_only_some_images_have_are_found() -> None:
    document = DOCUMENT | {
        "ContainerConfig": {"Cmd": ["x"]},
        "Config": {"Volumes": {"/data": {}}, "OnBuild": ["RUN x"]},
    }
    assert rendered("{{.ContainerConfig.Cmd}} {{.Config.Volumes}}", document) == (
        "[x] map[/data:{}]\n"
    )
    assert rendered("{{json .Config}}", document) == (
        '{"Volumes":{"/data":{}},"OnBuild":["RUN x"]}\n'
    )


HEALTH = {"Test": ["CMD-SHELL", "x"], "Interval": 30_000_000_000, "Timeout": 1_500_000_000}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Interval}} {{.Timeout}} {{.StartPeriod}} {{.StartInterval}}", "30s 1.5s 0s 0s"),
        ("{{println .Interval}}", "30s\n"),
        ('{{$i := .Interval}}{{range split "%s,%v,%d,%6s,%-6v,%q" ","}}{{printf . $i}}|{{end}}',
         '30s|30s|30000000000|   30s|30s   |"30s"|'),
        ("{{json .Interval}} {{json .}}",
         '30000000000 {"Test":["CMD-SHELL","x"],"Interval":30000000000,"Timeout":1500000000}'),
        ("{{if gt .Interval 29000000000}}long{{end}} {{.Retries}}{{.Test}}", "long 0[CMD-SHELL x]"),
        ('{{printf "%T" .Interval}} {{if .StartPeriod}}a{{else}}b{{end}}', "time.Duration b"),
    ],
)  # fmt: skip
def test_the_times_of_a_healthcheck_are_spans(template: str, text: str) -> None:
    document = DOCUMENT | {"Config": {"Healthcheck": HEALTH}}
    whole = "{{with .Config.Healthcheck}}" + template + "{{end}}"
    assert rendered(whole, document) == f"{text}\n"
    assert '"Interval": 30000000000' in rendered("", document)


def test_a_healthcheck_prints_what_it_does_not_state() -> None:
    document = DOCUMENT | {"Config": {"Healthcheck": {"Interval": 5_000_000_000, "Test": ["X"]}}}
    shown = "{[X] 5s 0s 0s 0s 0}"
    asked = '{{.Config.Healthcheck}}{{printf "%v" .Config.Healthcheck}}'
    assert rendered(asked, document) == f"{shown}{shown}\n"


def test_sizes_have_their_type_in_go() -> None:
    asked = '{{printf "%T %T %T" .Size .VirtualSize .Descriptor.Size}} {{len .RootFS.Layers}}'
    assert rendered(asked) == "int64 int64 int64 1\n"
    assert rendered("{{eq .Size 307200}} {{lt .Size .Descriptor.Size}} {{.Size}}") == (
        "true false 307200\n"
    )


def test_the_year_one_is_a_time_as_well() -> None:
    document = DOCUMENT | {"Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"}}
    asked = '{{.IsZero}} {{.Year}} {{.Unix}} {{.Weekday}} {{.Format "2006 3pm"}}'
    whole = f"{{{{with .Metadata.LastTagTime}}}}{asked}{{{{end}}}}"
    assert rendered(whole, document) == "true 1 -62135596800 Monday 0001 12am\n"


DIGEST_USES = [
    ('{{index (split .Id ":") 1}}', "{hex}"),
    ("{{upper .Id}}", "SHA256:{HEX}"),
    ("{{truncate .Id 10}}", "{id:.10}"),
    ("{{pad .Id 1 1}}", " {id} "),
    ('{{join (split .Id ":") "-"}}', "sha256-{hex}"),
    ('{{with .Id}}{{split . ":"}}{{end}}', "[sha256 {hex}]"),
    ('{{$x := .Id}}{{split $x ":"}}', "[sha256 {hex}]"),
    ("{{truncate (index .RootFS.Layers 0) 12}}", "{layer:.12}"),
    ("{{range .RootFS.Layers}}{{truncate . 12}}{{end}}", "{layer:.12}"),
    ('{{join .RootFS.Layers ","}}', "{layer}"),
    ('{{eq .Id "x"}} {{ne .Id .Os}} {{lt .Id "z"}} {{eq .Id .Id}}', "false true true true"),
    ('{{printf "%T %T" .Id .RootFS.Layers}}', "string []string"),
    ("{{lower .Descriptor.Digest}}", "{digest}"),
    ("{{slice .Id 7 9}}", "{hex:.2}"),
    ("{{html .Id}} {{len .Id}}", "{id} 71"),
]


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the document of an image as the engine makes it."""
    root = tmp_path_factory.mktemp("inspected")
    with Engine(root=root, environment={}) as engine:
        engine.images.import_(io.BytesIO(a_layer({"etc/motd": b"hello"})), "demo:1")
        return engine.images.inspect("demo:1")


@pytest.mark.parametrize(("template", "text"), DIGEST_USES, ids=[case[0] for case in DIGEST_USES])
def test_digests_of_real_documents_are_texts(
    inspected: dict[str, Any], template: str, text: str
) -> None:
    digest = inspected["Id"]
    encoded = digest.partition(":")[2]
    assert rendered(template, inspected).removesuffix("\n") == text.format(
        id=digest,
        hex=encoded,
        HEX=encoded.upper(),
        layer=inspected["RootFS"]["Layers"][0],
        digest=inspected["Descriptor"]["digest"],
    )


def test_a_healthcheck_that_is_none_is_shown_as_it_is() -> None:
    document = DOCUMENT | {"Config": {"Healthcheck": {"Test": ["NONE"], "Interval": "odd"}}}
    assert rendered("{{.Config.Healthcheck.Interval}}", document) == "odd\n"


def test_an_artifact_has_no_config() -> None:
    artifact = {"Id": "sha256:12", "RepoTags": [], "RepoDigests": [], "ArtifactType": "a/b"}
    assert rendered("{{.ArtifactType}} {{.Id}}", artifact) == "a/b sha256:12\n"
    with pytest.raises(TemplateExecutionError, match='no entry for key "Config"'):
        rendered("{{.Config.Cmd}}", artifact)


def test_without_a_template_it_is_an_indented_array() -> None:
    assert rendered("") == json.dumps([DOCUMENT], indent=4) + "\n"
    assert rendered("", DOCUMENT, DOCUMENT).count('"Id"') == 2


def test_json_is_a_compact_array_without_html_escapes() -> None:
    assert rendered("json") == json.dumps([DOCUMENT], separators=(",", ":")) + "\n"
    assert "A=<b>" in rendered("json")


def test_of_nothing_there_is_an_empty_array_or_line() -> None:
    assert "".join(render_inspection([], "", imagetypes.image, refuse)) == "[]\n"
    assert "".join(render_inspection([], "json", imagetypes.image, refuse)) == "[]\n"
    assert "".join(render_inspection([], "{{.Id}}", imagetypes.image, refuse)) == "\n"


def test_one_that_does_not_fit_is_told_and_the_others_are_shown() -> None:
    told: list[NacreError] = []
    documents = [DOCUMENT, DOCUMENT | {"X": 1}, DOCUMENT]
    texts = render_inspection(documents, "{{.X}}", imagetypes.image, told.append)
    assert list(texts) == ["1\n"]
    assert len(told) == 2
    assert all("no entry for key" in str(error) for error in told)
    assert list(render_inspection([DOCUMENT], "{{.X}}", imagetypes.image, told.append)) == ["\n"]


def test_one_thing_can_be_shown_through_a_template() -> None:
    facts = {"Client": {"Version": "1", "Os": "linux"}}
    assert render_one(facts, "json", "t") == '{"Client":{"Version":"1","Os":"linux"}}\n'
    assert render_one(facts, "{{.Client.Version}}", "t") == "1\n"
    with pytest.raises(TemplateExecutionError, match="can't evaluate field Nope in type t"):
        render_one(facts, "{{.Nope}}", "t")
