"""How much more comes out of compressed streams than went in: of archive bombs, far too much."""

from __future__ import annotations

from _thread import allocate_lock  # threading takes a while to import

from nacre.layers.errors import LayerLimit


class Growth:
    """How far streams grow beyond what is usual, all together; safe for threads.

    Args:
        ratio: bytes of output for a byte of input that nobody minds. (Zeros reach 1032 in gzip,
            far more in zstd.)
        grace: most bytes beyond that, of all streams together.
    """

    def __init__(self, ratio: float, grace: int) -> None:
        self.ratio = ratio
        self._grace = grace
        self._excess = 0.0
        self._lock = allocate_lock()

    def add(self, excess: float) -> None:
        """Count bytes beyond the ratio.

        Raises:
            LayerLimit: there are too many by now.
        """
        with self._lock:
            self._excess += excess
            if self._excess > self._grace:
                raise LayerLimit(
                    f"it grows to more than {self.ratio} times its size "
                    f"and {self._grace} bytes beyond that",
                    limit="ratio",
                    maximum=self.ratio,
                )
