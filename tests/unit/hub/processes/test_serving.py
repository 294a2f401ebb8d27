"""What is said of a certificate and a key that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from nacre.errors import Invalid
from nacre.hub.configuration.options import Options, Server
from nacre.hub.configuration.settings import Settings
from nacre.hub.processes.serving import check_certificate
from tests.peers.certificates import Authority


def check(certificate: Path, key: Path) -> None:
    server = Server(tls_certificate=str(certificate), tls_key=str(key))
    check_certificate(Settings(Options(server=server), Path("/nowhere")))


def test_each_reason_that_a_certificate_cannot_be_used_is_told_by_itself(
    tmp_path: Path, authority: Authority
) -> None:
    one, other = authority.issue("one"), authority.issue("other")
    check(one.certificate, one.key)
    with pytest.raises(Invalid, match="the key is another certificate's"):
        check(one.certificate, other.key)
    absent = tmp_path / "absent"
    for pair, setting in (((absent, one.key), "certificate"), ((one.certificate, absent), "key")):
        with pytest.raises(Invalid, match=f"cannot read {absent}: No such file") as caught:
            check(*pair)
        assert caught.value.remedy == f"check server.tls-{setting}"
    wrong = tmp_path / "wrong"
    wrong.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(Invalid, match=f"the key {wrong} needs a password") as caught:
        check(one.certificate, wrong)
    assert "-nocrypt" in caught.value.remedy
    wrong.write_text("broken\n")
    for pair in ((wrong, one.key), (one.certificate, wrong)):
        with pytest.raises(Invalid, match="they are not PEM, or damaged"):
            check(*pair)
