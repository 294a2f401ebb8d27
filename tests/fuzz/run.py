"""Fuzz one target with atheris; only scripts/fuzz's own environment has that.

usage: python -m tests.fuzz.run TARGET LIBFUZZER-ARGUMENT...
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-untyped]

# Its one loop would take most of the time if every turn of it were counted.
_UNCOUNTED = ["nacre.erofs.structures"]

with atheris.instrument_imports(include=["nacre"], exclude=_UNCOUNTED):
    from nacre.erofs import structures
    from tests.fuzz.mutators import MUTATORS
    from tests.fuzz.targets import TARGETS


def main(target: str, arguments: list[str]) -> None:
    """Run until the time is up or something is found."""
    for function in (structures.decode_superblock, structures.decode_inode):
        atheris.instrument_func(function)

    def mutate(data: bytes, limit: int, seed: int) -> bytes:
        return MUTATORS[target](data, limit, seed, atheris.Mutate)

    atheris.Setup([f"fuzz-{target}", *arguments], TARGETS[target], custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
