"""References: the names people give images, with Docker's exact grammar and defaults.

distribution/reference, as distribution-spec and every Docker command use it. A name is
``[domain/]path[:tag][@digest]``; on Docker Hub the domain and ``library/`` may be left out.
"""

from __future__ import annotations

import re

from nacre.errors import Invalid
from nacre.oci.digest import Digest, InvalidDigest
from nacre.oci.quoting import quoted
from nacre.value import Value, replace

HUB = "docker.io"
_LEGACY_HUB = "index.docker.io"
_OFFICIAL = "library/"
DEFAULT_TAG = "latest"
_NAME_LIMIT = 255

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REMAINDER = re.compile(rf"({_PATH})(?::({_TAG}))?(?:@({_DIGEST}))?")
_BARE_ID = re.compile(r"[a-f0-9]{64}")


class InvalidReference(Invalid):
    """The text is not the name of an image."""

    usual_remedy = "write [HOST[:PORT]/]NAME[:TAG][@DIGEST]"


class Reference(Value):
    """Where an image is: registry ``domain``, repository ``path``, and which one of it.

    ``tag`` and ``digest`` may both be empty (a repository), or both be given; then the digest
    decides and the tag is a remark.
    """

    domain: str
    path: str
    tag: str = ""
    digest: Digest | None = None

    def __str__(self) -> str:
        return self.name + self._suffix

    @property
    def name(self) -> str:
        """Domain and path in full: ``docker.io/library/nginx``."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """Domain and path as Docker shows them: ``nginx``, ``team/nginx``, ``host:5000/a``.

        A name that would be read differently without its domain (``docker.io/localhost/a``)
        keeps it, so that what is shown can always be typed.
        """
        if self.domain != HUB:
            return self.name
        rest = self.path.removeprefix(_OFFICIAL)
        short = self.path if "/" in rest else rest
        same = _split_domain(short) == (HUB, self.path) and not _BARE_ID.fullmatch(short)
        return short if same else self.name

    @property
    def familiar(self) -> str:
        """The whole reference as Docker shows it."""
        return self.familiar_name + self._suffix

    @property
    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{tag}@{self.digest}" if self.digest else tag

    @property
    def version(self) -> str:
        """The digest, else the tag, else the default tag: what a registry is asked for."""
        return str(self.digest or self.tag or DEFAULT_TAG)

    def tagged(self) -> Reference:
        """Return the reference with the default tag when it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag=DEFAULT_TAG)

    def pinned(self) -> Reference:
        """Return the reference without its tag when it has a digest: the digest decides."""
        return replace(self, tag="") if self.digest else self

    def with_tag(self, tag: str) -> Reference:
        """Return this repository with another tag and no digest.

        Raises:
            InvalidReference: the tag breaks the grammar.
        """
        return Reference(self.domain, self.path, checked_tag(tag))

    def repository(self) -> Reference:
        """Return the repository alone."""
        return Reference(self.domain, self.path)


def parse(text: str) -> Reference:
    """Read a name as Docker does: ``nginx`` is ``docker.io/library/nginx``; no tag is added.

    The first part is a domain only if it is ``localhost``, holds ``.`` or ``:`` or has an
    upper-case letter; else the name is on Docker Hub.

    Raises:
        InvalidReference: it breaks the grammar, is a bare 64-digit image ID, or is too long.
    """
    if not text:
        raise InvalidReference("an image name is empty", remedy="name one, as nginx:latest")
    if _BARE_ID.fullmatch(text):
        raise InvalidReference(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings",
            remedy="write sha256: before an image ID",
        )
    domain, remainder = _split_domain(text)
    match = _REMAINDER.fullmatch(remainder)
    if not match or not is_domain(domain):
        raise _explained(text, remainder)
    path, tag, digest = match.groups()
    if len(path) > _NAME_LIMIT:
        raise InvalidReference(
            f"repository name must not be more than {_NAME_LIMIT} characters: {quoted(text)}",
            remedy="choose a shorter one",
        )
    return Reference(domain, path, tag or "", _checked_digest(text, digest))


def parse_tagged(text: str) -> Reference:
    """Read a name and add the default tag where it has neither tag nor digest."""
    return parse(text).tagged()


def parse_repository(text: str) -> Reference:
    """Read a name that must have neither tag nor digest.

    Raises:
        InvalidReference: it breaks the grammar or says more than a repository.
    """
    reference = parse(text)
    if reference.tag or reference.digest:
        raise InvalidReference(
            f"{quoted(text)} must be a repository without tag or digest",
            remedy="leave out what follows the name",
        )
    return reference


def checked_tag(tag: str) -> str:
    """Return a tag that follows the grammar.

    Raises:
        InvalidReference: it does not.
    """
    if not re.fullmatch(_TAG, tag):
        raise InvalidReference(
            f"invalid tag {quoted(tag)}",
            remedy="use at most 128 of letters, digits, _ . and -, not starting with . or -",
        )
    return tag


def is_repository_path(text: str) -> bool:
    """Say whether this is a repository's path within a registry (distribution-spec ``<name>``)."""
    return len(text) <= _NAME_LIMIT and bool(re.fullmatch(_PATH, text))


def is_domain(text: str) -> bool:
    """Say whether this can be a registry's ``host[:port]``."""
    return bool(re.fullmatch(_DOMAIN, text))


def _split_domain(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    is_host = slash and (
        first == "localhost" or "." in first or ":" in first or first.lower() != first
    )
    domain, remainder = (first, rest) if is_host else (HUB, text)
    if domain == _LEGACY_HUB:
        domain = HUB
    if domain == HUB and "/" not in remainder:
        remainder = _OFFICIAL + remainder
    return domain, remainder


def _checked_digest(text: str, digest: str | None) -> Digest | None:
    if digest is None:
        return None
    try:
        return Digest(digest)
    except InvalidDigest as error:
        raise InvalidReference(
            f"invalid reference {quoted(text)}: {error}", remedy=error.remedy
        ) from None


def _explained(text: str, remainder: str) -> InvalidReference:
    """Say which rule a refused name breaks, when one rule alone can be named."""
    path = remainder.partition("@")[0]
    last_slash, last_colon = path.rfind("/"), path.rfind(":")
    if last_colon > last_slash:
        path = path[:last_colon]
    if path.lower() != path and is_repository_path(path.lower()):
        return InvalidReference(
            f"invalid reference format: repository name ({path}) must be lowercase",
            remedy=f"write {path.lower()}",
        )
    if "://" in text:
        return InvalidReference(
            f"invalid reference format: {quoted(text)}", remedy="leave out the scheme"
        )
    return InvalidReference(f"invalid reference format: {quoted(text)}")
