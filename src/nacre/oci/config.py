"""Image configs: how to run an image, which layers it has and how they came about (image-spec)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nacre.errors import Invalid
from nacre.oci.digest import Digest, InvalidDigest
from nacre.oci.platform import Platform, from_json
from nacre.oci.strictjson import encode, parse_object


class InvalidConfig(Invalid):
    """The bytes are no image config, or contradict themselves."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step that made the image; ``empty_layer`` steps changed no file."""

    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """A view over the raw bytes of a config; its digest is the image ID."""

    raw: bytes
    fields: Mapping[str, Any]

    @property
    def digest(self) -> Digest:
        """The image ID: the sha256 of the raw bytes."""
        return Digest.of(self.raw)

    @property
    def platform(self) -> Platform:
        """The platform the image runs on."""
        return from_json(self.fields)

    @property
    def created(self) -> str:
        """When the image was made, RFC 3339 as written, or ""."""
        return _text(self.fields, "created")

    @property
    def diff_ids(self) -> tuple[Digest, ...]:
        """The digests of the uncompressed layers, base first."""
        return tuple(Digest(diff_id) for diff_id in _rootfs(self.fields))

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """The steps that made the image, oldest first."""
        return tuple(
            HistoryEntry(
                created=_text(entry, "created"),
                created_by=_text(entry, "created_by"),
                author=_text(entry, "author"),
                comment=_text(entry, "comment"),
                empty_layer=bool(entry.get("empty_layer")),
            )
            for entry in self.fields.get("history") or ()
        )

    @property
    def run(self) -> Mapping[str, Any]:
        """The parameters to run it (``config``): Cmd, Entrypoint, Env, ExposedPorts …."""
        found: Mapping[str, Any] = self.fields.get("config") or {}
        return found


def parse(raw: bytes) -> ImageConfig:
    """Read an image config.

    Raises:
        InvalidConfig: over 4 MiB, not strict JSON, or a required part is of the wrong kind.
    """
    try:
        fields = parse_object(raw, "image config")
        for diff_id in _rootfs(fields):
            Digest(diff_id)
    except InvalidDigest as error:
        raise InvalidConfig(f"image config has a diff_id that is an {error}") from None
    except InvalidConfig:
        raise
    except Invalid as error:
        raise InvalidConfig(str(error)) from None
    history = fields.get("history")
    if not isinstance(history, list | None) or not all(
        isinstance(entry, dict) for entry in history or ()
    ):
        raise InvalidConfig("image config has a history that is not a list of objects")
    if not isinstance(fields.get("config"), dict | None):
        raise InvalidConfig("image config has a config that is not an object")
    return ImageConfig(raw, fields)


def make_config(fields: Mapping[str, Any]) -> ImageConfig:
    """Return a config of these fields, encoded by nacre."""
    return parse(encode(fields))


def check_layer_count(config: ImageConfig, layers: Sequence[object]) -> None:
    """Check that a manifest lists as many layers as its config has diff_ids.

    Raises:
        InvalidConfig: it does not.
    """
    expected = len(config.diff_ids)
    if len(layers) != expected:
        raise InvalidConfig(
            f"manifest lists {len(layers)} layers but its config has {expected} diff_ids"
        )


def chain_ids(diff_ids: Iterable[Digest]) -> tuple[Digest, ...]:
    """Return the chain ID at each layer: the name of the stack up to there (image-spec)."""
    chain: list[Digest] = []
    for diff_id in diff_ids:
        chain.append(Digest.of(f"{chain[-1]} {diff_id}".encode()) if chain else diff_id)
    return tuple(chain)


def layer_steps(config: ImageConfig) -> tuple[tuple[HistoryEntry, int | None], ...]:
    """Return each history step with the position of the layer it made, or None; oldest first.

    Raises:
        InvalidConfig: history and diff_ids do not match.
    """
    count = len(config.diff_ids)
    steps: list[tuple[HistoryEntry, int | None]] = []
    position = 0
    for entry in config.history:
        if entry.empty_layer:
            steps.append((entry, None))
            continue
        if position >= count:
            raise InvalidConfig("too many non-empty layers in History section")
        steps.append((entry, position))
        position += 1
    # History is optional and may be partial: layers it does not speak of are listed all the same.
    steps.extend((HistoryEntry(), rest) for rest in range(position, count))
    return tuple(steps)


def _rootfs(fields: Mapping[str, Any]) -> list[str]:
    rootfs = fields.get("rootfs")
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if diff_ids is None and isinstance(rootfs, dict):
        return []
    if not isinstance(diff_ids, list) or not all(isinstance(each, str) for each in diff_ids):
        raise InvalidConfig("image config has no rootfs with a list of diff_ids")
    return diff_ids


def _text(fields: Mapping[str, Any], key: str) -> str:
    found = fields.get(key)
    return found if isinstance(found, str) else ""
