"""Failures of connections, translated from the network libraries' exceptions to nacre's."""

from __future__ import annotations

import http.client
import socket
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
    printable,
)

EXCEPTIONS = (foreign.HTTPError, http.client.HTTPException, OSError)
"""Everything that a broken or refused connection raises."""

_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST"})
_CUT_OFF = frozenset({"UNEXPECTED_EOF_WHILE_READING"})


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn whatever breaks inside into a `ConnectionFailed` that names the host of ``url``."""
    try:
        yield
    except EXCEPTIONS as error:
        raise translate(error, url) from error


def translate(error: Exception, url: str, *, replied: bool = False) -> ConnectionFailed:
    """Return the error of ours that says what happened to a connection to the host of ``url``.

    ``replied`` says that a reply had begun: what fails then is a connection that was once good.
    """
    host, root = urlsplit(url).netloc, _root(error)
    if isinstance(error, foreign.ProxyError):
        return ProxyFailed(
            f"the proxy for {host} failed: {_said(root)}",
            remedy="check HTTP_PROXY, HTTPS_PROXY and NO_PROXY",
        )
    if isinstance(root, ssl.SSLError) and not replied and not _is_cut_off(root):
        return _tls_failure(root, host)
    if isinstance(root, socket.gaierror):
        return NameUnresolved(
            f"cannot find the host {urlsplit(url).hostname}: {_said(root)}",
            remedy="check its spelling and the network",
        )
    if isinstance(error, foreign.NewConnectionError):
        return ConnectionRefused(
            f"cannot connect to {host}: {_said(root)}",
            remedy="check the address, and that the server runs",
        )
    if isinstance(error, foreign.TimeoutError) or isinstance(root, TimeoutError):
        return TimedOut(f"{host} did not answer in time", remedy="check the network, then retry")
    return ConnectionDropped(f"the connection to {host} broke: {_said(root)}", remedy="retry")


def _tls_failure(error: ssl.SSLError, host: str) -> TlsFailed:
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
    return TlsFailed(
        f"no secure connection to {host}: {_said(error)}",
        remedy="check the certificates on both sides",
    )


def _is_cut_off(error: ssl.SSLError) -> bool:
    """Say whether the other side just ended the connection; how that is told depends on Python."""
    return error.reason in _CUT_OFF or isinstance(error, ssl.SSLZeroReturnError | ssl.SSLEOFError)


def _root(error: BaseException) -> BaseException:
    """Return the exception at the bottom: a cause, or one that another was given to carry."""
    while True:
        carried = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        below = error.__cause__ or carried
        if below is None:
            return error
        error = below


def _said(root: BaseException) -> str:
    """Return what an exception has to say, as one short clause."""
    if isinstance(root, ssl.SSLError) and root.reason:
        return root.reason.replace("_", " ").lower()
    if isinstance(root, http.client.RemoteDisconnected):
        return "the server closed it without an answer"
    if isinstance(root, http.client.IncompleteRead):
        return "the body ended early"
    if isinstance(root, http.client.BadStatusLine):
        return "the answer is not HTTP"
    if isinstance(root, OSError) and root.strerror:
        return root.strerror.lower()
    return printable(str(root)) or type(root).__name__
