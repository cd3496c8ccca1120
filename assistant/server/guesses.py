"""How often somebody may be wrong about a password or a token, whichever door they try.

All wrong guesses of an address count together, those of a minute: with five of them the address
waits, whatever it brings, and so it learns nothing. All addresses together have a limit of their
own, for who has many. The same wrong secret again is no new guess: a program with an old token
does not shut its neighbours out.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable

__all__ = ["Guesses", "digest"]

_SALT = secrets.token_bytes(32)


def digest(text: str) -> bytes:
    """What stands for a secret in memory, and is compared."""
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), key=_SALT).digest()


class Guesses:
    """Wrong guesses of the last ``window`` seconds.

    Args:
        each: that an address may make before it waits.
        together: that all may make before all wait.
        clock: seconds, for the tests.
    """

    _MOST_ADDRESSES = 10_000

    def __init__(
        self,
        *,
        each: int = 5,
        together: int = 100,
        window: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._each, self._together, self._window, self._clock = each, together, window, clock
        self._of: OrderedDict[str, deque[tuple[float, bytes]]] = OrderedDict()
        self._all: deque[float] = deque()

    def wait(self, address: str) -> float:
        """Seconds until ``address`` may guess again; 0: now."""
        now = self._clock()
        own = self._current(_network(address), now)
        times = []
        if len(own) >= self._each:
            times.append(own[-self._each][0])
        while self._all and self._all[0] <= now - self._window:
            self._all.popleft()
        if len(self._all) >= self._together:
            times.append(self._all[-self._together])
        return max((began + self._window - now for began in times), default=0.0)

    def wrong(self, address: str, guess: bytes) -> bool:
        """Counts a wrong guess; False: it is one that was made before."""
        now, network = self._clock(), _network(address)
        own = self._current(network, now)
        if any(made == guess for _, made in own):
            return False
        own.append((now, guess))
        self._all.append(now)
        self._of[network] = own
        self._of.move_to_end(network)
        while len(self._of) > self._MOST_ADDRESSES:
            self._of.popitem(last=False)
        return True

    def _current(self, network: str, now: float) -> deque[tuple[float, bytes]]:
        own = self._of.get(network, deque())
        while own and own[0][0] <= now - self._window:
            own.popleft()
        if not own:
            self._of.pop(network, None)
        return own


def _network(address: str) -> str:
    """The address; of IPv6 the 64 bits that one customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:60]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
