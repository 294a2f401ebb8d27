"""The contract suite of places for the bytes of blobs."""

from __future__ import annotations

from nacre.errors import NotFound
from nacre.hub.registry.byteplace import BytePlace
from nacre.testing.contracts import raises

_DATA = bytes(range(256)) * 5000


class BytePlaceContract:
    """What a `BytePlace` promises; ``place`` is an empty one."""

    def test_keys_are_never_the_same_and_safe(self, place: BytePlace) -> None:
        keys = {place.new_key() for _ in range(1000)}
        assert len(keys) == 1000
        assert all(".." not in key and not key.startswith("/") for key in keys)

    def test_a_new_key_has_no_bytes(self, place: BytePlace) -> None:
        key = place.new_key()
        with raises(NotFound):
            place.open(key)
        assert list(place) == []

    def test_bytes_are_appended_part_by_part(self, place: BytePlace) -> None:
        key = place.new_key()
        for start in range(0, len(_DATA), 300_000):
            with place.append(key, start) as writing:
                for inner in range(start, min(start + 300_000, len(_DATA)), 70_000):
                    end = min(inner + 70_000, start + 300_000)
                    writing.write(memoryview(_DATA)[inner:end])
        place.seal(key)
        assert _read(place, key) == _DATA

    def test_what_lies_beyond_the_offset_is_cut_off(self, place: BytePlace) -> None:
        key = place.new_key()
        _write(place, key, b"0123456789")
        with place.append(key, 4) as writing:
            writing.write(bytearray(b"ab"))
        assert _read(place, key) == b"0123ab"
        with place.append(key, 2):
            pass
        assert _read(place, key) == b"01"

    def test_a_part_that_broke_off_does_no_harm(self, place: BytePlace) -> None:
        key = place.new_key()
        _write(place, key, b"0123")
        with raises(_BrokeOff), place.append(key, 4) as writing:
            writing.write(b"half")
            raise _BrokeOff
        with place.append(key, 4) as writing:
            writing.write(b"whole")
        assert _read(place, key) == b"0123whole"

    def test_lost_bytes_are_noticed(self, place: BytePlace) -> None:
        key = place.new_key()
        with raises(NotFound), place.append(key, 1):
            pass
        _write(place, key, b"0123")
        with raises(NotFound), place.append(key, 5):
            pass
        assert _read(place, key) == b"0123"

    def test_an_empty_key_comes_to_be_by_sealing(self, place: BytePlace) -> None:
        key = place.new_key()
        place.seal(key)
        place.seal(key)
        assert _read(place, key) == b""
        assert [(kept.key, kept.size) for kept in place] == [(key, 0)]

    def test_bytes_can_be_read_from_anywhere(self, place: BytePlace) -> None:
        key = place.new_key()
        _write(place, key, _DATA)
        place.seal(key)
        with place.open(key) as stream:
            stream.seek(1000)
            assert stream.read(10) == _DATA[1000:1010]
            stream.seek(-5, 2)
            assert stream.read() == _DATA[-5:]

    def test_the_size_of_a_key_is_how_many_bytes_it_has(self, place: BytePlace) -> None:
        key = place.new_key()
        assert place.size(key) is None
        _write(place, key, b"0123")
        assert place.size(key) == 4
        place.delete([key])
        assert place.size(key) is None

    def test_a_place_that_is_there_is_fine(self, place: BytePlace) -> None:
        place.check()

    def test_a_file_holds_just_the_bytes(self, place: BytePlace) -> None:
        key = place.new_key()
        _write(place, key, _DATA)
        place.seal(key)
        path = place.path(key)
        assert path is None or path.read_bytes() == _DATA

    def test_deleted_bytes_are_gone_but_for_who_reads_them(self, place: BytePlace) -> None:
        keys = [place.new_key() for _ in range(3)]
        for key in keys:
            _write(place, key, b"data")
            place.seal(key)
        with place.open(keys[0]) as stream:
            assert list(place.delete(keys[:2])) == []
            assert stream.read() == b"data"
        for key in keys[:2]:
            with raises(NotFound):
                place.open(key)
        assert _read(place, keys[2]) == b"data"

    def test_deleting_what_is_gone_is_fine(self, place: BytePlace) -> None:
        key = place.new_key()
        assert list(place.delete([key])) == []
        _write(place, key, b"data")
        for _ in range(2):
            assert list(place.delete([key])) == []

    def test_all_keys_with_bytes_can_be_gone_through(self, place: BytePlace) -> None:
        sizes = {place.new_key(): size for size in range(1, 50)}
        for key, size in sizes.items():
            _write(place, key, bytes(size))
        assert {kept.key: kept.size for kept in place} == sizes
        assert all(kept.written_at.utcoffset() is not None for kept in place)


class _BrokeOff(Exception):
    pass


def _write(place: BytePlace, key: str, data: bytes) -> None:
    with place.append(key, 0) as writing:
        writing.write(data)


def _read(place: BytePlace, key: str) -> bytes:
    with place.open(key) as stream:
        return stream.read()
