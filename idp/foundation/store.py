"""Redis, as far as anything may depend on it: counts, small cached values, versions. Losing it loses speed only.

Every call takes 200 ms at most in all (R-06): one attempt, no retry (T26), and after a failure the breaker answers for
it at once. Every method answers `None` or nothing when Redis is unset, slow, full or gone; the caller goes to SQL.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

Answer = TypeVar("Answer")

CONNECT_SECONDS: Final = 0.05
ANSWER_SECONDS: Final = 0.15
BUDGET_SECONDS: Final = CONNECT_SECONDS + ANSWER_SECONDS
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 16.0
_PREFIX: Final = "credence:"

_log = logging.getLogger(__name__)


class Breaker:
    """Open after a failure for a while that doubles; when it is over exactly one caller tries again."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pause = 0.0
        self._open_until = 0.0

    def lets_through(self) -> bool:
        """Whether to try; a trial call keeps the others away until it is back."""
        with self._lock:
            if self._pause == 0.0:
                return True
            if self._clock() < self._open_until:
                return False
            self._open_until = self._clock() + self._pause
            return True

    def succeeded(self) -> None:
        self._pause = 0.0

    def failed(self) -> None:
        with self._lock:
            self._pause = min(self._pause * 2, LONGEST_PAUSE) or FIRST_PAUSE
            self._open_until = self._clock() + self._pause

    @property
    def open(self) -> bool:
        """Whether the last thing heard was a failure."""
        return self._pause > 0.0


class Store:
    """The one door to Redis; `Store(None)` is the door to nothing and always answers `None`."""

    def __init__(self, url: str | None, *, breaker: Breaker | None = None) -> None:
        self.breaker = breaker or Breaker()
        self._redis = None if url is None else _client(url)

    @property
    def configured(self) -> bool:
        """Whether there is a Redis at all."""
        return self._redis is not None

    def count(self, key: str, *, lifetime: timedelta) -> int | None:
        """Add one to `key`, which vanishes `lifetime` after its first count; the count, or `None`."""

        def ask(redis: "Redis") -> int:
            pipeline = redis.pipeline(transaction=True)
            pipeline.incr(_PREFIX + key)
            pipeline.expire(_PREFIX + key, max(1, int(lifetime.total_seconds())), nx=True)
            return int(pipeline.execute()[0])

        return self._try(ask)

    def get(self, key: str) -> bytes | None:
        """A cached value; `None` says nothing about whether there is one."""
        return self._try(lambda redis: cast("bytes | None", redis.get(_PREFIX + key)))

    def put(self, key: str, value: bytes, *, lifetime: timedelta) -> None:
        """Cache a value that can be computed again; never a secret, never a fact."""
        self._try(lambda redis: redis.set(_PREFIX + key, value, px=int(lifetime.total_seconds() * 1000)))

    def publish(self, topic: str, version: int) -> None:
        """Say that `topic` is at `version` now, so that other nodes look before their second is over."""
        self._try(lambda redis: redis.set(f"{_PREFIX}version:{topic}", version))

    def latest(self, topic: str) -> int | None:
        """The version last published: a hint to look in SQL, which alone says what the version is."""
        value = self._try(lambda redis: cast("bytes | None", redis.get(f"{_PREFIX}version:{topic}")))
        return int(value) if value is not None and value.isdigit() else None

    def alive(self) -> bool | None:
        """Whether Redis answers right now, breaker or not; `None` without one."""
        if self._redis is None:
            return None
        try:
            return bool(self._redis.ping())
        except (RedisError, OSError):
            return False

    def forget(self) -> None:
        """Close the breaker: for tests, which start Redis again."""
        self.breaker.succeeded()

    def _try(self, ask: Callable[["Redis"], Answer]) -> Answer | None:
        if self._redis is None or not self.breaker.lets_through():
            return None
        started = time.monotonic()
        try:
            answer = ask(self._redis)
        except (RedisError, OSError) as error:
            self._fail(type(error).__name__)
            return None
        if time.monotonic() - started > BUDGET_SECONDS:
            self._fail("slow")
        else:
            self.breaker.succeeded()
        return answer

    def _fail(self, reason: str) -> None:
        if not self.breaker.open:
            _log.warning("redis is not usable; SQL does its work", extra={"reason": reason})
        self.breaker.failed()


def _client(url: str) -> "Redis":
    options: dict[str, Any] = {"retry": Retry(NoBackoff(), 0), "socket_timeout": ANSWER_SECONDS}
    if not url.startswith("unix"):
        options["socket_connect_timeout"] = CONNECT_SECONDS
    return Redis.from_url(url, protocol=2, driver_info=None, health_check_interval=0, **options)
