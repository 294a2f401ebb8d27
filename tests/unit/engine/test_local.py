from __future__ import annotations

import io

import pytest

from nacre.content.diskerrors import DiskFull
from nacre.content.target import ignore_bytes
from nacre.errors import Conflict, Denied, Invalid, NotFound, Unavailable, Unsupported
from nacre.oci import mediatypes
from nacre.oci.descriptor import Descriptor
from nacre.oci.reference import InvalidReference
from nacre.testing.builders import an_index
from tests.unit.engine.stock import Stock, image_of

DATA = b"bytes of no layer"
BLOB = Descriptor.of(mediatypes.OCI_EMPTY, DATA)
HALF = Descriptor.of(mediatypes.OCI_EMPTY, b"bytes that came by half")


def bring(stock: Stock, error: BaseException) -> None:
    """Bring in a blob and the half of another, and fail."""
    with stock.store.writing() as local:
        local.put(BLOB, lambda offset: io.BytesIO(DATA[offset:]), ignore_bytes)
        with pytest.raises(ConnectionError):
            local.put(HALF, _breaking, ignore_bytes)
        raise error


class _Breaking(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise ConnectionError
        return super().read(5)


def _breaking(offset: int) -> io.BytesIO:
    return _Breaking(b"bytes that came by half")


def parts(stock: Stock) -> int:
    """Return how many halves of blobs there are."""
    return len(list((stock.store.root / "ingest").glob("*")))


@pytest.mark.parametrize(
    "category", [Invalid, NotFound, Denied, Conflict, Unsupported, DiskFull], ids=str
)
def test_after_a_failure_that_stays_what_came_vanishes(
    category: type[Exception], stock: Stock
) -> None:
    with pytest.raises(category):
        bring(stock, category("no"))
    assert not stock.blobs()
    assert not parts(stock)
    assert not stock.store.state.held()


@pytest.mark.parametrize("category", [Unavailable, KeyboardInterrupt, OSError], ids=str)
def test_after_a_failure_that_may_pass_what_came_stays_for_the_next_attempt(
    category: type[BaseException], stock: Stock
) -> None:
    with pytest.raises(category):
        bring(stock, category("for now"))
    assert stock.blobs() == {BLOB.digest}
    assert parts(stock) == 1
    assert not stock.store.state.held()


def test_what_somebody_else_needs_stays_in_any_case(stock: Stock) -> None:
    with stock.store.writing() as other:
        other.hold(BLOB)
        with pytest.raises(Invalid):
            bring(stock, Invalid("no"))
        assert stock.blobs() == {BLOB.digest}


def test_several_names_are_given_at_once_or_not_at_all(stock: Stock) -> None:
    image = image_of("a")
    root = stock.keep(image)
    with stock.store.writing() as local, pytest.raises(InvalidReference, match="ambiguous"):
        local.add(root, ["docker.io/library/a:1", "docker.io/library/sha256:new"])
    assert not list(stock.store.names())


def test_an_image_that_indexes_list_a_million_times_is_gone_through_once(stock: Stock) -> None:
    image = image_of("a")
    root = stock.keep(an_index([an_index([image] * 1000)] * 1000), "a")
    assert [each.descriptor for each in stock.store.manifests_of(root)] == [image.root.bare()]
