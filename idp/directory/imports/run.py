"""What one run of an import knows and counts."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from idp.directory.changed import DirectoryChange
from idp.directory.imports.rules import Fault
from idp.foundation.origin import Origin
from idp.foundation.vault import SealingKeys

KEPT_REJECTS: Final = 1_000_000
"""Of one run for the console: a file of eight million wrong lines fills no disk."""
KEPT_FOR: Final = timedelta(days=90)
"""After the import began; then `idp sweep` deletes them. The counts by reason stay with the run."""


class Outcome(StrEnum):
    """How a run has ended; one that was killed has none."""

    COMPLETED = "completed"
    BAD_FILE = "bad_file"
    DECLINED = "declined"
    """All rows were taken; what has left a full file was not ended, for nobody said yes."""
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class Declined(Exception):
    """Nobody said yes to what a full file would end; nothing has."""


@dataclass(slots=True)
class Report:
    """What was read, what changed, what was refused; `notes` counts what is worth knowing beside the rows."""

    format: str
    registry: str
    dry_run: bool
    read: int = 0
    line: int = 0
    """The last one that was read."""
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    ended: int = 0
    leaving: int = 0
    """So many are ending, since somebody said yes; it says how far that is, and is no part of the result."""
    rejected: int = 0
    nameless: int = 0
    """Refused lines of which nobody can say for sure whom they name: what a full file ends may stand in one of them."""
    formula: "Reject | None" = None
    """The first that was refused for one: the rest is taken, and whoever typed the command must see it."""
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def changes(self) -> int:
        return self.added + self.changed + self.ended

    def take_back(self, before: "Report") -> None:
        """A batch was undone: nothing of it was added, changed or ended. What was read and refused was."""
        self.added, self.changed, self.unchanged = before.added, before.changed, before.unchanged
        self.ended, self.notes = before.ended, before.notes

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the row of the run."""
        return {
            "format": self.format,
            "registry": self.registry,
            "dry_run": self.dry_run,
            "read": self.read,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "ended": self.ended,
            "rejected": self.rejected,
            "reasons": dict(sorted(self.reasons.items())),
            "notes": dict(sorted(self.notes.items())),
        }


@dataclass(frozen=True, slots=True)
class Reject:
    """A refused line. `key` is the row's public number where it is a valid one, else empty."""

    line: int
    key: str
    faults: tuple[StrEnum, ...]
    number: int = 0
    """Of the refusals of a run the first is 1: many may stand on one line."""
    place: str = ""
    """Which of them it is then, in words: the entry, and what FHIR calls its resource."""


class Room:
    """Time for others between two batches, where the database has one writer.

    Whoever waits for SQLite looks again after pauses that grow with how long they have waited (`sqliteDefaultBusyCallback`).
    So each of them has looked once when the lock is left for the longest pause of somebody who has waited as long as the
    batch held it. A file that is parsed takes about as long between its batches, what ends after a full one does not.
    """

    PAUSES: Final = ((0.128, 0.025), (0.228, 0.05))
    """Up to so many seconds of waiting, nobody pauses for longer."""
    LONGEST: Final = 0.1
    SLACK: Final = 0.005
    """For a clock that ticks, and a process that has to wake."""

    def __init__(
        self, *, ticks: Callable[[], float] = time.monotonic, wait: Callable[[float], object] = time.sleep
    ) -> None:
        self._ticks, self._wait = ticks, wait
        self._begun = 0.0
        self._until: float | None = None

    def left(self, dialect: str) -> None:
        """A batch is over on this kind of database."""
        self._until = None
        if dialect == "sqlite":
            over = self._ticks()
            self._until = over + self.needed(over - self._begun)

    def leave(self) -> None:
        """Before the next begins: wait for what is missing of the time that is needed."""
        missing = 0.0 if self._until is None else self._until - self._ticks()
        if missing > 0:
            self._wait(missing)
        self._begun = self._ticks()

    def needed(self, held: float) -> float:
        """How long the lock is left after it was held for so long."""
        return self.SLACK + next((pause for waited, pause in self.PAUSES if held <= waited), self.LONGEST)


@dataclass(frozen=True, slots=True)
class Run:
    """What every batch is told; with `dry` it only counts."""

    registry: str
    begun: datetime
    actor: str
    origin: Origin
    vault: SealingKeys
    index: bytes = field(repr=False)
    dry: bool
    report: Report
    keep_reject: Callable[[Reject], None]
    rejects: list[Reject] = field(default_factory=list)
    """Of the batch at hand, for the console; kept in its transaction."""
    changes: list[DirectoryChange] = field(default_factory=list)
    """What the batch at hand changes that others hang on; told before it is committed."""
    words: set[str] = field(default_factory=set)
    """Words of names that are in the vocabulary for sure."""
    room: Room = field(default_factory=Room)
    read_clock: Callable[[], datetime] | None = None
    """Without one, all happens at the moment when it began."""
    moment: list[datetime] = field(default_factory=list)
    passing: dict[bytes, UUID] = field(default_factory=dict)
    """Practices that a dry run would have made, by the index of their TIN."""

    @property
    def now(self) -> datetime:
        """When the batch at hand began: an import may take an hour, and access is given meanwhile."""
        return self.moment[-1] if self.moment else self.begun

    @property
    def today(self) -> date:
        """The day on which it began, for all of its rows."""
        return self.begun.date()

    @property
    def day(self) -> date:
        """The day on which the batch at hand began: what others are told goes by it, as what they read does."""
        return self.now.date()

    def tick(self) -> None:
        """Another batch begins now."""
        if self.read_clock is not None:
            self.moment[:] = [self.read_clock()]

    def refuse(self, line: int, key: str, *faults: Fault, place: str = "") -> None:
        """Count a refused line and hand it to whoever keeps the rejects."""
        self.report.rejected += 1
        self.report.reasons.update(fault.value for fault in faults)
        reject = Reject(line, key, faults, self.report.rejected, place)
        if Fault.FORMULA in faults and self.report.formula is None:
            self.report.formula = reject
        if self.report.rejected <= KEPT_REJECTS:
            self.rejects.append(reject)
        self.keep_reject(reject)
