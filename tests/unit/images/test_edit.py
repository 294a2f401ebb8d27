"""``--change``: each instruction means what it means in a Dockerfile."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.errors import Invalid
from nacre.images.edit import InvalidChange, new_image, with_changes
from nacre.oci import mediatypes
from nacre.oci.config import HistoryEntry
from nacre.oci.config import parse as parse_config
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import parse as parse_manifest
from nacre.oci.platform import Platform
from tests.unit.images.building import AMD64, BASE, a_plain_layer, a_tar


def ports(*names: str) -> dict[str, dict[str, str]]:
    return {name: {} for name in names}


@pytest.mark.parametrize(
    ("change", "run"),
    [
        ("CMD sh", {"Cmd": ["/bin/sh", "-c", "sh"]}),
        ("cmd sh", {"Cmd": ["/bin/sh", "-c", "sh"]}),
        ('CMD ["sh", "-c", "echo $A"]', {"Cmd": ["sh", "-c", "echo $A"]}),
        ("CMD []", {"Cmd": []}),
        ("CMD [ -f x ] && y", {"Cmd": ["/bin/sh", "-c", "[ -f x ] && y"]}),
        ('CMD ["half', {"Cmd": ["/bin/sh", "-c", '["half']}),
        ("  CMD   echo  a  b ", {"Cmd": ["/bin/sh", "-c", "echo  a  b"]}),
        ("ENTRYPOINT run me", {"Entrypoint": ["/bin/sh", "-c", "run me"]}),
        ('ENTRYPOINT ["/x"]', {"Entrypoint": ["/x"]}),
        ("ENV A=1", {"Env": ["A=1"]}),
        ("ENV A=1 B=2", {"Env": ["A=1", "B=2"]}),
        ("ENV A=\"x y\" B='p q' C=r\\ s", {"Env": ["A=x y", "B=p q", "C=r s"]}),
        ("ENV A=", {"Env": ["A="]}),
        ("ENV A=b=c", {"Env": ["A=b=c"]}),
        ("ENV A the rest of it", {"Env": ["A=the rest of it"]}),
        ("ENV A  b=c", {"Env": ["A=b=c"]}),
        ("EXPOSE 80", {"ExposedPorts": ports("80/tcp")}),
        ("EXPOSE\t80", {"ExposedPorts": ports("80/tcp")}),
        ("EXPOSE 80/tcp 53/udp 9/SCTP", {"ExposedPorts": ports("80/tcp", "53/udp", "9/sctp")}),
        ("EXPOSE 7000-7002/udp", {"ExposedPorts": ports("7000/udp", "7001/udp", "7002/udp")}),
        ("EXPOSE 0 65535", {"ExposedPorts": ports("0/tcp", "65535/tcp")}),
        ("LABEL a=1 b='two words'", {"Labels": {"a": "1", "b": "two words"}}),
        ('LABEL "org.example.a"="x"', {"Labels": {"org.example.a": "x"}}),
        ("LABEL a b c", {"Labels": {"a": "b c"}}),
        ("ONBUILD RUN make", {"OnBuild": ["RUN make"]}),
        ("STOPSIGNAL SIGTERM", {"StopSignal": "SIGTERM"}),
        ("STOPSIGNAL 9", {"StopSignal": "9"}),
        ("STOPSIGNAL SIGRTMIN+3", {"StopSignal": "SIGRTMIN+3"}),
        ("USER app:1000", {"User": "app:1000"}),
        ("VOLUME /a /b", {"Volumes": ports("/a", "/b")}),
        ('VOLUME ["/a b"]', {"Volumes": ports("/a b")}),
        ("WORKDIR /srv/app", {"WorkingDir": "/srv/app"}),
        ("WORKDIR app", {"WorkingDir": "/app"}),
        ("WORKDIR /a/../b//c/.", {"WorkingDir": "/b/c"}),
        ("WORKDIR ../../x", {"WorkingDir": "/x"}),
        ("WORKDIR //x", {"WorkingDir": "/x"}),
        ("WORKDIR /with space", {"WorkingDir": "/with space"}),
        ("HEALTHCHECK NONE", {"Healthcheck": {"Test": ["NONE"]}}),
        ("HEALTHCHECK CMD a | b", {"Healthcheck": {"Test": ["CMD-SHELL", "a | b"]}}),
        ("CMD", {"Cmd": []}),
        ("entrypoint ", {}),
        ('HEALTHCHECK cmd ["a"]', {"Healthcheck": {"Test": ["CMD", "a"]}}),
    ],
)
def test_one_change(change: str, run: dict[str, Any]) -> None:
    assert with_changes({}, [change]) == run


def test_healthcheck_options() -> None:
    change = (
        "HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=1.5h --start-interval=2s "
        "--retries=4 CMD check"
    )
    assert with_changes({}, [change])["Healthcheck"] == {
        "Test": ["CMD-SHELL", "check"],
        "Interval": 90_000_000_000,
        "Timeout": 500_000_000,
        "StartPeriod": 5_400_000_000_000,
        "StartInterval": 2_000_000_000,
        "Retries": 4,
    }


def test_healthcheck_zeros_stand_for_the_defaults() -> None:
    change = "HEALTHCHECK --interval=0 --timeout=0s --retries=0 CMD check"
    assert with_changes({}, [change])["Healthcheck"] == {"Test": ["CMD-SHELL", "check"]}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("", "not a valid change command"),
        ("RUN make", "'RUN' is not a valid change command"),
        ("COPY a b", "not a valid change command"),
        ("FROM scratch", "not a valid change command"),
        ("80", "not a valid change command"),
        ("ENV ", "requires at least one argument"),
        ("CMD [1]", "texts only"),
        ('ENTRYPOINT ["a", null]', "texts only"),
        ("ENV A", "'A' must be of the form name=value"),
        ("ENV A=1 B", "'B' must be of the form name=value"),
        ("ENV =1", "names can not be blank"),
        ('ENV A="1', "not closed"),
        ("ENV A=${B", "not understood"),
        ("LABEL =x", "names can not be blank"),
        ("EXPOSE x", "invalid port 'x'"),
        ("EXPOSE 65536", "invalid port range"),
        ("EXPOSE 90-80", "invalid port range"),
        ("EXPOSE 80/ip", "invalid protocol 'ip'"),
        ("EXPOSE 80/", "invalid port"),
        ("EXPOSE 127.0.0.1:80:80", "invalid port"),
        ("EXPOSE -1", "invalid port"),
        ("EXPOSE ٣", "invalid port"),
        ("ONBUILD ONBUILD RUN x", "cannot be chained"),
        ("ONBUILD from x", "FROM isn't allowed as an ONBUILD trigger"),
        ("STOPSIGNAL SIGNOTHING", "not a signal"),
        ("STOPSIGNAL 65", "not a signal"),
        ("STOPSIGNAL 9 15", "exactly one argument"),
        ("USER a b", "exactly one argument"),
        ("USER $UNSET", "exactly one argument"),
        ("VOLUME []", "not empty"),
        ('VOLUME [""]', "not empty"),
        ("HEALTHCHECK", "requires at least one argument"),
        ("HEALTHCHECK NONE x", "takes no arguments"),
        ("HEALTHCHECK --retries=1 NONE", "takes no arguments"),
        ("HEALTHCHECK curl", "unknown type 'curl'"),
        ("HEALTHCHECK CMD", "takes a command"),
        ("HEALTHCHECK CMD []", "takes a command"),
        ("HEALTHCHECK --often=1 CMD x", "unknown flag --often"),
        ("HEALTHCHECK --interval=1 CMD x", "takes a duration"),
        ("HEALTHCHECK --interval=-1s CMD x", "takes a duration"),
        ("HEALTHCHECK --interval=1us CMD x", "less than 1ms"),
        ("HEALTHCHECK --timeout=99999999999h CMD x", "too long"),
        ("HEALTHCHECK --retries=-1 CMD x", "--retries takes a number"),
        ("HEALTHCHECK --retries=x CMD x", "--retries takes a number"),
    ],
)
def test_refused_with_the_change_and_the_reason(change: str, reason: str) -> None:
    with pytest.raises(InvalidChange, match=reason) as caught:
        with_changes({}, [change])
    assert str(caught.value).startswith(f"invalid change {change!r}: ")
    assert caught.value.change == change
    assert caught.value.remedy


def test_what_was_there_is_kept_and_not_touched() -> None:
    before = {
        "Env": ["PATH=/bin", "A=old", "B=2"],
        "Labels": {"a": "old", "b": "2"},
        "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/a": {}},
        "OnBuild": ["RUN x"],
        "WorkingDir": "/srv",
        "Hostname": "kept",
    }
    frozen = json.dumps(before)
    changes = ["ENV A=new", "LABEL a=new", "EXPOSE 81", "VOLUME /b", "ONBUILD RUN y", "WORKDIR app"]
    assert with_changes(before, changes) == {
        "Env": ["PATH=/bin", "A=new", "B=2"],
        "Labels": {"a": "new", "b": "2"},
        "ExposedPorts": ports("80/tcp", "81/tcp"),
        "Volumes": ports("/a", "/b"),
        "OnBuild": ["RUN x", "RUN y"],
        "WorkingDir": "/srv/app",
        "Hostname": "kept",
    }
    assert json.dumps(before) == frozen


def test_nulls_are_as_good_as_absent() -> None:
    before = {"Env": None, "Labels": None, "ExposedPorts": None, "Volumes": None, "OnBuild": None}
    changes = ["ENV A=1", "LABEL a=1", "EXPOSE 80", "VOLUME /a", "ONBUILD RUN x"]
    assert with_changes(before, changes)["Labels"] == {"a": "1"}


def test_variables_come_from_env_as_it_was_before_the_instruction() -> None:
    changes = ["ENV A=1", "ENV A=2 B=$A", "LABEL v=${B} w='$B'", "EXPOSE 808$A", "WORKDIR /v$A"]
    run = with_changes({}, changes)
    assert run["Env"] == ["A=2", "B=1"]
    assert run["Labels"] == {"v": "1", "w": "$B"}
    assert run["ExposedPorts"] == ports("8082/tcp")
    assert run["WorkingDir"] == "/v2"


def test_the_images_own_shell_runs_shell_forms() -> None:
    run = with_changes({"Shell": ["/bin/bash", "-lc"]}, ["CMD x", "ENTRYPOINT y"])
    assert run["Cmd"] == ["/bin/bash", "-lc", "x"]
    assert run["Entrypoint"] == ["/bin/bash", "-lc", "y"]


def test_a_new_entry_point_drops_the_old_command() -> None:
    assert "Cmd" not in with_changes({"Cmd": ["old"]}, ['ENTRYPOINT ["x"]'])


def test_a_command_given_before_the_entry_point_stays() -> None:
    run = with_changes({"Cmd": ["old"]}, ['CMD ["new"]', 'ENTRYPOINT ["x"]'])
    assert run == {"Cmd": ["new"], "Entrypoint": ["x"]}


def test_an_empty_entry_point_removes_it() -> None:
    assert with_changes({"Entrypoint": ["x"]}, ["ENTRYPOINT []"]) == {}


_words = "CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR RUN"
_instructions = st.sampled_from([*_words.split(), ""])


@given(_instructions, st.text() | st.text("aA1=/-[]\"'$\\{}:, \n"))
def test_arbitrary_changes_make_a_config_or_are_refused(name: str, rest: str) -> None:
    try:
        config, _ = new_image(
            BASE.descriptor, created="", platform=AMD64, changes=[f"{name} {rest}"]
        )
    except InvalidChange:
        return
    assert parse_config(config.raw) == config


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(Invalid, match="not Unicode"):
        new_image(BASE.descriptor, created="", platform=AMD64, changes=["CMD \udcff"])


def test_a_new_image() -> None:
    config, manifest = new_image(
        BASE.descriptor,
        diff_id=BASE.diff_id,
        created="2026-01-02T03:04:05Z",
        created_by="import",
        comment="Imported from -",
        platform=Platform("linux", "arm", "v7"),
        changes=["EXPOSE 80"],
    )
    assert parse_config(config.raw) == config
    assert config.platform == Platform("linux", "arm", "v7")
    assert config.diff_ids == (BASE.diff_id,)
    assert config.run == {"ExposedPorts": {"80/tcp": {}}}
    assert config.history == (
        HistoryEntry(
            created="2026-01-02T03:04:05Z", created_by="import", comment="Imported from -"
        ),
    )
    assert parse_manifest(manifest.raw, mediatypes.OCI_MANIFEST) == manifest
    assert manifest.config == Descriptor.of(mediatypes.OCI_CONFIG, config.raw)
    assert manifest.layers == (BASE.descriptor,)


def test_a_new_image_of_a_plain_tar_needs_no_diff_id() -> None:
    layer = a_plain_layer(a_tar(a=b"1"))
    config, _ = new_image(layer.descriptor, created="2026-01-02T03:04:05Z", platform=AMD64)
    assert config.diff_ids == (layer.diff_id,)
    assert "variant" not in config.fields
    assert config.fields["history"] == [{"created": "2026-01-02T03:04:05Z"}]


def test_the_same_import_is_the_same_image() -> None:
    first, second = (
        new_image(BASE.descriptor, created="2026-01-02T03:04:05Z", platform=AMD64) for _ in "12"
    )
    assert first == second
