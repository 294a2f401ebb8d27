"""The images of this machine as people see them: by ID, with the names they go by.

The store knows *targets*: manifests and indexes. People know *images*: what has one image ID, the
digest of its config. One image may be here as several targets, say as imported and as pushed
with its layers compressed; the catalogue folds them together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from nacre.errors import Invalid, NacreError, NotFound
from nacre.images.image import Image
from nacre.oci import reference as references
from nacre.oci.digest import Digest, id_prefix
from nacre.oci.reference import InvalidReference, Reference
from nacre.oci.timestamp import stated
from nacre.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.engine.local import LocalStore
    from nacre.engine.state import ImageRecord
    from nacre.oci.platform import Platform


class NoSuchImage(NotFound):
    """Nothing on this machine goes by this name or ID."""

    def __init__(self, text: str) -> None:
        super().__init__(f"No such image: {text}", remedy="'nacre images' shows what is here")
        self.text = text


class AmbiguousID(Invalid):
    """A shortened ID fits several images."""


class LocalImage(Value):
    """One image of this machine.

    ``records`` are the targets it is here as, the one that was asked for or added last first.
    """

    id: Digest
    records: tuple[ImageRecord, ...]
    view: Image
    """The image that the first record stands for, on this machine's platform."""

    @property
    def created(self) -> str:
        """When it was made, RFC 3339, or "" when it does not say or is damaged."""
        try:
            return self.view.created
        except NacreError:
            return ""

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels; none when it is damaged, or no image."""
        try:
            found: Mapping[str, str] = self.view.config.run.get("Labels") or {}
        except NacreError:
            return {}
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """All tags in full, sorted: ``docker.io/library/nginx:latest``."""
        return tuple(sorted({name for record in self.records for name in record.names}))

    @property
    def tags(self) -> tuple[str, ...]:
        """All tags as Docker shows them, sorted: ``nginx:latest``."""
        return tuple(references.parse(name).familiar for name in self.names)

    @property
    def repo_digests(self) -> tuple[str, ...]:
        """Where the image is known by digest, as Docker shows it: ``nginx@sha256:…``."""
        full = {each for record in self.records for each in record.repo_digests}
        return tuple(references.parse(each).familiar for each in sorted(full))

    def with_names(self, keep: Callable[[str], bool]) -> LocalImage:
        """Return the image with those names and digests in full only that are to be kept."""
        records = (
            replace(
                record,
                names=tuple(filter(keep, record.names)),
                repo_digests=tuple(filter(keep, record.repo_digests)),
            )
            for record in self.records
        )
        return replace(self, records=tuple(records))

    @property
    def is_dangling(self) -> bool:
        """Say whether no tag points at it."""
        return not self.names


class Catalogue:
    """Finds images by what people type."""

    def __init__(self, store: LocalStore, platform: Platform) -> None:
        self._store = store
        self._platform = platform

    def all(self) -> list[LocalImage]:
        """Return every image, in the order they were added."""
        by_id: dict[Digest, list[ImageRecord]] = {}
        for record in self._store.state.images():
            by_id.setdefault(record.image_id, []).insert(0, record)
        return [self._joined(records) for records in by_id.values()]

    def find(self, text: str, platform: Platform | None = None) -> LocalImage:
        """Return the image that a name, a name at a digest, or a whole or short ID stands for.

        Raises:
            NoSuchImage: nothing fits.
            AmbiguousID: a short ID fits several.
            InvalidReference: the text is neither a name nor an ID.
        """
        record = self._record(text)
        siblings = reversed(self._store.state.images_of(record.image_id))
        rest = [each for each in siblings if each.descriptor.digest != record.descriptor.digest]
        return self._joined([record, *rest], platform)

    def _joined(
        self, records: Sequence[ImageRecord], platform: Platform | None = None
    ) -> LocalImage:
        view = Image(
            self._store,
            records[0].descriptor,
            platform or self._platform,
            exact=platform is not None,
        )
        return LocalImage(records[0].image_id, tuple(records), view)

    def _record(self, text: str) -> ImageRecord:
        reference, refusal = _as_reference(text)
        if reference:
            record = self._named(reference)
            if record:
                return record
        prefix = id_prefix(text)
        if prefix:
            return self._identified(text, prefix)
        if refusal:
            raise refusal
        raise NoSuchImage(reference.tagged().familiar if reference else text)

    def _named(self, reference: Reference) -> ImageRecord | None:
        state = self._store.state
        if reference.digest:
            return state.image_at(reference.name, reference.digest)
        try:
            descriptor = state.resolve(str(reference.tagged()))
        except NotFound:
            return None
        return state.image(descriptor.digest)

    def _identified(self, text: str, prefix: str) -> ImageRecord:
        found = self._store.state.images_with_id_prefix(prefix)
        if not found:
            raise NoSuchImage(text)
        ids = {record.image_id for record in found}
        exact = [record for record in found if record.descriptor.digest.encoded == prefix]
        if exact:
            return exact[0]
        if len(ids) > 1:
            raise AmbiguousID(
                f"image ID {text} is ambiguous: {len(ids)} images start with it",
                remedy="give more of its digits",
            )
        return found[0]


def _as_reference(text: str) -> tuple[Reference | None, InvalidReference | None]:
    if text.startswith(("sha256:", "sha512:")):
        return None, None
    try:
        return references.parse(text), None
    except InvalidReference as error:
        return None, error


def newest_first(images: Iterable[LocalImage]) -> list[LocalImage]:
    """Return images ordered by creation time, newest first, as ``docker images`` lists them."""
    return sorted(images, key=lambda image: stated(image.created), reverse=True)
