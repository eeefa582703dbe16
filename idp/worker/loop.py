"""The worker's day: what is due at once, heads and clearing up each minute; nothing that a failure or a backlog could stop."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from idp.audit import service as audit
from idp.audit.exported import write_heads
from idp.audit.rules import Link
from idp.foundation import epochs
from idp.foundation.database import reading, writing
from idp.worker.service import Ports, work_once
from idp.worker.sweep import Batch, batches

IDLE_SECONDS: Final = 0.5
AFTER_FAILURE_SECONDS: Final = 5.0
CHORES_EVERY: Final = timedelta(minutes=1)
MOST_BATCHES: Final = 20
"""Of one kind in one minute's clearing up: the next must not wait long for it, since some of it is awaited by people."""
HEADS_FILE: Final = "audit-heads.jsonl"
_log = logging.getLogger(__name__)


@dataclass
class Worker:
    """One worker; `stop.set()` lets it finish what it has leased and go."""

    ports: Ports
    data_dir: Path
    read_clock: Callable[[], datetime]
    stop: threading.Event = field(default_factory=threading.Event)
    read_timer: Callable[[], float] = time.monotonic
    _chores_at: datetime | None = None
    _exported: list[Link] = field(default_factory=list)
    _sweeping: Iterator[Batch] | None = None
    _rests_until: float = 0.0

    def run(self) -> None:
        """Work until stopped. A database that is away is waited for."""
        while not self.stop.is_set():
            try:
                self._chores_if_due()
                self._sweep_on()
                pause = 0.0 if work_once(ports=self.ports, read_clock=self.read_clock) else self._idle_for()
            except Exception:
                _log.exception("the worker failed and goes on")
                pause = AFTER_FAILURE_SECONDS
            self.stop.wait(pause)

    def run_until_idle(self) -> int:
        """Do all that is due now; says how many rows that were."""
        done = 0
        while not self.stop.is_set() and (step := work_once(ports=self.ports, read_clock=self.read_clock)):
            done += step
        return done

    def _chores_if_due(self) -> None:
        now = self.read_clock()
        if self._chores_at is None or now >= self._chores_at:
            self._chores_at = now + CHORES_EVERY
            with writing() as tx:
                epochs.see(tx, now=now)
            self.export_heads(now=now)
            if self._sweeping is None:
                self._sweeping = batches(now=now, most=MOST_BATCHES)

    def _sweep_on(self) -> None:
        """One batch of the clearing up; then messages have at least as long as it took, and others the pause that it asks."""
        if self._sweeping is None or self.read_timer() < self._rests_until:
            return
        began = self.read_timer()
        batch = next(self._sweeping, None)
        if batch is None:
            self._sweeping = None
        else:
            ended = self.read_timer()
            self._rests_until = ended + max(batch.pause, ended - began)

    def _idle_for(self) -> float:
        """With nothing to send: until the next batch, or for a moment."""
        if self._sweeping is None:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, max(0.0, self._rests_until - self.read_timer()))

    def export_heads(self, *, now: datetime) -> None:
        """Write down the heads that moved since the last time (AU-03)."""
        with reading() as tx:
            heads = audit.heads(tx)
        moved = [head for head in heads if head not in self._exported]
        if moved:
            write_heads(self.data_dir / HEADS_FILE, moved, now=now)
            self._exported = heads
