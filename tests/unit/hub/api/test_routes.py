"""Routes, names, errors and challenges."""

from __future__ import annotations

from typing import Any

import pytest

from nacre.hub.errors import Busy, OutOfSpace
from nacre.oci.digest import Digest
from tests.unit.hub.api.driver import HOST, Hub, ask, on_hub
from tests.unit.hub.doors import SERVICE, basic

DIGEST = Digest.of(b"x")


def test_the_base_always_challenges_the_anonymous() -> None:
    for anonymous_push in (True, False):

        async def test(hub: Hub) -> None:
            for path in ("/v2/", "/v2"):
                answer = await hub.ask("GET", path)
                assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
                realm = f'Bearer realm="http://{HOST}/token",service="{SERVICE}"'
                assert answer["www-authenticate"] == realm
                assert answer["docker-distribution-api-version"] == "registry/2.0"
            answer = await hub.as_(await hub.doors.bearer(None)).ask("GET", "/v2/")
            assert (answer.status, answer.json) == (200, {})

        on_hub(test, anonymous_push=anonymous_push)


def test_a_challenge_names_what_was_asked_for_as_it_was_asked() -> None:
    async def test(hub: Hub) -> None:
        for method, target, scope in (
            ("GET", "/v2/nginx/manifests/latest", "repository:nginx:pull"),
            ("POST", "/v2/nginx/blobs/uploads/", "repository:nginx:pull,push"),
            ("DELETE", f"/v2/a/b/blobs/{DIGEST}", "repository:a/b:delete"),
            ("GET", f"/v2/a/b/referrers/{DIGEST}", "repository:a/b:pull"),
            ("GET", "/v2/_catalog", "registry:catalog:*"),
        ):
            answer = await hub.ask(method, target)
            assert answer.status == 401
            header = answer["www-authenticate"]
            assert header.startswith('Bearer realm="https://hub.example/token",')
            assert header.endswith(f',scope="{scope}"')
            assert header.count("scope=") == 1

    on_hub(test, anonymous_push=False, url="https://hub.example/")


def test_a_host_that_is_none_gets_into_no_challenge() -> None:
    async def test(hub: Hub) -> None:
        answer = await ask(hub.app, "GET", "/v2/", headers=[])
        assert HOST in answer["www-authenticate"]
        hub_scope = {"type": "http", "method": "GET", "path": "/v2/", "raw_path": b"/v2/"}
        got: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            got.append(message)

        headers = [(b"host", b'evil",scope="x')]
        more = {"query_string": b"", "headers": headers, "server": ("::1", "80"), "scheme": "http"}
        await hub.app({**hub_scope, **more}, receive, send)
        (challenge,) = [value for name, value in got[0]["headers"] if name == b"www-authenticate"]
        # In its place is where the request came to, with its port.
        assert challenge.startswith(b'Bearer realm="http://[::1]:80/token",')

    on_hub(test)


def test_a_wrong_password_is_challenged_too() -> None:
    async def test(hub: Hub) -> None:
        await hub.doors.add_user("ada")
        for path in ("/v2/", "/v2/_catalog", "/v2/ada/app/tags/list", "/v1/search?q=x"):
            answer = await hub.as_(basic("ada", "wrong")).ask("GET", path)
            assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
            assert "www-authenticate" in dict(answer.headers)

    on_hub(test)


def test_replies_repeat_the_name_as_the_client_wrote_it() -> None:
    async def test(hub: Hub) -> None:
        short = await hub.push_blob(b"x", "nginx")
        for name in ("nginx", "library/nginx"):
            answer = await hub.ask("HEAD", f"/v2/{name}/blobs/{short}")
            assert answer.status == 200
            location = await hub.start(name)
            assert location.startswith(f"/v2/{name}/blobs/uploads/")
            answer = await hub.ask("GET", f"/v2/{name}/tags/list")
            assert answer.json == {"name": name, "tags": []}

    on_hub(test)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/UPPER/tags/list",
        "/v2/a//b/tags/list",
        "/v2/../etc/tags/list",
        "/v2/a/../b/tags/list",
        "/v2/a/./b/tags/list",
        "/v2/%2e%2e/%2e%2e/tags/list",
        "/v2/a%2Fb/tags/list",
        "/v2/a%2fb/manifests/latest",
        "/v2/a%00/tags/list",
        "/v2/a%5Cb/tags/list",
        "/v2/a%0a/tags/list",
        "/v2/" + "a" * 256 + "/tags/list",
        "/v2/_a/tags/list",
        "/v2/a b/tags/list",
        "/v2/ä/tags/list",
        "/v2/a/blobs/uploads/..%2f..%2fetc",
    ],
)
def test_no_other_name_reaches_the_records(path: str) -> None:
    async def test(hub: Hub) -> None:
        answer = await hub.ask("GET", path)
        assert answer.status in {400, 404}
        assert answer.code in {"NAME_INVALID", "UNSUPPORTED"}

    on_hub(test)


