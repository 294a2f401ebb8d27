"""Local images through the real command: look, name, choose, remove."""

from __future__ import annotations

import json
import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nacre.content.filesystem import FilesystemBlobs
from nacre.testing.builders import a_layer, an_image
from nacre.transports.layout import LayoutStore
from tests.peers.nacre import NacreCli

NAMES = "{{.Repository}}:{{.Tag}}"


@pytest.fixture
def cli(nacre_cli: NacreCli, a_tar: Path) -> NacreCli:
    """A nacre with ``demo:1``, which is also ``team/app:x``, and then an image without a name."""
    changes = ["-c", "EXPOSE 80", "-c", "ENV A=<b>", "-c", 'CMD ["sh"]', "-c", "LABEL kind=demo"]
    nacre_cli("import", *changes, "-m", "by <hand>", a_tar, "demo:1")
    nacre_cli("tag", "demo:1", "team/app:x")
    time.sleep(0.01)
    nacre_cli("import", "-m", "another", a_tar)
    return nacre_cli


def names(cli: NacreCli, *words: str) -> list[str]:
    return cli("images", "--format", NAMES, *words).splitlines()


def test_the_table_has_a_row_a_name_newest_image_first(cli: NacreCli) -> None:
    header, *rows = cli("images").splitlines()
    assert header.split("   ")[0] == "REPOSITORY"
    assert [row.split()[0] for row in rows] == ["<none>", "demo", "team/app"]
    assert len({row.split()[2] for row in rows}) == 2
    assert all(row.endswith("10.2kB") for row in rows)


def test_quiet_repeats_an_id_for_every_name(cli: NacreCli) -> None:
    short = cli("images", "-q").split()
    assert (len(short), len(set(short))) == (3, 2)
    assert [each[7:19] for each in cli("images", "-q", "--no-trunc").split()] == short


def test_an_image_that_is_named_is_shown_once(cli: NacreCli) -> None:
    assert len(cli("images", "-q", "demo").split()) == 1
    assert len(cli("images", "-q", "-f", "reference=demo", "-f", "reference=team/app").split()) == 2
    _, row = cli("images", "--digests", "demo").splitlines()
    assert row.split()[:3] == ["demo", "1", "<none>"]


def test_json_is_escaped_as_docker_does(cli: NacreCli) -> None:
    first = cli("images", "--format", "json").splitlines()[0]
    assert '"Tag":"\\u003cnone\\u003e"' in first
    assert json.loads(first)["SharedSize"] == "N/A"
    assert '"Comment":"by \\u003chand\\u003e"' in cli("history", "--format", "{{json .}}", "demo:1")


def test_times_are_those_of_the_local_zone(cli: NacreCli) -> None:
    cli.env["TZ"] = "IST-5:30"
    assert cli("images", "demo", "--format", "{{.CreatedAt}}").endswith(" +0530 IST\n")
    assert cli("history", "--format", "{{.CreatedAt}}", "demo:1").endswith("+05:30\n")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["demo"], ["demo:1"]),
        (["demo:1"], ["demo:1"]),
        (["demo:2"], []),
        (["demo", "-f", "reference=team/*"], ["demo:1", "team/app:x"]),
        (["demo", "-f", "label=kind"], ["demo:1"]),
        (["demo", "-f", "dangling=true"], []),
        (["-f", ""], ["<none>:<none>", "demo:1", "team/app:x"]),
        (["[^d]*/*"], ["team/app:x"]),
        (["*/*/*"], []),
        (["-f", "label!=kind"], ["<none>:<none>"]),
        (["-f", "dangling=true"], ["<none>:<none>"]),
        (["-f", "dangling=false"], ["demo:1", "team/app:x"]),
        (["-f", "label=kind"], ["demo:1", "team/app:x"]),
        (["-f", "label=kind=demo", "-f", "label=other"], []),
        (["-f", "reference=team/*"], ["team/app:x"]),
        (["-f", "since=demo:1"], ["<none>:<none>"]),
        (["--filter=before=demo:1"], []),
        (["-f", "until=24h"], []),
    ],
)  # fmt: skip
def test_images_can_be_chosen(cli: NacreCli, words: list[str], found: list[str]) -> None:
    assert names(cli, *words) == found


