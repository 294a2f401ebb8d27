"""`copy`: a failure ends the whole, at once, and tells which side it was."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import BinaryIO

import pytest

from nacre.content.store import BlobNotFound
from nacre.content.target import Content, OnBytes, Placed
from nacre.errors import Unavailable
from nacre.oci.descriptor import Descriptor
from nacre.testing.builders import Content as Made
from nacre.testing.builders import an_image
from nacre.testing.targets import Shelf
from nacre.transports.copy import copy
from nacre.transports.sides import DESTINATION, SOURCE
from nacre.transports.stored import StoredImages
from tests.unit.transports.copies import (
    Recording,
    layers_of,
    memory,
)


class Failing(Shelf):
    """A source one of whose layers fails, once the others have begun and never end."""

    def __init__(self, image: Made, fail: Callable[[], None], *, began: int) -> None:
        super().__init__(image)
        self._failing = layers_of(image)[0].digest
        self._slow = {each.digest for each in layers_of(image)[1 : 1 + began]}
        self._began = threading.Barrier(began + 1, timeout=60)
        self._fail = fail

    def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
        if descriptor.digest in self._slow:
            return Endless(self._began)  # type: ignore[return-value]
        if descriptor.digest == self._failing:
            self._began.wait()
            self._fail()
        return super().stream(descriptor, offset)


class Endless:
    """A stream whose end only the one who reads can decide."""

    def __init__(self, began: threading.Barrier) -> None:
        self._began: threading.Barrier | None = began

    def read(self, size: int = -1) -> bytes:
        if self._began is not None:
            self._began.wait()
            self._began = None
        return b"\0"

    def close(self) -> None:
        pass


class TestFailure:
    image = an_image([bytes([each]) * 1_000_000 for each in range(6)], compressed=False)

    def copy(self, fail: Callable[[], None]) -> tuple[Failing, StoredImages]:
        source, target = Failing(self.image, fail, began=2), memory()
        copy(source, "one", target, "two", jobs=3)
        return source, target

    def test_the_first_failure_ends_the_rest_and_is_raised_as_it_was(self) -> None:
        failure = Unavailable("the line is dead", remedy="mend it")

        def fail() -> None:
            raise failure

        with pytest.raises(Unavailable) as caught:
            self.copy(fail)
        assert caught.value is failure
        assert not working()

    def test_what_waits_is_not_begun(self) -> None:
        def fail() -> None:
            raise Unavailable("the line is dead")

        source, target = Failing(self.image, fail, began=2), memory()
        with pytest.raises(Unavailable):
            copy(source, "one", target, "two", jobs=3)
        later = {each.digest for each in layers_of(self.image)[3:]}
        assert not later & set(source.opened)
        assert list(target.names()) == []

    def test_an_interrupt_ends_everything(self) -> None:
        main = threading.main_thread().ident
        assert main is not None
        forever = threading.Event()

        def interrupt() -> None:
            signal.pthread_kill(main, signal.SIGINT)
            forever.wait(0.05)

        source = Failing(self.image, interrupt, began=2)
        # The layer that interrupts goes on as if nothing had happened; the others never end.
        with pytest.raises(KeyboardInterrupt):
            copy(source, "one", memory(), "two", jobs=3)
        assert not working()

    def test_an_error_says_that_the_source_failed(self) -> None:
        image = an_image()
        with pytest.raises(BlobNotFound) as caught:
            copy(Shelf(image, without={layers_of(image)[0].digest: 0}), "one", memory(), "two")
        assert caught.value.__notes__ == [SOURCE]

    def test_an_error_says_that_the_destination_failed(self) -> None:
        class Full(Recording):
            def put(self, descriptor: Descriptor, content: Content, on_bytes: OnBytes) -> Placed:
                raise Unavailable("no space left")

        with pytest.raises(Unavailable) as caught:
            copy(Shelf(an_image()), "one", Full(), "two")
        assert caught.value.__notes__ == [DESTINATION]

    def test_a_failure_while_reading_is_the_sources_though_the_target_reads(self) -> None:
        class Broken(Shelf):
            def stream(self, descriptor: Descriptor, offset: int = 0) -> BinaryIO:
                if descriptor in layers_of(an_image()):
                    return BreaksOff()  # type: ignore[return-value]
                return super().stream(descriptor, offset)

        class BreaksOff(Endless):
            def __init__(self) -> None:
                pass

            def read(self, size: int = -1) -> bytes:
                raise Unavailable("connection lost")

        with pytest.raises(Unavailable) as caught:
            copy(Broken(an_image()), "one", memory(), "two")
        assert caught.value.__notes__ == [SOURCE]


def working() -> list[threading.Thread]:
    """Return the threads of crews that are still there."""
    return [each for each in threading.enumerate() if each.name == "nacre-copy"]
