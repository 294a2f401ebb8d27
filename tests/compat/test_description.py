"""``history`` and ``inspect`` say of an image what ``docker`` and ``podman`` say of it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from nacre.testing.builders import Content
from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.layout import LayoutStore
from tests.compat.images import DATA, EMPTY_STEPS, GZIP, TREE, filled, inspected
from tests.peers.nacre import NacreCli
from tests.peers.tools import Tool

DOCKERFILE = """\
FROM scratch
LABEL made.by=docker words="two words"
MAINTAINER ana
ENV PATH=/bin GREETING=hello
COPY motd /etc/motd
EXPOSE 80 53/udp
VOLUME ["/data", "/var/cache"]
HEALTHCHECK --interval=5s --retries=2 CMD ["true"]
USER nobody:daemon
WORKDIR /srv
ONBUILD COPY x /x
STOPSIGNAL SIGINT
SHELL ["/bin/bash", "-c"]
COPY motd /etc/issue
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo hello"]
"""

TEMPLATES = [
    "{{.Id}}",
    "{{.RepoTags}}",
    "{{index .RepoTags 0}}",
    "{{.Config.Env}}",
    "{{.Config.Entrypoint}} {{.Config.Cmd}}",
    "{{.Architecture}}",
    "{{.Os}}/{{.Architecture}}",
    "{{.Created}}",
    "{{.Author}}",
    "{{json .Config.Labels}}",
    "{{json .Config.Env}}",
    "{{json .Config.ExposedPorts}}",
    "{{json .Config.Volumes}}",
    "{{json .Config.Healthcheck}}",
    "{{json .RootFS}}",
    '{{index .Config.Labels "made.by"}}',
    "{{.Config.Labels.words}}",
    "{{range .RootFS.Layers}}{{println .}}{{end}}",
    "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}",
    '{{join .Config.Env ","}}',
    "{{upper .Config.User}} {{.Config.WorkingDir}} {{.Config.StopSignal}}",
    "{{len .RootFS.Layers}}",
    '{{if eq .Os "linux"}}yes{{else}}no{{end}}',
    "{{with .Config.Healthcheck}}{{.Test}}{{end}}",
    '{{split .Config.User ":"}}',
    "{{range $i, $e := .Config.Env}}{{if $i}} {{end}}{{$e}}{{end}}",
]

# Keys of Docker that nacre has not got, and why.
THEIRS = {
    "Parent": "what the classic builder started from",
    "Container": "of the classic builder",
    "DockerVersion": "who built it",
    "VirtualSize": "Size again",
    "GraphDriver": "nacre's store has no unpacked layers to show yet",
}
# The version of its API that Docker has given up a key with.
GONE = {
    "VirtualSize": (1, 44),
    "Container": (1, 45),
    "ContainerConfig": (1, 45),
    "Parent": (1, 52),
    "DockerVersion": (1, 52),
}
# Keys that nacre has and Docker 20.10 has not.
OURS = {"Descriptor": "what the name points at, as Docker shows it since API 1.48"}
# Keys whose values differ.
DIFFERENT = {
    "Size": "Docker counts the bytes of the files, nacre those of the layers' tars",
    "Metadata": "when this very store gave the name",
}


@pytest.fixture
def built(docker: Tool, nacre_cli: NacreCli, tmp_path: Path) -> str:
    """An image with something in every field that Docker built and nacre loaded."""
    context = tmp_path / "context"
    context.mkdir()
    (context / "motd").write_text("hello from docker\n")
    (context / "Dockerfile").write_text(DOCKERFILE)
    docker("build", "--tag", "team/built:1", context)
    docker("save", "--output", tmp_path / "built.tar", "team/built:1")
    nacre_cli("load", "--input", tmp_path / "built.tar")
    return "team/built:1"


def give(image: Content, name: str, nacre: NacreCli, other: Tool, folder: Path) -> None:
    """Let nacre and another tool have the same image under the same name."""
    copy(Shelf(image), "", LayoutStore(folder / "layout"), "it")
    nacre("image", "copy", f"oci:{folder / 'layout'}:it", name)
    nacre("save", "--output", folder / "given.tar", name)
    other("load", "--input", folder / "given.tar")


def gone(docker: Tool) -> set[str]:
    """Return the keys that this very Docker shows no more."""
    api = docker("version", "--format", "{{.Client.APIVersion}}").strip().split(".")
    return {key for key, version in GONE.items() if tuple(map(int, api)) >= version}


class TestInspect:
    def test_has_the_keys_and_values_of_docker(
        self, docker: Tool, nacre_cli: NacreCli, built: str
    ) -> None:
        theirs, ours = inspected(docker, built), inspected(nacre_cli, built)
        given_up = gone(docker)
        assert set(filled(theirs)) - set(ours) == set(THEIRS) - given_up
        assert set(ours) - set(theirs) - given_up == set(OURS)
        for key in set(ours) - set(DIFFERENT) - set(OURS) - given_up - {"Config"}:
            assert ours[key] == theirs[key], key
        assert ours["Config"] == filled(theirs["Config"])

    def test_differs_where_it_says_so_only_by_what_it_says(
        self, docker: Tool, nacre_cli: NacreCli, tmp_path: Path
    ) -> None:
        give(EMPTY_STEPS, "team/steps:1", nacre_cli, docker, tmp_path)
        theirs, ours = inspected(docker, "team/steps:1"), inspected(nacre_cli, "team/steps:1")
        assert theirs["Size"] == sum(content_sizes(TREE, DATA))
        assert ours["Size"] == len(TREE) + len(DATA)
        assert set(ours["Metadata"]) == set(theirs["Metadata"]) == {"LastTagTime"}

    def test_templates_print_what_docker_prints(
        self, docker: Tool, nacre_cli: NacreCli, built: str
    ) -> None:
        templates = list(TEMPLATES)
        if "ContainerConfig" not in gone(docker):
            templates.append("{{json .ContainerConfig.Cmd}}")
        # A call each: Docker evaluates a template anew on plain JSON when a field is not typed.
        printed = {
            template: [
                tool("image", "inspect", "--format", template, built)
                for tool in (nacre_cli, docker)
            ]
            for template in templates
        }
        assert {template: ours for template, (ours, _) in printed.items()} == {
            template: theirs for template, (_, theirs) in printed.items()
        }

    def test_short_form_and_several_images(
        self, docker: Tool, nacre_cli: NacreCli, built: str
    ) -> None:
        arguments = ("inspect", "--format", "{{.Id}}", built, built)
        assert nacre_cli(*arguments) == docker(*arguments)

    def test_of_what_is_not_here_ends_as_dockers(self, docker: Tool, nacre_cli: NacreCli) -> None:
        theirs = docker.attempt("image", "inspect", "no/such")
        ours = nacre_cli.run("image", "inspect", "no/such")
        assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout)

    def test_has_podmans_config(self, podman: Tool, nacre_cli: NacreCli, tmp_path: Path) -> None:
        give(EMPTY_STEPS, "docker.io/team/steps:1", nacre_cli, podman, tmp_path)
        theirs, ours = inspected(podman, "team/steps:1"), inspected(nacre_cli, "team/steps:1")
        assert ours["Id"] == f"sha256:{theirs['Id']}"
        for key in ("Config", "Architecture", "Os", "RootFS", "Author"):
            assert ours[key] == theirs[key]


class TestHistory:
    def test_is_dockers_line_for_line(
        self, docker: Tool, nacre_cli: NacreCli, tmp_path: Path
    ) -> None:
        """All but the sizes, which count the tar; ``--human=false`` has no ages that change."""
        give(EMPTY_STEPS, "team/steps:1", nacre_cli, docker, tmp_path)
        form = "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Comment}}"
        for options in (("--format", form), ("--no-trunc", "--format", form), ("--quiet",)):
            arguments = ("history", "--human=false", *options, "team/steps:1")
            assert nacre_cli(*arguments) == docker(*arguments)

    def test_has_sizes_of_tars_where_docker_has_those_of_files(
        self, docker: Tool, nacre_cli: NacreCli, tmp_path: Path
    ) -> None:
        give(EMPTY_STEPS, "team/steps:1", nacre_cli, docker, tmp_path)
        arguments = ("history", "--human=false", "--format", "{{.Size}}", "team/steps:1")
        assert [int(size) for size in nacre_cli(*arguments).split()] == [len(DATA), 0, len(TREE)]
        of_tree, of_data = content_sizes(TREE, DATA)
        assert [int(size) for size in docker(*arguments).split()] == [of_data, 0, of_tree]

    def test_of_what_docker_built(self, docker: Tool, nacre_cli: NacreCli, built: str) -> None:
        """The classic builder's steps are images for Docker; here only the whole is one."""
        form = "{{.CreatedAt}}|{{.CreatedBy}}|{{.Comment}}"
        arguments = ("history", "--no-trunc", "--format", form, built)
        assert nacre_cli(*arguments) == docker(*arguments)
        quiet = ("history", "--no-trunc", "--quiet", built)
        theirs, ours = docker(*quiet).split(), nacre_cli(*quiet).split()
        assert ours == [theirs[0], *["<missing>"] * (len(theirs) - 1)]

    def test_as_json_is_dockers(self, docker: Tool, nacre_cli: NacreCli, tmp_path: Path) -> None:
        give(GZIP, "team/hello:1", nacre_cli, docker, tmp_path)
        arguments = ("history", "--human=false", "team/hello:1", "--format")
        ours = [json.loads(line) for line in nacre_cli(*arguments, "json").splitlines()]
        # Docker's command line knows the word "json" only since 23.0.
        theirs = [json.loads(line) for line in docker(*arguments, "{{json .}}").splitlines()]
        assert [list(row) for row in ours] == [list(row) for row in theirs]
        for row in (*ours, *theirs):
            del row["Size"]
        assert ours == theirs

    def test_is_podmans(self, podman: Tool, nacre_cli: NacreCli, tmp_path: Path) -> None:
        give(EMPTY_STEPS, "docker.io/team/steps:1", nacre_cli, podman, tmp_path)
        form = "{{.CreatedBy}}|{{.Comment}}"
        arguments = ("history", "--no-trunc", "--format", form, "team/steps:1")
        ours = [line.replace("\t", " ") for line in podman(*arguments).splitlines()]
        assert nacre_cli(*arguments).splitlines() == ours


def content_sizes(*tars: bytes) -> list[int]:
    """Return how many bytes of files each tar has: links and folders have none for Docker."""
    sizes = []
    for tar in tars:
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            members = archive.getmembers()
            sizes.append(sum(each.size + len(each.linkname) * each.issym() for each in members))
    return sizes
