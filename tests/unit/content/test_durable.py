from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nacre.content.durable import make_folder, replace_file

FILL = """
import resource, sys
from pathlib import Path
from nacre.content.durable import replace_file
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    replace_file(Path(sys.argv[1]), bytes(100))
except OSError:
    sys.exit(3)
"""


def test_a_folder_is_made_with_what_is_above_it(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b" / "c", 0o700)
    for folder in ("a", "a/b", "a/b/c"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


def test_a_folder_may_be_made_by_many_at_the_same_time(tmp_path: Path) -> None:
    for attempt in range(20):
        folder = tmp_path / str(attempt) / "a" / "b"
        with ThreadPoolExecutor(8) as pool:
            for made in [pool.submit(make_folder, folder, 0o700) for _ in range(8)]:
                made.result()
        assert folder.is_dir()


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o755)
    make_folder(tmp_path / "a", 0o700)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


def test_a_file_in_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "a", 0o700)
    with pytest.raises(NotADirectoryError):
        make_folder(tmp_path / "a" / "b", 0o700)


def test_a_file_is_replaced_and_nothing_else_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"old", b"new"):
        replace_file(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old")
    done = subprocess.run([sys.executable, "-c", FILL, str(path)], check=False)
    assert done.returncode == 3
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_place_of_the_new_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / ".index.json.new").symlink_to(victim)
    replace_file(tmp_path / "index.json", b"{}")
    assert victim.read_text() == "precious"
    assert (tmp_path / "index.json").read_bytes() == b"{}"


def test_where_no_folder_can_be_made_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        make_folder(Path("/proc/nacre/a"), 0o700)
