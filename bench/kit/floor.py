"""The work that making an image ready cannot avoid, and nothing else; a program of its own.

usage: python -m bench.kit.floor REGISTRY-FOLDER REPOSITORY TARGET [THREADS]

Each layer's blob is read from the folder of docker-registry, hashed, inflated with ISA-L, hashed
again, and its tar is written and synced; the largest first, one after the other or by several
threads at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from isal import isal_zlib

_PIECE = 1024 * 1024
_GZIP = 31


def main() -> None:
    """Do it."""
    folder, repository, target, *threads = sys.argv[1:]
    root = Path(folder) / "docker" / "registry" / "v2"
    Path(target).mkdir()
    link = root / "repositories" / repository / "_manifests" / "tags" / "bench" / "current" / "link"
    manifest = json.loads(_blob(root, link.read_text()).read_bytes())
    layers = sorted(manifest["layers"], key=lambda layer: -layer["size"])
    digests = [layer["digest"] for layer in layers]
    with ThreadPoolExecutor(int(threads[0]) if threads else 1) as pool:
        done = pool.map(lambda each: _ready(_blob(root, each), Path(target) / each[7:]), digests)
        list(done)  # raises what went wrong


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
