"""The whole file is read and checked before anything is written: lines that belong together become one person."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.directory.imports.files import Line, Lines
from idp.directory.imports.run import Reject
from idp.provisioning.people.rules import (
    PERSON_COLUMNS,
    Access,
    Fault,
    Person,
    PortalTerms,
    access_row,
    person_row,
)

TOGETHER = 50
"""People whom one transaction takes in, more where they share an e-mail address."""


@dataclass(slots=True)
class Report:
    """What was read, what changed, what was refused; `notes` counts what is worth knowing beside the people."""

    dry_run: bool
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the audit."""
        counts = {name: getattr(self, name) for name in ("read", "added", "changed", "unchanged", "rejected")}
        notes = {name: count for name, count in sorted(self.notes.items()) if count}
        return {"dry_run": self.dry_run, **counts, "reasons": dict(sorted(self.reasons.items())), "notes": notes}


@dataclass(slots=True)
class Entry:
    """One login of one portal with every access that the file gives it, each with its line."""

    person: Person
    lines: list[int]
    access: list[tuple[int, Access]] = field(default_factory=list)


@dataclass(slots=True)
class Intake:
    """One run: what the portals say, what was counted, and who keeps the rejects."""

    portals: Mapping[str, PortalTerms]
    report: Report
    keep_reject: Callable[[Reject], None]

    def refuse(self, line: int, key: str, *faults: Fault) -> None:
        """Count a refused line and hand it on."""
        self.report.rejected += 1
        self.report.reasons.update(fault.value for fault in faults)
        self.keep_reject(Reject(line, key, faults))


def entries(lines: Lines, intake: Intake) -> list[Entry]:
    """Everybody in the file. Raises `BadFile` where it cannot be read to its end."""
    found: dict[tuple[str, str], _Seen] = {}
    for line in lines:
        intake.report.read += 1
        said = _read(line, intake)
        if isinstance(said, tuple):
            intake.refuse(line.number, "", *said)
            continue
        first = _Seen(Entry(said.person, []), said.cells)
        fault = found.setdefault(said.person.identity, first).add(line.number, said)
        if fault is not None:
            intake.refuse(line.number, said.person.named, fault)
    return [seen.entry for seen in found.values()]


def batches(every: list[Entry]) -> Iterator[list[Entry]]:
    """In the order of e-mail addresses, so that all who share one are decided on in one transaction."""
    batch: list[Entry] = []
    for entry in sorted(every, key=lambda each: (each.person.email_key, each.lines[0])):
        if len(batch) >= TOGETHER and batch[-1].person.email_key != entry.person.email_key:
            yield batch
            batch = []
        batch.append(entry)
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class _Said:
    person: Person
    access: Access | None
    cells: tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    entry: Entry
    cells: tuple[str, ...]
    targets: set[object] = field(default_factory=set)

    def add(self, number: int, said: _Said) -> Fault | None:
        target = (said.access.kind, said.access.number) if said.access is not None else None
        if self.cells != said.cells:
            return Fault.PERSON_DIFFERS
        if target in self.targets:
            return Fault.DUPLICATE
        self.targets.add(target)
        self.entry.lines.append(number)
        if said.access is not None:
            self.entry.access.append((number, said.access))
        return None


def _read(line: Line, intake: Intake) -> _Said | tuple[Fault, ...]:
    cells = line.cells
    if cells is None:
        return (Fault.COLUMN_COUNT,)
    person = person_row(cells, portals=intake.portals)
    terms = intake.portals.get(cells["portal"])
    access = access_row(cells, terms=terms) if terms is not None else None
    if isinstance(person, tuple) or isinstance(access, tuple):
        return (*(person if isinstance(person, tuple) else ()), *(access if isinstance(access, tuple) else ()))
    return _Said(person, access, tuple(cells[column] for column in PERSON_COLUMNS))
