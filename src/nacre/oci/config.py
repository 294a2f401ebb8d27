"""Image configs: how to run an image, which layers it has and how they came about (image-spec)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nacre.errors import Invalid
from nacre.oci.digest import Digest, InvalidDigest
from nacre.oci.platform import Platform, from_json
from nacre.oci.strictjson import InvalidJSON, check_keys, encode, parse_object
from nacre.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TEXTS = ("architecture", "author", "comment", "created", "os", "os.version", "variant")
_RUN_TEXTS = ("StopSignal", "User", "WorkingDir")
_RUN_LISTS = ("Cmd", "Entrypoint", "Env", "OnBuild", "Shell")
_RUN_MAPS = ("ExposedPorts", "Healthcheck", "Labels", "Volumes")


class InvalidConfig(Invalid):
    """The bytes are no image config, or contradict themselves."""

    usual_remedy = "have whoever made the image make it again"


class HistoryEntry(Value):
    """One step that made the image; ``empty_layer`` steps changed no file."""

    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class ImageConfig(Value):
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
        InvalidConfig: over 4 MiB, not strict JSON, or a part that nacre reads is of the wrong
            kind.
    """
    try:
        fields = parse_object(raw, "image config")
        check_keys(fields, ("config", "history", "rootfs"), "image config")
    except Invalid as error:
        raise InvalidConfig(str(error)) from None
    for diff_id in _rootfs(fields):
        try:
            Digest(diff_id)
        except InvalidDigest as error:
            raise InvalidConfig(f"image config has a diff_id that is an {error}") from None
    _check_history(fields.get("history"))
    for key in _TEXTS:
        if not isinstance(fields.get(key), str | None):
            raise InvalidConfig(f"image config has {_article(key)} that is no text")
    for key in ("config", "container_config"):
        if not isinstance(fields.get(key), dict | None):
            raise InvalidConfig(f"image config has {_article(key)} that is not an object")
        _check_run(fields.get(key) or {})
    return ImageConfig(raw, fields)


def make_config(fields: Mapping[str, Any]) -> ImageConfig:
    """Return a config of these fields, encoded by nacre.

    Raises:
        InvalidConfig: see `parse`.
    """
    try:
        return parse(encode(fields))
    except InvalidJSON as error:
        raise InvalidConfig(f"image config {error}") from None


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


def _check_history(history: object) -> None:
    if history is None:
        return
    if not isinstance(history, list) or not all(isinstance(entry, dict) for entry in history):
        raise InvalidConfig("image config has a history that is not a list of objects")
    for entry in history:
        for key in ("created", "created_by", "author", "comment"):
            if not isinstance(entry.get(key), str | None):
                raise InvalidConfig(f"image config has a history entry whose {key} is no text")
        if not isinstance(entry.get("empty_layer"), bool | None):
            raise InvalidConfig("image config has a history entry whose empty_layer is no boolean")


def _check_run(run: Mapping[str, Any]) -> None:
    """Check the parameters to run an image; those of other names are nobody's business here."""
    for key in _RUN_TEXTS:
        if not isinstance(run.get(key), str | None):
            raise InvalidConfig(f"image config has {_article(key)} that is no text")
    for key in _RUN_LISTS:
        texts = run.get(key)
        if not isinstance(texts, list | None) or not all(
            isinstance(text, str) for text in texts or ()
        ):
            raise InvalidConfig(f"image config has {_article(key)} that is not a list of texts")
    for key in _RUN_MAPS:
        if not isinstance(run.get(key), dict | None):
            raise InvalidConfig(f"image config has {_article(key)} that is not an object")
    if not all(isinstance(value, str) for value in (run.get("Labels") or {}).values()):
        raise InvalidConfig("image config has a label that is no text")


def _article(key: str) -> str:
    return f"{'an' if key[0] in 'aeiouAEIOU' else 'a'} {key}"


def _text(fields: Mapping[str, Any], key: str) -> str:
    found = fields.get(key)
    return found if isinstance(found, str) else ""
