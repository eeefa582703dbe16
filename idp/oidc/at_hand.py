"""What the event loop may know without asking anybody: clients, the system's epoch and keys, a second old at most.

Whoever looks while all of it is at hand makes sure that it stays so: a thread looks again before the second is over.
When it is too old nobody waits for the thread; the request takes the way on which each is read as it is now.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from idp.foundation import clock, epochs, house
from idp.foundation.database import looking_up
from idp.foundation.store import Store
from idp.keyring.service import Keyring
from idp.relying_parties import cache
from idp.relying_parties.cache import STALE_AFTER, Snapshot
from idp.relying_parties.rules import RelyingParty

RENEW_AFTER: Final = timedelta(milliseconds=400)
_NEVER: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
Run = Callable[[Callable[[], None]], object]


@dataclass(frozen=True, slots=True)
class Known:
    """Clients, disabled ones too, and the epoch that tokens are stamped with."""

    parties: Mapping[str, RelyingParty]
    system_epoch: int


@dataclass(frozen=True, slots=True)
class _Epoch:
    value: int = 0
    read_at: datetime = _NEVER

    def younger_than(self, age: timedelta, now: datetime) -> bool:
        return timedelta(0) <= now - self.read_at < age


class AtHand:
    """One process's; `run` is how it looks again, in a thread of its own unless a test says otherwise."""

    def __init__(self, app: Flask, *, run: Run | None = None) -> None:
        self._app = app
        self._run = run or ThreadPoolExecutor(1, thread_name_prefix="at-hand").submit
        self._renewing = threading.Lock()
        self._epoch = _Epoch()

    def at(self, now: datetime) -> Known | None:
        """All of it, if nothing of it is older than a second and the keys ask no file; never waits."""
        clients, epoch, settled = cache.current().held(now), self._epoch, house.get(Keyring).settled
        if (not settled or self._due(clients, epoch, now)) and self._renewing.acquire(blocking=False):
            self._run(self._renew)
        if clients is None or not epoch.younger_than(STALE_AFTER, now) or not settled:
            return None
        return Known(clients.parties, epoch.value)

    def _due(self, clients: Snapshot | None, epoch: _Epoch, now: datetime) -> bool:
        if clients is None or not epoch.younger_than(RENEW_AFTER, now):
            return True
        return now - clients.checked_at >= RENEW_AFTER or (clients.hears(now) and house.get(Store).configured)

    def _renew(self) -> None:
        """Look where it is time; the moment is taken before anything is read, so that nothing passes for younger."""
        try:
            with self._app.app_context():
                now = clock.now()
                house.get(Keyring).renew()
                clients = cache.current().held(now)
                if clients is None or now - clients.checked_at >= RENEW_AFTER:
                    cache.current().renew(now)
                else:
                    cache.current().at(now)  # asks the store for its hint
                if not self._epoch.younger_than(RENEW_AFTER, now):
                    with looking_up() as tx:
                        self._epoch = _Epoch(epochs.current(tx), now)
        except SQLAlchemyError:
            pass  # the database is away: what is at hand grows old, and requests that then ask for it say so
        finally:
            self._renewing.release()