def test_parts_of_a_name_may_be_called_like_routes() -> None:
    async def test(hub: Hub) -> None:
        name = "a/manifests/b/blobs/uploads/tags"
        digest = await hub.push_blob(b"x", name)
        assert (await hub.ask("GET", f"/v2/{name}/blobs/{digest}")).status == 200
        assert (await hub.ask("GET", f"/v2/{name}/tags/list")).json["name"] == name

    on_hub(test)


def test_unknown_addresses_are_404_in_json() -> None:
    async def test(hub: Hub) -> None:
        for path in ("/v2/a", "/v2/a/b", "/v2/a/manifests/", "/v2//tags/list", "/v2/a/tags/lists"):
            answer = await hub.ask("GET", path)
            assert (answer.status, answer.code) == (404, "UNSUPPORTED")

    on_hub(test)


def test_unknown_methods_are_405_with_allow() -> None:
    async def test(hub: Hub) -> None:
        for method, path, allow in (
            ("POST", "/v2/a/manifests/x", "DELETE, GET, HEAD, PUT"),
            ("GET", "/v2/a/blobs/uploads/", "POST"),
            ("PUT", "/v2/a/tags/list", "GET, HEAD"),
            ("DELETE", "/v2/", "GET, HEAD"),
            ("BREW", f"/v2/a/blobs/{DIGEST}", "DELETE, GET, HEAD"),
        ):
            answer = await hub.ask(method, path)
            assert (answer.status, answer.code, answer["allow"]) == (405, "UNSUPPORTED", allow)

    on_hub(test)


@pytest.mark.parametrize("upload", ["..", "a" * 65, "a.b", "%00"])
def test_an_upload_id_that_is_none_is_404(upload: str) -> None:
    async def test(hub: Hub) -> None:
        await hub.push_blob(b"x")
        answer = await hub.ask("GET", f"/v2/app/blobs/uploads/{upload}")
        assert answer.status in {400, 404}

    on_hub(test)


def test_a_namespace_that_is_ours_is_stated_and_no_other() -> None:
    async def test(hub: Hub) -> None:
        await hub.image(reference="one")
        for namespace, stated in (
            (HOST, HOST),
            ("hub.example", "hub.example"),
            ("docker.io", None),
        ):
            for path in ("manifests/one", f"blobs/{Digest.of(b'{}')}", "tags/list"):
                answer = await hub.ask("GET", f"/v2/app/{path}?ns={namespace}")
                assert (answer.status, answer.get("oci-namespace")) == (200, stated)

    on_hub(test, url="https://hub.example")


def test_extensions_can_be_discovered() -> None:
    async def test(hub: Hub) -> None:
        answer = await hub.as_(await hub.doors.bearer(None)).ask("GET", "/v2/_oci/ext/discover")
        names = [extension["name"] for extension in answer.json["extensions"]]
        assert names == ["_oci", "_catalog"]

    on_hub(test)


class Full:
    """A place without room."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        if name == "new_key":
            return lambda: "key"

        def fail(*_args: object) -> None:
            raise self._error

        return fail


@pytest.mark.parametrize(
    ("error", "status"), [(OutOfSpace("the disk is full"), 507), (Busy("locked"), 503)]
)
def test_a_disk_that_fails_is_told_and_can_be_tried_again(error: Exception, status: int) -> None:
    async def test(hub: Hub) -> None:
        location = await hub.start()
        append = hub.place.append
        hub.place.append = Full(error).append  # type: ignore[method-assign]
        for method, target in (("PATCH", location), ("PUT", f"{location}?digest={DIGEST}")):
            answer = await hub.ask(method, target, b"x")
            assert (answer.status, answer["retry-after"]) == (status, "5")
        hub.place.append = append  # type: ignore[method-assign]
        assert (await hub.ask("PUT", f"{location}?digest={DIGEST}", b"x")).status == 201

    on_hub(test)


def test_what_nobody_thought_of_is_a_500_without_a_word_of_the_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(hub: Hub) -> None:
        hub.place.new_key = Full(ValueError("secret")).open  # type: ignore[method-assign]
        answer = await hub.ask("POST", "/v2/app/blobs/uploads/")
        assert (answer.status, answer.code) == (500, "UNKNOWN")
        assert b"secret" not in answer.body
        assert "secret" in caplog.text

    on_hub(test)
