"""The gate: the table of who may do what, and that nothing is told to those who may not ask."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

import pytest

from nacre.hub.auth.gate import Admission
from nacre.hub.auth.subject import ANONYMOUS, Subject
from nacre.hub.errors import Forbidden, NameUnknown, RegistryError, Unauthorized
from nacre.hub.registry.uploads import Upload
from nacre.hub.repositories.repository import Role, Visibility
from nacre.oci.digest import Digest
from tests.unit.hub.doors import PASSWORD, Doors, access, basic, run_with

PULL, PUSH, DELETE = frozenset({"pull"}), frozenset({"pull", "push"}), frozenset({"delete"})
OTHER = "another battery"
ACTIONS = {"pull": PULL, "push": PUSH, "delete": DELETE}

BLOB = Digest.of(b"blob")
PRIVATE, PUBLIC, ABSENT = "team/private", "team/public", "team/absent"


class Answer(Enum):
    """How the gate answers."""

    YES = Admission
    LOGIN = Unauthorized
    UNKNOWN = NameUnknown
    NO = Forbidden


YES, LOGIN, UNKNOWN, NO = Answer.YES, Answer.LOGIN, Answer.UNKNOWN, Answer.NO


@dataclass(frozen=True)
class Said:
    """All that somebody learns from an answer."""

    answer: Answer
    code: str = ""
    message: str = ""
    detail: object = None
    scope: str = ""


async def people(doors: Doors) -> dict[str, int]:
    """Make the users and repositories of the table; returns the repositories' ids."""
    for name in ("reader", "writer", "owner"):
        await doors.add_user(name)
    await doors.add_user("boss", is_admin=True)
    roles = {"reader": Role.READER, "writer": Role.WRITER}
    return {
        PRIVATE: await doors.add_repository(PRIVATE, Visibility.PRIVATE, **roles),
        PUBLIC: await doors.add_repository(PUBLIC, Visibility.PUBLIC, **roles),
        "owner/private": await doors.add_repository("owner/private", Visibility.PRIVATE),
    }


async def link(doors: Doors, repository: int | None) -> None:
    """Let a repository have the blob, by an upload."""
    if repository is None:
        return
    now, uploads = doors.clock(), doors.records.uploads
    upload = Upload(f"u{repository}", repository, "", f"k{repository}", 0, "sha256", None, now)
    until = now + timedelta(days=1)
    await uploads.start(upload)
    await uploads.take(upload.id, repository=repository, owner="", holder="h", until=until)
    await uploads.finish(upload.id, holder="h", digest=BLOB, size=4, until=until)


async def ask(doors: Doors, authorization: str | None, name: str, actions: frozenset[str]) -> Said:
    try:
        admission = await doors.admitted(authorization, name, actions)
    except RegistryError as error:
        scope = error.scope if isinstance(error, Unauthorized) else ""
        answer = next(one for one in (LOGIN, UNKNOWN, NO) if isinstance(error, one.value))
        return Said(answer, error.code, str(error), error.detail, scope)
    assert admission.allowed >= actions
    return Said(YES)


def without(said: Said, name: str) -> str:
    """Return an answer with the name that was asked for left out, which the client knows."""
    return repr(said).replace(name, "<name>")


# Who, then the answers for pull, push and delete.
TABLE = {
    PRIVATE: {
        None: (LOGIN, LOGIN, LOGIN),
        "reader": (YES, NO, NO),
        "writer": (YES, YES, NO),
        "owner": (UNKNOWN, NO, NO),
        "boss": (YES, YES, YES),
    },
    PUBLIC: {
        None: (YES, LOGIN, LOGIN),
        "reader": (YES, NO, NO),
        "writer": (YES, YES, NO),
        "owner": (YES, NO, NO),
        "boss": (YES, YES, YES),
    },
    ABSENT: {
        None: (LOGIN, LOGIN, LOGIN),
        "reader": (UNKNOWN, NO, NO),
        "writer": (UNKNOWN, NO, NO),
        "owner": (UNKNOWN, NO, NO),
        "boss": (YES, YES, YES),
    },
    "owner/private": {
        None: (LOGIN, LOGIN, LOGIN),
        "reader": (UNKNOWN, NO, NO),
        "writer": (UNKNOWN, NO, NO),
        "owner": (YES, YES, YES),
        "boss": (YES, YES, YES),
    },
    "owner/absent": {
        None: (LOGIN, LOGIN, LOGIN),
        "reader": (UNKNOWN, NO, NO),
        "owner": (YES, YES, YES),
        "boss": (YES, YES, YES),
    },
}
ROWS = [
    (name, user, action, answer)
    for name, rows in TABLE.items()
    for user, answers in rows.items()
    for action, answer in zip(ACTIONS, answers, strict=True)
]


