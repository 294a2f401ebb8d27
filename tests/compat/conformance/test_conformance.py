"""The distribution specification: all of 1.1 and of its main branch, nothing left out.

What OCI's own suite checks of a registry, checked anew of our hub, with sha256 and sha512, with
and without login and TLS: nothing may fail, and nothing may be answered with "not supported".
"""

from __future__ import annotations

import ssl
from contextlib import closing
from pathlib import Path

import pytest

from tests.compat.conformance.blobs import Blobs
from tests.compat.conformance.client import Client
from tests.compat.conformance.data import all_sets
from tests.compat.conformance.manifests import Manifests
from tests.compat.conformance.report import Feature, Report, Status
from tests.peers.certificates import Authority
from tests.servers.hub import ADMIN, started_hub

FIRST, SECOND = "conformance/repo1", "conformance/repo2"


def run(client: Client) -> Report:
    """Check everything, in the order in which OCI's suite does."""
    report = Report()
    blobs = Blobs(client, report)
    manifests = Manifests(client, report, blobs, FIRST)
    manifests.empty()
    for algorithm in ("sha256", "sha512"):
        blobs.run(algorithm, FIRST, SECOND)
    for data in all_sets():
        manifests.run(data)
    manifests.errors()
    return report


def check_all(client: Client) -> None:
    """Check everything, and that nothing of it failed or was left out."""
    with closing(client):
        report = run(client)
    assert report.complaints() == []
    assert set(report.counts) == {Status.PASS}
    assert report.passed == frozenset(Feature)


@pytest.mark.parametrize(
    ("with_login", "keeps"),
    [(False, False), (True, True), (True, False)],
    ids=["anybody", "login", "login at every request"],
)
@pytest.mark.parametrize("chunk_min", [0, 5000], ids=["", "smallest chunk"])
def test_everything_passes(tmp_path: Path, with_login: bool, keeps: bool, chunk_min: int) -> None:
    settings = f"[registry]\nchunk-min = {chunk_min}\n" if chunk_min else ""
    flags = () if with_login else ("--anonymous-push",)
    with started_hub(tmp_path, *flags, settings=settings) as hub:
        login = (ADMIN, hub.password) if with_login else ("", "")
        check_all(Client(hub.host, login=login, keeps=keeps))


def test_everything_passes_over_tls(tmp_path: Path, authority: Authority) -> None:
    issued, trust = authority.issue("hub"), ssl.create_default_context(cafile=authority.certificate)
    settings = f"[server]\ntls-certificate = '{issued.certificate}'\ntls-key = '{issued.key}'\n"
    with started_hub(tmp_path, settings=settings, tls=trust) as hub:
        check_all(Client(hub.host, login=(ADMIN, hub.password), tls=trust))


def test_everything_passes_for_the_owner_of_a_private_namespace(tmp_path: Path) -> None:
    namespace, owner, password = FIRST.partition("/")[0], "alice", "alice's password"
    with started_hub(tmp_path) as hub:
        hub.add_user(owner, password)
        hub.manage("namespace", "set", "--visibility", "private", namespace)
        hub.manage("repo", "grant", f"{namespace}/", owner, "owner")
        check_all(Client(hub.host, login=(owner, password)))
