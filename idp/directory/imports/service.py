"""One run of an import: batches of a thousand rows, each its own transaction; the run itself is audited once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, BinaryIO, Final
from uuid import UUID

from sqlalchemy import Table, insert, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory.imports.files import BadFile, Lines
from idp.directory.imports.pin_letters import PinLetters
from idp.directory.imports.provider_master import ProviderMaster
from idp.directory.imports.rules import Fault
from idp.directory.imports.run import Format, Reject, Report, Run
from idp.directory.imports.trading_partners import TradingPartners
from idp.directory.models import ImportRun
from idp.foundation import house
from idp.foundation.database import new_id, reading, writing
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring

BATCH: Final = 1000
FORMATS: Final[Mapping[str, Format[Any]]] = {
    known.name: known for known in (ProviderMaster(), TradingPartners(), PinLetters())
}
_runs: Table = ImportRun.__table__  # type: ignore[assignment]

Confirm = Callable[[int, int], bool]
"""Asked with how many would end and how many are listed; `False` leaves them."""


def run_import(
    stream: BinaryIO,
    *,
    name: str,
    format_name: str,
    registry: str,
    now: datetime,
    actor: str,
    origin: Origin,
    dry_run: bool = False,
    full: Confirm | None = None,
    keep_reject: Callable[[Reject], None] = lambda _reject: None,
) -> Report:
    """Take a file in. Raises `BadFile` where it cannot be read on: earlier batches stay, nothing of this one does.

    The same file again changes nothing. With `full`, what is listed and not in the file ends, if `full` says so.
    """
    keyring = house.get(Keyring)
    report = Report(format_name, registry, dry_run)
    run = Run(registry, now, actor, origin, keyring.vault, keyring.index, dry_run, report, keep_reject)
    kind = FORMATS[format_name]
    started = _begin(run, name=name)
    outcome = "bad_file"
    try:
        seen = _take_all(kind, Lines(stream, name=name, columns=kind.columns), run)
        if full is not None:
            _end_missing(kind, seen, run, confirm=full)
        outcome = "ok"
    finally:
        _finish(run, started, outcome=outcome)
    return report


def _take_all(kind: Format[Any], lines: Lines, run: Run) -> set[str]:
    numbers: set[str] = set()
    rows = _rows(kind, lines, run, numbers)
    batch: list[tuple[int, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            _take(kind, batch, run)
            batch = []
    _take(kind, batch, run)
    return numbers


def _take(kind: Format[Any], batch: Sequence[tuple[int, Any]], run: Run) -> None:
    if batch:
        with _transaction(run) as tx:
            kind.take(tx, batch, run)


def _rows(kind: Format[Any], lines: Lines, run: Run, numbers: set[str]) -> Iterator[tuple[int, Any]]:
    keys: dict[str, int] = {}
    for line in lines:
        run.report.read += 1
        if line.cells is None:
            run.refuse(line.number, "", Fault.COLUMN_COUNT)
            continue
        numbers.add(line.cells[kind.columns[0]])
        row = kind.parse(line.cells)
        if isinstance(row, tuple):
            if line.cut:
                raise lines.bad(line.number, "the file ends in the middle of a row")
            run.refuse(line.number, kind.public_key(line.cells), *row)
            continue
        first = keys.setdefault(kind.key(row), line.number)
        if first != line.number:
            raise lines.bad(line.number, f"the same key stands in line {first} already")
        yield line.number, row


def _end_missing(kind: Format[Any], seen: set[str], run: Run, *, confirm: Confirm) -> None:
    with reading() as tx:
        listed = kind.listed(tx, run.registry)
    leaving = [number for number in listed if number not in seen]
    if not leaving or not confirm(len(leaving), len(listed)):
        return
    for numbers in _batches(leaving):
        run.report.ended += len(numbers)
        if not run.dry:
            with writing() as tx:
                kind.end(tx, numbers, run)


def _transaction(run: Run) -> AbstractContextManager[Session]:
    return reading() if run.dry else writing()


def _begin(run: Run, *, name: str) -> UUID:
    identity = new_id()
    if not run.dry:
        values = {"registry": run.registry, "format": run.report.format, "file_name": name[-255:]}
        with writing() as tx:
            tx.execute(insert(_runs).values(id=identity, started_at=run.now, counts={}, **values))
    return identity


def _finish(run: Run, identity: UUID, *, outcome: str) -> None:
    if run.dry:
        return
    counts = run.report.as_dict()
    with writing() as tx:
        tx.execute(update(_runs).where(_runs.c.id == identity).values(finished_at=run.now, counts=counts))
        audit.append(
            tx,
            Event.DIRECTORY_IMPORTED,
            now=run.now,
            actor=run.actor,
            origin=run.origin,
            outcome=outcome,
            target_kind="import_run",
            target_id=identity,
            details=counts,
        )


def _batches(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(numbers), BATCH):
        yield numbers[start : start + BATCH]


__all__ = ["FORMATS", "BadFile", "run_import"]