@pytest.mark.parametrize("by", ["basic", "token"])
@pytest.mark.parametrize(("name", "user", "action", "answer"), ROWS)
def test_who_may_do_what(name: str, user: str | None, action: str, answer: Answer, by: str) -> None:
    # One gate for every way to prove who asks: CVE-2025-68941 and others of Gitea, where a scope
    # counted on one way and not on another.
    async def main(doors: Doors) -> None:
        await people(doors)
        shown: str | None
        if by == "token":
            shown = await doors.bearer(user, f"repository:{name}:pull,push,delete")
        else:
            shown = basic(user) if user else None
        said = await ask(doors, shown, name, ACTIONS[action])
        assert said.answer is answer

    run_with(main)


@pytest.mark.parametrize("action", list(ACTIONS))
@pytest.mark.parametrize("user", [None, "owner"])
@pytest.mark.parametrize("by", ["basic", "token", "token for something else"])
def test_private_and_absent_are_answered_alike(user: str | None, action: str, by: str) -> None:
    # Harbor CVE-2019-19030, CVE-2020-13794; Gitea CVE-2025-69413: enumeration.
    async def main(doors: Doors) -> None:
        await people(doors)
        answers = set()
        shown: str | None
        for name in (PRIVATE, ABSENT):
            if by == "basic":
                shown = basic(user) if user else None
            else:
                asked = name if by == "token" else "owner/private"
                shown = await doors.bearer(user, f"repository:{asked}:pull,push,delete")
            answers.add(without(await ask(doors, shown, name, ACTIONS[action]), name))
        assert len(answers) == 1

    run_with(main)


def test_private_and_absent_cost_the_same_looks_at_the_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        looks: list[str] = []
        standing = doors.records.repositories.standing

        def counted(name: str, user: str | None) -> object:
            looks.append(name)
            return standing(name, user)

        monkeypatch.setattr(doors.records.repositories, "standing", counted)
        for name in (PRIVATE, ABSENT):
            await ask(doors, None, name, PULL)
        assert looks == [PRIVATE, ABSENT]

    run_with(main)


@pytest.mark.parametrize("name", [PRIVATE, ABSENT])
def test_tokens_for_private_and_absent_are_alike(name: str) -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        for user in (None, "owner"):
            subject = ANONYMOUS if user is None else Subject(user)
            granted = await doors.gate.grant(subject, [access(name, "pull", "push")])
            assert list(granted) == [access(name)]

    run_with(main)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (None, {PUBLIC}),
        ("reader", {PUBLIC, PRIVATE}),
        ("writer", {PUBLIC, PRIVATE}),
        ("owner", {PUBLIC, "owner/private"}),
        ("boss", {PUBLIC, PRIVATE, "owner/private"}),
    ],
)
def test_whence_somebody_may_mount(user: str | None, expected: set[str]) -> None:
    # zot CVE-2024-39897: a mount from what the mounting person may not read.
    async def main(doors: Doors) -> None:
        ids = await people(doors)
        subject = Subject(user)
        allowed = frozenset(ids[name] for name in expected)
        for name in (PRIVATE, PUBLIC, ABSENT, "owner/private"):
            named = await doors.gate.sources(subject, name, BLOB)
            assert named == frozenset({ids[name]} if name in expected else ())
            await link(doors, ids.get(name))
        assert await doors.gate.sources(subject, None, BLOB) == allowed

    run_with(main)


def test_the_token_of_a_push_narrows_the_target_of_a_mount_not_the_source() -> None:
    # The conformance suite mounts with a token that is about the target only; the source is
    # decided by what the user may read.
    async def main(doors: Doors) -> None:
        ids = await people(doors)
        shown = await doors.bearer("owner", "repository:owner/app:pull,push")
        admission = await doors.admitted(shown, "owner/app", PUSH)
        named = await doors.gate.sources(admission.subject, "owner/private", BLOB)
        assert named == frozenset({ids["owner/private"]})
        assert await doors.gate.sources(admission.subject, PRIVATE, BLOB) == frozenset()

    run_with(main)


def test_the_anonymous_mount_from_public_repositories_only() -> None:
    async def main(doors: Doors) -> None:
        ids = await people(doors)
        for number in ids.values():
            await link(doors, number)
        assert await doors.gate.sources(ANONYMOUS, None, BLOB) == frozenset({ids[PUBLIC]})
        assert await doors.gate.sources(ANONYMOUS, None, Digest.of(b"other")) == frozenset()

    run_with(main)


