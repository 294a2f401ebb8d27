"""What the hub answers when it will not do a thing: the error codes of the specification.

distribution-spec 1.1, "Error Codes". The HTTP status belongs to ``api``; here is only which code
and which sentence. Every error is also one of nacre's categories, so that the commands that work
on a hub's data tell people the same.
"""

from __future__ import annotations

from nacre.errors import Conflict, Denied, Invalid, NacreError, NotFound, Unavailable, Unsupported
from nacre.oci.quoting import quoted


class RegistryError(NacreError):
    """A request of the distribution protocol that fails, with the code that clients know.

    ``code`` is one of `nacre.oci.wire.ERROR_CODES`. ``detail`` is what the specification's
    ``detail`` member holds: anything that JSON can say, or None. ``told`` is what clients get in
    place of a message that is for those who run the hub: that goes to the log.
    """

    code = "UNSUPPORTED"
    told = ""

    def __init__(self, message: str, *, detail: object = None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.detail = detail


class NameInvalid(RegistryError, Invalid):
    """The name breaks the grammar of repository names."""

    code = "NAME_INVALID"


class UserUnknown(NotFound):
    """There is no user of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no user {quoted(name)}", remedy="'nacre hub user ls' shows all")


class NameUnknown(RegistryError, NotFound):
    """There is no such repository for whoever asks."""

    code = "NAME_UNKNOWN"


class BlobUnknown(RegistryError, NotFound):
    """The repository does not have this blob."""

    code = "BLOB_UNKNOWN"


class BlobUploadUnknown(RegistryError, NotFound):
    """There is no such upload in this repository for whoever asks."""

    code = "BLOB_UPLOAD_UNKNOWN"


class BlobUploadInvalid(RegistryError, Invalid):
    """The upload cannot go on as asked."""

    code = "BLOB_UPLOAD_INVALID"


class OutOfOrder(BlobUploadInvalid):
    """A chunk does not begin where the upload stands; ``offset`` is where. The upload lives on.

    distribution-spec 1.1, "Pushing a blob in chunks": answered with 416.
    """

    def __init__(self, message: str, *, offset: int) -> None:
        super().__init__(message, detail={"offset": offset})
        self.offset = offset


class DigestInvalid(RegistryError, Invalid):
    """A digest is malformed, or is not that of the bytes."""

    code = "DIGEST_INVALID"


class SizeInvalid(RegistryError, Invalid):
    """The length that was announced is not that of the bytes."""

    code = "SIZE_INVALID"


class TooLarge(SizeInvalid):
    """More than this hub takes at once: answered with 413."""


class ManifestInvalid(RegistryError, Invalid):
    """The bytes are no manifest, or not of the type that was announced."""

    code = "MANIFEST_INVALID"


class ManifestUnknown(RegistryError, NotFound):
    """The repository has no manifest of this tag or digest."""

    code = "MANIFEST_UNKNOWN"


class ManifestBlobUnknown(RegistryError, Invalid):
    """A manifest names content that its repository does not have; push that first."""

    code = "MANIFEST_BLOB_UNKNOWN"


class TagInvalid(ManifestInvalid):
    """The tag breaks the grammar of tags."""


class Unauthorized(RegistryError, Denied):
    """Who asks is not known, or a wider token is needed: answered with a challenge.

    ``scope`` is what a token must be asked for, as ``repository:app:pull``; "" when unknown.
    """

    code = "UNAUTHORIZED"

    def __init__(
        self, message: str, *, scope: str = "", detail: object = None, remedy: str = ""
    ) -> None:
        super().__init__(message, detail=detail, remedy=remedy)
        self.scope = scope


class Forbidden(RegistryError, Denied):
    """Who asks is known and may not."""

    code = "DENIED"


class TagImmutable(Forbidden, Conflict):
    """A policy of the repository keeps this tag as it is."""


class QuotaExceeded(Forbidden):
    """The namespace has used up the bytes that it may hold."""


class TooManyRequests(RegistryError, Unavailable):
    """A limit on the rate of requests; ``retry_after`` is in seconds."""

    code = "TOOMANYREQUESTS"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Busy(RegistryError, Unavailable):
    """The hub cannot do this now and a client should try again: answered with 503."""

    code = "TOOMANYREQUESTS"


class OutOfSpace(Busy):
    """The place where blobs are kept is full: answered with 507."""

    usual_remedy = "free some space on the disk of its data folder"
    told = "the hub has no space left"


class DiskFailed(Busy):
    """The place where blobs are kept cannot be used."""

    told = "the hub cannot use its disk"


class NotSupported(RegistryError, Unsupported):
    """The hub does not do this, or is set up not to."""

    code = "UNSUPPORTED"
