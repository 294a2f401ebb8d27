"""What went wrong in other registries: each rule that keeps it from happening here, by its case."""

from __future__ import annotations

import itertools
import os

import pytest

from nacre.hub.repositories.policy import Policy
from nacre.hub.repositories.repository import Role, Visibility
from nacre.oci import mediatypes
from nacre.oci.digest import Digest
from tests.unit.hub.api.driver import Answer, Hub, image, index, on_hub, part
from tests.unit.hub.doors import basic

SECRET = b"a layer"
DIGEST = Digest.of(SECRET)


async def peopled(hub: Hub) -> tuple[Hub, Hub]:
    """Return the hub as its private repository's owner sees it, and as a stranger does."""
    for name in ("owner", "stranger"):
        await hub.doors.add_user(name)
    for name, user in (("owner/private", "owner"), ("stranger/own", "stranger")):
        await hub.doors.add_repository(name, Visibility.PRIVATE, **{user: Role.OWNER})
    owner, stranger = hub.as_(basic("owner")), hub.as_(basic("stranger"))
    await owner.image("owner/private", "latest")
    return owner, stranger


def told(answer: Answer, name: str) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """Return all that an answer tells, the name itself left out."""
    headers = tuple((key, value.replace(name, "NAME")) for key, value in answer.headers)
    return answer.status, answer.body.decode().replace(name, "NAME"), headers


def test_a_mount_gives_nothing_that_the_mounting_person_may_not_read() -> None:
    """zot CVE-2024-39897; openshift origin#9755."""

    async def test(hub: Hub) -> None:
        owner, stranger = await peopled(hub)
        target = f"/v2/stranger/own/blobs/uploads/?mount={DIGEST}"
        for source in ("&from=owner/private", ""):
            assert (await stranger.ask("POST", target + source)).status == 202
        assert (await stranger.ask("GET", f"/v2/stranger/own/blobs/{DIGEST}")).status == 404
        target = f"/v2/owner/other/blobs/uploads/?mount={DIGEST}"
        assert (await owner.ask("POST", f"{target}&from=owner/private")).status == 201

    on_hub(test, anonymous_push=False)


def test_a_token_for_a_push_alone_can_mount_what_its_user_may_read() -> None:
    async def test(hub: Hub) -> None:
        await peopled(hub)
        token = await hub.doors.bearer("owner", "repository:owner/other:pull,push")
        for source in ("&from=owner/private", ""):
            target = f"/v2/owner/other/blobs/uploads/?mount={DIGEST}{source}"
            assert (await hub.as_(token).ask("POST", target)).status == 201

    on_hub(test, anonymous_push=False)


def test_a_mount_tells_the_same_of_absent_and_of_private() -> None:
    """Harbor CVE-2020-13794; distribution-spec#585."""

    async def test(hub: Hub) -> None:
        _, stranger = await peopled(hub)
        answers = [
            await stranger.ask("POST", f"/v2/stranger/own/blobs/uploads/?mount={digest}{source}")
            for digest in (DIGEST, Digest.of(b"absent"))
            for source in ("&from=owner/private", "&from=owner/absent", "")
        ]
        assert {answer.status for answer in answers} == {202}
        assert len({frozenset(key for key, _ in answer.headers) for answer in answers}) == 1

    on_hub(test, anonymous_push=False)


def test_a_manifest_that_names_a_foreign_digest_gives_nothing() -> None:
    """Read needs a link in this repository, made by an upload or a mount."""

    async def test(hub: Hub) -> None:
        _, stranger = await peopled(hub)
        answer = await stranger.push(image(), "stranger/own", "steal")
        assert (answer.status, answer.code) == (404, "MANIFEST_BLOB_UNKNOWN")
        child = index(part(b"x", mediatypes.OCI_MANIFEST))
        assert (await stranger.push(child, "stranger/own")).status == 404
        subject = {"mediaType": mediatypes.OCI_MANIFEST, "digest": DIGEST, "size": 7}
        assert (await stranger.push(index(subject=subject), "stranger/own")).status == 201
        for kind in ("blobs", "manifests"):
            answer = await stranger.ask("GET", f"/v2/stranger/own/{kind}/{DIGEST}")
            assert answer.status == 404

    on_hub(test, anonymous_push=False)


def test_a_sparse_manifest_gives_nothing_either() -> None:
    async def test(hub: Hub) -> None:
        _, stranger = await peopled(hub)
        repositories = hub.doors.records.repositories
        await repositories.change("stranger/own", policy=Policy(sparse=True))
        assert (await stranger.push(image(), "stranger/own", "steal")).status == 201
        assert (await stranger.ask("GET", f"/v2/stranger/own/blobs/{DIGEST}")).status == 404

    on_hub(test, anonymous_push=False)


def test_head_gives_nothing() -> None:
    """zot CVE-2024-39897: HEAD copied from a cache of all blobs."""

    async def test(hub: Hub) -> None:
        _, stranger = await peopled(hub)
        for method in ("HEAD", "GET", "HEAD"):
            answer = await stranger.ask(method, f"/v2/stranger/own/blobs/{DIGEST}")
            assert answer.status == 404

    on_hub(test, anonymous_push=False)


