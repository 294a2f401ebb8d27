"""The work that making an image ready cannot avoid, and nothing else; a program of its own.

usage: python -m bench.kit.floor REGISTRY-FOLDER REPOSITORY TARGET

Each layer's blob is read from the folder of docker-registry, hashed, inflated with ISA-L, hashed
again, and its tar is written and synced; one after the other, in one thread.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

from isal import isal_zlib

_PIECE = 1024 * 1024
_GZIP = 31


def main() -> None:
    """Do it."""
    folder, repository, target = sys.argv[1:]
    root = Path(folder) / "docker" / "registry" / "v2"
    Path(target).mkdir()
    link = root / "repositories" / repository / "_manifests" / "tags" / "bench" / "current" / "link"
    manifest = json.loads(_blob(root, link.read_text()).read_bytes())
    for layer in manifest["layers"]:
        _ready(_blob(root, layer["digest"]), Path(target) / layer["digest"][7:])


def _blob(root: Path, digest: str) -> Path:
    encoded = digest.partition(":")[2]
    return root / "blobs" / "sha256" / encoded[:2] / encoded / "data"


def _ready(blob: Path, tar: Path) -> None:
    packed, raw = hashlib.sha256(usedforsecurity=False), hashlib.sha256(usedforsecurity=False)
    inflate = isal_zlib.decompressobj(wbits=_GZIP)
    with blob.open("rb", 0) as source, tar.open("wb", 0) as out:
        while piece := source.read(_PIECE):
            packed.update(piece)
            while piece:
                data = inflate.decompress(piece, _PIECE)
                raw.update(data)
                out.write(data)
                piece = inflate.unconsumed_tail
        os.fsync(out.fileno())


if __name__ == "__main__":
    main()
