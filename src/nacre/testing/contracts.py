"""Contract suites: what every implementation of a Protocol promises, as tests.

A suite is a base class whose tests take the implementation as an argument, which with pytest is a
fixture::

    class TestFilesystemBlobs(BlobStoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return FilesystemBlobs(tmp_path)
"""

from __future__ import annotations

import threading
from types import TracebackType

from nacre.content.leases import Leases
from nacre.content.refs import RefNotFound, RefStore
from nacre.content.store import BlobNotFound, BlobStore, CorruptBlob
from nacre.errors import AlreadyExists
from nacre.oci.descriptor import Descriptor
from nacre.oci.digest import Digest

_TYPE = "application/octet-stream"
_DATA = bytes(range(256)) * 5000
_BLOB = Descriptor.of(_TYPE, _DATA)
_OTHER = Descriptor.of(_TYPE, b"other")
_EMPTY = Descriptor.of(_TYPE, b"")


class BlobStoreContract:
    """What a `BlobStore` promises; ``store`` is an empty one."""

    def test_what_is_committed_can_be_read(self, store: BlobStore) -> None:
        assert _write(store, _BLOB, _DATA) == _BLOB
        assert store.exists(_BLOB)
        with store.open(_BLOB) as stream:
            assert stream.read() == _DATA

    def test_an_empty_blob_is_a_blob(self, store: BlobStore) -> None:
        _write(store, _EMPTY, b"")
        assert store.exists(_EMPTY)
        with store.open(_EMPTY) as stream:
            assert stream.read() == b""

    def test_sha512_is_a_digest_too(self, store: BlobStore) -> None:
        blob = Descriptor(_TYPE, Digest.of(_DATA, "sha512"), len(_DATA))
        assert _write(store, blob, _DATA) == blob
        with store.open(blob) as stream:
            assert stream.read() == _DATA

    def test_a_stream_starts_at_an_offset(self, store: BlobStore) -> None:
        _write(store, _BLOB, _DATA)
        with store.stream(_BLOB, 1000) as stream:
            assert stream.read(10) == _DATA[1000:1010]
        with store.stream(_BLOB, len(_DATA)) as stream:
            assert stream.read(10) == b""

    def test_a_missing_blob_is_not_found(self, store: BlobStore) -> None:
        assert not store.exists(_BLOB)
        for read in (store.open, store.stream):
            with raises(BlobNotFound):
                read(_BLOB)
        with raises(BlobNotFound):
            store.size(_BLOB.digest)

    def test_a_blob_of_another_size_is_not_there(self, store: BlobStore) -> None:
        _write(store, _BLOB, _DATA)
        assert not store.exists(Descriptor(_TYPE, _BLOB.digest, _BLOB.size + 1))
        assert not store.exists(Descriptor(_TYPE, _EMPTY.digest, 0))

    def test_reading_checks_the_size(self, store: BlobStore) -> None:
        _write(store, _BLOB, _DATA)
        for size in (_BLOB.size - 1, _BLOB.size + 1):
            with (
                store.open(Descriptor(_TYPE, _BLOB.digest, size)) as stream,
                raises(CorruptBlob),
            ):
                stream.read()

    def test_nothing_is_visible_before_commit(self, store: BlobStore) -> None:
        with store.ingest(_BLOB) as ingest:
            ingest.write(_DATA)
            assert not store.exists(_BLOB)
            assert list(store) == []
        assert not store.exists(_BLOB)

    def test_an_expected_blob_that_is_there_is_refused(self, store: BlobStore) -> None:
        _write(store, _BLOB, _DATA)
        with raises(AlreadyExists), store.ingest(_BLOB):
            pass

    def test_an_interrupted_ingest_goes_on(self, store: BlobStore) -> None:
        with store.ingest(_BLOB) as ingest:
            assert ingest.offset == 0
            ingest.write(_DATA[:1000])
            assert ingest.offset == 1000
        with raises(_Interruption), store.ingest(_BLOB) as ingest:
            assert ingest.offset == 1000
            ingest.write(_DATA[1000:2000])
            raise _Interruption
        with store.ingest(_BLOB) as ingest:
            assert ingest.offset == 2000
            ingest.write(_DATA[2000:])
            ingest.commit(_TYPE)
        with store.open(_BLOB) as stream:
            assert stream.read() == _DATA

    def test_restart_forgets_the_bytes(self, store: BlobStore) -> None:
        with store.ingest(_BLOB) as ingest:
            ingest.write(b"wrong")
            ingest.restart()
            assert ingest.offset == 0
            ingest.write(_DATA)
            ingest.commit(_TYPE)
        assert store.exists(_BLOB)

    def test_wrong_bytes_are_refused_and_forgotten(self, store: BlobStore) -> None:
        with store.ingest(_BLOB) as ingest:
            ingest.write(bytes(_BLOB.size))
            with raises(CorruptBlob):
                ingest.commit(_TYPE)
            assert ingest.offset == 0
        with store.ingest(_BLOB) as ingest:
            assert ingest.offset == 0
        assert not store.exists(_BLOB)

    def test_after_wrong_bytes_the_right_ones_are_taken(self, store: BlobStore) -> None:
        with store.ingest(_BLOB) as ingest:
            ingest.write(bytes(_BLOB.size))
            with raises(CorruptBlob):
                ingest.commit(_TYPE)
            ingest.write(_DATA)
            ingest.commit(_TYPE)
        assert store.exists(_BLOB)

    def test_too_few_bytes_are_refused(self, store: BlobStore) -> None:
        with store.ingest(_BLOB) as ingest:
            ingest.write(_DATA[:-1])
            with raises(CorruptBlob):
                ingest.commit(_TYPE)
        assert not store.exists(_BLOB)

    def test_too_many_bytes_are_refused_as_they_come(self, store: BlobStore) -> None:
        with store.ingest(_BLOB) as ingest:
            ingest.write(_DATA)
            with raises(CorruptBlob):
                ingest.write(b"x")
            assert ingest.offset == 0
        assert not store.exists(_BLOB)

    def test_a_right_digest_of_a_wrong_size_is_refused(self, store: BlobStore) -> None:
        with store.ingest(Descriptor(_TYPE, _BLOB.digest, _BLOB.size + 1)) as ingest:
            ingest.write(_DATA)
            with raises(CorruptBlob):
                ingest.commit(_TYPE)
        assert list(store) == []

    def test_every_kind_of_buffer_is_taken(self, store: BlobStore) -> None:
        with store.ingest(_BLOB) as ingest:
            reused = bytearray(_DATA[: len(_DATA) // 2])
            assert ingest.write(reused) == len(reused)
            reused[:] = bytes(len(reused))
            ingest.write(memoryview(_DATA)[len(reused) :])
            ingest.commit(_TYPE)
        with store.open(_BLOB) as stream:
            assert stream.read() == _DATA

    def test_content_nobody_foretold_gets_its_digest(self, store: BlobStore) -> None:
        with store.ingest() as ingest:
            ingest.write(_DATA)
            assert ingest.commit(_TYPE) == _BLOB
        assert store.exists(_BLOB)

    def test_content_nobody_foretold_may_be_there(self, store: BlobStore) -> None:
        _write(store, _BLOB, _DATA)
        with store.ingest() as ingest:
            ingest.write(_DATA)
            assert ingest.commit(_TYPE) == _BLOB
        assert list(store) == [_BLOB.digest]

    def test_the_digest_so_far_is_known(self, store: BlobStore) -> None:
        with store.ingest() as ingest:
            ingest.write(_DATA[:10])
            assert ingest.digest == Digest.of(_DATA[:10])
            ingest.write(_DATA[10:])
            assert ingest.digest == _BLOB.digest

    def test_commit_can_be_said_twice(self, store: BlobStore) -> None:
        with store.ingest(_BLOB) as ingest:
            ingest.write(_DATA)
            assert ingest.commit(_TYPE) == ingest.commit(_TYPE)

    def test_a_second_ingest_waits_and_finds_it_there(self, store: BlobStore) -> None:
        outcome: list[str] = []
        second = threading.Thread(target=_ingest_as_second, args=(store, outcome))
        with store.ingest(_BLOB) as ingest:
            ingest.write(_DATA[:10])
            second.start()
            second.join(0.2)
            assert not outcome
            ingest.write(_DATA[10:])
            ingest.commit(_TYPE)
        second.join()
        assert outcome == ["already exists"]

    def test_a_second_ingest_takes_over_from_one_that_failed(self, store: BlobStore) -> None:
        outcome: list[str] = []
        second = threading.Thread(target=_ingest_as_second, args=(store, outcome))
        with store.ingest(_BLOB) as ingest:
            ingest.write(_DATA[:10])
            second.start()
            second.join(0.2)
            assert not outcome
        second.join()
        assert outcome == ["offset 10"]
        assert store.exists(_BLOB)

    def test_ingests_of_other_blobs_do_not_wait(self, store: BlobStore) -> None:
        with store.ingest(_BLOB), store.ingest(), store.ingest(_OTHER) as ingest:
            ingest.write(b"other")
            ingest.commit(_TYPE)
        assert list(store) == [_OTHER.digest]

    def test_blobs_can_be_listed_measured_and_deleted(self, store: BlobStore) -> None:
        _write(store, _BLOB, _DATA)
        _write(store, _OTHER, b"other")
        assert set(store) == {_BLOB.digest, _OTHER.digest}
        assert store.size(_BLOB.digest) == len(_DATA)
        store.delete(_BLOB.digest)
        store.delete(_BLOB.digest)
        assert list(store) == [_OTHER.digest]

    def test_an_open_stream_outlives_its_blob(self, store: BlobStore) -> None:
        _write(store, _BLOB, _DATA)
        with store.open(_BLOB) as stream:
            store.delete(_BLOB.digest)
            assert stream.read() == _DATA


class RefStoreContract:
    """What a `RefStore` promises; ``refs`` is an empty one."""

    def test_a_name_points_at_what_was_tagged(self, refs: RefStore) -> None:
        refs.tag("one", _BLOB)
        assert refs.resolve("one") == _BLOB

    def test_a_name_can_be_moved(self, refs: RefStore) -> None:
        refs.tag("one", _BLOB)
        refs.tag("one", _OTHER)
        assert refs.resolve("one") == _OTHER
        assert list(refs.names()) == ["one"]

    def test_several_names_point_at_one_thing(self, refs: RefStore) -> None:
        refs.tag("two", _BLOB)
        refs.tag("one", _BLOB)
        refs.untag("one")
        assert refs.resolve("two") == _BLOB

    def test_names_are_sorted(self, refs: RefStore) -> None:
        for name in ("b", "a", "é", "C"):
            refs.tag(name, _BLOB)
        assert list(refs.names()) == ["C", "a", "b", "é"]

    def test_an_unknown_name_is_not_found(self, refs: RefStore) -> None:
        for use in (refs.resolve, refs.untag):
            with raises(RefNotFound):
                use("one")

    def test_a_name_that_was_dropped_is_not_found(self, refs: RefStore) -> None:
        refs.tag("one", _BLOB)
        refs.untag("one")
        with raises(RefNotFound):
            refs.resolve("one")
        assert list(refs.names()) == []

    def test_what_nacre_does_not_know_of_a_descriptor_survives(self, refs: RefStore) -> None:
        fields = {**_BLOB.to_json(), "annotations": {"a": "b"}, "odd": [1]}
        refs.tag("one", Descriptor.from_json(fields, "test"))
        assert refs.resolve("one").to_json() == fields


class LeasesContract:
    """What `Leases` promise; ``leases`` is a fresh one."""

    def test_what_is_held_is_told(self, leases: Leases) -> None:
        with leases.lease() as lease:
            assert list(leases.held()) == []
            lease.hold([_BLOB])
            lease.hold([_OTHER])
            assert _digests(leases) == {_BLOB.digest, _OTHER.digest}

    def test_holding_twice_is_holding(self, leases: Leases) -> None:
        with leases.lease() as lease:
            lease.hold([_BLOB])
            lease.hold([_BLOB])
            assert _digests(leases) == {_BLOB.digest}

    def test_a_lease_ends_with_its_block(self, leases: Leases) -> None:
        with raises(_Interruption), leases.lease() as lease:
            lease.hold([_BLOB])
            raise _Interruption
        assert list(leases.held()) == []

    def test_two_leases_hold_apart(self, leases: Leases) -> None:
        with leases.lease() as one:
            one.hold([_BLOB])
            with leases.lease() as two:
                two.hold([_BLOB, _OTHER])
            assert _digests(leases) == {_BLOB.digest}


class raises:  # noqa: N801 - reads as the statement it is
    """Fail unless the block raises ``expected``."""

    def __init__(self, expected: type[Exception]) -> None:
        self._expected = expected

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        assert kind, f"{self._expected.__name__} was not raised"
        return issubclass(kind, self._expected)


class _Interruption(Exception):
    pass


def _write(store: BlobStore, descriptor: Descriptor, data: bytes) -> Descriptor:
    with store.ingest(descriptor) as ingest:
        ingest.write(data)
        return ingest.commit(descriptor.media_type)


def _ingest_as_second(store: BlobStore, outcome: list[str]) -> None:
    try:
        with store.ingest(_BLOB) as ingest:
            outcome.append(f"offset {ingest.offset}")
            ingest.write(_DATA[ingest.offset :])
            ingest.commit(_TYPE)
    except AlreadyExists:
        outcome.append("already exists")


def _digests(leases: Leases) -> set[Digest]:
    return {descriptor.digest for descriptor in leases.held()}
