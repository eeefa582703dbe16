"""Which choices lie inside what a request narrows to: provider IDs, TINs by digits or by `tin_ref` (DESIGN §6)."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.engagements import facts as staffing
from idp.affiliations.references import tin_ref
from idp.affiliations.rules import Choice, narrowed
from idp.directory import service as directory
from idp.foundation import house
from idp.foundation.database import Rows
from idp.keyring.service import Keyring
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.identifiers import TinType


def within(
    tx: Session,
    every: Sequence[Choice],
    *,
    provider_ids: Collection[str],
    tins: Collection[str],
    sector: str,
    now: datetime,
) -> tuple[Choice, ...]:
    """The choices inside the request's narrowing; unknown and not held look the same: nothing is left."""
    if not tins:
        return narrowed(every, provider_ids=provider_ids)
    held = {choice.practice_id for choice in every if choice.practice_id is not None}
    meant = practices_meant(tx, tins, among=held, sector=sector)
    engaged = [_engaged(tx, choice, tins, sector=sector, now=now) for choice in every]
    inside = narrowed(every, provider_ids=provider_ids, practice_ids=meant)
    return (*inside, *narrowed([choice for choice in engaged if choice is not None], provider_ids=provider_ids))


def _engaged(tx: Session, choice: Choice, tins: Collection[str], *, sector: str, now: datetime) -> Choice | None:
    """A trading partner's staff act for a practice only through an engagement, one at a time (MODEL §2)."""
    if choice.kind is not TargetKind.TRADING_PARTNER:
        return None
    engaged = directory.engagements(tx, choice.target_id, now)
    closed = staffing.closed_to(tx, partner_id=choice.target_id, affiliation_id=choice.affiliation_id)
    practices = {each.practice.id: each.practice for each in engaged if each.practice.id not in closed}
    meant = practices_meant(tx, tins, among=practices.keys(), sector=sector)
    if len(meant) != 1:
        return None
    practice = practices[meant.pop()]
    return replace(choice, practice_id=practice.id, tin_masked=practice.masked_tin)


def practices_meant(tx: Rows, tins: Collection[str], *, among: Collection[UUID], sector: str) -> set[UUID]:
    """The practices of `among` that the values name; a TIN of type SSN is found by `tin_ref` only (ruling 19)."""
    key = house.get(Keyring).index
    wanted = set(tins)
    found = {practice for practice in among if tin_ref(practice, sector=sector, key=key) in wanted}
    for value in wanted:
        practice_id = _by_digits(tx, value)
        if practice_id is not None and practice_id in among:
            found.add(practice_id)
    return found


def _by_digits(tx: Rows, value: str) -> UUID | None:
    practice = directory.practice_by_tin(tx, value)
    return practice.id if practice is not None and practice.tin_type is TinType.EIN else None