@pytest.mark.parametrize(
    ("wanted", "code", "problem"),
    [
        ("dangling", 125, "bad format of filter (expected name=value)"),
        ("colour=red", 1, "invalid filter 'colour'"),
        ("dangling=perhaps", 1, "invalid filter 'dangling=[perhaps]'"),
        ("reference=[", 1, "syntax error in pattern"),
        ("until=2d", 1, "failed to parse value as time or duration: '2d'"),
        ("since=nope", 1, "No such image: nope:latest"),
    ],
)
def test_a_senseless_filter_is_refused(cli: NacreCli, wanted: str, code: int, problem: str) -> None:
    done = cli.run("images", "--filter", wanted)
    assert (done.returncode, done.stdout) == (code, "")
    assert problem in done.stderr
    assert done.stderr.count("\n") == 1


def test_history_shows_what_docker_shows(cli: NacreCli) -> None:
    table = cli("history", "demo:1").splitlines()
    row = re.fullmatch(r"[0-9a-f]{12}   (\S.* ago) +10.2kB +by <hand>", table[1])
    assert row, table[1]
    created = "CREATED".ljust(len(row[1]))
    assert table[0] == f"IMAGE          {created}   CREATED BY   SIZE      COMMENT"
    exact = cli("history", "-H=false", "--no-trunc", "demo:1").splitlines()
    assert exact[0].split("   ")[0] == "IMAGE"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}   \d{4}-\S+T\S+Z +10240 +by <hand>", exact[1])


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Config.Cmd}} {{.Config.Entrypoint}}|{{.Config.User}}|", "[sh] []||"),
        ("{{json .Config.ExposedPorts}}", '{"80/tcp":{}}'),
        ("{{index .RepoTags 0}} {{.Config.Labels.kind}}", "demo:1 demo"),
        ("{{range .Config.Env}}{{println .}}{{end}}", "A=<b>\n"),
        ("{{.Architecture}}/{{.Os}} {{.Size}} {{len .RootFS.Layers}}", "amd64/linux 10240 1"),
    ],
)
def test_inspect_answers_templates(cli: NacreCli, template: str, text: str) -> None:
    cli(
        "import", "--platform", "linux/amd64", "-c", "LABEL x=y", cli.home.parents[1] / "rootfs.tar"
    )
    for command in (["inspect"], ["image", "inspect"], ["inspect", "--type", "image"]):
        shown = cli(*command, "-f", template, "demo:1")
        assert shown.replace("arm64", "amd64") == f"{text}\n"


@pytest.mark.parametrize(
    ("template", "code", "problem"),
    [
        ("{{.Config.Foo}}", 1, 'map has no entry for key "Foo"'),
        ("{{index .RepoDigests 0}}", 1, "reflect: slice index out of range"),
        ("{{.Id", 64, "unclosed action"),
    ],
)
def test_inspect_refuses_templates_as_docker_does(
    cli: NacreCli, template: str, code: int, problem: str
) -> None:
    done = cli.run("inspect", "-f", template, "demo:1")
    # Once a template could be read, Docker ends its output with a newline whatever comes.
    assert (done.returncode, done.stdout) == (code, "\n" if code == 1 else "")
    assert done.stderr.startswith("Error: template parsing error: template: :1:")
    assert problem in done.stderr


def test_inspect_shows_what_it_finds_and_fails_for_the_rest(cli: NacreCli) -> None:
    done = cli.run("inspect", "nope", "demo:1", "BAD")
    assert done.returncode == 1
    assert [each["RepoTags"] for each in json.loads(done.stdout)] == [["demo:1", "team/app:x"]]
    first, _second = done.stderr.splitlines()
    assert first.startswith("Error: No such image: nope:latest")


NO_SUCH = "Error: No such {}: demo:1 (nacre has images only)\n"
KINDS = 'must be one of "config", "container", "image", "network", '


