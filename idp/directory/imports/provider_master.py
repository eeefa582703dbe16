"""Taking in the provider master: providers, the practices that their TINs make, and the words they are found by."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, ColumnElement, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from idp.directory import facts
from idp.directory.imports import bulk, changes, name_words, practices
from idp.directory.imports.changes import Altered
from idp.directory.imports.days.rules import DAYS, Days
from idp.directory.imports.kinds import PayersFile
from idp.directory.imports.npi.taking import deactivated
from idp.directory.imports.rules import PROVIDER_COLUMNS, Fault, ProviderRow, provider_row
from idp.directory.imports.run import Run
from idp.directory.rules import NEIGHBOURS, Program, ProviderStatus, name_key, search_words
from idp.directory.service import provider_context, seal_tin, tin_index
from idp.foundation.database import new_id

_table = facts.provider
_COMPARED: Final = (
    "provider_type", "npi", "practice_id", "tin_index", "tin_type", "legal_name", "first_name", "last_name",
    "name_key", "zip_codes", "state", "programs", "status", "effective_date", "end_date", "npi_deactivated_on",
)  # fmt: skip
_UPDATE: Final = (
    update(_table)
    .where(_table.c.id == bindparam("row_id"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (*_COMPARED, "tin_sealed", "tin_changed_at", "joined_at", "turns_on", "updated_at")
        }
    )
)
_LEARN: Final = update(_table).where(_table.c.id == bindparam("row_id")).values(turns_on=bindparam("new_turns_on"))
"""Of records that a release wrote which notes no days."""


class ProviderMaster(PayersFile):
    """The payer's file of providers."""

    name = "provider-master"
    columns = PROVIDER_COLUMNS
    offers_full = True

    def parse(self, cells: Mapping[str, str]) -> ProviderRow | tuple[Fault, ...]:
        return provider_row(cells)

    def key(self, row: ProviderRow) -> str:
        return row.provider_id

    def take(self, tx: Session, batch: Sequence[tuple[int, ProviderRow]], run: Run) -> None:
        rows = [row for _line, row in batch]
        known = _known(tx, rows, run)
        places = practices.resolve(tx, rows, run)
        off = deactivated(tx, [row.npi for row in rows])
        added, changed, unknown = [], [], []
        for row in rows:
            before = known.get(row.provider_id)
            values = _values(row, before, places=places, off=off, run=run)
            if before is None:
                added.append((row, values))
            elif differing := [name for name in _COMPARED if before[name] != values[name]]:
                changed.append(Altered(row, before, values, differing))
            elif _stale(before, run.day):
                unknown.append({"row_id": before["id"], "new_turns_on": Days.of(before).next_turn(run.day)})
        run.report.added += len(added)
        run.report.changed += len(changed)
        run.report.unchanged += len(rows) - len(added) - len(changed)
        if moved := sum(each.went for each in changed):
            run.report.notes["moved_to_another_practice"] += moved
        if not run.dry:
            _insert(tx, added, run)
            _change(tx, changed, run)
            if unknown:
                tx.execute(_LEARN, unknown)
            came = {values["practice_id"] for _row, values in added}
            fresh = {place.id for place in places.values() if place.is_new}
            made = changes.after(tx, (came - fresh) | _to_come(added, run), changed, run)
            was = {each.before["practice_id"] for each in changed}
            practices.settle(tx, {*came, *was, *(each.values["practice_id"] for each in changed), *made})

    def listed(self, registry: str, on: date) -> tuple[Column[str], ColumnElement[bool]]:
        return _table.c.provider_id, and_(_table.c.registry == registry, _counts(on))

    def end(self, tx: Session, numbers: Sequence[str], run: Run) -> int:
        those = (_table.c.registry == run.registry, _table.c.provider_id.in_(numbers), _counts(run.today))
        columns = (_table.c[name] for name in ("id", "provider_id", "practice_id", "npi", "name_key", *DAYS))
        ending = tx.execute(select(*columns).where(*those).order_by(_table.c.id).with_for_update(key_share=True)).all()
        ended = {"status": ProviderStatus.TERMINATED.value, "end_date": run.today, "turns_on": None}
        tx.execute(update(_table).where(*those).values(updated_at=run.now, **ended))
        made = changes.after_leaving(tx, ending, run)
        practices.settle(tx, {*(row.practice_id for row in ending), *made})
        return len(ending)


def _counts(on: date) -> ColumnElement[bool]:
    """Whom a full file must name to keep them: also who is to end on a day to come."""
    return or_(_table.c.status == ProviderStatus.ACTIVE.value, _table.c.end_date > on)


