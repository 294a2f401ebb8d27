"""Docker archives, what ``docker save`` writes: ``manifest.json`` says what the images are.

Each image there is a config file, a list of layer files and a list of names. There is no manifest
in the OCI sense, so one is made, always the same for the same files. The config is taken as it
is, and with it the image ID.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nacre.errors import Invalid
from nacre.layers.compression import SNIFF_LENGTH, Compression, sniff
from nacre.oci import config as configs
from nacre.oci import manifest as manifests
from nacre.oci import mediatypes
from nacre.oci import reference as references
from nacre.oci.config import InvalidConfig
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest, finished, hasher
from nacre.oci.manifest import Manifest
from nacre.oci.quoting import quoted
from nacre.oci.reference import Reference
from nacre.oci.strictjson import MANIFEST_LIMIT, encode, parse_object
from nacre.transports.archive_contents import ArchiveBlobs, Contents, blob_digest, blob_name
from nacre.transports.members import InvalidArchive, Members, Slice
from nacre.transports.naming import name_annotations

MANIFEST = "manifest.json"
REPOSITORIES = "repositories"
_PIECE = 1024 * 1024
_LAYER_TYPES = {
    Compression.NONE: mediatypes.OCI_LAYER_TAR,
    Compression.GZIP: mediatypes.OCI_LAYER_GZIP,
    Compression.ZSTD: mediatypes.OCI_LAYER_ZSTD,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One image as ``manifest.json`` lists it."""

    config: str
    names: tuple[Reference, ...]
    layers: tuple[str, ...]


def items(members: Members) -> tuple[Item, ...]:
    """Return the images that ``manifest.json`` lists.

    Raises:
        InvalidArchive: it breaks a rule, or an image has a name that is none.
    """
    raw = members.read(MANIFEST, MANIFEST_LIMIT)
    try:
        # The strict reader takes objects only, and this is a bare list.
        fields = parse_object(b'{"items":' + raw + b"}", MANIFEST, limit=2 * MANIFEST_LIMIT)
        listed = fields["items"]
        if len(fields) != 1 or not isinstance(listed, list):
            raise InvalidArchive(f"{MANIFEST} is not a list of images")
        return tuple(_item(value) for value in listed)
    except Invalid as error:
        raise InvalidArchive(f"{members.where}: {error}") from None


def docker_contents(members: Members, listed: Iterable[Item]) -> Contents:
    """Return the images of a Docker archive with a manifest made for each.

    Raises:
        InvalidArchive: an image has more or fewer layers than its config says.
        NoSuchMember: a file is listed but not there.
    """
    reader = _Reader(members)
    entries: list[Descriptor] = []
    for item in listed:
        try:
            root = reader.image(item)
        except InvalidConfig as error:
            raise InvalidArchive(f"{members.where}: {error}") from None
        named = [root.annotated(**name_annotations(str(name))) for name in item.names]
        entries.extend(named or [root])
    return Contents(tuple(entries), ArchiveBlobs(members, reader.blobs))


def config_digest(members: Members, item: Item) -> Digest:
    """Return the image ID of a listed image, by the algorithm that its file is named after."""
    named = blob_digest(item.config)
    algorithm = named.algorithm if named else "sha256"
    return Digest.of(members.read(item.config, MANIFEST_LIMIT), algorithm)


def docker_files(images: Iterable[tuple[Manifest, Iterable[Reference]]]) -> dict[str, bytes]:
    """Return the files that make an image layout a Docker archive too, by name.

    ``manifest.json`` is what every reader since Docker 1.10 goes by; ``repositories`` is for
    older ones.
    """
    listed: list[dict[str, Any]] = []
    repositories: dict[str, dict[str, str]] = {}
    for manifest, names in images:
        tagged = sorted(names, key=str)
        listed.append(
            {
                "Config": blob_name(manifest.config.digest),
                "RepoTags": [name.familiar for name in tagged] or None,
                "Layers": [blob_name(layer.digest) for layer in manifest.layers],
            }
        )
        if manifest.layers:
            top = manifest.layers[-1].digest.encoded
            for name in tagged:
                repositories.setdefault(name.familiar_name, {})[name.tag] = top
    return {MANIFEST: encode(listed), REPOSITORIES: encode(repositories)}


class _Reader:
    """Makes manifests, and looks at each file of the archive once, however often it is listed."""

    def __init__(self, members: Members) -> None:
        self.blobs: dict[Digest, Slice | bytes] = {}
        self._members = members
        self._roots: dict[tuple[Slice, tuple[str, ...]], Descriptor] = {}
        self._layers: dict[tuple[str, Digest], Descriptor] = {}
        self._hashes: dict[Slice, Digest] = {}

    def image(self, item: Item) -> Descriptor:
        """Return the manifest made for an image; it and what it refers to are in ``blobs`` then."""
        place = self._members.find(item.config)
        key = (place, item.layers)
        if key not in self._roots:
            manifest = self._manifest(item, place)
            self.blobs[manifest.descriptor.digest] = manifest.raw
            self._roots[key] = manifest.descriptor
        return self._roots[key]

    def _manifest(self, item: Item, place: Slice) -> Manifest:
        raw = self._members.read(item.config, MANIFEST_LIMIT)
        config = configs.parse(raw)
        configs.check_layer_count(config, item.layers)
        layers = [
            self._layer(name, diff_id)
            for name, diff_id in zip(item.layers, config.diff_ids, strict=True)
        ]
        # Where it is, not what: an archive may hold more configs than there is memory.
        self.blobs[config.digest] = place
        return manifests.make_manifest(Descriptor.of(mediatypes.OCI_CONFIG, raw), layers)

    def _layer(self, name: str, diff_id: Digest) -> Descriptor:
        if (name, diff_id) not in self._layers:
            layer = self._seen(name, self._members.find(name), diff_id)
            self._layers[name, diff_id] = layer
            self.blobs[layer.digest] = self._members.find(name)
        return self._layers[name, diff_id]

    def _seen(self, name: str, place: Slice, diff_id: Digest) -> Descriptor:
        """Return the descriptor of a layer as it lies there.

        A plain layer's digest is its diff_id, and a file named after its digest is believed:
        whoever takes the bytes in checks them, so they need not be read twice.
        """
        with self._members.stream(place) as stream:
            compression = sniff(stream.read(SNIFF_LENGTH))
        media_type = _LAYER_TYPES.get(compression)
        if media_type is None:
            raise InvalidArchive(
                f"{self._members.where}: layer {quoted(name)} is compressed by "
                f"{compression.value}, for which image manifests have no word"
            )
        if compression is Compression.NONE:
            return Descriptor(media_type, diff_id, place.size)
        return Descriptor(media_type, blob_digest(name) or self._hash(place), place.size)

    def _hash(self, place: Slice) -> Digest:
        if place not in self._hashes:
            digest = hasher()
            with self._members.stream(place) as stream:
                while piece := stream.read(_PIECE):
                    digest.update(piece)
            self._hashes[place] = finished(digest)
        return self._hashes[place]


def _item(value: object) -> Item:
    if not isinstance(value, dict):
        raise InvalidArchive(f"{MANIFEST} lists something that is no image")
    config = value.get("Config")
    if not isinstance(config, str) or not config:
        raise InvalidArchive(f"{MANIFEST} lists an image without a Config")
    names = (references.parse_tagged(name) for name in _texts(value, "RepoTags"))
    return Item(config, tuple(name for name in names if name.tag), _texts(value, "Layers"))


def _texts(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = value.get(key) or ()
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        raise InvalidArchive(f"{MANIFEST} lists an image whose {key} is not a list of names")
    return tuple(found)
