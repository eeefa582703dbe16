"""How many threads of one process may wait for upstream providers: pages that need nobody else share them (R-17)."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from idp.foundation import house

ALL: Final = 4
"""Of all providers: fewer than the threads that pages have beyond their hashing (`idp.foundation.bridge`)."""
ONE: Final = 3
"""Of one provider: one that hangs does not stop the others."""


class Patience:
    """Turns to wait; found by `house.get_or_make`."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._mine = threading.local()

    @contextmanager
    def turn(self, issuer: str) -> Iterator[bool]:
        """Whether this thread may wait for that provider now; one that waits already goes on by the turn it has."""
        if getattr(self._mine, "has", False):
            yield True
            return
        if not self._taken(issuer):
            yield False
            return
        self._mine.has = True
        try:
            yield True
        finally:
            self._mine.has = False
            with self._guard:
                self._waiting -= Counter([issuer])

    def _taken(self, issuer: str) -> bool:
        with self._guard:
            if self._waiting.total() >= ALL or self._waiting[issuer] >= ONE:
                return False
            self._waiting[issuer] += 1
            return True


def patience() -> Patience:
    """The running application's."""
    return house.get_or_make(Patience)
