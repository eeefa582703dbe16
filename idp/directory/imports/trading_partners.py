"""Taking in the trading partner roster: partners, and an engagement for each practice that they represent."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, ColumnElement, and_, insert, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory import facts
from idp.directory.changed import DirectoryChange, What
from idp.directory.imports import practices
from idp.directory.imports.kinds import PayersFile
from idp.directory.imports.rules import PARTNER_COLUMNS, Fault, PartnerRow, partner_row
from idp.directory.imports.run import Run
from idp.directory.rules import ProviderStatus
from idp.directory.service import tin_index
from idp.foundation.database import new_id
from idp.vocabulary.identifiers import TradingPartnerId

ROSTER: Final = "roster"
_table = facts.partner
_COMPARED: Final = ("qualifier", "name", "zip_code", "email_domain", "kind", "status")


class TradingPartners(PayersFile):
    """The payer's file of billing companies, vendors and clearing houses."""

    name = "trading-partners"
    columns = PARTNER_COLUMNS
    identity = TradingPartnerId
    offers_full = True

    def parse(self, cells: Mapping[str, str]) -> PartnerRow | tuple[Fault, ...]:
        return partner_row(cells)

    def key(self, row: PartnerRow) -> str:
        return row.trading_partner_id

    def public_key(self, cells: Mapping[str, str]) -> str:
        """With qualifier `30`, or none that is known, nine digits are a tax ID."""
        number = self.number(cells)
        return f"…{number[-4:]}" if number.isdigit() and cells["qualifier"] != "01" else number

    def take(self, tx: Session, batch: Sequence[tuple[int, PartnerRow]], run: Run) -> None:
        rows = [row for _line, row in batch]
        known = _known(tx, rows, run)
        represented = _in_force(tx, rows, run)
        engaged = _engaged(tx, [before["id"] for before in known.values()])
        for row in rows:
            before = known.get(row.trading_partner_id)
            wanted = {represented[tin] for tin in row.tins if tin in represented}
            run.report.notes["tins_without_practice"] += sum(tin not in represented for tin in row.tins)
            identity = new_id() if before is None else before["id"]
            altered = _write(tx, row, before, identity, run)
            moved = _engage(tx, row, identity, wanted, engaged.get(identity, {}), run)
            if before is None:
                run.report.added += 1
            elif altered or moved:
                run.report.changed += 1
            else:
                run.report.unchanged += 1

    def listed(self, registry: str, on: date) -> tuple[Column[str], ColumnElement[bool]]:
        active = and_(_table.c.registry == registry, _table.c.status == ProviderStatus.ACTIVE.value)
        return _table.c.trading_partner_id, active

    def end(self, tx: Session, numbers: Sequence[str], run: Run) -> int:
        active = _table.c.status == ProviderStatus.ACTIVE.value
        those = (_table.c.registry == run.registry, _table.c.trading_partner_id.in_(numbers), active)
        ended = {"status": ProviderStatus.TERMINATED.value, "updated_at": run.now}
        ending = tx.execute(
            update(_table).where(*those).values(**ended).returning(_table.c.id, _table.c.trading_partner_id)
        ).all()
        for row in ending:
            _tell(tx, run, row.id, row.trading_partner_id, changed=["status"], what=What.PARTNER_ENDED)
        return len(ending)


def _known(tx: Session, rows: Sequence[PartnerRow], run: Run) -> dict[str, Mapping[str, Any]]:
    columns = [_table.c[name] for name in ("id", "trading_partner_id", *_COMPARED)]
    query = select(*columns).where(
        _table.c.registry == run.registry, _table.c.trading_partner_id.in_([row.trading_partner_id for row in rows])
    )
    return {str(row["trading_partner_id"]): dict(row) for row in tx.execute(query).mappings()}


def _in_force(tx: Session, rows: Sequence[PartnerRow], run: Run) -> dict[str, UUID]:
    """Practices of these TINs that have a provider in force in the registry: the others make no engagement."""
    tins = {tin: tin_index(tin, key=run.index) for row in rows for tin in row.tins}
    found: dict[bytes, UUID] = {}
    indexes = list(tins.values())
    for start in range(0, len(indexes), 1000):
        found |= practices.by_index(tx, indexes[start : start + 1000])
    alive: set[UUID] = set()
    ids = list(found.values())
    for start in range(0, len(ids), 1000):
        query = select(facts.provider.c.practice_id).where(
            facts.provider.c.practice_id.in_(ids[start : start + 1000]),
            facts.provider.c.registry == run.registry,
            facts.in_force_on(run.today),
        )
        alive |= set(tx.execute(query.distinct()).scalars())
    return {tin: found[index] for tin, index in tins.items() if index in found and found[index] in alive}


