"""Failed logins, counted so that nobody can guess passwords quickly.

They are counted by the address they come from and by the name they try, whether a user of that
name exists or not. A failure is forgotten after a while; who has too many waits that long.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

from nacre.hub.addresses import counted_as
from nacre.hub.errors import TooManyRequests

_LONGEST = 64


class Attempts:
    """The failed logins of late, in this process.

    Args:
        now: the time, UTC.
        most: how many failures an address, or a name, may have within ``window``; 0 is any number.
        window: how long a failure counts.
        remembered: how many addresses and names are; the oldest are forgotten first.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        most: int = 20,
        window: timedelta = timedelta(minutes=1),
        remembered: int = 20_000,
    ) -> None:
        self._now = now
        self._most = most
        self._window = window
        self._remembered = remembered
        self._failures: OrderedDict[tuple[str, str], deque[datetime]] = OrderedDict()

    def check(self, address: str, user: str) -> None:
        """Return if a login may be tried.

        Raises:
            TooManyRequests: too many have failed.
        """
        now = self._now()
        for key in _keys(address, user):
            failures = self._recent(key, now)
            if self._most and len(failures) >= self._most:
                wait = (failures[0] + self._window - now).total_seconds()
                raise TooManyRequests("too many failed logins", retry_after=max(wait, 1.0))

    def failed(self, address: str, user: str) -> None:
        """Count a failure."""
        for key in _keys(address, user) if self._most else ():
            self._failures.setdefault(key, deque(maxlen=self._most)).append(self._now())
            self._failures.move_to_end(key)
        while len(self._failures) > self._remembered:
            self._failures.popitem(last=False)

    def succeeded(self, user: str) -> None:
        """Forget the failures of a name that has now shown its password."""
        self._failures.pop(("user", user[:_LONGEST]), None)

    def _recent(self, key: tuple[str, str], now: datetime) -> deque[datetime]:
        failures = self._failures.get(key)
        if failures is None:
            return deque()
        while failures and failures[0] + self._window <= now:
            failures.popleft()
        if not failures:
            del self._failures[key]
        return failures


def _keys(address: str, user: str) -> tuple[tuple[str, str], ...]:
    """Return what is counted; an unknown address is everybody's, so it is not."""
    named = ("user", user[:_LONGEST])
    return (("address", counted_as(address)), named) if address else (named,)