@pytest.mark.parametrize("user", [None, "reader", "owner", "boss"])
def test_the_catalog_needs_something_to_be_shown(user: str | None) -> None:
    # Harbor CVE-2020-29662: the catalog on a way that asked for nothing.
    async def main(doors: Doors) -> None:
        await people(doors)
        with pytest.raises(Unauthorized) as caught:
            doors.gate.admit_catalog(ANONYMOUS)
        assert caught.value.scope == "registry:catalog:*"
        narrow = await doors.gate.subject(await doors.bearer(user, "repository:team/public:pull"))
        with pytest.raises(Unauthorized):
            doors.gate.admit_catalog(narrow)
        doors.gate.admit_catalog(
            await doors.gate.subject(await doors.bearer(user, "registry:catalog:*"))
        )
        if user:
            doors.gate.admit_catalog(await doors.gate.subject(basic(user)))

    run_with(main)


def test_the_base_always_challenges_who_shows_nothing() -> None:
    # zot#2928 and others: a 200 here means to docker never to send what it has, and then private
    # pulls fail beside anonymous ones.
    async def main(doors: Doors) -> None:
        await people(doors)
        with pytest.raises(Unauthorized):
            doors.gate.admit_base(await doors.gate.subject(None))
        doors.gate.admit_base(await doors.gate.subject(await doors.bearer(None)))
        doors.gate.admit_base(await doors.gate.subject(await doors.bearer("reader")))
        doors.gate.admit_base(await doors.gate.subject(basic("reader")))

    run_with(main)


def test_docker_pulls_public_and_private_with_and_without_a_login() -> None:
    # Client quirk "mixed anonymous and private": challenge, token, and again, for each of them.
    async def main(doors: Doors) -> None:
        await people(doors)
        for user, name, expected in (
            (None, PUBLIC, YES),
            (None, PRIVATE, LOGIN),
            ("reader", PUBLIC, YES),
            ("reader", PRIVATE, YES),
        ):
            challenge = await ask(doors, await doors.bearer(user), name, PULL)
            assert challenge.answer is LOGIN
            assert challenge.scope == f"repository:{name}:pull"
            token = await doors.bearer(user, challenge.scope)
            assert (await ask(doors, token, name, PULL)).answer is expected

    run_with(main)


def test_a_challenge_leads_to_a_token_that_is_wide_enough() -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        pulling = await doors.bearer("writer", f"repository:{PRIVATE}:pull")
        said = await ask(doors, pulling, PRIVATE, frozenset({"push"}))
        assert said.answer is LOGIN
        pushing = await doors.bearer("writer", said.scope)
        assert (await ask(doors, pushing, PRIVATE, PUSH)).answer is YES

    run_with(main)


@pytest.mark.parametrize("user", ["boss", "writer"])
def test_a_token_only_narrows(user: str) -> None:
    # Harbor CVE-2022-31668 and CVE-2024-22278: a permission that was not looked at.
    async def main(doors: Doors) -> None:
        await people(doors)
        shown = await doors.bearer(user, f"repository:{PRIVATE}:pull")
        assert (await ask(doors, shown, PRIVATE, PULL)).answer is YES
        assert (await ask(doors, shown, PRIVATE, PUSH)).answer is LOGIN
        assert (await ask(doors, shown, PUBLIC, PULL)).answer is LOGIN
        admission = await doors.admitted(shown, PRIVATE, PULL)
        assert admission.allowed == {"pull"}

    run_with(main)


@pytest.mark.parametrize("action", list(ACTIONS))
def test_a_narrow_token_tells_nothing_of_what_else_its_user_may_see(action: str) -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        shown = await doors.bearer("reader", f"repository:{PUBLIC}:pull")
        answers = {
            without(await ask(doors, shown, name, ACTIONS[action]), name)
            for name in (PRIVATE, ABSENT)
        }
        assert len(answers) == 1

    run_with(main)


def test_a_right_that_is_taken_away_is_gone_though_the_token_lives() -> None:
    # zot CVE-2025-23208: rights that were kept after they had been taken away.
    async def main(doors: Doors) -> None:
        await people(doors)
        shown = await doors.bearer("writer", f"repository:{PRIVATE}:pull,push")
        assert (await ask(doors, shown, PRIVATE, PUSH)).answer is YES
        await doors.records.repositories.grant(PRIVATE, "writer", Role.READER)
        assert (await ask(doors, shown, PRIVATE, PUSH)).answer is NO
        assert (await ask(doors, shown, PRIVATE, PULL)).answer is YES
        await doors.records.repositories.grant(PRIVATE, "writer", None)
        assert (await ask(doors, shown, PRIVATE, PULL)).answer is UNKNOWN

    run_with(main)


def test_a_public_repository_that_becomes_private_is_so_at_once() -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        shown = await doors.bearer(None, f"repository:{PUBLIC}:pull")
        assert (await ask(doors, shown, PUBLIC, PULL)).answer is YES
        await doors.records.repositories.change(PUBLIC, visibility=Visibility.PRIVATE)
        assert (await ask(doors, shown, PUBLIC, PULL)).answer is LOGIN

    run_with(main)


