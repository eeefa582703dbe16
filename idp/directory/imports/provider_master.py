"""Taking in the provider master: providers, the practices that their TINs make, and the words they are found by."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory import facts
from idp.directory.imports import practices
from idp.directory.imports.rules import PROVIDER_COLUMNS, Fault, ProviderRow, provider_row
from idp.directory.imports.run import Run
from idp.directory.rules import ProviderStatus, name_key, search_words
from idp.directory.service import provider_context, seal_tin, tin_index
from idp.foundation.database import new_id
from idp.vocabulary.identifiers import Malformed, ProviderId

_table = facts.provider
_COMPARED: Final = (
    "provider_type", "npi", "practice_id", "tin_index", "tin_type", "legal_name", "first_name", "last_name",
    "name_key", "zip_codes", "state", "programs", "status", "effective_date", "end_date",
)  # fmt: skip
_MATERIAL: Final = {
    "npi": "npi", "practice_id": "tin", "tin_index": "tin", "zip_codes": "zip", "status": "status",
    "effective_date": "dates", "end_date": "dates",
}  # fmt: skip
"""What an affiliation may hang on: a change of it is its own audit event."""
_UPDATE: Final = (
    update(_table)
    .where(_table.c.id == bindparam("row_id"))
    .values({name: bindparam(f"new_{name}") for name in (*_COMPARED, "tin_sealed", "tin_changed_at", "updated_at")})
)


class ProviderMaster:
    """The payer's file of providers."""

    name = "provider-master"
    columns = PROVIDER_COLUMNS
    offers_full = True

    def parse(self, cells: Mapping[str, str]) -> ProviderRow | tuple[Fault, ...]:
        return provider_row(cells)

    def key(self, row: ProviderRow) -> str:
        return row.provider_id

    def public_key(self, cells: Mapping[str, str]) -> str:
        try:
            return ProviderId.parse(cells["provider_id"])
        except Malformed:
            return ""

    def take(self, tx: Session, batch: Sequence[tuple[int, ProviderRow]], run: Run) -> None:
        rows = [row for _line, row in batch]
        known = _known(tx, rows, run)
        practice_ids = practices.resolve(tx, rows, run)
        added, changed, touched = [], [], set[UUID]()
        for row in rows:
            values = _values(row, practice_ids=practice_ids, run=run)
            before = known.get(row.provider_id)
            if before is None:
                added.append((row, values))
                touched.add(values["practice_id"])
            elif differing := [name for name in _COMPARED if before[name] != values[name]]:
                changed.append((row, values, before, differing))
                touched |= {values["practice_id"], before["practice_id"]}
        run.report.added += len(added)
        run.report.changed += len(changed)
        run.report.unchanged += len(rows) - len(added) - len(changed)
        if not run.dry:
            _insert(tx, added, run)
            _change(tx, changed, run)
            practices.settle(tx, touched)

    def listed(self, tx: Session, registry: str) -> list[str]:
        query = select(_table.c.provider_id).where(
            _table.c.registry == registry, _table.c.status == ProviderStatus.ACTIVE.value
        )
        return list(tx.execute(query.order_by(_table.c.provider_id)).scalars())

    def end(self, tx: Session, numbers: Sequence[str], run: Run) -> None:
        ended = tx.execute(
            update(_table)
            .where(_table.c.registry == run.registry, _table.c.provider_id.in_(numbers))
            .values(status=ProviderStatus.TERMINATED.value, end_date=run.today, updated_at=run.now)
            .returning(_table.c.id, _table.c.provider_id, _table.c.practice_id)
        ).all()
        for row in ended:
            _audit(tx, run, row.id, row.provider_id, changed=["status", "dates"], status="active → terminated")
        practices.settle(tx, {row.practice_id for row in ended})


def _known(tx: Session, rows: Iterable[ProviderRow], run: Run) -> dict[str, Mapping[str, Any]]:
    columns = [_table.c[name] for name in ("id", "provider_id", "tin_changed_at", *_COMPARED)]
    query = select(*columns).where(
        _table.c.registry == run.registry, _table.c.provider_id.in_([row.provider_id for row in rows])
    )
    return {str(row["provider_id"]): dict(row) for row in tx.execute(query).mappings()}


def _values(row: ProviderRow, *, practice_ids: Mapping[bytes, UUID], run: Run) -> dict[str, Any]:
    own = tin_index(row.tin, key=run.index)
    practice = own if row.group_tin is None else tin_index(row.group_tin, key=run.index)
    return {
        "provider_type": row.provider_type.value,
        "npi": str(row.npi),
        "practice_id": practice_ids[practice],
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
                **values,
            }
        )
        words += _words(identity, row, run)
    tx.execute(insert(_table), rows)
    tx.execute(insert(facts.word), words)


def _change(
    tx: Session, changed: Sequence[tuple[ProviderRow, dict[str, Any], Mapping[str, Any], list[str]]], run: Run
) -> None:
    if not changed:
        return
    rows, renamed, words = [], [], []
    for row, values, before, differing in changed:
        identity = before["id"]
        moved = "tin_index" in differing or "practice_id" in differing
        stamp = {"tin_changed_at": run.now if moved else before["tin_changed_at"], "updated_at": run.now}
        sealed = seal_tin(row.tin, keys=run.vault, context=provider_context(identity))
        every = {**values, **stamp, "tin_sealed": sealed}
        rows.append({"row_id": identity, **{f"new_{name}": value for name, value in every.items()}})
        if "legal_name" in differing or "name_key" in differing:
            renamed.append(identity)
            words += _words(identity, row, run)
        if material := sorted({_MATERIAL[name] for name in differing if name in _MATERIAL}):
            told = f"{before['status']} → {values['status']}" if "status" in differing else str(values["status"])
            _audit(tx, run, identity, row.provider_id, changed=material, status=told)
    tx.execute(_UPDATE, rows)
    if renamed:
        tx.execute(delete(facts.word).where(facts.word.c.provider_id.in_(renamed)))
        tx.execute(insert(facts.word), words)


def _words(identity: UUID, row: ProviderRow, run: Run) -> list[dict[str, Any]]:
    return [{"registry": run.registry, "word": word, "provider_id": identity} for word in search_words(row.legal_name)]


def _audit(tx: Session, run: Run, identity: UUID, number: str, *, changed: list[str], status: str) -> None:
    audit.append(
        tx,
        Event.PROVIDER_CHANGED,
        now=run.now,
        actor=run.actor,
        origin=run.origin,
        target_kind="provider",
        target_id=identity,
        details={"registry": run.registry, "number": number, "changed": changed, "status": status},
    )
