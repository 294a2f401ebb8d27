"""Tokens: only this hub's own are believed, and only for what they were issued for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey

from nacre.hub.auth.scopes import Access, parse
from nacre.hub.auth.tokens import LONGEST, InvalidToken, Tokens
from tests.unit.hub.doors import SERVICE, Doors, access, opened, run_with, segment, user_of

ALICE = user_of("alice")


async def header_and_claims(doors: Doors) -> tuple[dict[str, Any], Any]:
    """Return the parts of a good token."""
    token = await doors.tokens.issue(ALICE, [access("team/app", "pull")])
    header, claims, _ = token.text.split(".")
    return opened(header), opened(claims)


async def own_key(doors: Doors) -> ECKey:
    return (await doors.ring.newest())[1]


async def refused(doors: Doors, text: str) -> None:
    with pytest.raises(InvalidToken):
        await doors.tokens.read(text)


def test_a_token_says_who_and_what() -> None:
    async def main(doors: Doors) -> None:
        asked = [access("team/app", "pull", "push"), access("nginx", "pull"), access("a/b")]
        token = await doors.tokens.issue(ALICE, asked)
        subject = await doors.tokens.read(token.text)
        assert (subject.user, subject.identity) == ("alice", ALICE.identity)
        assert subject.scopes == {
            "team/app": frozenset({"pull", "push"}),
            # One part is the official repository, however it was asked for.
            "library/nginx": frozenset({"pull"}),
            "a/b": frozenset(),
        }

    run_with(main)


def test_what_a_token_holds() -> None:
    async def main(doors: Doors) -> None:
        header, claims = await header_and_claims(doors)
        assert header == {"alg": "ES256", "typ": "JWT", "kid": (await doors.ring.newest())[0]}
        start = int(doors.clock.seconds())
        assert claims.pop("jti")
        assert claims == {
            "iss": SERVICE,
            "aud": SERVICE,
            "sub": "alice",
            "uid": ALICE.id,
            "epoch": ALICE.epoch,
            "iat": start,
            "nbf": start,
            "exp": start + 300,
            "access": [{"type": "repository", "name": "team/app", "actions": ["pull"]}],
        }

    run_with(main)


def test_the_anonymous_get_tokens_too() -> None:
    async def main(doors: Doors) -> None:
        token = await doors.tokens.issue(None, [Access("registry", "catalog", frozenset("*"))])
        subject = await doors.tokens.read(token.text)
        assert (subject.user, subject.identity) == (None, None)
        assert subject.scopes == {"registry:catalog": frozenset("*")}

    run_with(main)


def test_a_token_expires_also_when_it_is_remembered() -> None:
    async def main(doors: Doors) -> None:
        token = await doors.tokens.issue(ALICE, [])
        await doors.tokens.read(token.text)
        doors.clock.advance(seconds=299)
        await doors.tokens.read(token.text)
        doors.clock.advance(seconds=10)
        await refused(doors, token.text)

    run_with(main)


def test_a_token_is_not_good_before_its_time() -> None:
    async def main(doors: Doors) -> None:
        token = await doors.tokens.issue(ALICE, [])
        doors.clock.advance(seconds=-60)
        await refused(doors, token.text)

    run_with(main)


def test_cve_2025_24976_a_trusted_kid_with_another_key_in_the_header() -> None:
    # distribution: the key that a token brought with it was believed for its kid.
    async def main(doors: Doors) -> None:
        header, claims = await header_and_claims(doors)
        stranger = ECKey.generate_key("P-256", private=True)
        registry = jws.JWSRegistry(algorithms=["ES256"])
        brought = {**header, "jwk": stranger.as_dict(private=False)}
        await refused(doors, jwt.encode(brought, claims, stranger, registry=registry))
        # Nor does the kid alone make another key's signature good.
        await refused(doors, jwt.encode(header, claims, stranger))
        # Nor does a header with a key get in with our own signature.
        await refused(doors, jwt.encode(brought, claims, await own_key(doors), registry=registry))

    run_with(main)


@pytest.mark.parametrize("extra", [{"jku": "https://example.com/k"}, {"x5u": "https://example.com/x"},
                                   {"x5c": ["AA"]}, {"crit": ["exp"]}, {"b64": False}])  # fmt: skip
def test_headers_that_lead_elsewhere_are_refused(extra: dict[str, Any]) -> None:
    async def main(doors: Doors) -> None:
        token = await doors.tokens.issue(ALICE, [])
        header, claims, signature = token.text.split(".")
        await refused(doors, f"{segment({**opened(header), **extra})}.{claims}.{signature}")

    run_with(main)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "es256", None])
def test_a_token_without_a_signature_is_refused(algorithm: object) -> None:
    async def main(doors: Doors) -> None:
        header, claims = await header_and_claims(doors)
        unsigned = f"{segment({**header, 'alg': algorithm})}.{segment(claims)}"
        await refused(doors, f"{unsigned}.")
        await refused(doors, f"{unsigned}.AAAA")
        await refused(doors, f"{segment(header)}.{segment(claims)}.")

    run_with(main)


@pytest.mark.parametrize("secret", ["pem", "public pem", "kid"])
def test_algorithm_confusion_a_known_text_is_no_shared_secret(secret: str) -> None:
    async def main(doors: Doors) -> None:
        header, claims = await header_and_claims(doors)
        key = await own_key(doors)
        texts: dict[str, bytes] = {
            "pem": key.as_pem(private=True),
            "public pem": key.as_pem(private=False),
            "kid": header["kid"].encode(),
        }
        shared = OctKey.import_key({"kty": "oct", "k": segment(texts[secret].hex())})
        forged = jwt.encode({**header, "alg": "HS256"}, claims, shared, algorithms=["HS256"])
        await refused(doors, forged)

    run_with(main)


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "another-hub"},
        {"aud": None},
        {"aud": ["another-hub"]},
        {"iss": "another-hub"},
        {"iss": None},
        {"exp": None},
        {"exp": "never"},
        {"nbf": None},
        {"sub": None},
        {"sub": 7},
        {"uid": None},
        {"uid": "7"},
        {"epoch": None},
        {"exp": 1},
    ],
)
def test_claims_of_others_are_refused_even_with_our_signature(change: dict[str, Any]) -> None:
    async def main(doors: Doors) -> None:
        header, claims = await header_and_claims(doors)
        changed = {name: value for name, value in {**claims, **change}.items() if value is not None}
        await refused(doors, jwt.encode(header, changed, await own_key(doors)))

    run_with(main)


def test_a_token_of_another_service_with_the_same_keys_is_refused() -> None:
    async def main(doors: Doors) -> None:
        other = Tokens(doors.ring, service="another-hub", now=doors.clock)
        token = await other.issue(ALICE, [])
        assert (await other.read(token.text)).user == "alice"
        await refused(doors, token.text)

    run_with(main)


def test_changed_claims_break_the_signature() -> None:
    async def main(doors: Doors) -> None:
        token = await doors.tokens.issue(ALICE, [access("team/app", "pull")])
        header, claims, signature = token.text.split(".")
        changed = {**opened(claims), "sub": "admin"}
        await refused(doors, f"{header}.{segment(changed)}.{signature}")
        # What was remembered of the good one does not help.
        await doors.tokens.read(token.text)
        await refused(doors, f"{header}.{segment(changed)}.{signature}")

    run_with(main)


def test_a_refresh_token_is_no_access_token_and_the_other_way_round() -> None:
    async def main(doors: Doors) -> None:
        await doors.add_user("alice")
        user = await doors.records.users.find("alice")
        assert user is not None
        refresh = await doors.tokens.issue_refresh(user)
        await refused(doors, refresh.text)
        renewal = await doors.tokens.read_refresh(refresh.text)
        assert renewal.is_of(user)
        with pytest.raises(InvalidToken):
            await doors.tokens.read_refresh((await doors.tokens.issue(ALICE, [])).text)

    run_with(main)


def test_cve_2025_30204_a_huge_token_is_refused_before_it_is_taken_apart() -> None:
    # golang-jwt: memory in proportion to the number of dots.
    async def main(doors: Doors) -> None:
        await refused(doors, "." * 10_000_000)
        await refused(doors, "a" * (LONGEST + 1))
        with pytest.raises(InvalidToken):
            await doors.tokens.read_refresh("." * 10_000_000)

    run_with(main)


def test_the_largest_token_that_can_be_asked_for_is_read() -> None:
    async def main(doors: Doors) -> None:
        names = [f"team/{number:03d}{'x' * 245}" for number in range(100)]
        asked = parse(f"repository:{name}:*" for name in names)
        token = await doors.tokens.issue(ALICE, asked)
        assert len(token.text) <= LONGEST
        await doors.tokens.read(token.text)

    run_with(main)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "...", "e30", "e30.e30.e30", "%.%.%", "é.é.é", "bnVsbA.e30.AA",
     segment([]) + ".e30.AA", segment({"alg": "ES256", "typ": "JWT", "kid": 7}) + ".e30.AA",
     segment({"alg": "ES256", "typ": "JWT", "kid": ["x"]}) + ".e30.AA", "\udcff.\udcff."],
)  # fmt: skip
def test_nonsense_is_refused(text: str) -> None:
    async def main(doors: Doors) -> None:
        await refused(doors, text)

    run_with(main)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200), st.integers(0, 400))
def test_any_text_in_a_token_is_refused_without_an_error(text: str, at: int) -> None:
    async def main(doors: Doors) -> None:
        good = (await doors.tokens.issue(ALICE, [])).text
        changed = good[:at] + text + good[at:]
        if changed != good:
            await refused(doors, changed)

    run_with(main)


def test_only_so_many_tokens_are_remembered() -> None:
    async def main(doors: Doors) -> None:
        tokens = Tokens(doors.ring, service=SERVICE, now=doors.clock, remembered=3)
        for _ in range(10):
            await tokens.read((await tokens.issue(ALICE, [])).text)
        assert len(tokens._read) == 3

    run_with(main)


def test_a_remembered_token_is_not_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(doors: Doors) -> None:
        token = await doors.tokens.issue(ALICE, [])
        first = await doors.tokens.read(token.text)
        find = doors.ring.find
        found: list[str] = []

        async def counted(key_id: str) -> ECKey | None:
            found.append(key_id)
            return await find(key_id)

        monkeypatch.setattr(doors.ring, "find", counted)
        assert await doors.tokens.read(token.text) is first
        assert not found

    run_with(main)
