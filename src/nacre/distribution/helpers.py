"""Credential helpers: programs named ``docker-credential-NAME`` that keep secrets.

The protocol: the command is ``get``, ``store`` or ``erase``; input and output are on the standard
streams, a server's name or a JSON object (docker-credential-helpers).
"""

from __future__ import annotations

import json
import re
import shutil

from nacre.distribution.credential import Credential, is_text
from nacre.distribution.errors import printable
from nacre.errors import Invalid, Unavailable

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TOKEN_USER = "<token>"  # noqa: S105 - the protocol's mark for an identity token
_NONE = ("credentials not found", "no credentials")
_TIMEOUT = 60.0
_LIMIT = 1024 * 1024
_REMEDY = "mend it, or take it out of credsStore and credHelpers"


class Helper:
    """One helper. ``name`` is what follows ``docker-credential-``."""

    def __init__(self, name: str, *, timeout: float = _TIMEOUT) -> None:
        if not _NAME.fullmatch(name):
            raise Invalid(f"{name[:100]!r} is no name of a credential helper", remedy=_REMEDY)
        self.program = f"docker-credential-{name}"
        self._timeout = timeout

    def get(self, server: str) -> Credential | None:
        """Return what is kept for a server, or None.

        Raises:
            Unavailable: the helper is missing, fails or does not answer in time.
            Invalid: it answers something else than it should.
        """
        status, output, complaint = self._run("get", server)
        if status:
            if any(phrase in output.lower() + complaint.lower() for phrase in _NONE):
                return None
            # What looks like an answer may hold a secret, whatever the status says.
            raise self._failed("get", complaint if "{" in output else output or complaint)
        try:
            answer = json.loads(output)
            username, secret = answer["Username"], answer["Secret"]
        except (ValueError, TypeError, KeyError, RecursionError):
            username = secret = None
        if not is_text(username) or not is_text(secret):
            raise Invalid(f"{self.program} gave an answer that cannot be read", remedy=_REMEDY)
        if username == _TOKEN_USER:
            return Credential(identity_token=secret)
        return Credential(username, secret) if username or secret else None

    def store(self, server: str, credential: Credential) -> None:
        """Keep a credential for a server.

        Raises:
            Unavailable: as `get`.
        """
        token = credential.identity_token
        answer = {
            "ServerURL": server,
            "Username": _TOKEN_USER if token else credential.username,
            "Secret": token or credential.password,
        }
        self._run_well("store", json.dumps(answer), answer["Secret"])

    def erase(self, server: str) -> None:
        """Forget what is kept for a server.

        Raises:
            Unavailable: as `get`.
        """
        self._run_well("erase", server)

    def _run_well(self, command: str, text: str, secret: str = "") -> None:
        status, output, complaint = self._run(command, text)
        if status:
            said = output or complaint
            raise self._failed(command, said.replace(secret, "…") if secret else said)

    def _run(self, command: str, text: str) -> tuple[int, str, str]:
        # Most people have no helper, and it takes what starts programs.
        from nacre.distribution.dialogue import TooTalkative, ask  # noqa: PLC0415

        try:
            said = ask([self.program, command], text.encode(), limit=_LIMIT, timeout=self._timeout)
        except FileNotFoundError:
            raise self._absent() from None
        except TimeoutError:
            raise Unavailable(
                f"{self.program} did not answer within {self._timeout:g} seconds", remedy=_REMEDY
            ) from None
        except TooTalkative:
            raise Invalid(
                f"{self.program} gave an answer of more than {_LIMIT} bytes", remedy=_REMEDY
            ) from None
        except OSError as error:
            # Also said where a folder of the path may not be looked into.
            if isinstance(error, PermissionError) and shutil.which(self.program) is None:
                raise self._absent() from None
            raise Unavailable(
                f"cannot run {self.program}: {error.strerror}", remedy=_REMEDY
            ) from None
        return (
            said.status,
            said.output.decode("utf-8", "replace"),
            said.complaint.decode("utf-8", "replace"),
        )

    def _absent(self) -> Unavailable:
        return Unavailable(
            f"the credential helper {self.program} is not installed",
            remedy="install it, or take it out of credsStore and credHelpers",
        )

    def _failed(self, command: str, said: str) -> Unavailable:
        reason = printable(said) or "it gave no reason"
        return Unavailable(
            f"{self.program} could not {command} a credential: {reason}", remedy=_REMEDY
        )