def _stale(before: Mapping[str, Any], on: date) -> bool:
    """Whether another day is noted than the record's days say; of one that has come the sweep still tells."""
    noted, day = before["turns_on"], Days.of(before).next_turn(on)
    return bool(noted != day and (noted is None or noted > on))


def _known(tx: Session, rows: Iterable[ProviderRow], run: Run) -> dict[str, Mapping[str, Any]]:
    columns = [_table.c[name] for name in ("id", "provider_id", "tin_changed_at", "joined_at", "turns_on", *_COMPARED)]
    query = (
        select(*columns, facts.practice.c.tin_index.label("practice_tin"))
        .join_from(_table, facts.practice, facts.practice.c.id == _table.c.practice_id)
        .where(
            _table.c.registry == run.registry,
            bulk.among(tx, _table.c.provider_id, [str(row.provider_id) for row in rows]),
        )
    )
    return {str(row["provider_id"]): dict(row) for row in tx.execute(query).mappings()}


def _values(
    row: ProviderRow,
    before: Mapping[str, Any] | None,
    *,
    places: Mapping[bytes, practices.Place],
    off: Mapping[str, date],
    run: Run,
) -> dict[str, Any]:
    """A record stays in its practice as long as its TIN does, also when the number is another practice's by now."""
    own = tin_index(row.tin, key=run.index)
    practice = own if row.group_tin is None else tin_index(row.group_tin, key=run.index)
    stays = before is not None and bytes(before["practice_tin"]) == practice
    return {
        "provider_type": row.provider_type.value,
        "npi": str(row.npi),
        "practice_id": before["practice_id"] if before is not None and stays else places[practice].id,
        "tin_index": own,
        "tin_type": row.tin_type.value,
        "legal_name": row.legal_name,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "name_key": name_key(row.legal_name),
        "zip_codes": list(row.zip_codes),
        "state": row.state,
        "programs": row.programs,
        "status": row.status.value,
        "effective_date": row.effective_date,
        "end_date": row.end_date,
        "npi_deactivated_on": off.get(row.npi),
    }


def _to_come(added: Sequence[tuple[ProviderRow, dict[str, Any]]], run: Run) -> set[UUID]:
    """Practices of which a new record begins or ends on a day to come: their number may pass on then."""
    return {
        values["practice_id"]
        for row, values in added
        if row.effective_date > run.today or (row.end_date is not None and row.end_date > run.today)
    }


def _insert(tx: Session, added: Sequence[tuple[ProviderRow, dict[str, Any]]], run: Run) -> None:
    if not added:
        return
    rows, words = [], []
    for row, values in added:
        identity = new_id()
        sealed = seal_tin(row.tin, keys=run.vault, context=provider_context(identity))
        rows.append(
            {
                "id": identity,
                "registry": run.registry,
                "provider_id": str(row.provider_id),
                "tin_sealed": sealed,
                "updated_at": run.now,
                "joined_at": run.now,
                "turns_on": Days.of(values).next_turn(run.day),
                **values,
            }
        )
        words += _words(identity, row, run)
    tx.execute(insert(_table), rows)
    _add_words(tx, words, run)


def _change(tx: Session, changed: Sequence[Altered], run: Run) -> None:
    if not changed:
        return
    rows, renamed, words = [], [], []
    for each in changed:
        identity = each.before["id"]
        stamp = {
            "tin_changed_at": run.now if each.moved else each.before["tin_changed_at"],
            "updated_at": run.now,
            "joined_at": run.now if each.came(run.today) else each.before["joined_at"],
            "turns_on": each.now.next_turn(run.day),
            "tin_sealed": seal_tin(each.row.tin, keys=run.vault, context=provider_context(identity)),
        }
        rows.append({"row_id": identity, **{f"new_{name}": value for name, value in {**each.values, **stamp}.items()}})
        if not {"legal_name", "name_key", "state", "programs"}.isdisjoint(each.differing):
            renamed.append(identity)
            words += _words(identity, each.row, run)
    tx.execute(_UPDATE, rows)
    if renamed:
        tx.execute(delete(facts.word).where(facts.word.c.provider_id.in_(renamed)))
        _add_words(tx, words, run)


def _words(identity: UUID, row: ProviderRow, run: Run) -> list[dict[str, Any]]:
    its = {
        "registry": run.registry, "provider_id": identity, "name_key": name_key(row.legal_name),
        "number": str(row.provider_id), "state": row.state, "program": NEIGHBOURS.index(Program(row.programs)),
    }  # fmt: skip
    return [{**its, "word": word} for word in search_words(row.legal_name)]


def _add_words(tx: Session, words: list[dict[str, Any]], run: Run) -> None:
    name_words.put_in(tx, (row["word"] for row in words), scope=run.registry, known=run.words)
    tx.execute(insert(facts.word), words)
