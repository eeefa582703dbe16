"""What a changed provider record means to those who hang on it: an audit event each, and word to the rooms above."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory.changed import DirectoryChange, What
from idp.directory.imports import owners
from idp.directory.imports.ownership.rules import Leaver
from idp.directory.imports.rules import ProviderRow
from idp.directory.imports.run import Run
from idp.directory.rules import in_force

_MATERIAL: Final = {
    "npi": "npi", "practice_id": "tin", "tin_index": "tin", "zip_codes": "zip", "status": "status",
    "effective_date": "dates", "end_date": "dates", "npi_deactivated_on": "npi_status",
}  # fmt: skip
"""What an affiliation may hang on: a change of it is its own audit event."""


@dataclass(frozen=True, slots=True)
class Altered:
    """A record as it was and as it is."""

    row: ProviderRow
    before: Mapping[str, Any]
    values: Mapping[str, Any]
    differing: Sequence[str]

    @property
    def moved(self) -> bool:
        """Whether its TIN or its practice is another one."""
        return "tin_index" in self.differing or "practice_id" in self.differing

    def counted(self, on: date) -> bool:
        return in_force(_Days(**{name: self.before[name] for name in _DAYS}), on)

    def counts(self, on: date) -> bool:
        return in_force(_Days(**{name: self.values[name] for name in _DAYS}), on)


@dataclass(frozen=True, slots=True)
class _Days:
    status: str
    effective_date: date
    end_date: date | None


_DAYS: Final = ("status", "effective_date", "end_date")


def after(
    tx: Session, came: Mapping[UUID, UUID], changed: Sequence[Altered], run: Run, *, fresh: Collection[UUID]
) -> set[UUID]:
    """Tell what has changed; returns the practices that were made because a number has passed on.

    `came` has the practice of each new record, `fresh` the practices that this run has made.
    """
    left: dict[UUID, list[Leaver]] = {}
    touched: set[UUID] = set()
    joining = [*came.items(), *((each.before["id"], each.values["practice_id"]) for each in changed if _went(each))]
    for identity, practice in joining:
        if practice not in fresh:
            run.joined.add(identity)
            touched.add(practice)
    for each in changed:
        before = each.before
        if each.counted(run.today) and not each.counts(run.today):
            run.ended.add(before["id"])
            touched.add(each.values["practice_id"])
        if _went(each):
            gone = Leaver(before["npi"], before["name_key"], each.values["practice_id"])
            left.setdefault(before["practice_id"], []).append(gone)
            _tell_left(tx, run, each)
        run.changes.extend(_told(each, run))
        if material := sorted({_MATERIAL[name] for name in each.differing if name in _MATERIAL}):
            told = f"{before['status']} → {each.values['status']}" if "status" in each.differing else before["status"]
            _audit(tx, run, before["id"], each.row.provider_id, changed=material, status=told)
    return owners.look_after(tx, touched, left, run) if touched or left else set()


def tell_ended(tx: Session, row: Any, run: Run) -> None:
    """A record that has left a full file."""
    run.changes.append(DirectoryChange(What.ENDED, run.registry, row.practice_id, row.id))
    _audit(tx, run, row.id, row.provider_id, changed=["status", "dates"], status="active → terminated")


def _went(each: Altered) -> bool:
    return "practice_id" in each.differing


def _told(each: Altered, run: Run) -> Iterator[DirectoryChange]:
    practice, identity = each.before["practice_id"], each.before["id"]
    was, is_now = each.counted(run.today), each.counts(run.today)
    if was != is_now:
        yield DirectoryChange(What.RESTORED if is_now else What.ENDED, run.registry, practice, identity)
    if "npi" in each.differing:
        yield DirectoryChange(What.NPI_CHANGED, run.registry, practice, identity)
    if "npi_deactivated_on" in each.differing:
        off = each.values["npi_deactivated_on"] is not None
        what = What.NPI_DEACTIVATED if off else What.NPI_REACTIVATED
        yield DirectoryChange(what, run.registry, practice, identity)
    if each.moved:
        yield DirectoryChange(What.TIN_CHANGED, run.registry, practice, identity, each.values["practice_id"])
    if "zip_codes" in each.differing:
        yield DirectoryChange(What.ZIP_CHANGED, run.registry, practice, identity)


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


def _tell_left(tx: Session, run: Run, each: Altered) -> None:
    """For the practice's own history: what belonged to it on an earlier day is found by this."""
    audit.append(
        tx,
        Event.PRACTICE_CHANGED,
        now=run.now,
        actor=run.actor,
        origin=run.origin,
        outcome="record_left",
        target_kind="practice",
        target_id=each.before["practice_id"],
        details={"registry": run.registry, "provider": each.before["id"], "successor": each.values["practice_id"]},
    )
