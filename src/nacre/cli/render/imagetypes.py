"""The inspect document of an image as Docker's templates see it: with Go's types and zero values.

JSON leaves out what is empty, but ``{{.Config.Entrypoint}}`` prints ``[]`` all the same. Next to
the Go names (``ID``, ``.Descriptor.Digest``) those of the document are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nacre.cli.render.template.values import (
    NIL_MAP,
    NIL_POINTER,
    NIL_SLICE,
    Duration,
    Int64,
    Moment,
    Struct,
)

_EMPTY_STRUCT = Struct("struct {}", {})
_SETS = ("ExposedPorts", "Volumes")
_CONFIG = {
    "User": "",
    "ExposedPorts": NIL_MAP,
    "Env": NIL_SLICE,
    "Entrypoint": NIL_SLICE,
    "Cmd": NIL_SLICE,
    "Volumes": NIL_MAP,
    "WorkingDir": "",
    "Labels": NIL_MAP,
    "StopSignal": "",
    "ArgsEscaped": False,
    "Healthcheck": NIL_POINTER,
    "OnBuild": NIL_SLICE,
    "Shell": NIL_SLICE,
}
_DURATIONS = ("Interval", "Timeout", "StartPeriod", "StartInterval")
_HEALTHCHECK = {"Test": NIL_SLICE, **dict.fromkeys(_DURATIONS, Duration(0)), "Retries": 0}
_IMAGE = {
    "Id": "",
    "RepoTags": NIL_SLICE,
    "RepoDigests": NIL_SLICE,
    "Parent": "",
    "Comment": "",
    "Created": "",
    "DockerVersion": "",
    "Author": "",
    "Variant": "",
    "OsVersion": "",
    "VirtualSize": Int64(0),
    "GraphDriver": Struct("storage.DriverData", {"Data": NIL_MAP, "Name": ""}),
    "Manifests": NIL_SLICE,
}
_ROOTFS = {"Type": "", "Layers": NIL_SLICE}
_DESCRIPTOR = {
    "mediaType": "",
    "digest": "",
    "size": Int64(0),
    "urls": NIL_SLICE,
    "annotations": NIL_MAP,
    "data": NIL_SLICE,
    "platform": NIL_POINTER,
    "artifactType": "",
}


def image(document: Mapping[str, Any]) -> Struct:
    """Return an image's document with types."""
    parts: Mapping[str, Callable[[Any], object]] = {
        "Config": _config,
        "ContainerConfig": lambda part: Struct("container.Config", part),
        "RootFS": lambda part: Struct("image.RootFS", part, _ROOTFS),
        "Metadata": lambda part: Struct("image.Metadata", {k: Moment(part[k]) for k in part}),
        "Descriptor": _descriptor,
        "Size": Int64,
    }
    fields = {key: parts.get(key, _as_it_is)(value) for key, value in document.items()}
    return Struct("image.InspectResponse", fields, _IMAGE, {"ID": document["Id"]})


def _config(part: Mapping[str, Any]) -> Struct:
    sets = {key: dict.fromkeys(part[key], _EMPTY_STRUCT) for key in _SETS if key in part}
    checks = {"Healthcheck": _healthcheck(part["Healthcheck"])} if "Healthcheck" in part else {}
    return Struct("v1.DockerOCIImageConfig", {**part, **sets, **checks}, _CONFIG)


def _healthcheck(part: object) -> object:
    if not isinstance(part, Mapping):
        return part
    times = {key: Duration(part[key]) for key in _DURATIONS if type(part.get(key)) is int}
    return Struct("v1.HealthcheckConfig", {**part, **times}, _HEALTHCHECK)


def _descriptor(part: Mapping[str, Any]) -> Struct:
    sized = {**part, "size": Int64(part["size"])}
    whole = {**_DESCRIPTOR, **sized}
    named = {f"{key[0].upper()}{key[1:]}": whole[key] for key in whole}
    return Struct("v1.Descriptor", sized, _DESCRIPTOR, named)


def _as_it_is(part: object) -> object:
    return part
