"""The certificate of a hub and its key, as they were checked.

Whoever renews a certificate writes its files one after the other, and a worker may have to be
replaced at any time. So workers never read those files: they read a copy of what was checked, which
the process that keeps them holds in memory, and which ends with it.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import ssl
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from nacre.errors import Invalid
from nacre.hub.configuration.options import Server

_FOR_EVER = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in memory that no longer change.

    Attributes:
        chain: path of the certificates (PEM), for this process and its workers.
        key: path of the private key (PEM).
        close: forgets both; a worker that was forked before keeps them.
    """

    chain: str
    key: str
    close: Callable[[], None]


def checked_certificate(server: Server) -> Certificate | None:
    """Return a copy of the certificate and its key, which go together; None if there is none.

    Raises:
        Invalid: they cannot be used.
    """
    if not server.tls_certificate:
        return None
    chain = _read(server.tls_certificate, "server.tls-certificate")
    key = _read(server.tls_key, "server.tls-key")
    if b"ENCRYPTED" in key:
        raise Invalid(
            f"the key {server.tls_key} needs a password",
            remedy="'openssl pkcs8 -topk8 -nocrypt' makes one without",
        )
    with ExitStack() as stack:
        copied = _in_memory(stack, "certificate", chain), _in_memory(stack, "key", key)
        _check(*copied, server)
        return Certificate(*copied, stack.pop_all().close)


def _read(file: str, setting: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Invalid(f"cannot read {file}: {error.strerror}", remedy=f"check {setting}") from None


def _in_memory(stack: ExitStack, name: str, content: bytes) -> str:
    number = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    stack.callback(os.close, number)
    with open(number, "wb", closefd=False) as copy:
        copy.write(content)
    fcntl.fcntl(number, fcntl.F_ADD_SEALS, _FOR_EVER)
    # A worker that is not forked (Python 3.14) has no files of its parent's, but may open them.
    owner = "self" if multiprocessing.get_start_method() == "fork" else os.getpid()
    return f"/proc/{owner}/fd/{number}"


def _check(chain: str, key: str, server: Server) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, _no_password)
    except (OSError, ssl.SSLError) as error:
        is_other = getattr(error, "reason", "") == "KEY_VALUES_MISMATCH"
        reason = "the key is another certificate's" if is_other else "they are not PEM, or damaged"
        raise Invalid(
            f"cannot use the certificate {server.tls_certificate} with the key {server.tls_key}: "
            f"{reason}",
            remedy="check server.tls-certificate and server.tls-key",
        ) from None


def _no_password() -> str:
    """Answer for a key that needs one, which otherwise is asked for at the terminal."""
    return ""
