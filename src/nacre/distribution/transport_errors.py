"""Failures of connections, translated from the network libraries' exceptions to nacre's."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import urllib3.exceptions as foreign

from nacre.distribution.errors import (
    ConnectionDropped,
    ConnectionFailed,
    ConnectionRefused,
    NameUnresolved,
    ProxyFailed,
    TimedOut,
    TlsFailed,
)

EXCEPTIONS = (foreign.HTTPError, http.client.HTTPException, OSError)
"""Everything that a broken or refused connection raises."""

_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_EOF_WHILE_READING"})


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn whatever breaks inside into a `ConnectionFailed` that names the host of ``url``."""
    try:
        yield
    except EXCEPTIONS as error:
        raise translate(error, url) from error


def translate(error: Exception, url: str) -> ConnectionFailed:
    """Return the error of ours that says what happened to a connection to the host of ``url``."""
    host = urlsplit(url).netloc
    if isinstance(error, foreign.ProxyError):
        return ProxyFailed(
            f"the proxy for {host} failed: {_reason(error.original_error)}",
            remedy="check HTTP_PROXY, HTTPS_PROXY and NO_PROXY",
        )
    tls = _tls_cause(error)
    if tls is not None:
        return _tls_failure(tls, host)
    if isinstance(error, foreign.NameResolutionError):
        return NameUnresolved(
            f"cannot find the host {urlsplit(url).hostname}: {_reason(error)}",
            remedy="check its spelling and the network",
        )
    if isinstance(error, foreign.NewConnectionError):
        return ConnectionRefused(
            f"cannot connect to {host}: {_reason(error)}",
            remedy="check the address, and that the registry runs",
        )
    if isinstance(error, foreign.TimeoutError | TimeoutError):
        return TimedOut(f"{host} did not answer in time", remedy="check the network, then retry")
    return ConnectionDropped(f"the connection to {host} broke: {_reason(error)}", remedy="retry")


def _tls_cause(error: BaseException) -> ssl.SSLError | None:
    """Return the TLS failure below ``error``, when it happened before any reply."""
    if isinstance(error, ssl.SSLError):
        return error
    if isinstance(error, foreign.SSLError) and error.args:
        inner = error.args[0]
        return inner if isinstance(inner, ssl.SSLError) else ssl.SSLError(str(inner))
    return None


def _tls_failure(error: ssl.SSLError, host: str) -> ConnectionFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed(
            f"the certificate of {host} is not trusted: {error.verify_message}",
            remedy=f"put its CA's certificate into /etc/docker/certs.d/{host}/ca.crt",
        )
    if error.reason in _NOT_TLS:
        return TlsFailed(
            f"{host} does not speak TLS",
            speaks_tls=False,
            remedy=f'set insecure = true under [registry."{host}"] if plain http is meant',
        )
    reason = (error.reason or error.strerror or str(error)).replace("_", " ").lower()
    return TlsFailed(
        f"no secure connection to {host}: {reason}",
        remedy="check the certificates on both sides",
    )


def _reason(error: BaseException) -> str:
    """Return the innermost explanation, as one short clause."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, http.client.IncompleteRead):
        return "the body ended early"
    text = str(error) or type(error).__name__
    return " ".join(text.split())[:200]
