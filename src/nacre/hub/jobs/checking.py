"""Checking a hub: do its records, its manifests and its bytes fit together?

Runs beside a working hub. What is found wrong is looked at a second time before it counts: it may
have been removed in between.
"""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice

from nacre.errors import NotFound
from nacre.hub.errors import RegistryError
from nacre.hub.jobs.inventory import Held, Inventory, Recorded
from nacre.hub.registry.byteplace import BytePlace, Kept
from nacre.hub.registry.documents import read
from nacre.hub.registry.manifests import Manifest
from nacre.oci.digest import finished, hasher

_PAGE = 200
_STRAYS = 1000
_PIECE = 1 << 20


class Fault(StrEnum):
    """What can be wrong, or worth knowing."""

    LOST = "lost blob"
    DAMAGED = "damaged blob"
    STRAY = "stray bytes"
    UNREADABLE = "damaged manifest"
    UNSETTLED = "wrong references"
    INCOMPLETE = "incomplete manifest"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found: what, about what, and whether that was repaired.

    Attributes:
        about: a digest, a key or ``repository@digest``.
        detail: what exactly, as a clause.
        size: of the bytes that it is about.
    """

    fault: Fault
    about: str
    detail: str
    size: int = 0
    is_repaired: bool = False

    @property
    def is_wrong(self) -> bool:
        """Say whether something is left to be done.

        A manifest that names what is not here may have been pushed so.
        """
        return not self.is_repaired and self.fault is not Fault.INCOMPLETE


class Checker:
    """Compares the records with themselves and with the bytes.

    Args:
        inventory: the records.
        place: the bytes.
        verify: whether to read all bytes and compare their digests, not only their lengths.
        repair: whether to forget lost blobs, so that a push brings them again, delete stray
            bytes, and record anew what manifests name.
    """

    def __init__(
        self, inventory: Inventory, place: BytePlace, *, verify: bool = False, repair: bool = False
    ) -> None:
        self._inventory = inventory
        self._place = place
        self._verify = verify
        self._repair = repair

    async def check(self, *, strays_before: datetime) -> AsyncIterator[Finding]:
        """Go through everything; bytes written after ``strays_before`` are never stray."""
        async for finding in self._check_blobs():
            yield finding
        async for finding in self._check_strays(strays_before):
            yield finding
        # Last, because they tell of what is missing by now.
        async for finding in self._check_manifests():
            yield finding

    async def _check_blobs(self) -> AsyncIterator[Finding]:
        after = ""
        while page := await self._inventory.blobs(after=after, limit=_PAGE):
            after = page[-1].digest
            look = bad_bytes if self._verify else bad_length
            for blob in page:
                trouble = await to_thread(look, self._place, blob)
                if trouble is not None and await self._inventory.blob(blob.digest) == blob:
                    yield await self._lost(blob, *trouble)

    async def _lost(self, blob: Recorded, fault: Fault, detail: str) -> Finding:
        repaired = self._repair and await self._inventory.forget_lost(blob.digest, blob.key)
        return Finding(fault, blob.digest, detail, blob.size, repaired)

    async def _check_strays(self, before: datetime) -> AsyncIterator[Finding]:
        kept = iter(self._place)
        while found := await to_thread(_some, kept):
            old = [each for each in found if each.written_at < before]
            known = await self._inventory.known([each.key for each in old])
            strays = [each for each in old if each.key not in known]
            left: set[str] = set()
            if self._repair and strays:
                left.update(await to_thread(self._place.delete, [each.key for each in strays]))
            for each in strays:
                repaired = self._repair and each.key not in left
                yield Finding(Fault.STRAY, each.key, "no record of it", each.size, repaired)

    async def _check_manifests(self) -> AsyncIterator[Finding]:
        after = (0, "")
        while page := await self._inventory.manifests(after=after, limit=_PAGE):
            after = (page[-1].repository, page[-1].digest)
            for held in page:
                async for finding in self._check_manifest(held):
                    yield finding

    async def _check_manifest(self, held: Held) -> AsyncIterator[Finding]:
        about = f"{held.name}@{held.digest}"
        manifest = _document(held)
        if manifest is None:
            detail = "its bytes are not what its digest says"
            yield Finding(Fault.UNREADABLE, about, detail, len(held.raw))
            return
        named = frozenset((each.digest, kind) for each, kind in manifest.references)
        if named != held.named or held.loose:
            repaired = self._repair and await self._inventory.mend(held.repository, manifest)
            detail = "what it names would not be kept"
            yield Finding(Fault.UNSETTLED, about, detail, is_repaired=repaired)
        for digest in sorted(held.missing):
            yield Finding(Fault.INCOMPLETE, about, f"names {digest}, which is not here")


def bad_length(place: BytePlace, blob: Recorded) -> tuple[Fault, str] | None:
    """Return what is wrong with a blob's bytes, as far as their length tells; blocks."""
    try:
        with place.open(blob.key) as stream:
            size = stream.seek(0, 2)
    except NotFound:
        return Fault.LOST, "its bytes are gone"
    if size != blob.size:
        return Fault.DAMAGED, f"{size} of {blob.size} bytes are there"
    return None


def bad_bytes(place: BytePlace, blob: Recorded) -> tuple[Fault, str] | None:
    """Return what is wrong with a blob's bytes; reads them all; blocks."""
    if (trouble := bad_length(place, blob)) is not None:
        return trouble
    running = hasher(blob.digest.algorithm)
    try:
        with place.open(blob.key) as stream:
            while piece := stream.read(_PIECE):
                running.update(piece)
    except NotFound:
        return Fault.LOST, "its bytes are gone"
    except OSError as error:
        return Fault.DAMAGED, f"its bytes cannot be read: {error.strerror}"
    found = finished(running, blob.digest.algorithm)
    if found != blob.digest:
        return Fault.DAMAGED, f"its bytes have the digest {found}"
    return None


def _some(kept: Iterator[Kept]) -> list[Kept]:
    return list(islice(kept, _STRAYS))


def _document(held: Held) -> Manifest | None:
    try:
        return read(held.raw, held.media_type, held.digest)
    except RegistryError:
        return None