def test_the_token_of_a_user_that_was_removed_is_good_for_nothing() -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        shown = await doors.bearer("reader", f"repository:{PUBLIC}:pull")
        await doors.records.users.remove("reader")
        assert (await ask(doors, shown, PUBLIC, PULL)).answer is LOGIN

    run_with(main)


@pytest.mark.parametrize("since", ["made again", "password"])
def test_the_token_of_an_earlier_user_of_the_name_is_good_for_nothing(since: str) -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        await doors.add_user("davex")
        shown = await doors.bearer("davex", "repository:davex/p:pull,push", "registry:catalog:*")
        assert (await ask(doors, shown, "davex/p", PUSH)).answer is YES
        await ended(doors, "davex", since)
        for name in ("davex/p", PUBLIC):
            for actions in (PULL, PUSH):
                assert (await ask(doors, shown, name, actions)).answer is LOGIN
        with pytest.raises(Unauthorized):
            await doors.gate.subject(shown)
        renewed = await doors.bearer("davex", "repository:davex/p:pull,push", password=OTHER)
        assert (await ask(doors, renewed, "davex/p", PUSH)).answer is YES

    run_with(main)


async def ended(doors: Doors, name: str, since: str) -> None:
    """End the tokens of a user, whose password is now `OTHER`."""
    if since == "made again":
        await doors.records.users.remove(name)
        await doors.add_user(name)
    await doors.records.users.set_password(name, await doors.passwords.hash(OTHER))


def test_the_official_repositories_by_their_short_name() -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        number = await doors.add_repository("library/nginx", Visibility.PUBLIC)
        for asked, meant in (("nginx", "library/nginx"), ("library/nginx", "nginx")):
            shown = await doors.bearer(None, f"repository:{asked}:pull")
            admission = await doors.admitted(shown, meant, PULL)
            assert admission.name == "library/nginx"
            assert admission.repository is not None
            assert admission.repository.id == number
        # Nobody but an admin makes one.
        assert (await ask(doors, basic("owner"), "nginx", PUSH)).answer is NO
        assert (await ask(doors, basic("owner"), "apache", PUSH)).answer is NO
        said = await ask(doors, None, "apache", PUSH)
        assert said.scope == "repository:apache:pull,push"

    run_with(main)


def test_with_anonymous_push_everybody_may_do_everything() -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        for shown in (None, basic("owner"), await doors.bearer(None, f"repository:{ABSENT}:*")):
            assert (await ask(doors, shown, ABSENT, PUSH | DELETE)).answer is YES
        assert await doors.gate.sources(ANONYMOUS, None, BLOB) is None
        doors.gate.admit_catalog(ANONYMOUS)
        # Except who shows something wrong.
        assert (await ask(doors, basic("owner", "wrong"), PUBLIC, PULL)).answer is LOGIN

    run_with(main, anonymous_push=True)


@pytest.mark.parametrize(
    "authorization",
    ["Basic", "Basic ", "Basic !!!", "Basic " + b64encode(b"no colon").decode(),
     "Basic " + b64encode(b"\xff\xfe:x").decode(), "Basic " + "A" * 1_000_000, "Bearer",
     "Bearer ", "Bearer x", "Bearer " + "A" * 1_000_000, "Digest x", "\x00", "Negotiate",
     basic("reader", "wrong"), basic("nobody"), basic("", ""), basic("reader", "")],
)  # fmt: skip
def test_a_wrong_authorization_is_challenged_also_where_none_is_needed(authorization: str) -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        said = await ask(doors, authorization, PUBLIC, PULL)
        assert said.answer is LOGIN
        assert said.scope == f"repository:{PUBLIC}:pull"
        assert "wrong" not in said.message

    run_with(main)


def test_an_unknown_user_and_a_wrong_password_are_answered_alike() -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        known = await ask(doors, basic("reader", "wrong"), PRIVATE, PULL)
        unknown = await ask(doors, basic("nobody", "wrong"), PRIVATE, PULL)
        assert known == unknown

    run_with(main)


def test_schemes_are_read_in_any_case() -> None:
    async def main(doors: Doors) -> None:
        await people(doors)
        shown = basic("reader")
        token = await doors.bearer("reader", f"repository:{PRIVATE}:pull")
        for each in (shown, shown.replace("Basic", "bAsIc"), re.sub("^Bearer", "bearer", token)):
            assert (await ask(doors, each, PRIVATE, PULL)).answer is YES

    run_with(main)


def test_a_password_may_hold_colons_and_letters_of_any_language() -> None:
    async def main(doors: Doors) -> None:
        password = "ein:schönes: Passwort"
        recorded = await doors.passwords.hash(password)
        await doors.records.users.add("alice", recorded, is_admin=False)
        assert (await doors.gate.subject(basic("alice", password))).user == "alice"
        assert password != PASSWORD

    run_with(main)
