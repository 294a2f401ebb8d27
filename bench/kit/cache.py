"""What is made once and kept: the images, already pushed into a registry's folder."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.kit import image
from bench.kit.registry import Registry, registry
from bench.kit.stopwatch import succeed
from bench.kit.tools import Tools

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nacre-bench"


Source = Callable[[image.Shape, Path], Path]
"""Returns the tar that a shape is cut from; the folder is for what is needed only once."""


def debian(shape: image.Shape, _folder: Path) -> Path:
    """Return the root file system of Debian that a shape names."""
    return image.root_file_system(CACHE, shape.rootfs)


def published(shapes: Iterable[image.Shape], source: Source = debian) -> dict[str, int]:
    """Make sure that images of these shapes are in the cached registry; return their sizes.

    Their repositories are named after the shapes, their tag is ``bench``; a size is the number of
    compressed bytes. Delete the folder for images of today's packages.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    record = CACHE / "sizes.json"
    sizes: dict[str, int] = json.loads(record.read_text()) if record.exists() else {}
    missing = [shape for shape in shapes if shape.name not in sizes]
    if missing:
        with (
            tempfile.TemporaryDirectory(prefix="make-", dir=CACHE) as work,
            registry(CACHE / "registry", Path(work) / "server") as served,
        ):
            for shape in missing:
                sizes[shape.name] = _publish(shape, source, served, Path(work))
                record.write_text(json.dumps(sizes))
    return {shape.name: sizes[shape.name] for shape in shapes}


def _publish(shape: image.Shape, source: Source, served: Registry, work: Path) -> int:
    print(f"making the image {shape.name!r} (once; kept in {CACHE})", flush=True)
    layout = work / shape.name
    image.write_layout(layout, source(shape, work), shape)
    tools = Tools(work, served)
    push = tools.skopeo_copy(f"oci:{layout}:bench", served.image(shape.name))
    succeed(*push, env=tools.environment())
    return image.compressed_size(layout)
