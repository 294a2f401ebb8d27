"""`copy`: what refers to an image goes with it."""

from __future__ import annotations

import pytest

from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest
from nacre.oci.manifest import Index, InvalidManifest, make_index
from nacre.testing.builders import Content as Made
from nacre.testing.builders import an_image
from nacre.testing.targets import Shelf, a_referrer
from nacre.transports.copy import copy
from tests.unit.transports.copies import (
    manifest_of,
    memory,
)


class TestReferrers:
    image = an_image()
    signature = a_referrer(image.root)
    countersignature = a_referrer(signature.root)

    class Source(Shelf):
        def __init__(self, *made: Made) -> None:
            super().__init__(made[0])
            self.made = made
            for each in made:
                self.blobs |= each.blobs

        def referrers(self, digest: Digest, artifact_type: str = "") -> Index:
            return make_index(
                each.root
                for each in self.made
                if (about := manifest_of(each).subject) and about.digest == digest
            )

    def test_they_come_along_when_asked_for_and_theirs_too(self) -> None:
        target = memory()
        source = self.Source(self.image, self.signature, self.countersignature)
        copy(source, "one", target, "two", referrers=True)
        assert target.exists(self.signature.root)
        assert target.exists(self.countersignature.root)
        assert list(target.names()) == ["two"]

    def test_they_stay_when_not_asked_for(self) -> None:
        target = memory()
        copy(self.Source(self.image, self.signature), "one", target, "two")
        assert not target.exists(self.signature.root)


def test_referrers_without_end_are_left() -> None:
    class Inventing(Shelf):
        """Makes up, for whatever is asked about, one more that refers to it."""

        def referrers(self, digest: Digest, artifact_type: str = "") -> Index:
            about = Descriptor(mediatypes.OCI_MANIFEST, digest, 100)
            made = a_referrer(about)
            self.blobs |= made.blobs
            return make_index([made.root])

    with pytest.raises(InvalidManifest, match="more than 1000 manifests refer"):
        copy(Inventing(an_image()), "one", memory(), "two", referrers=True)
