"""Taking in NPI records, whatever file they come from; what a deactivation means for the roster."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory import facts
from idp.directory.changed import DirectoryChange, What
from idp.directory.imports import bulk, name_words, owners, practices
from idp.directory.imports.days.rules import DAYS, Days, news
from idp.directory.imports.npi.rules import NpiRow, Source, Standing, is_older
from idp.directory.imports.run import Run
from idp.directory.imports.telling import record_changed
from idp.directory.models import NpiRecord, NpiWord
from idp.directory.rules import NATIONAL, key_words

record: Final[Table] = NpiRecord.__table__  # type: ignore[assignment]
word: Final[Table] = NpiWord.__table__  # type: ignore[assignment]

_SAID: Final = (
    "entity", "name", "name_key", "state", "zip_code", "status", "enumerated_on", "updated_on", "deactivated_on",
    "reactivated_on", "digest",
)  # fmt: skip
_RECORD: Final = ("npi", "source", *_SAID, "imported_at")
_WORD: Final = ("word", "name_key", "npi", "source", "state")
_KNOWN: Final = select(
    record.c.npi, record.c.digest, record.c.status, record.c.name_key, record.c.entity, record.c.name, record.c.state,
    record.c.zip_code, record.c.enumerated_on, record.c.updated_on, record.c.deactivated_on, record.c.reactivated_on,
)  # fmt: skip
_CHANGE: Final = (
    update(record)
    .where(record.c.npi == bindparam("its_npi"), record.c.source == bindparam("its_source"))
    .values({name: bindparam(f"new_{name}") for name in (*_SAID, "imported_at")})
)


def take(tx: Session, rows: Sequence[NpiRow], run: Run, *, source: str) -> None:
    """Add what is new, change what differs and is not older, and let the roster follow NPPES."""
    known = {
        row.npi: row
        for row in tx.execute(
            _KNOWN.where(record.c.source == source, bulk.among(tx, record.c.npi, [r.npi for r in rows]))
        )
    }
    added: list[NpiRow] = []
    changed: list[tuple[NpiRow, Any]] = []
    for row in rows:
        before = known.get(row.npi)
        if before is None:
            added.append(row)
        elif bytes(before.digest) == row.digest and before.status == row.status:
            run.report.unchanged += 1
        elif is_older(row, before):
            run.report.unchanged += 1
            run.report.notes["older_than_known"] += 1
        else:
            changed.append((row, before))
    run.report.added += len(added)
    run.report.changed += len(changed)
    _note(run, added, changed)
    if not run.dry:
        _add(tx, added, run, source=source)
        _change(tx, changed, run, source=source)
        for row, before in changed:
            if before.status != row.status:
                tell_turned(tx, run, row.npi, before.status, row.status, source=source)
    if source == Source.NPPES:
        follow(tx, _turned(added, changed), run)


def leave(tx: Session, npis: Sequence[str], run: Run, *, source: str) -> int:
    """They are in the file no more: no deactivation, which NPPES would say. How many had not left it already."""
    those = (
        record.c.source == source,
        record.c.npi.in_(npis),
        record.c.status.in_((Standing.ACTIVE.value, Standing.INACTIVE.value)),
    )
    leaving = tx.execute(select(record.c.npi, record.c.status).where(*those).with_for_update()).all()
    tx.execute(update(record).where(*those).values(status=Standing.LEFT.value, imported_at=run.now))
    for row in leaving:
        tell_turned(tx, run, row.npi, row.status, Standing.LEFT, source=source)
    return len(leaving)


def tell_turned(tx: Session, run: Run, npi: str, before: str, status: Standing, *, source: str) -> None:
    """Whether an NPI counts is worth an event, also where no roster names it; a record that is new has turned from nothing."""
    audit.append(
        tx,
        Event.NPI_RECORD_CHANGED,
        now=run.now,
        actor=run.actor,
        origin=run.origin,
        target_kind="npi",
        target_id=npi,
        details={"source": source, "changed": ["status"], "status": f"{before} → {status.value}"},
    )


def follow(tx: Session, turned: Mapping[str, date | None], run: Run) -> None:
    """Provider records with these NPIs are out of force from the day on, or in force again (`None`); a dry run counts them."""
    if not turned:
        return
    table = facts.provider
    found: Sequence[Any] = tx.execute(
        select(*(table.c[name] for name in ("id", "registry", "provider_id", "npi", "practice_id", "name_key", *DAYS)))
        .where(table.c.npi.in_(list(turned)))
        .order_by(table.c.registry, table.c.provider_id)
    ).all()
    touched: set[UUID] = set()
    parted: list[owners.Parted] = []
    for row in found:
        day = turned[row.npi]
        if row.npi_deactivated_on == day:
            continue
        what = What.NPI_REACTIVATED if day is None else What.NPI_DEACTIVATED
        run.report.notes[what.value] += 1
        if run.dry:
            continue
        touched.add(row.practice_id)
        was = Days.of(row._mapping)
        will = replace(was, npi_deactivated_on=day)
        if was.held(run.day) and not will.holds(run.day):
            parted.append(owners.Parted(row.practice_id, row.id, row.registry, row.npi, row.name_key))
        values = {"npi_deactivated_on": day, "turns_on": will.next_turn(run.day), "updated_at": run.now}
        tx.execute(update(table).where(table.c.id == row.id).values(values))
        _tell(tx, run, row, news(was, will, run.day), day)
    practices.settle(tx, owners.look_after(tx, touched, parted, run))


def _tell(tx: Session, run: Run, row: Any, told: Sequence[What], day: date | None) -> None:
    """Of a day to come the rooms above hear when it has come."""
    run.changes.extend(DirectoryChange(what, row.registry, row.practice_id, row.id) for what in told)
    record_changed(
        tx, run, row.id, registry=row.registry, number=row.provider_id, status=row.status,
        changed=[what.value for what in told] or ["npi_status"],
        npi_off_from=f"{row.npi_deactivated_on or 'none'} → {day or 'none'}",
    )  # fmt: skip


def deactivated(tx: Session, npis: Sequence[str]) -> dict[str, date]:
    """Which of these NPIs NPPES calls deactivated, and since when."""
    query = select(record.c.npi, record.c.deactivated_on).where(
        record.c.npi.in_(npis), record.c.source == Source.NPPES.value, record.c.status == Standing.DEACTIVATED.value
    )
    return {row.npi: row.deactivated_on for row in tx.execute(query)}


def _note(run: Run, added: Sequence[NpiRow], changed: Sequence[tuple[NpiRow, Any]]) -> None:
    off = [row for row in added if row.status is Standing.DEACTIVATED]
    went = [row for row, before in changed if row.status is Standing.DEACTIVATED and before.status != row.status]
    back = [row for row, before in changed if row.status is Standing.ACTIVE and before.status == Standing.DEACTIVATED]
    run.report.notes["deactivated"] += len(off) + len(went)
    run.report.notes["reactivated"] += len(back)


def _turned(added: Sequence[NpiRow], changed: Sequence[tuple[NpiRow, Any]]) -> dict[str, date | None]:
    """NPIs that are deactivated now, or have been until now."""
    rows = [*added, *(row for row, _before in changed)]
    off = {str(row.npi): row.deactivated_on for row in rows if row.status is Standing.DEACTIVATED}
    back = {
        str(row.npi): None
        for row, before in changed
        if before.status == Standing.DEACTIVATED and row.status is not Standing.DEACTIVATED
    }
    return off | back


def _add(tx: Session, rows: Sequence[NpiRow], run: Run, *, source: str) -> None:
    records = [
        (row.npi, source, row.entity, row.name, row.name_key, row.state, row.zip_code, row.status.value,
         row.enumerated_on, row.updated_on, row.deactivated_on, row.reactivated_on, row.digest, run.now)
        for row in rows
    ]  # fmt: skip
    words = [(each, row.name_key, row.npi, source, row.state) for row in rows for each in key_words(row.name_key)]
    name_words.put_in(tx, (each[0] for each in words), scope=NATIONAL, known=run.words)
    bulk.add(tx, record, _RECORD, records)
    bulk.add(tx, word, _WORD, words)


def _change(tx: Session, changed: Sequence[tuple[NpiRow, Any]], run: Run, *, source: str) -> None:
    """A deactivated line has neither name nor place: what was known of them stays."""
    if not changed:
        return
    updates, gone, words = [], [], []
    for row, before in changed:
        bare = row.entity is None
        said = before if bare else row
        values = {
            "entity": said.entity, "name": said.name, "name_key": said.name_key, "state": said.state,
            "zip_code": said.zip_code, "status": row.status.value,
            "enumerated_on": row.enumerated_on or before.enumerated_on,
            "updated_on": row.updated_on or before.updated_on, "deactivated_on": row.deactivated_on,
            "reactivated_on": row.reactivated_on, "digest": row.digest, "imported_at": run.now,
        }  # fmt: skip
        keys = {"its_npi": str(row.npi), "its_source": source}
        updates.append(keys | {f"new_{name}": value for name, value in values.items()})
        if (said.name_key, said.state) != (before.name_key, before.state):
            gone += [(each, before.name_key, row.npi, source) for each in key_words(before.name_key)]
            words += [(each, row.name_key, row.npi, source, row.state) for each in key_words(row.name_key)]
    tx.execute(_CHANGE, updates)
    for start in range(0, len(gone), 200):
        tx.execute(
            delete(word).where(
                tuple_(word.c.word, word.c.name_key, word.c.npi, word.c.source).in_(gone[start : start + 200])
            )
        )
    name_words.put_in(tx, (each[0] for each in words), scope=NATIONAL, known=run.words)
    if words:
        tx.execute(insert(word), [dict(zip(_WORD, each, strict=True)) for each in words])