def _engaged(tx: Session, partner_ids: list[UUID]) -> dict[UUID, dict[UUID, Any]]:
    """Roster engagements by partner and practice, those that have ended too."""
    table = facts.engagement
    names = ("id", "trading_partner_id", "practice_id", "starts_on", "ends_on", "levels_cap", "ended_by")
    columns = [table.c[name] for name in names]
    query = select(*columns).where(table.c.trading_partner_id.in_(partner_ids), table.c.source == ROSTER)
    found: dict[UUID, dict[UUID, Any]] = {}
    for row in tx.execute(query):
        found.setdefault(row.trading_partner_id, {})[row.practice_id] = row
    return found


def _write(tx: Session, row: PartnerRow, before: Mapping[str, Any] | None, identity: UUID, run: Run) -> bool:
    values = {
        "qualifier": row.qualifier,
        "name": row.name,
        "zip_code": row.zip_code,
        "email_domain": row.email_domain,
        "kind": row.kind,
        "status": ProviderStatus.ACTIVE.value,
    }
    if before is not None and all(before[name] == values[name] for name in _COMPARED):
        return False
    if run.dry:
        return True
    if before is None:
        number = str(row.trading_partner_id)
        new = {"id": identity, "registry": run.registry, "trading_partner_id": number, "updated_at": run.now}
        tx.execute(insert(_table).values(**new, **values))
    else:
        tx.execute(update(_table).where(_table.c.id == identity).values(updated_at=run.now, **values))
        changed = [name for name in _COMPARED if before[name] != values[name]]
        what = What.PARTNER_RESTORED if "status" in changed else None
        _tell(tx, run, identity, row.trading_partner_id, changed=changed, what=what)
    return True


def _engage(
    tx: Session, partner: PartnerRow, identity: UUID, wanted: set[UUID], held: Mapping[UUID, Any], run: Run
) -> bool:
    table = facts.engagement
    new = sorted(wanted - held.keys())
    again = [
        row.id
        for practice, row in held.items()
        if practice in wanted and row.ends_on is not None and row.ended_by is None
    ]
    over = [row.id for practice, row in held.items() if practice not in wanted and row.ends_on is None]
    run.report.notes["engagements_made"] += len(new) + len(again)
    run.report.notes["engagements_ended"] += len(over)
    if run.dry:
        return bool(new or again or over)
    if new:
        shared = {"trading_partner_id": identity, "source": ROSTER, "starts_on": run.today}
        tx.execute(insert(table), [{"id": new_id(), "practice_id": practice, **shared} for practice in new])
    if again:
        tx.execute(update(table).where(table.c.id.in_(again)).values(starts_on=run.today, ends_on=None))
    if over:
        tx.execute(update(table).where(table.c.id.in_(over)).values(ends_on=run.today))
        for practice, row in held.items():
            if row.id in over:
                _tell_over(tx, run, partner, identity, practice, row)
    return bool(new or again or over)


def _tell(tx: Session, run: Run, identity: UUID, number: str, *, changed: list[str], what: What | None) -> None:
    """An audit event for each partner that changes, and word to the rooms above where its people can act no more, or again."""
    if what is not None:
        run.changes.append(DirectoryChange(what, run.registry, None, partner_id=identity))
    audit.append(
        tx,
        Event.TRADING_PARTNER_CHANGED,
        now=run.now,
        actor=run.actor,
        origin=run.origin,
        outcome=what.value if what is not None else "ok",
        target_kind="trading_partner",
        target_id=identity,
        details={"registry": run.registry, "number": str(number), "changed": changed},
    )


def _tell_over(tx: Session, run: Run, partner: PartnerRow, identity: UUID, practice: UUID, was: Any) -> None:
    """As when a manager ends it, with the roster for who did."""
    run.changes.append(DirectoryChange(What.ENGAGEMENT_ENDED, run.registry, practice, partner_id=identity))
    before = {"starts_on": was.starts_on.isoformat(), "ends_on": None, "cap": was.levels_cap}
    audit.append(
        tx,
        Event.ENGAGEMENT_CHANGED,
        now=run.now,
        actor=run.actor,
        origin=run.origin,
        target_kind="practice",
        target_id=practice,
        details={"partner": str(partner.trading_partner_id), "before": before, "after": None, "source": ROSTER},
    )
