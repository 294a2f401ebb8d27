"""Lists in pages end, and stay at their registry."""

from __future__ import annotations

import pytest

from nacre.distribution import listing
from nacre.distribution.errors import InvalidReply
from nacre.distribution.listing import next_page
from nacre.distribution.repository import Repository
from nacre.errors import NotFound
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.manifest import make_manifest
from tests.servers.registry_server import RegistryServer
from tests.servers.registry_values import Answer, Options
from tests.unit.distribution.conftest import Kit

IMAGE = make_manifest(Descriptor.of(mediatypes.OCI_CONFIG, b"{}"), [])


def test_tags_are_listed(repository: Repository, server: RegistryServer) -> None:
    for tag in ("b", "a"):
        server.add_manifest("team/app", tag, IMAGE)
    assert list(repository.tags()) == ["a", "b"]


def test_tags_in_pages_are_listed(kit: Kit) -> None:
    server = kit.server(Options(tag_page=3))
    names = [f"v{number:02}" for number in range(10)]
    for name in names:
        server.add_manifest("team/app", name, IMAGE)
    assert list(kit.repository(server).tags()) == names
    assert len(server.requests) == 4


def test_a_missing_repository_is_named(repository: Repository) -> None:
    with pytest.raises(NotFound, match="repository .*/team/app not found"):
        list(repository.tags())


def test_null_is_an_empty_list(repository: Repository, server: RegistryServer) -> None:
    server.fail("GET", "/tags/", Answer(200, {}, b'{"name": "x", "tags": null}'))
    assert list(repository.tags()) == []


@pytest.mark.parametrize("body", [b"[]", b"x", b'{"tags": 5}', b'{"tags": [5]}', b"[" * 10000])
def test_a_list_that_is_none_is_refused(
    repository: Repository, server: RegistryServer, body: bytes
) -> None:
    server.fail("GET", "/tags/", Answer(200, {}, body))
    with pytest.raises(InvalidReply, match="sent a list"):
        list(repository.tags())


def test_pages_that_lead_in_a_circle_are_left(
    repository: Repository, server: RegistryServer
) -> None:
    link = {"Link": '</v2/team/app/tags/list?last=a>; rel="next"'}
    server.fail("GET", "/tags/", Answer(200, link, b'{"tags": ["a"]}'), times=100)
    with pytest.raises(InvalidReply, match="never ends its list"):
        list(repository.tags())
    assert len(server.requests) == 2


def test_pages_that_lead_to_another_host_are_left(kit: Kit) -> None:
    server, other = kit.server(), kit.server()
    link = {"Link": f'<{other.url}/v2/team/app/tags/list>; rel="next"'}
    server.fail("GET", "/tags/", Answer(200, link, b'{"tags": ["a"]}'))
    with pytest.raises(InvalidReply, match="continues a list at another host"):
        list(kit.repository(server).tags())
    assert not other.requests


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ('</x?last=a>; rel="next"', "/x?last=a"),
        ("</x>; rel=next", "/x"),
        ('</x>; REL="NEXT"', "/x"),
        ('</x>; title="t"; rel="prev next"', "/x"),
        ('</p>; rel="prev", </n>; rel="next"', "/n"),
        ('</p>; rel="prev"', ""),
        ('</x>; title="rel=next"', ""),
        ("</x>; rel=nextish", ""),
        ("/x; rel=next", ""),
        ("", ""),
    ],
)
def test_the_next_page_is_read_from_the_link(link: str, target: str) -> None:
    assert next_page(link) == target


def test_a_list_without_end_is_left(
    kit: Kit, server: RegistryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_LIST_LIMIT", 1000)
    for number in range(50):
        link = {"Link": f'</v2/team/app/tags/list?last={number}>; rel="next"'}
        server.fail("GET", "/tags/", Answer(200, link, b'{"tags": ["%b"]}' % (b"a" * 90)))
    with pytest.raises(InvalidReply, match="sent a list of more than 1000 bytes"):
        list(kit.repository(server).tags())
