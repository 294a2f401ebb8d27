"""Image configs: bytes kept, history and layers matched, chains named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.oci.config import (
    HistoryEntry,
    InvalidConfig,
    check_layer_count,
    layer_steps,
    make_config,
    parse,
)
from nacre.oci.digest import Digest
from nacre.oci.platform import Platform

A, B, C = (Digest.of(letter) for letter in (b"a", b"b", b"c"))
GOOD: dict[str, Any] = {
    "architecture": "arm64",
    "os": "linux",
    "variant": "v8",
    "created": "2026-01-02T03:04:05Z",
    "config": {"Cmd": ["sh"], "Env": ["A=b"], "Labels": {"k": "v"}, "User": "nobody"},
    "rootfs": {"type": "layers", "diff_ids": [A, B]},
    "history": [
        {"created_by": "ADD", "created": "2026-01-01T00:00:00Z", "comment": "base"},
        {"created_by": "ENV", "empty_layer": True},
        {"created_by": "RUN", "author": "me", "empty_layer": False},
    ],
}


def raw(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def test_bytes_stay_the_truth() -> None:
    data = json.dumps({**GOOD, "org.example": 1, "docker_version": "1.9"}, indent=4).encode()
    config = parse(data)
    assert config.raw == data
    assert config.digest == Digest.of(data)
    assert config.fields["org.example"] == 1


def test_container_config_is_kept() -> None:
    written = {"Hostname": "f00", "Cmd": ["/bin/sh", "-c", "#(nop) CMD"], "Image": "sha256:1"}
    assert parse(raw(container_config=written)).fields["container_config"] == written


def test_views() -> None:
    config = parse(raw())
    assert config.platform == Platform("linux", "arm64")
    assert config.created == "2026-01-02T03:04:05Z"
    assert config.diff_ids == (A, B)
    assert config.run["Cmd"] == ["sh"]
    assert config.history == (
        HistoryEntry(created="2026-01-01T00:00:00Z", created_by="ADD", comment="base"),
        HistoryEntry(created_by="ENV", empty_layer=True),
        HistoryEntry(created_by="RUN", author="me"),
    )


def test_almost_everything_may_be_left_out() -> None:
    config = parse(b'{"rootfs": {"type": "layers", "diff_ids": []}}')
    assert config.platform == Platform("", "")
    assert (config.created, config.history, config.diff_ids, dict(config.run)) == ("", (), (), {})


@pytest.mark.parametrize("rootfs", [{"type": "layers"}, {"diff_ids": None}])
def test_no_list_of_diff_ids_is_an_empty_one(rootfs: object) -> None:
    assert parse(raw(rootfs=rootfs)).diff_ids == ()


def test_nulls_are_as_good_as_absent() -> None:
    run = {"Cmd": None, "Labels": None, "User": None, "ExposedPorts": None}
    config = parse(raw(history=None, created=None, config=run, container_config=None))
    assert config.history == ()
    assert config.created == ""
    assert config.run == run
    assert parse(raw(config=None)).run == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rootfs", None),
        ("rootfs", []),
        ("rootfs", {"diff_ids": "x"}),
        ("rootfs", {"diff_ids": [1]}),
        ("rootfs", {"diff_ids": {}}),
        ("rootfs", {"diff_ids": ["sha256:short"]}),
        ("rootfs", {"diff_ids": ["md5:" + "a" * 32]}),
        ("history", {}),
        ("history", "x"),
        ("history", [None]),
        ("history", ["x"]),
        ("history", [{"created_by": 1}]),
        ("history", [{"created": []}]),
        ("history", [{"empty_layer": "false"}]),
        ("history", [{"empty_layer": 1}]),
        ("config", []),
        ("config", "x"),
        ("config", {"Env": [1]}),
        ("config", {"Env": {}}),
        ("config", {"Cmd": [None]}),
        ("config", {"Entrypoint": "sh"}),
        ("config", {"ExposedPorts": ["80"]}),
        ("config", {"Volumes": "/x"}),
        ("config", {"Labels": {"a": 1}}),
        ("config", {"Labels": []}),
        ("config", {"User": 0}),
        ("config", {"WorkingDir": ["/"]}),
        ("config", {"Healthcheck": "curl"}),
        ("container_config", []),
        ("container_config", {"Env": 1}),
        ("architecture", 1),
        ("os", []),
        ("variant", {}),
        ("os.version", 10),
        ("created", 0),
        ("author", 1),
        ("Config", {}),
        ("RootFS", {}),
    ],
)
def test_a_part_of_the_wrong_kind(key: str, value: object) -> None:
    with pytest.raises(InvalidConfig, match=r"^image config "):
        parse(raw(**{key: value}))


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"rootfs":{"a":1,"a":2}}', b"{}"])
def test_what_is_no_config_at_all(data: bytes) -> None:
    with pytest.raises(InvalidConfig):
        parse(data)


def test_over_4_mib_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="larger than 4194304 bytes"):
        parse(raw() + b" " * 4 * 1024 * 1024)


def test_made_configs_keep_their_order() -> None:
    config = make_config({"rootfs": GOOD["rootfs"], "architecture": "amd64"})
    assert config.raw.startswith(b'{"rootfs":{"type":"layers","diff_ids":["sha256:')
    assert parse(config.raw) == config


def test_fields_that_are_no_config_cannot_be_made_one() -> None:
    with pytest.raises(InvalidConfig, match="image config holds text that is not Unicode"):
        make_config({**GOOD, "author": "\udcff"})
    with pytest.raises(InvalidConfig, match="no rootfs"):
        make_config({})


def test_layer_count_must_match() -> None:
    config = parse(raw())
    check_layer_count(config, [1, 2])
    with pytest.raises(InvalidConfig, match="lists 3 layers but its config has 2 diff_ids"):
        check_layer_count(config, [1, 2, 3])


def test_steps_are_matched_with_layers() -> None:
    steps = layer_steps(parse(raw()))
    assert [(entry.created_by, position) for entry, position in steps] == [
        ("ADD", 0),
        ("ENV", None),
        ("RUN", 1),
    ]


def test_more_steps_than_layers() -> None:
    history = [{"created_by": "ADD"}] * 3
    with pytest.raises(InvalidConfig, match=r"^too many non-empty layers in History section$"):
        layer_steps(parse(raw(history=history)))


def test_layers_that_history_does_not_speak_of_are_listed() -> None:
    history = [{"created_by": "ADD"}]
    assert layer_steps(parse(raw(history=history))) == (
        (HistoryEntry(created_by="ADD"), 0),
        (HistoryEntry(), 1),
    )
    assert layer_steps(parse(raw(history=None))) == ((HistoryEntry(), 0), (HistoryEntry(), 1))


_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(["diff_ids", "Env", "created"]), children)
    ),
    max_leaves=6,
)


@given(st.sampled_from([*GOOD, "container_config", "x"]), _junk)
def test_a_config_with_any_part_replaced_is_read_or_refused(key: str, value: object) -> None:
    try:
        config = parse(raw(**{key: value}))
    except InvalidConfig:
        return
    assert len(config.diff_ids) >= 0
    assert all(isinstance(entry.created_by, str) for entry in config.history)
    assert str(config.platform) is not None
    assert isinstance(config.run, dict)
