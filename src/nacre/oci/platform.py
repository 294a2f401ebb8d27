"""Platforms: what an image was built for, and which of several suits a machine best.

OCI image-index "platform" property; names and aliases follow Go's GOOS and GOARCH.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from nacre.errors import Invalid, NotFound
from nacre.oci.quoting import quoted
from nacre.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PART = r"[A-Za-z0-9_.-]+"
_ALIASES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv5l": ("arm", "v5"),
    "armv6l": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv8l": ("arm", "v7"),
    "i386": ("386", ""),
    "i486": ("386", ""),
    "i586": ("386", ""),
    "i686": ("386", ""),
    "ppc64el": ("ppc64le", ""),
    "loongarch64": ("loong64", ""),
}
_ARM_VARIANTS = {"5": "v5", "6": "v6", "7": "v7", "8": "v8"}
_ARM_FALLBACK = ("v8", "v7", "v6", "v5")
_AMD64_FALLBACK = ("v4", "v3", "v2", "")
_ARM64_VARIANT = r"v([89])(?:\.([0-9]))?"
_SYSTEMS = frozenset({
    "aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux",
    "netbsd", "openbsd", "plan9", "solaris", "wasip1", "windows", "zos",
})  # fmt: skip
_ARCHITECTURES = frozenset({
    "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64",
    "ppc64le", "riscv64", "s390x", "sparc64", "wasm",
})  # fmt: skip


class InvalidPlatform(Invalid):
    """The text is not ``os[/arch[/variant]]``."""


class WrongPlatform(NotFound):
    """There is such an image, but for another platform than the one asked for."""

    def __init__(self, name: str, wanted: Iterable[Platform], actual: Platform) -> None:
        image = f"image with reference {name}" if name else "the image"
        super().__init__(
            f"{image} was found but does not match the specified platform: "
            f"wanted {', '.join(map(str, wanted))}, actual: {actual}",
            remedy="leave out --platform",
        )


class Platform(Value):
    """An operating system and a processor, in normal form (``linux/arm64`` has no ``v8``)."""

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        text = "/".join(part for part in (self.os, self.architecture, self.variant) if part)
        # Whoever made the image wrote this; messages show it as it is.
        return text if text.isprintable() else quoted(text)

    @property
    def is_unknown(self) -> bool:
        """Say whether this marks content that runs nowhere, as attestations do."""
        return self.os == "unknown" or self.architecture == "unknown"


def normal(os: str, architecture: str, variant: str = "", os_version: str = "") -> Platform:
    """Return the platform with aliases resolved and implied variants settled."""
    os = {"macos": "darwin"}.get(os.lower(), os.lower())
    architecture, variant = architecture.lower(), variant.lower()
    architecture, implied = _ALIASES.get(architecture, (architecture, ""))
    variant = variant or implied
    if architecture in ("arm", "arm64"):
        variant = _ARM_VARIANTS.get(variant, variant)
    if architecture == "arm" and not variant:
        variant = "v7"
    if (architecture, variant) in (("arm64", "v8"), ("amd64", "v1")):
        variant = ""
    return Platform(os, architecture, variant, os_version)


def parse(text: str, *, host: Platform) -> Platform:
    """Read ``os/arch/variant``, ``os/arch``, ``os`` or ``arch``; what is left out is the host's.

    Raises:
        InvalidPlatform: the text has an empty, odd or fourth part, or one part that is neither
            a known operating system nor a known architecture.
    """
    parts = text.strip().split("/")
    if len(parts) > 3 or not all(re.fullmatch(_PART, part) for part in parts):
        raise InvalidPlatform(
            f"invalid platform {quoted(text)}",
            remedy="write os/arch or os/arch/variant, as linux/arm64",
        )
    if len(parts) > 1:
        return normal(*parts)
    alone = normal(parts[0], parts[0])
    if alone.os in _SYSTEMS:
        same = host.os == alone.os
        return Platform(alone.os, host.architecture, host.variant if same else "")
    if alone.architecture in _ARCHITECTURES:
        return Platform(host.os, alone.architecture, alone.variant)
    raise InvalidPlatform(
        f"unknown operating system or architecture {quoted(text)}",
        remedy="write os/arch or os/arch/variant, as linux/arm64",
    )


def from_json(value: Mapping[str, Any]) -> Platform:
    """Return the platform that a descriptor or a config states, in normal form."""

    def text(key: str) -> str:
        found = value.get(key)
        return found if isinstance(found, str) else ""

    return normal(text("os"), text("architecture"), text("variant"), text("os.version"))


def runnable_on(host: Platform) -> list[Platform]:
    """Return what a machine can run, best first: its own platform, then lesser variants.

    64-bit Arm also runs 32-bit Arm, and amd64 also runs 386, as Docker chooses too.
    """
    os, architecture, variant = host.os, host.architecture, host.variant
    chain = [host] if not host.os_version else [host, Platform(os, architecture, variant)]
    if architecture == "arm64":
        chain += [Platform(os, "arm64", each) for each in _lesser_arm64(variant)]
        chain += [Platform(os, "arm", each) for each in _ARM_FALLBACK]
    elif architecture == "arm":
        chain += [Platform(os, "arm", each) for each in _lesser(variant, _ARM_FALLBACK)]
    elif architecture == "amd64":
        chain += [Platform(os, "amd64", each) for each in _lesser(variant, _AMD64_FALLBACK)]
        chain.append(Platform(os, "386"))
    return chain


def best(wanted: Platform, offered: Iterable[Platform]) -> int | None:
    """Return the position of the offer that suits ``wanted`` best, or None when none does.

    Among equals the first wins, as image-spec asks.
    """
    offers = list(offered)
    for candidate in runnable_on(wanted):
        for position, offer in enumerate(offers):
            if _matches(candidate, offer):
                return position
    return None


def suits(offer: Platform, wanted: Iterable[Platform]) -> bool:
    """Say whether an image for ``offer`` runs on any of the platforms; one that is silent does."""
    return not offer.architecture or any(best(each, [offer]) is not None for each in wanted)


def _lesser(variant: str, fallback: tuple[str, ...]) -> tuple[str, ...]:
    return fallback[fallback.index(variant) + 1 :] if variant in fallback else ()


def _lesser_arm64(variant: str) -> list[str]:
    """Armv9.n has all of Armv8.(n+5); what is left of Armv8 without a minor is written ""."""
    match = re.fullmatch(_ARM64_VARIANT, variant)
    if not match:
        return [""] if variant else []
    major, minor = int(match[1]), int(match[2] or 0)
    lesser: list[str] = []
    if major == 9:
        lesser += [f"v9.{each}" if each else "v9" for each in range(minor - 1, -1, -1)]
        minor += 6
    lesser += [f"v8.{each}" if each else "" for each in range(minor - 1, -1, -1)]
    return lesser


def _matches(candidate: Platform, offer: Platform) -> bool:
    same = (candidate.os, candidate.architecture, candidate.variant) == (
        offer.os,
        offer.architecture,
        offer.variant,
    )
    return same and (not candidate.os_version or candidate.os_version == offer.os_version)
