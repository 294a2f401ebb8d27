"""A certificate authority of our own, made with openssl, for TLS on loopback."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.peers.tools import require_tool, run, succeed

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

_AUTHORITY = """\
[req]
distinguished_name = name
x509_extensions = authority
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""

_LEAF = """\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key, both PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority whose files lie in ``folder``; ``certificate`` is what to trust."""

    folder: Path
    own: Certificate

    @property
    def certificate(self) -> Path:
        """The PEM file a client trusts to accept what this authority issues."""
        return self.own.certificate

    def issue(self, name: str, alternatives: str = "DNS:localhost,IP:127.0.0.1") -> Certificate:
        """Issue a certificate for server and client use, valid for two days.

        ``alternatives`` is openssl's subjectAltName; the default suits a server on loopback.
        """
        issued = Certificate(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(_LEAF.format(names=alternatives))
        _openssl(
            "req", "-new", *_NEW_KEY, "-subj", f"/CN={name}", "-keyout", issued.key, "-out", request
        )
        _openssl(
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            self.own.certificate,
            "-CAkey",
            self.own.key,
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            extensions,
            "-out",
            issued.certificate,
        )
        return issued


def make_authority(folder: Path) -> Authority:
    """Make a new authority, valid for two days, in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "authority.cnf"
    config.write_text(_AUTHORITY)
    own = Certificate(folder / "authority.crt", folder / "authority.key")
    _openssl(
        "req",
        "-x509",
        *_NEW_KEY,
        "-config",
        config,
        "-subj",
        "/CN=test authority",
        "-days",
        "2",
        "-keyout",
        own.key,
        "-out",
        own.certificate,
    )
    return Authority(folder, own)


def _openssl(*args: str | Path) -> None:
    succeed(run(require_tool("openssl"), *args))
