from __future__ import annotations

import pytest

from nacre.content.memory import MemoryBlobs
from nacre.oci.descriptor import Descriptor
from nacre.testing import BlobStoreContract
from nacre.testing.contracts import raises


class Forgetful(MemoryBlobs):
    """A store that never says that a blob is there, and so keeps no contract."""

    def exists(self, descriptor: Descriptor) -> bool:
        return False


def test_a_store_that_breaks_the_contract_fails_the_suite() -> None:
    suite = BlobStoreContract()
    suite.test_what_is_committed_can_be_read(MemoryBlobs())
    with pytest.raises(AssertionError):
        suite.test_what_is_committed_can_be_read(Forgetful())
    with pytest.raises(AssertionError):
        suite.test_an_expected_blob_that_is_there_is_refused(Forgetful())


def test_raises_insists_on_the_very_error() -> None:
    with raises(KeyError):
        raise KeyError
    with pytest.raises(AssertionError, match="KeyError was not raised"), raises(KeyError):
        pass
    with pytest.raises(ValueError, match="other"), raises(KeyError):
        raise ValueError("other")
