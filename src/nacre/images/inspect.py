"""Inspect: all that is known of an image in one document, with Docker's keys in Docker's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nacre.images.image import Image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NEVER = "0001-01-01T00:00:00Z"
# Go's zero time, which Docker shows for an image that has never been tagged.

_RUN_ORDER = (
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "ArgsEscaped",
    "Healthcheck",
    "OnBuild",
    "Shell",
)
_SORTED = frozenset({"ExposedPorts", "Labels", "Volumes"})


def inspect(
    image: Image,
    *,
    tags: Sequence[str],
    repo_digests: Sequence[str],
    size: int,
    last_tag_time: str,
) -> dict[str, Any]:
    """Return the document that ``docker image inspect`` shows since API 1.52: nothing empty.

    Args:
        image: what to describe; an artifact shows what it has.
        tags: the names it goes by, as ``nginx:latest``.
        repo_digests: where it is known by digest, as ``nginx@sha256:…``.
        size: the bytes of its layers, unpacked where known.
        last_tag_time: when it was last given a name, RFC 3339, or "".

    """
    head = {"Id": image.id, "RepoTags": list(tags), "RepoDigests": list(repo_digests)}
    tail = {
        "Metadata": {"LastTagTime": last_tag_time or _NEVER},
        "Descriptor": image.descriptor.to_json(),
    }
    middle = _of_image(image, size) if image.is_image else _of_artifact(image, size)
    return {**head, **middle, **tail}


def _of_image(image: Image, size: int) -> dict[str, Any]:
    fields = image.config.fields
    newest = image.config.history[-1:]
    comment = fields.get("comment") or (newest[0].comment if newest else "")
    written = fields.get("container_config")
    rootfs: dict[str, Any] = {"Type": "layers"}
    if image.diff_ids:
        rootfs["Layers"] = list(image.diff_ids)
    return {
        **_filled(Comment=comment, Created=image.created, ContainerConfig=written),
        **_filled(Author=fields.get("author")),
        "Config": _run(image.config.run),
        "Architecture": fields.get("architecture") or "",
        **_filled(Variant=fields.get("variant")),
        "Os": fields.get("os") or "",
        **_filled(OsVersion=fields.get("os.version")),
        "Size": size,
        "RootFS": rootfs,
    }


def _of_artifact(image: Image, size: int) -> dict[str, Any]:
    manifest = image.manifest
    return {
        **_filled(Created=image.created),
        "ArtifactType": manifest.artifact_type,
        **_filled(Annotations=dict(manifest.annotations)),
        "Size": size,
    }


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    """Docker's fields in Docker's order, then those that it does not know."""
    ordered = [key for key in _RUN_ORDER if key in run]
    ordered += [key for key in run if key not in _RUN_ORDER]
    return _filled(
        **{
            key: dict(sorted(run[key].items())) if key in _SORTED and run[key] else run[key]
            for key in ordered
        }
    )


def _filled(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (None, "", [], {}, False)}
