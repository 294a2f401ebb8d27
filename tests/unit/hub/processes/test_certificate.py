"""A certificate and its key: what is said when they cannot be used, and that they are copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from nacre.errors import Invalid
from nacre.hub.configuration.options import Server
from nacre.hub.processes.certificate import Certificate, checked_certificate
from tests.peers.certificates import Authority


def checked(certificate: Path, key: Path) -> Certificate:
    server = Server(tls_certificate=str(certificate), tls_key=str(key))
    made = checked_certificate(server)
    assert made is not None
    return made


def test_each_reason_that_a_certificate_cannot_be_used_is_told_by_itself(
    tmp_path: Path, authority: Authority
) -> None:
    one, other = authority.issue("one"), authority.issue("other")
    checked(one.certificate, one.key).close()
    with pytest.raises(Invalid, match="the key is another certificate's"):
        checked(one.certificate, other.key)
    absent = tmp_path / "absent"
    for pair, setting in (((absent, one.key), "certificate"), ((one.certificate, absent), "key")):
        with pytest.raises(Invalid, match=f"cannot read {absent}: No such file") as caught:
            checked(*pair)
        assert caught.value.remedy == f"check server.tls-{setting}"
    wrong = tmp_path / "wrong"
    wrong.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(Invalid, match=f"the key {wrong} needs a password") as caught:
        checked(one.certificate, wrong)
    assert "-nocrypt" in caught.value.remedy
    wrong.write_text("broken\n")
    for pair in ((wrong, one.key), (one.certificate, wrong)):
        with pytest.raises(Invalid, match="they are not PEM, or damaged"):
            checked(*pair)


def test_what_was_checked_stays_whatever_becomes_of_the_files(
    tmp_path: Path, authority: Authority
) -> None:
    issued, chain, key = authority.issue("copied"), tmp_path / "c", tmp_path / "k"
    chain.write_bytes(issued.certificate.read_bytes())
    key.write_bytes(issued.key.read_bytes())
    made = checked(chain, key)
    chain.write_text("junk")
    key.unlink()
    for path, original in ((made.chain, issued.certificate), (made.key, issued.key)):
        assert Path(path).read_bytes() == original.read_bytes()
        with pytest.raises(PermissionError), open(path, "r+b", buffering=0) as copy:
            copy.write(b"x")
    made.close()
    assert not Path(made.key).exists()


def test_without_a_certificate_there_is_none() -> None:
    assert checked_certificate(Server()) is None