@pytest.mark.parametrize(
    ("words", "code", "out", "err"),
    [
        (["-s", "-f", "{{.Os}}"], 0, "linux\n", "WARNING: --size ignored for image\n"),
        (["--type", "container"], 1, "[]\n", NO_SUCH.format("container")),
        (["--type", "volume", "-f", "{{.Name}}"], 1, "\n", NO_SUCH.format("volume")),
        (["--type", "foo"], 1, "", f'Error: unknown type: "foo": {KINDS}'),
        (["--type="], 1, "", f"Error: type is empty: {KINDS}"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_inspect_knows_the_kinds_of_docker(
    cli: NacreCli, words: list[str], code: int, out: str, err: str
) -> None:
    done = cli.run("inspect", *words, "demo:1")
    assert (done.returncode, done.stdout) == (code, out)
    assert done.stderr.startswith(err)
    assert done.stderr.count("\n") == 1


def test_rmi_goes_on_after_a_failure(cli: NacreCli) -> None:
    done = cli.run("rmi", "nope", "BAD", "team/app:x")
    assert (done.returncode, done.stdout) == (1, "Untagged: team/app:x\n")
    assert len(done.stderr.splitlines()) == 2


def test_rmi_by_force_takes_what_is_gone_for_gone(cli: NacreCli) -> None:
    done = cli.run("rmi", "-f", "nope")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("Error: No such image: nope:latest")


def test_an_id_of_several_repositories_needs_force(cli: NacreCli) -> None:
    short = cli("images", "-q", "demo").split()[0]
    assert "must be forced" in cli.refused("rmi", short)
    said = cli("rmi", "--force", short).splitlines()
    assert said[:2] == ["Untagged: demo:1", "Untagged: team/app:x"]
    assert said[2].startswith("Deleted: sha256:")


def test_prune_says_what_went(cli: NacreCli) -> None:
    said = cli("image", "prune", "-f").splitlines()
    assert said[0] == "Deleted Images:"
    assert said[1].startswith("deleted: sha256:")
    assert said[-2] == ""
    assert said[-1].startswith("Total reclaimed space: ")
    assert cli("image", "prune", "-f") == "Total reclaimed space: 0B\n"
    assert "untagged: demo:1" in cli("image", "prune", "-af").splitlines()
    assert names(cli) == []


def test_disk_use_shares_are_real(cli: NacreCli) -> None:
    header, row = cli("system", "df").splitlines()[:2]
    assert header.split() == ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"]
    assert row.split()[:3] == ["Images", "2", "0"]
    table = cli("system", "df", "-v").splitlines()
    assert table[:2] == ["Images space usage:", ""]
    assert len(table) == 5  # one row an image, whatever its names
    shown = json.loads(cli("system", "df", "-v", "--format", "json"))["Images"]
    assert all(row["SharedSize"] == "10.2kB" for row in shown)
    assert all(re.fullmatch(r"\d+B", row["UniqueSize"]) for row in shown)


def test_info_and_version_answer_templates(cli: NacreCli) -> None:
    assert cli("info", "--format", "{{.Images}} {{.NacreRootDir}}") == f"2 {cli.root}\n"
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert cli("info", "-f", "{{.DockerRootDir}} {{.Name}} {{.MemTotal}} {{.NCPU}}") == (
        f"{cli.root} {os.uname().nodename} {memory} {os.cpu_count()}\n"
    )
    assert cli("version", "-f", "{{.Server.Version}} {{.Server.Os}}/{{.Server.Arch}}") == (
        cli("version", "-f", "{{.Client.Version}} {{.Client.Os}}/{{.Client.Arch}}")
    )
    assert json.loads(cli("system", "info", "-f", "json"))["Images"] == 2
    assert "Images: 2" in cli("info").splitlines()
    assert cli.run("info", "-f", "{{.Nope}}").returncode == 1


def test_info_shows_the_registries_a_line_a_setting(cli: NacreCli) -> None:
    cli.config.write_text(
        '[registry."docker.io"]\nmirrors = ["a.example", "b.example:5000"]\n'
        '[registry."a.example"]\ninsecure = true\n'
    )
    shown = cli("info")
    assert shown.endswith(
        "Registries:\n"
        " a.example:\n  insecure: true\n"
        " docker.io:\n  mirrors: a.example, b.example:5000\n"
    )
    assert cli("info", "-f", '{{index .RegistryConfig "docker.io" "mirrors" 1}}') == (
        "b.example:5000\n"
    )


def test_verify_names_every_image(cli: NacreCli) -> None:
    said = cli("image", "verify", "--all").splitlines()
    assert len(said) == 2
    assert "demo:1: OK" in said
    assert cli("image", "verify", "-q", "demo:1") == ""
    assert "requires either images or --all" in cli.refused("image", "verify")


def test_images_are_saved_to_and_loaded_from_pipes(cli: NacreCli) -> None:
    done = cli.in_shell("nacre save demo:1 team/app:x | nacre --root $HOME/other load")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Loaded image: demo:1\nLoaded image: team/app:x\n"


def test_one_platform_is_loaded(cli: NacreCli, tmp_path: Path) -> None:
    tar, platform = tmp_path / "x.tar", cli("inspect", "-f", "{{.Os}}/{{.Architecture}}", "demo:1")
    cli("save", "-o", tar, "demo")
    assert cli("load", "--platform", platform.strip(), "-i", tar) == "Loaded image: demo:1\n"
    said = cli.refused("load", "--platform", "linux/s390x", "-i", tar)
    assert "does not match the specified platform: wanted linux/s390x" in said


def test_a_device_at_standard_input_is_told(cli: NacreCli) -> None:
    done = cli.in_shell("nacre import - </dev/null")
    assert done.stderr.startswith("Error: standard input is a device, not an archive")


def test_an_image_without_a_name_is_loaded_by_id(cli: NacreCli, tmp_path: Path) -> None:
    nameless = cli("images", "-q", "--no-trunc", "-f", "dangling=true").strip()
    cli("save", "-o", tmp_path / "x.tar", nameless)
    assert cli("load", "-q", "-i", tmp_path / "x.tar") == f"Loaded image ID: {nameless}\n"


def test_copy_prints_the_digest_at_the_destination(cli: NacreCli, tmp_path: Path) -> None:
    said = cli("image", "copy", "demo:1", f"oci:{tmp_path / 'layout'}:1").splitlines()
    assert re.fullmatch(r"[0-9a-f]{12}: Waiting", said[0])
    assert re.fullmatch(r"[0-9a-f]{12}: Copied", said[-2])
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", said[-1])
    assert cli("image", "copy", "-q", "demo:1", f"oci:{tmp_path / 'layout'}:2") == f"{said[-1]}\n"


def test_images_created_in_other_zones_are_sorted_by_time(
    nacre_cli: NacreCli, tmp_path: Path
) -> None:
    layout = LayoutStore(tmp_path / "layout")
    for name, created in (
        ("old", "2024-01-01T23:00:00Z"),
        ("new", "2024-01-02T00:30:00+01:00"),
        ("odd", "yesterday"),
    ):
        image = an_image([a_layer({name: b""})], config={"created": created})
        image.into(FilesystemBlobs(tmp_path / "layout"))
        layout.tag(name, image.root)
        nacre_cli("image", "copy", "-q", f"oci:{tmp_path / 'layout'}:{name}", f"demo:{name}")
    assert names(nacre_cli) == ["demo:new", "demo:old", "demo:odd"]
    odd = nacre_cli("images", "demo:odd", "--format", "{{.CreatedAt}}")
    assert odd == "1970-01-01 00:00:00 +0000 UTC\n"


def test_the_store_is_chosen_before_the_command(cli: NacreCli, tmp_path: Path) -> None:
    other = ("--root", tmp_path / "other")
    assert cli(*other, "images", "-q") == ""
    assert cli(f"--root={tmp_path / 'other'}", "-D", "images", "-q") == ""
    settings = tmp_path / "settings.toml"
    settings.write_text(f'root = "{tmp_path / "third"}"\n')
    del cli.env["NACRE_CONFIG"]
    done = cli.in_shell(
        f"unset NACRE_ROOT; nacre --config {settings} info -f '{{{{.NacreRootDir}}}}'"
    )
    assert done.stdout == f"{tmp_path / 'third'}\n"
    assert "does not exist" in cli.refused("--config", tmp_path / "nope", "images")


def test_debug_shows_where_it_failed(cli: NacreCli) -> None:
    done = cli.run("--debug", "history", "nope")
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: No such image: nope:latest")


def test_created_since_counts_from_now(cli: NacreCli) -> None:
    created = json.loads(cli("inspect", "demo:1"))[0]["Created"]
    age = datetime.now(UTC) - datetime.fromisoformat(created)
    assert age.total_seconds() < 600
    assert re.fullmatch(
        r"(Less than a second|\d+ seconds?|About a minute|\d minutes) ago",
        cli("history", "--format", "{{.CreatedSince}}", "demo:1").strip(),
    )
