"""What a changed provider record means to those who hang on it: an audit event each, and word to the rooms above."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory.changed import DirectoryChange, What
from idp.directory.imports import altered, owners
from idp.directory.imports.days.rules import Days, news
from idp.directory.imports.owners import Parted
from idp.directory.imports.rules import ProviderRow
from idp.directory.imports.run import Run
from idp.directory.imports.telling import record_changed
from idp.directory.rules import ProviderStatus


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

    @property
    def went(self) -> bool:
        """Whether its practice is another one."""
        return "practice_id" in self.differing

    @property
    def was(self) -> Days:
        return Days.of(self.before)

    @property
    def now(self) -> Days:
        return Days.of(self.values)

    def came(self, on: date) -> bool:
        """Whether it holds its practice's number from now on only, as far as we knew."""
        return self.went or (self.now.listed(on) and not self.was.listed(on))

    def parted(self, registry: str, on: date) -> Parted | None:
        """What it was to the practice where it was in force, if it is so no more."""
        if not self.was.held(on) or (not self.went and self.now.holds(on)):
            return None
        before, went_to = self.before, self.values["practice_id"] if self.went else None
        return Parted(before["practice_id"], before["id"], registry, before["npi"], before["name_key"], went_to)


_OF_OWNERS: Final = frozenset({
    "practice_id", "npi", "name_key", "status", "effective_date", "end_date", "npi_deactivated_on",
})  # fmt: skip
"""What may tell whose a number is."""


def after(tx: Session, came: Collection[UUID], changed: Sequence[Altered], run: Run) -> set[UUID]:
    """Tell what has changed; returns the practices that were made because a number has passed on.

    `came` has the practices of the new records of which any may have been another's before, or may be later.
    """
    touched = set(came)
    parted: list[Parted] = []
    for each in changed:
        before = each.before
        if not _OF_OWNERS.isdisjoint(each.differing):
            touched |= {before["practice_id"], each.values["practice_id"]}
        if gone := each.parted(run.registry, run.day):
            parted.append(gone)
        if each.went:
            _tell_left(tx, run, each)
        turned = news(each.was, each.now, run.day)
        run.changes.extend(_told(each, turned, run))
        told = altered.told(before, each.values, each.differing)
        parts = altered.parts(each.differing)
        if each.was.told_on(run.day) != run.day:
            parts |= {what.value for what in turned}
        record_changed(
            tx, run, before["id"], registry=run.registry, number=each.row.provider_id, changed=sorted(parts), **told
        )
    return owners.look_after(tx, touched, parted, run)


def after_leaving(tx: Session, rows: Sequence[Any], run: Run) -> set[UUID]:
    """Records that have left a full file: they end, and a number may have passed on with that."""
    parted = []
    for row in rows:
        was = Days.of(row._mapping)
        if was.listed(was.told_on(run.day)):
            run.changes.append(DirectoryChange(What.ENDED, run.registry, row.practice_id, row.id))
        changed, told = ["dates"], {"ends": f"{row.end_date or 'none'} → {run.today}"}
        if row.status == ProviderStatus.ACTIVE.value:
            changed, told = ["status", *changed], {"status": "active → terminated", **told}
        record_changed(tx, run, row.id, registry=run.registry, number=row.provider_id, changed=changed, **told)
        if was.held(run.day):
            parted.append(Parted(row.practice_id, row.id, run.registry, row.npi, row.name_key))
    return owners.look_after(tx, {row.practice_id for row in rows}, parted, run)


def _told(each: Altered, turned: Sequence[What], run: Run) -> Iterator[DirectoryChange]:
    practice, identity = each.before["practice_id"], each.before["id"]
    for what in turned:
        yield DirectoryChange(what, run.registry, practice, identity)
    if "npi" in each.differing:
        yield DirectoryChange(What.NPI_CHANGED, run.registry, practice, identity)
    if each.moved:
        moved = DirectoryChange(What.TIN_CHANGED, run.registry, practice, identity, each.values["practice_id"])
        yield replace(moved, was_in_force=each.was.listed(each.was.told_on(run.day)))
    if "zip_codes" in each.differing:
        yield DirectoryChange(What.ZIP_CHANGED, run.registry, practice, identity)


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
