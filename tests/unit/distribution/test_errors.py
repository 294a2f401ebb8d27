"""Error replies become sentences that people can act on."""

from __future__ import annotations

import json

import pytest

from nacre.distribution.errors import (
    AccessDenied,
    ErrorReply,
    InvalidReply,
    Purpose,
    RateLimited,
    printable,
)
from nacre.errors import Conflict, NacreError, NotFound, Unavailable, Unsupported

PULL = Purpose("pull", "docker.io", "nginx", "manifest", "nosuch")
PUSH = Purpose("push", "reg.example", "reg.example/a", "blob", "sha256:00")


def body(*errors: tuple[str, str]) -> bytes:
    return json.dumps(
        {"errors": [{"code": code, "message": message} for code, message in errors]}
    ).encode()


def said(status: int, raw: bytes, purpose: Purpose) -> NacreError:
    return ErrorReply.parse(status, raw).to_error(purpose)


def test_a_missing_manifest_is_told_as_docker_does() -> None:
    error = said(404, body(("MANIFEST_UNKNOWN", "manifest unknown")), PULL)
    assert str(error) == "manifest for nginx:nosuch not found: manifest unknown: manifest unknown"
    assert isinstance(error, NotFound)


def test_a_missing_manifest_without_a_body_is_told_the_same_way() -> None:
    assert str(said(404, b"", PULL)) == "manifest for nginx:nosuch not found: manifest unknown"


@pytest.mark.parametrize("status", [401, 403])
def test_denied_pulls_are_told_as_docker_does(status: int) -> None:
    error = said(status, body(("DENIED", "requested access is denied")), PULL)
    assert str(error) == (
        "pull access denied for nginx, repository does not exist or may require 'nacre login': "
        "denied: requested access is denied"
    )
    assert isinstance(error, AccessDenied)
    assert error.remedy == "run 'nacre login'"


def test_denied_pushes_name_the_login() -> None:
    error = said(401, b"", PUSH)
    assert str(error) == (
        "push access denied for reg.example/a: requested access to the resource is denied"
    )
    assert error.remedy == "run 'nacre login reg.example'"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "NAME_UNKNOWN", NotFound),
        (404, "BLOB_UNKNOWN", NotFound),
        (405, "UNSUPPORTED", Unsupported),
        (400, "UNSUPPORTED", Unsupported),
        (409, "CONFLICT", Conflict),
        (429, "TOOMANYREQUESTS", RateLimited),
        (400, "MANIFEST_INVALID", InvalidReply),
        (413, "SIZE_INVALID", InvalidReply),
        (500, "UNKNOWN", Unavailable),
        (507, "UNKNOWN", Unavailable),
    ],
)
def test_each_status_has_its_category(status: int, code: str, kind: type[NacreError]) -> None:
    error = said(status, body((code, "because")), PUSH)
    assert isinstance(error, kind)
    assert "because" in str(error)
    assert "\n" not in str(error)


def test_several_errors_are_joined() -> None:
    reply = ErrorReply.parse(400, body(("A_B", "one"), ("C", "two")))
    assert reply.message == "a b: one; c: two"
    assert reply.codes == ("A_B", "C")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"errors": 5}',
        b'{"errors": [5, null]}',
        b'{"errors": {"a": 1}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"errors": [{"code": ' + b"[" * 900 + b"]" * 900 + b"}]}",
        b'{"errors": [{"code": 5, "message": {"a": 1}}]}',
    ],
)
def test_other_bodies_give_no_message(raw: bytes) -> None:
    assert ErrorReply.parse(500, raw).message == ""


def test_foreign_text_cannot_steer_the_terminal() -> None:
    raw = body(("X", "a\x1b[2Jb\r\nc\u202ed" + "e" * 1000))
    message = ErrorReply.parse(400, raw).message
    assert message.isprintable()
    assert message.startswith("x: a [2Jb c d")
    assert len(message) < 400


@pytest.mark.parametrize(
    "odd", ["\x9b2J", "\u200f", "\u2066", "\u2028", "\ufeff", "\ud800", "\U000e0041", "\x7f"]
)
def test_whatever_is_not_printable_is_taken_out(odd: str) -> None:
    shown = printable(f"a{odd}b")
    assert shown.isprintable()
    assert shown[0] + shown[-1] == "ab"


def test_megabytes_of_foreign_text_become_a_line() -> None:
    assert len(printable("\x1b[2J" * 1_000_000)) <= 301


def test_a_login_that_is_refused_is_not_helped_by_another() -> None:
    reply = ErrorReply(401, ("UNAUTHORIZED",), "unauthorized")
    for action, remedy in (
        ("log in to", "check user name and password"),
        ("push", "run 'nacre login reg.example'"),
    ):
        error = reply.to_error(Purpose(action, "reg.example", "reg.example"))
        assert (type(error), error.remedy) == (AccessDenied, remedy)
