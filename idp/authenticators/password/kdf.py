"""argon2id behind a bounded semaphore: so many hashes at a time, so many waiting, nobody for long (RX-02, R-31).

Called in no transaction. Every check costs one hash, whether or not there is an account, so work tells nothing
(SI-01, SI-02). The one exception is a hash that was imported and not yet used: it costs its own bounded work, in the
same turn, until the first right password puts argon2id in its place (docs/operations.md says what that tells whom).
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

from idp.authenticators.password import foreign
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

        An empty or unknown digest never matches (SI-18); a right one of another system is outdated by nature.
        """
        with self._turn() as mine:
            if not mine:
                return Refused(Reason.BUSY)
            return self._hashing.submit(self._compare, _bytes(plain), digest or "").result()

    def adopt(self, old: str) -> str | Refused:
        """How a hash of another system is stored: as it came, or under argon2id where it is too fast to be kept."""
        read = foreign.read(old)
        if isinstance(read, foreign.Slow):
            return old
        if isinstance(read, Refused):
            return read
        over = self.digest(Secret(read.inner))
        return over if isinstance(over, Refused) else read.wrapped(over)

    def _compare(self, plain: bytes, digest: str) -> Verdict:
        if digest.startswith("$argon2id$"):
            right = self._verify(digest, plain)
            return Verdict(right, outdated=right and self._hasher.check_needs_rehash(digest))
        wrapped = foreign.under_argon2(digest, plain)
        if wrapped is not None:
            inner, argon2id = wrapped
            right = self._verify(argon2id, inner)
            return Verdict(right, outdated=right)
        read = foreign.read(digest)
        if isinstance(read, foreign.Slow):
            right = read.matches(plain)
            return Verdict(right, outdated=right)
        self._verify(self._dummy, plain)
        return Verdict(False)

    def _verify(self, digest: str, plain: bytes) -> bool:
        with suppress(VerificationError, InvalidHashError):
            return self._hasher.verify(digest, plain)
        return False

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
