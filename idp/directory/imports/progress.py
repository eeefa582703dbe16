"""How far an import is, how fast it goes, and how long the rest will take."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import BinaryIO, Final

from idp.directory.imports.run import Report

EVERY: Final = timedelta(seconds=10)


class Progress:
    """Told after every batch; says something every ten seconds. Time left is by bytes, and unknown of standard input; of what
    ends after a full file it is by records."""

    def __init__(
        self,
        stream: BinaryIO,
        *,
        size: int | None,
        tell: Callable[[str], None],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._size, self._tell, self._ticks = stream, size, tell, ticks
        self._begun = self._last = ticks()
        self._read_by: float | None = None

    def __call__(self, report: Report) -> None:
        now = self._ticks()
        if report.leaving and self._read_by is None:
            self._read_by = now
        if now - self._last < EVERY.total_seconds():
            return
        self._last = now
        self._tell(self._reading(report, now) if self._read_by is None else self._ending(report, now - self._read_by))

    def _reading(self, report: Report, now: float) -> str:
        taken = now - self._begun
        line = f"{report.read:,} rows, {report.read / taken:,.0f} a second"
        if report.rejected:
            line += f", {report.rejected:,} refused"
        if self._size:
            done = min(self._stream.tell() / self._size, 1.0)
            line += f", {done:.0%}, {_left(taken, done)} left" if done else ""
        return line

    def _ending(self, report: Report, taken: float) -> str:
        done = report.ended / report.leaving
        line = f"{report.read:,} rows, {report.ended:,} of {report.leaving:,} ended"
        return f"{line}, {_left(taken, done)} left" if done else line


def _left(taken: float, done: float) -> timedelta:
    return timedelta(seconds=round(taken * (1 - done) / done))
