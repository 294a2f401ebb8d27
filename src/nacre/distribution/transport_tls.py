"""TLS as each host wants it: system trust, plus what lies in ``certs.d`` or is configured."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path

from nacre.distribution.errors import TlsFailed
from nacre.distribution.settings import HostSettings
from nacre.value import Value


class TlsFiles(Value):
    """The files for one host: certificates of authorities, and pairs of own certificate and key."""

    authorities: tuple[Path, ...] = ()
    clients: tuple[tuple[Path, Path], ...] = ()


def find(names: Iterable[str], directories: Iterable[Path], settings: HostSettings) -> TlsFiles:
    """Collect what is configured for a host, under any of its names (``host`` or ``host:port``).

    The layout is Docker's: in ``DIRECTORY/NAME/``, each ``*.crt`` is an authority, each ``X.cert``
    with its ``X.key`` is a client certificate.
    """
    authorities = [settings.ca] if settings.ca else []
    clients = [(settings.certificate, settings.key)] if settings.certificate else []
    for name in names:
        for directory in directories:
            authorities += sorted((directory / name).glob("*.crt"))
            clients += [
                (certificate, certificate.with_suffix(".key"))
                for certificate in sorted((directory / name).glob("*.cert"))
            ]
    pairs = [(certificate, key or certificate) for certificate, key in clients]
    return TlsFiles(tuple(authorities), tuple(pairs))


def context(files: TlsFiles, *, verify: bool) -> ssl.SSLContext:
    """Return a TLS context that trusts the system's authorities and the given ones.

    Raises:
        TlsFailed: a file is missing or is no certificate or key.
    """
    made = ssl.create_default_context()
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    for path in files.authorities:
        try:
            made.load_verify_locations(cafile=path)
        except OSError as error:
            raise _unusable(path, error) from None
    for certificate, key in files.clients:
        try:
            made.load_cert_chain(certificate, key, password=_refuse_to_ask)
        except OSError as error:
            raise _unusable(certificate, error) from None
    return made


def _refuse_to_ask() -> bytes:
    """Give an empty passphrase: OpenSSL would else ask for one on the terminal."""
    return b""


def _unusable(path: Path, error: OSError) -> TlsFailed:
    reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
    return TlsFailed(
        f"cannot use the certificate {path}: {str(reason or error).replace('_', ' ').lower()}",
        remedy="make it a readable PEM file, with its unencrypted key beside it",
    )
