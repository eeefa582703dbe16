"""What one run of an import knows and counts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy.orm import Session

from idp.directory.imports.rules import Fault
from idp.foundation.origin import Origin
from idp.foundation.vault import SealingKeys

RowType = TypeVar("RowType")


@dataclass(slots=True)
class Report:
    """What was read, what changed, what was refused; `notes` counts what is worth knowing beside the rows."""

    format: str
    registry: str
    dry_run: bool
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    ended: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def changes(self) -> int:
        return self.added + self.changed + self.ended

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


@dataclass(frozen=True, slots=True)
class Run:
    """What every batch is told; with `dry` it only counts."""

    registry: str
    now: datetime
    actor: str
    origin: Origin
    vault: SealingKeys
    index: bytes = field(repr=False)
    dry: bool
    report: Report
    keep_reject: Callable[[Reject], None]

    @property
    def today(self) -> date:
        return self.now.date()

    def refuse(self, line: int, key: str, *faults: Fault) -> None:
        """Count a refused line and hand it to whoever keeps the rejects."""
        self.report.rejected += 1
        self.report.reasons.update(fault.value for fault in faults)
        self.keep_reject(Reject(line, key, faults))


class Format(Protocol, Generic[RowType]):
    """One kind of file: its columns, how a line is read, and how a batch of rows is taken in."""

    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def offers_full(self) -> bool: ...

    def parse(self, cells: Mapping[str, str]) -> RowType | tuple[Fault, ...]: ...

    def key(self, row: RowType) -> str:
        """What no two lines of a file may share."""
        ...

    def public_key(self, cells: Mapping[str, str]) -> str:
        """What names a line in the rejects: never a TIN, never a PIN, empty when it is malformed."""
        ...

    def take(self, tx: Session, batch: Sequence[tuple[int, RowType]], run: Run) -> None: ...

    def listed(self, tx: Session, registry: str) -> list[str]:
        """The numbers that count as on the roster now."""
        ...

    def end(self, tx: Session, numbers: Sequence[str], run: Run) -> None:
        """End what has left the file."""
        ...
