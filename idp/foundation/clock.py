"""The one place that asks what time it is; everything else takes `now` as an argument."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

log: Final = logging.getLogger(__name__)
_WORTH_TELLING: Final = timedelta(seconds=5)


class Forward:
    """The system's clock, save that it never goes back while this process lives (R-19).

    A step back would bring to life again what has expired meanwhile: sessions, codes, links. After one, time goes on from
    where it was, by the monotonic clock, until the system's clock has caught up. A new process goes on from the newest moment
    that the database holds (`foundation.timekeeping`).
    """

    def __init__(
        self, *, wall: Callable[[], datetime] | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall or _system
        self._monotonic = monotonic
        self._last = (self._wall(), monotonic())
        self._told = False

    def __call__(self) -> datetime:
        passed, wall = self._monotonic(), self._wall()
        moment, at = self._last
        expected = moment + timedelta(seconds=passed - at)
        if wall >= expected:
            self._last, self._told = (wall, passed), False
            return wall
        if not self._told and expected - wall > _WORTH_TELLING:
            self._told = True
            log.error("the system's clock went back; expired things stay expired: set it right and restart")
        return expected

    def begin_anew(self) -> None:
        """Believe the system's clock, whatever it showed before."""
        self._last = (self._wall(), self._monotonic())

    def not_before(self, moment: datetime) -> None:
        """Go on from a moment that an earlier process has seen, where the system's clock stands before it."""
        behind = moment - self()
        if behind <= timedelta(0):
            return
        self._last = (moment, self._monotonic())
        if behind > _WORTH_TELLING:
            self._told = True
            told = "the system's clock stands before what the database holds; time goes on from there: set it right and restart"
            log.error(told)


def _system() -> datetime:
    return datetime.now(UTC)


_forward: Final = Forward()
_read: Callable[[], datetime] = _forward


def now() -> datetime:
    """The present moment, aware, in UTC. Called by views, commands and the worker only."""
    return _read()


def begin_anew() -> None:
    """Believe the system's clock as it stands, in a process that has judged nothing by it yet."""
    _forward.begin_anew()


def not_before(moment: datetime) -> None:
    """Keep this process's clock from standing before that moment; a test's clock stays where it is."""
    _forward.not_before(moment)


def set_reader(read: Callable[[], datetime] | None) -> None:
    """Let a test turn the hands of the clock; `None` gives the system's back."""
    global _read
    _read = read or _forward
