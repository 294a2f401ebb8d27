"""The settings file: read as a whole, and every mistake named with its key and the file."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nacre.distribution.settings import Timeouts
from nacre.engine import settings
from nacre.engine.engine import Engine
from nacre.errors import Invalid


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_a_file_without_mistakes_is_read(file: Path, tmp_path: Path) -> None:
    file.write_text(
        f'root = "{tmp_path / "images"}"\njobs = 2\n'
        "[network]\nread-timeout = 5\n"
        '[registry."docker.io"]\nmirrors = ["mirror.example"]\n'
    )
    read = settings.load(config_file=file, environment={})
    assert (read.root, read.jobs) == (tmp_path / "images", 2)
    assert read.network == {"read-timeout": 5}
    assert read.registry == {"docker.io": {"mirrors": ["mirror.example"]}}


def test_no_settings_can_be_asked_for() -> None:
    assert settings.load(config_file="/dev/null", environment={}).registry == {}


def test_settings_may_come_through_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(pipe.write_text, "jobs = 3")
        assert settings.load(config_file=pipe, environment={}).jobs == 3
        written.result()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rot = 5", "unknown setting 'rot'"),
        ("root = 5", "root must be the path of a folder"),
        ("run = 5", "run must be the path of a folder"),
        ("storage-driver = 5", "there is no storage driver 5"),
        ("jobs = 0", "jobs must be a number from 1 to 64"),
        ("registry = 5", "[registry] is not a table"),
        ("registry.mirrors = []", '[registry."mirrors"] is not'),
        ('[registry."docker.io"]\nmirors = []', "has an unknown key 'mirors'"),
        ('[registry."docker.io"]\ninsecure = "no"', "insecure that is neither true nor false"),
        ('[registry."a/b"]', '[registry."a/b"] is not named after a registry'),
        ("[network]\ntimeout = 5", "[network] has an unknown key 'timeout'"),
        ("[network]\nread-timeout = -1", "read-timeout that is no number of seconds: -1"),
        ("= 5", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_when_the_file_is_read(file: Path, text: str, why: str) -> None:
    file.write_text(f"{text}\n")
    with pytest.raises(Invalid) as caught:
        settings.load(config_file=file, environment={})
    assert str(caught.value).startswith(f"{file}: ")
    assert why in str(caught.value)


def test_the_storage_driver_is_the_flags_then_the_environments_then_the_files(file: Path) -> None:
    file.write_text('storage-driver = "fuse"\n')
    environment = {"NACRE_STORAGE_DRIVER": "overlay"}
    loaded = [
        settings.load(config_file=file, storage_driver="copying", environment=environment),
        settings.load(config_file=file, environment=environment),
        settings.load(config_file=file, environment={}),
        settings.load(config_file="/dev/null", environment={}),
    ]
    assert [each.storage_driver for each in loaded] == ["copying", "overlay", "fuse", ""]


@pytest.mark.parametrize(
    ("asked", "environment", "where"),
    [
        ("zfs", {}, "--storage-driver"),
        (None, {"NACRE_STORAGE_DRIVER": "zfs"}, "NACRE_STORAGE_DRIVER"),
        (None, {}, "{file}: storage-driver"),
    ],
)
def test_a_storage_driver_that_there_is_not(
    file: Path, asked: str | None, environment: dict[str, str], where: str
) -> None:
    file.write_text('storage-driver = "zfs"\n')
    with pytest.raises(Invalid) as caught:
        settings.load(config_file=file, storage_driver=asked, environment=environment)
    assert str(caught.value) == f"{where.format(file=file)}: there is no storage driver 'zfs'"
    assert caught.value.remedy == "known are erofs, overlay, fuse, copying"


def test_each_store_has_a_run_folder_of_its_own(file: Path, tmp_path: Path) -> None:
    file.write_text(f'run = "{tmp_path / "run"}"\n')
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    one, same, other = (
        settings.load(root=tmp_path / name, config_file=file, environment={}).run_of_store
        for name in ("a", "link", "b")
    )
    assert one == same != other
    assert one.parent == other.parent == tmp_path / "run"


def test_the_run_folder_may_be_named_in_the_environment(tmp_path: Path) -> None:
    environment = {"NACRE_RUN": str(tmp_path), "XDG_RUNTIME_DIR": "/elsewhere"}
    loaded = settings.load(config_file="/dev/null", environment=environment)
    assert loaded.run_of_store.parent == tmp_path


def test_without_one_it_lies_in_the_store(tmp_path: Path) -> None:
    loaded = settings.load(root=tmp_path, config_file="/dev/null", environment={})
    if loaded.run is None:  # an ordinary user without a session
        assert loaded.run_of_store.parent == tmp_path / "run"
    else:
        assert loaded.run_of_store.parent == loaded.run


def test_who_named_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(Invalid, match="settings file /nope does not exist") as caught:
        settings.load(config_file="/nope", environment={"NACRE_CONFIG": "/other"})
    assert caught.value.remedy == "check --config"
    with pytest.raises(Invalid, match="settings file /other does not exist") as caught:
        settings.load(environment={"NACRE_CONFIG": "/other"})
    assert caught.value.remedy == "check NACRE_CONFIG"


def test_how_long_to_wait_reaches_the_registry_client(file: Path, tmp_path: Path) -> None:
    file.write_text(f'root = "{tmp_path}"\n[network]\nread-timeout = 5\n')
    with Engine(config_file=file, environment={}) as engine:
        assert engine.registries._settings.timeouts == Timeouts(read=5.0)
