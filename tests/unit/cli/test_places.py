from __future__ import annotations

import pytest

from nacre.cli.flags import UsageError
from nacre.cli.places import required_place, split_place

ID = "4f4fb700ef54"
DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("word", "image", "path"),
    [
        ("debian:/etc", "debian", "/etc"),
        ("debian:/", "debian", "/"),
        ("debian://etc", "debian", "//etc"),
        ("debian:bookworm:/etc/passwd", "debian:bookworm", "/etc/passwd"),
        ("host:5000/a:tag:/etc/passwd", "host:5000/a:tag", "/etc/passwd"),
        ("host:5000/a:/etc/passwd", "host:5000/a", "/etc/passwd"),
        ("localhost/a/b/c:/x", "localhost/a/b/c", "/x"),
        ("[::1]:5000/a:/x", "[::1]:5000/a", "/x"),
        (f"{ID}:/etc", ID, "/etc"),
        (f"{DIGEST}:/etc", DIGEST, "/etc"),
        (f"debian@{DIGEST}:/etc", f"debian@{DIGEST}", "/etc"),
        (f"host:5000/a:tag@{DIGEST}:/etc", f"host:5000/a:tag@{DIGEST}", "/etc"),
        ("debian:/a:/b", "debian", "/a:/b"),
        ("debian:/a:b", "debian", "/a:b"),
        ("debian:/etc/", "debian", "/etc/"),
        ("debian:/etc/.", "debian", "/etc/."),
        ("debian:/../x", "debian", "/../x"),
        ("debian:/ ", "debian", "/ "),
        ("debian:/\udcff", "debian", "/\udcff"),
        ("debian", "debian", None),
        ("debian:bookworm", "debian:bookworm", None),
        ("debian:etc", "debian:etc", None),
        ("debian:etc/passwd", "debian:etc/passwd", None),
        ("host:5000/a", "host:5000/a", None),
        ("host:5000/a:tag", "host:5000/a:tag", None),
        (DIGEST, DIGEST, None),
        ("debian:", "debian:", None),
        ("/etc/passwd", "/etc/passwd", None),
    ],
)
def test_the_path_begins_at_the_first_colon_with_a_slash(
    word: str, image: str, path: str | None
) -> None:
    assert split_place(word) == (image, path)


@pytest.mark.parametrize("word", ["", ":/", ":/etc", ":/a:/b"])
def test_there_is_no_place_without_an_image(word: str) -> None:
    with pytest.raises(UsageError, match="names no image"):
        split_place(word)


@pytest.mark.parametrize("word", ["debian", "debian:etc", "debian:bookworm:etc", "/etc", "debian:"])
def test_a_path_can_be_required(word: str) -> None:
    with pytest.raises(UsageError, match="names no path") as raised:
        required_place(word)
    assert "slash" in raised.value.remedy
    assert required_place("a:/b") == ("a", "/b")