def test_an_upload_is_its_starters_and_its_repositorys_alone() -> None:
    """Quay CVE-2026-32589."""

    async def test(hub: Hub) -> None:
        owner, stranger = await peopled(hub)
        await hub.doors.records.repositories.grant("owner/private", "stranger", Role.WRITER)
        location = await owner.start("owner/private")
        await owner.ask("PATCH", location, b"half")
        elsewhere = location.replace("owner/private", "stranger/own")
        for who, target in itertools.product((stranger,), (location, elsewhere)):
            for method in ("GET", "PATCH", "PUT", "DELETE"):
                query = f"?digest={Digest.of(b'half')}" if method == "PUT" else ""
                answer = await who.ask(method, target + query, b"")
                assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")
        assert (await owner.ask("GET", location))["range"] == "0-3"

    on_hub(test, anonymous_push=False)


def test_deleted_content_and_lost_rights_are_gone_at_the_next_request() -> None:
    """distribution CVE-2026-35172; zot CVE-2025-23208."""

    async def test(hub: Hub) -> None:
        owner, stranger = await peopled(hub)
        grant = hub.doors.records.repositories.grant
        await grant("owner/private", "stranger", Role.READER)
        manifest = "/v2/owner/private/manifests/latest"
        digest = (await stranger.ask("GET", manifest))["docker-content-digest"]
        await grant("owner/private", "stranger", None)
        assert (await stranger.ask("GET", manifest)).status == 404
        await owner.ask("DELETE", f"/v2/owner/private/manifests/{digest}")
        assert (await owner.ask("GET", f"/v2/owner/private/manifests/{digest}")).status == 404

    on_hub(test, anonymous_push=False)


PLACES = (
    ("GET", "/v2/{}/manifests/latest"),
    ("HEAD", "/v2/{}/manifests/latest"),
    ("GET", f"/v2/{{}}/manifests/{DIGEST}"),
    ("GET", f"/v2/{{}}/blobs/{DIGEST}"),
    ("HEAD", f"/v2/{{}}/blobs/{DIGEST}"),
    ("GET", f"/v2/{{}}/referrers/{DIGEST}"),
    ("GET", "/v2/{}/tags/list"),
    ("POST", "/v2/{}/blobs/uploads/"),
    ("GET", "/v2/{}/blobs/uploads/id1"),
    ("PATCH", "/v2/{}/blobs/uploads/id1"),
    ("DELETE", "/v2/{}/manifests/latest"),
    ("DELETE", f"/v2/{{}}/blobs/{DIGEST}"),
    ("PUT", "/v2/{}/manifests/latest"),
)


@pytest.mark.parametrize(("method", "target"), PLACES)
@pytest.mark.parametrize("who", ["anonymous", "anonymous token", "stranger", "stranger's token"])
def test_private_and_absent_look_the_same(method: str, target: str, who: str) -> None:
    """Harbor CVE-2020-29662, CVE-2019-19030."""

    async def test(hub: Hub) -> None:
        await peopled(hub)
        answers = []
        for name in ("owner/private", "owner/absents"):
            scope = f"repository:{name}:pull,push,delete"
            authorization = {
                "anonymous": None,
                "anonymous token": await hub.doors.bearer(None, scope),
                "stranger": basic("stranger"),
                "stranger's token": await hub.doors.bearer("stranger", scope),
            }[who]
            answer = await hub.as_(authorization).ask(method, target.format(name), b"")
            assert answer.status in {401, 403, 404}
            answers.append(told(answer, name))
        assert answers[0] == answers[1]

    on_hub(test, anonymous_push=False)


def test_lists_show_nothing_private() -> None:
    """Harbor CVE-2020-29662."""

    async def test(hub: Hub) -> None:
        await peopled(hub)
        for who in (basic("stranger"), await hub.doors.bearer(None, "registry:catalog:*")):
            answer = await hub.as_(who).ask("GET", "/v2/_catalog")
            assert "owner/private" not in answer.json["repositories"]
            answer = await hub.as_(who).ask("GET", "/v1/search?q=private")
            assert answer.json["results"] == []
        answer = await hub.as_(basic("owner")).ask("GET", "/v1/search?q=private")
        assert [result["name"] for result in answer.json["results"]] == ["owner/private"]

    on_hub(test, anonymous_push=False)


def test_a_token_narrower_than_the_request_is_challenged() -> None:
    """Gitea CVE-2025-68944: scopes ignored on one way in."""

    async def test(hub: Hub) -> None:
        await peopled(hub)
        token = hub.as_(await hub.doors.bearer("owner", "repository:owner/private:pull"))
        assert (await token.ask("GET", "/v2/owner/private/manifests/latest")).status == 200
        for method, target in (
            ("POST", "/v2/owner/private/blobs/uploads/"),
            ("PUT", "/v2/owner/private/manifests/latest"),
            ("DELETE", "/v2/owner/private/manifests/latest"),
            ("DELETE", f"/v2/owner/private/blobs/{DIGEST}"),
        ):
            answer = await token.ask(method, target, b"")
            assert answer.status == 401
            assert "scope=" in answer["www-authenticate"]

    on_hub(test, anonymous_push=False)


def test_somebody_who_may_read_may_not_push() -> None:
    async def test(hub: Hub) -> None:
        _, stranger = await peopled(hub)
        await hub.doors.records.repositories.grant("owner/private", "stranger", Role.READER)
        answer = await stranger.ask("POST", "/v2/owner/private/blobs/uploads/")
        assert (answer.status, answer.code) == (403, "DENIED")

    on_hub(test, anonymous_push=False)


def test_no_text_of_a_client_becomes_part_of_a_key() -> None:
    """Kraken CVE-2022-47747; containers/image CVE-2024-3727."""

    async def test(hub: Hub) -> None:
        await hub.push_blob(os.urandom(10))
        await hub.start()
        for kept in hub.place:
            assert kept.key.isalnum()

    on_hub(test)
