"""argon2id behind a bounded semaphore: so many hashes at a time, so many waiting, nobody for long (RX-02, R-31).

Called in no transaction. Every check costs one hash, whether or not there is an account, so work tells nothing
(SI-01, SI-02).
"""

import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from idp.authenticators.password.rules import Reason
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

WAIT: Final = timedelta(seconds=5)
"""Longest a request waits for its turn before it is told to come back."""
RETRY_AFTER: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password was right, and whether its digest was made with other parameters than today's."""

    right: bool
    outdated: bool = False


class Kdf:
    """One process's password hashing. `made` counts computed hashes; tests judge work by it (ruling 12)."""

    def __init__(
        self,
        *,
        memory_kib: int,
        time_cost: int,
        parallelism: int,
        concurrency: int,
        queue: int,
        wait: timedelta = WAIT,
    ) -> None:
        self._hasher = PasswordHasher(
            time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism, type=Type.ID
        )
        # Threads of its own: the allocator keeps one hash's memory for every thread that ever hashed.
        self._hashing = ThreadPoolExecutor(concurrency, thread_name_prefix="kdf")
        self._slots = threading.BoundedSemaphore(concurrency)
        self._places = threading.BoundedSemaphore(concurrency + queue)
        self._wait = wait.total_seconds()
        self._count = threading.Lock()
        self.made = 0
        self._dummy = self._hasher.hash(secrets.token_urlsafe(32))

    @classmethod
    def by(cls, settings: Settings) -> "Kdf":
        """As the operator set it."""
        return cls(
            memory_kib=settings.password_memory_kib,
            time_cost=settings.password_time_cost,
            parallelism=settings.password_parallelism,
            concurrency=settings.kdf_concurrency,
            queue=settings.kdf_queue,
        )

    def digest(self, plain: Secret) -> str | Refused:
        """A new digest in PHC form; `Refused(BUSY)` when too many wait already."""
        with self._turn() as mine:
            return self._hashing.submit(self._hasher.hash, _bytes(plain)).result() if mine else Refused(Reason.BUSY)

    def check(self, plain: Secret, *, digest: str | None) -> Verdict | Refused:
        """Compare with `digest`; without one (no account, no password) the same work is done for nothing.

        An empty or foreign digest never matches (SI-18).
        """
        with self._turn() as mine:
            if not mine:
                return Refused(Reason.BUSY)
            real = digest is not None and digest.startswith("$argon2id$")
            right = False
            with suppress(VerificationError, InvalidHashError):
                compared = digest if real and digest else self._dummy
                right = self._hashing.submit(self._hasher.verify, compared, _bytes(plain)).result()
        if not (right and real) or digest is None:
            return Verdict(False)
        return Verdict(True, outdated=self._hasher.check_needs_rehash(digest))

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        if not self._places.acquire(blocking=False):
            yield False
            return
        try:
            if not self._slots.acquire(timeout=self._wait):
                yield False
                return
            try:
                with self._count:
                    self.made += 1
                yield True
            finally:
                self._slots.release()
        finally:
            self._places.release()


def _bytes(plain: Secret) -> bytes:
    return plain.reveal().encode("utf-8", "surrogatepass")
