"""Digests: one canonical spelling, two algorithms, safe as part of a path."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nacre.oci.digest import Digest, InvalidDigest, finished, hasher, id_prefix

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
EMPTY_512 = (
    "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
)


def test_of_known_vectors() -> None:
    assert Digest.of(b"") == EMPTY
    assert Digest.of(b"", "sha512") == EMPTY_512


def test_is_its_text() -> None:
    digest = Digest(EMPTY)
    assert digest == EMPTY
    assert f"{digest}" == EMPTY
    assert hash(digest) == hash(EMPTY)


def test_parts() -> None:
    digest = Digest(EMPTY_512)
    assert digest.algorithm == "sha512"
    assert digest.encoded == EMPTY_512.removeprefix("sha512:")
    assert digest.short == "cf83e1357eef"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("a" * 64, id="no algorithm"),
        pytest.param("sha256", id="no colon"),
        pytest.param("sha256:", id="no hash"),
        pytest.param(EMPTY[:-1], id="a digit short"),
        pytest.param(EMPTY + "0", id="a digit long"),
        pytest.param(EMPTY.upper(), id="upper-case algorithm"),
        pytest.param("sha256:" + EMPTY[7:].upper(), id="upper-case hash"),
        pytest.param("sha256:" + "g" * 64, id="not hexadecimal"),
        pytest.param("sha256:" + "٣" * 64, id="digits of another script"),
        pytest.param(EMPTY + "\n", id="line feed at the end"),
        pytest.param(EMPTY[:-1] + "\n", id="line feed instead of a digit"),
        pytest.param(" " + EMPTY, id="space in front"),
        pytest.param("sha384:" + "a" * 96, id="unregistered algorithm"),
        pytest.param("md5:" + "a" * 32, id="weak algorithm"),
        pytest.param("sha256:../../../../etc/passwd", id="path"),
        pytest.param("sha512:" + "a" * 64, id="length of the other algorithm"),
        pytest.param("sha256:sha256:" + "a" * 57, id="two algorithms"),
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InvalidDigest):
        Digest(text)


@given(st.text())
def test_arbitrary_text_is_a_digest_or_refused(text: str) -> None:
    try:
        assert Digest(text) == text
    except InvalidDigest:
        return


def test_error_does_not_repeat_megabytes_or_control_characters() -> None:
    with pytest.raises(InvalidDigest) as caught:
        Digest("\x1b[31m" + "x" * 1_000_000)
    assert len(str(caught.value)) < 400
    assert "\x1b" not in str(caught.value)


@given(st.binary(), st.sampled_from(["sha256", "sha512"]))
def test_hashers_agree_with_of(data: bytes, algorithm: str) -> None:
    running = hasher(algorithm)
    for position in range(0, len(data), 7):
        running.update(memoryview(data)[position : position + 7])
    expected = f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
    assert finished(running, algorithm) == Digest.of(data, algorithm) == expected


def test_hasher_of_a_digest_has_its_algorithm() -> None:
    running = Digest(EMPTY_512).hasher()
    assert finished(running, "sha512") == EMPTY_512


def test_unknown_algorithm_has_no_hasher() -> None:
    with pytest.raises(InvalidDigest, match="md5"):
        hasher("md5")


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        (EMPTY, EMPTY[7:]),
        (EMPTY[7:], EMPTY[7:]),
        ("sha256:e3b0", "e3b0"),
        ("e", "e"),
        ("", None),
        ("sha256:", None),
        ("E3B0", None),
        ("nginx", None),
        ("a" * 65, "a" * 65),
        ("sha512:e3b0", "e3b0"),
        (f"sha512:{'a' * 128}", "a" * 128),
        (f"sha256:{'a' * 65}", None),
        (f"sha512:{'a' * 129}", None),
        ("a" * 129, None),
    ],
)
def test_id_prefix(text: str, prefix: str | None) -> None:
    assert id_prefix(text) == prefix


def test_a_digest_names_a_file() -> None:
    assert Digest.of(b"").file_name == f"sha256-{Digest.of(b'').encoded}"
    assert "/" not in Digest.of(b"", "sha512").file_name
