"""How far an import is, how fast it goes, and how long the rest will take."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import BinaryIO, Final

from idp.directory.imports.run import Report

EVERY: Final = timedelta(seconds=10)


class Progress:
    """Told after every batch; says something every ten seconds. Time left is by bytes, and unknown of standard input."""

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

    def __call__(self, report: Report) -> None:
        now = self._ticks()
        if now - self._last < EVERY.total_seconds():
            return
        self._last = now
        taken = now - self._begun
        line = f"{report.read:,} rows, {report.read / taken:,.0f} a second"
        if report.rejected:
            line += f", {report.rejected:,} refused"
        if self._size:
            done = min(self._stream.tell() / self._size, 1.0)
            left = timedelta(seconds=round(taken * (1 - done) / done)) if done else None
            line += f", {done:.0%}, {left} left" if left is not None else ""
        self._tell(line)
