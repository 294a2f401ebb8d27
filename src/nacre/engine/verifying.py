"""Verify: images whose every byte is held against its digest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nacre.images.validate import Memory, Problem, validate

if TYPE_CHECKING:
    from nacre.engine.catalogue import Catalogue, LocalImage
    from nacre.engine.local import LocalStore


@dataclass(frozen=True, slots=True)
class Verified:
    """What verification found of one image."""

    name: str
    problems: tuple[Problem, ...]


def verify(
    store: LocalStore, catalogue: Catalogue, names: Iterable[str] | None
) -> Iterator[Verified]:
    """Yield what was found of each image named, or of all images."""
    chosen = catalogue.all() if names is None else [catalogue.find(name) for name in names]
    memory: Memory = {}
    for image in chosen:
        problems = [
            problem
            for record in image.records
            for problem in validate(store, record.descriptor, memory=memory)
        ]
        yield Verified(_name(image), tuple(problems))


def _name(image: LocalImage) -> str:
    return image.tags[0] if image.tags else str(image.id)
