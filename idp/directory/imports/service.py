"""One run of an import: batches of a thousand rows, each its own transaction; the run itself is audited once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO, Final
from uuid import UUID

from sqlalchemy import Table, insert, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory.imports import common_words, turns
from idp.directory.imports.files import BadFile, Line
from idp.directory.imports.kinds import Format, Seen, Source
from idp.directory.imports.npi.formats import Fhir, Nppes
from idp.directory.imports.pin_letters import PinLetters
from idp.directory.imports.provider_master import ProviderMaster
from idp.directory.imports.rules import Fault
from idp.directory.imports.run import Declined, Outcome, Reject, Report, Run
from idp.directory.imports.trading_partners import TradingPartners
from idp.directory.models import AT, ImportReject, ImportRun
from idp.directory.rules import NATIONAL
from idp.directory.upstairs import Upstairs
from idp.foundation import clock, house
from idp.foundation.database import new_id, reading, writing
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring

BATCH: Final = 1000
FORMATS: Final[Mapping[str, Format[Any]]] = {
    known.name: known for known in (ProviderMaster(), TradingPartners(), PinLetters(), Nppes(), Fhir())
}
_runs: Table = ImportRun.__table__  # type: ignore[assignment]
_rejects: Table = ImportReject.__table__  # type: ignore[assignment]

Confirm = Callable[[int, int, int], bool]
"""Asked with how many would end, how many are listed, and how many refused lines name nobody for sure. Without its yes the run
ends as `Declined`."""


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
    progress: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Take a file in. Raises `BadFile` where it cannot be read on: earlier batches stay, nothing of this one does.

    The same file again changes nothing, so a run that was killed is resumed by running it again. With `full`, what is listed
    and not in the file ends, if `full` says so; if not, `Declined` is raised and the rows that were taken stay. How it has
    ended is kept with the run and told to the audit.
    """
    keyring = house.get(Keyring)
    report = Report(format_name, registry, dry_run)
    run = Run(
        registry,
        now,
        actor,
        origin,
        keyring.vault,
        keyring.index,
        dry_run,
        report,
        keep_reject,
        read_clock=_going_on(now),
    )
    kind = FORMATS[format_name]
    started = _begin(run, name=name)
    with _ending(run, started):
        seen, source = kind.seen(), kind.read(stream, name=name)
        _take_all(kind, source, run, started, seen=seen, progress=progress)
        if full is not None:
            if part := source.part():
                raise source.bad(1, f"{part}: it is no full file, and ends nothing")
            _end_missing(kind, seen, run, started, confirm=full, progress=progress)
        _weigh(kind, run)
    _finish(run, started, Outcome.COMPLETED)
    return report


def _going_on(now: datetime) -> Callable[[], datetime]:
    """What time it is for a run that began at `now`."""
    begun = clock.now()
    return lambda: now + (clock.now() - begun)


@contextmanager
def _ending(run: Run, started: UUID) -> Iterator[None]:
    """Whatever stops a run is raised on after it was told; where not even that can be written, the run stays unfinished."""
    try:
        yield
    except BaseException as error:
        outcome, line = how_it_ended(error, read=run.report.line)
        with suppress(SQLAlchemyError):
            _finish(run, started, outcome, stopped_line=line)
        raise


def how_it_ended(error: BaseException, *, read: int) -> tuple[Outcome, int | None]:
    """Of a run that has not come to its end: by what, and at which line of the file."""
    if isinstance(error, BadFile):
        return Outcome.BAD_FILE, error.line
    if isinstance(error, Declined):
        return Outcome.DECLINED, None
    return Outcome.FAILED if isinstance(error, Exception) else Outcome.INTERRUPTED, read or None


def _take_all(
    kind: Format[Any], source: Source, run: Run, started: UUID, *, seen: Seen, progress: Callable[[Report], None]
) -> None:
    rows = _rows(kind, source, run, seen)
    while batch := list(islice(rows, BATCH)):
        with _batch(run, started) as tx:
            if taken := [row for row in batch if row is not None]:
                kind.take(tx, taken, run)
        progress(run.report)


def tell(tx: Session, run: Run) -> None:
    """Hand on what this transaction has changed so far."""
    changes, run.changes[:] = tuple(run.changes), []
    if not run.dry:
        house.get(Upstairs).tell(tx, changes, actor=run.actor, now=run.now, origin=run.origin)


def _rows(kind: Format[Any], source: Source, run: Run, seen: Seen) -> Iterator[tuple[int, Any] | None]:
    """Each row with its line, and nothing for a refused one, so that those too are kept a batch at a time.

    A refused one names its number, and leaves its key to a better one.
    """
    keys = kind.seen()
    for line in source:
        run.report.read += 1
        run.report.line = line.number
        row = (kind.unread,) if line.cells is None else kind.parse(line.cells)
        if row is None:
            run.report.notes["about_something_else"] += 1
            continue
        if isinstance(row, tuple):
            _refuse(kind, line, run, seen, row)
            yield None
            continue
        seen.first(kind.key(row) if kind.national else kind.number(line.cells), line.number)
        first = keys.first(kind.key(row), line.number)
        if first is None:
            yield line.number, row
        elif kind.may_repeat:
            run.refuse(line.number, kind.public_key(line.cells), Fault.REPEATED, place=line.place)
            yield None
        else:
            where = f"in line {first}" if first else "in an earlier line"
            raise source.bad(line.number, f"the same key stands {where} already")


def _refuse(kind: Format[Any], line: Line, run: Run, seen: Seen, faults: Sequence[Fault]) -> None:
    """It has not left the file: its key counts as named. With columns too many or too few another cell may stand in its place."""
    is_whole = line.cells is not None
    number = kind.number(line.cells) if is_whole else kind.identify(line.opening)
    if number:
        seen.first(number, line.number)
    if not (number and is_whole):
        run.report.nameless += 1
    run.refuse(line.number, kind.public_key(line.cells) if is_whole else "", *faults, place=line.place)


def _end_missing(
    kind: Format[Any], seen: Seen, run: Run, started: UUID, *, confirm: Confirm, progress: Callable[[Report], None]
) -> None:
    """End all that has left the file, once somebody has said yes."""
    with reading() as tx:
        listed, leaving = kind.missing(tx, run.registry, seen, on=run.today)
    if not leaving:
        return
    if not confirm(len(leaving), listed, run.report.nameless):
        raise Declined("Nothing has ended; the rows that were taken stay.")
    run.report.leaving = len(leaving)
    progress(run.report)
    for numbers in _batches(leaving):
        with _batch(run, started) as tx:
            run.report.ended += len(numbers) if run.dry else kind.end(tx, numbers, run)
        progress(run.report)


def _weigh(kind: Format[Any], run: Run) -> None:
    """New names may have made a word common. Where that cannot be counted now, nothing is lost but time of a search."""
    if run.words and not run.dry:
        with suppress(SQLAlchemyError):
            common_words.count(NATIONAL if kind.national else run.registry)


@contextmanager
def _batch(run: Run, started: UUID) -> Iterator[Session]:
    """What rooms above and the console are told of a batch is committed with it: a run that is killed has both or neither."""
    before = replace(run.report, notes=run.report.notes.copy())
    try:
        with _transaction(run) as tx:
            yield tx
            tell(tx, run)
            _keep(tx, run, started)
    except BaseException:
        run.report.take_back(before)
        raise
    run.rejects.clear()


@contextmanager
def _transaction(run: Run) -> Iterator[Session]:
    """A batch that only counts waits for nobody; one that writes has its turn before it reads."""
    run.room.leave()
    with reading() if run.dry else writing() as tx:
        dialect = tx.get_bind().dialect.name
        wait = turns.be_patient if run.dry else turns.take
        wait(tx)
        run.tick()
        yield tx
    if not run.dry:
        run.room.left(dialect)


def _begin(run: Run, *, name: str) -> UUID:
    identity = new_id()
    if not run.dry:
        values = {"registry": run.registry, "format": run.report.format, "file_name": name[-255:]}
        with writing() as tx:
            tx.execute(insert(_runs).values(id=identity, started_at=run.begun, counts={}, **values))
    return identity


def _finish(run: Run, identity: UUID, outcome: Outcome, *, stopped_line: int | None = None) -> None:
    if run.dry:
        return
    counts = run.report.as_dict()
    run.tick()
    ended = {"finished_at": run.now, "outcome": outcome.value, "stopped_line": stopped_line}
    with writing() as tx:
        _keep(tx, run, identity)
        tx.execute(update(_runs).where(_runs.c.id == identity).values(**ended))
        audit.append(
            tx,
            Event.DIRECTORY_IMPORTED,
            now=run.now,
            actor=run.actor,
            origin=run.origin,
            outcome="ok" if outcome is Outcome.COMPLETED else outcome.value,
            target_kind="import_run",
            target_id=identity,
            details=counts if stopped_line is None else {**counts, "stopped_line": stopped_line},
        )


def _keep(tx: Session, run: Run, identity: UUID) -> None:
    """How far the run is, and the lines refused since the last time."""
    if run.dry:
        return
    tx.execute(update(_runs).where(_runs.c.id == identity).values(counts=run.report.as_dict()))
    if run.rejects:
        tx.execute(insert(_rejects), [_kept(identity, reject) for reject in run.rejects])


def _kept(run_id: UUID, reject: Reject) -> dict[str, Any]:
    reasons = [fault.value for fault in reject.faults] + ([AT + reject.place] if reject.place else [])
    return {"run_id": run_id, "number": reject.number, "line": reject.line, "key": reject.key[:32], "reasons": reasons}


def _batches(numbers: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(numbers), BATCH):
        yield numbers[start : start + BATCH]


__all__ = ["FORMATS", "BadFile", "run_import"]
