"""Engaging a trading partner, capping and ending it, and assigning its staff (MODEL §2, §7; AD-11, AU-06)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.facts import Place, actor_at, place_of
from idp.affiliations.engagements import facts
from idp.affiliations.engagements.models import EngagementStaff
from idp.affiliations.engagements.rules import Agreed, Chosen, Reason, Stands, judge
from idp.affiliations.managers.facts import lock, managers_of, point_at
from idp.affiliations.managers.telling import tell_managers
from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory import service as directory
from idp.directory.models import Engagement
from idp.directory.rules import PartnerFacts
from idp.foundation import house
from idp.foundation.origin import Origin
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import Acting, TargetKind
from idp.vocabulary.refused import Refused

MANAGER = "manager"


@dataclass(frozen=True, slots=True)
class Case:
    """A manager at their place, judged anew under its lock."""

    place: Place
    by: str
    now: datetime
    origin: Origin


def catalogue(registry: str) -> frozenset[str]:
    """The levels that a cap may name: those of the portals where partners act, without the managing one."""
    return frozenset(
        level.key
        for party in facts.portals_of_partners(registry)
        for level in party.manifest.levels
        if not level.manages
    )


def open_case(
    tx: Session, *, acting: Acting, party: RelyingParty, kind: TargetKind, now: datetime, origin: Origin
) -> Case | Refused:
    """Only a practice's manager engages, only a partner's assigns; whatever else is asked does not exist."""
    place = place_of(tx, acting=acting, party=party, now=now)
    if isinstance(place, Refused):
        return place
    if place.target.kind is not kind:
        return Refused(Reason.UNKNOWN)
    lock(tx, place.target)
    actor = actor_at(tx, place, acting=acting, now=now)
    return actor if isinstance(actor, Refused) else Case(place, actor.subject_id, now, origin)


def agree(tx: Session, case: Case, *, partner_id: UUID, wanted: Agreed, seen: str) -> Refused | None:
    """Engage a partner, or change what was agreed; it holds for the partner's tokens by their next request."""
    partner, before = _found(tx, case, partner_id)
    if partner is None:
        return Refused(Reason.UNKNOWN)
    if (before.seen if before is not None else "") != seen:
        return Refused(Reason.CHANGED_MEANWHILE)
    if not partner.in_force or not case.place.target.in_force:
        return Refused(Reason.NOT_IN_FORCE)
    today = case.now.date()
    registry = case.place.target.registry
    refused = judge(wanted, before=before, catalogue=catalogue(registry), today=today)
    if refused is not None:
        return refused
    runs = before is not None and before.stands(today) is Stands.RUNS
    starts_on = before.starts_on if runs and before is not None else wanted.starts_on
    _write(tx, case, partner, Agreed(starts_on, wanted.ends_on, wanted.cap))
    _audit(tx, case, partner, before=before, after=Agreed(starts_on, wanted.ends_on, wanted.cap))
    _tell(tx, case, partner, happened="changed" if runs else "engaged")
    return None


def end(tx: Session, case: Case, *, partner_id: UUID, seen: str) -> Refused | None:
    """Nobody of the partner acts for the practice from here on, and no roster begins it anew."""
    partner, before = _found(tx, case, partner_id)
    if partner is None or before is None:
        return Refused(Reason.UNKNOWN)
    if before.seen != seen:
        return Refused(Reason.CHANGED_MEANWHILE)
    today = case.now.date()
    if before.stands(today) is Stands.ENDED:
        return Refused(Reason.NOT_RUNNING)
    for row in _rows(tx, case, partner_id):
        row.ended_by = case.by
        if row.ends_on is None or row.ends_on > today:
            row.ends_on = today
    tx.flush()
    _audit(tx, case, partner, before=before, after=None)
    _tell(tx, case, partner, happened="ended")
    return None


def assign(tx: Session, case: Case, *, practice_id: UUID, chosen: Chosen | None) -> Refused | None:
    """Who of the staff works for one practice: `None` is everybody; the others' tokens for it die by their next use."""
    partner = case.place.target
    rows = facts.rows_of(tx, partner_id=partner.id, practice_id=practice_id)
    holds = facts.agreed(rows, today=case.now.date())
    practice = directory.practice(tx, practice_id)
    if practice is None or holds is None or holds.stands(case.now.date()) is Stands.ENDED:
        return Refused(Reason.UNKNOWN)
    staff = facts.all_staff(tx, partner_id=partner.id, registry=partner.registry)
    if chosen is not None and not chosen.ticked <= staff.keys():
        return Refused(Reason.UNKNOWN)
    former = facts.staffed(tx, partner_id=partner.id, practices=[practice_id]).get(practice_id)
    before = frozenset(staff) if former is None or former.affiliation_ids is None else former.affiliation_ids
    after = frozenset(staff) if chosen is None else chosen.after(before) & staff.keys()
    if not after:
        return Refused(Reason.NO_STAFF)
    tx.execute(
        delete(EngagementStaff).where(
            EngagementStaff.trading_partner_id == partner.id, EngagementStaff.practice_id == practice_id
        )
    )
    if chosen is not None:
        shared = {"trading_partner_id": partner.id, "practice_id": practice_id, "at": case.now, "by": case.by}
        tx.execute(insert(EngagementStaff), [{"affiliation_id": each, **shared} for each in sorted(after)])
    audit.append(
        tx, Event.ENGAGEMENT_STAFFED, now=case.now, actor=case.by, origin=case.origin,
        client_id=case.place.party.client_id, target_kind=partner.kind.value, target_id=partner.id,
        details={
            "practice": practice_id, "everybody": chosen is None,
            "before": sorted(str(each) for each in before), "after": sorted(str(each) for each in after),
        },
    )  # fmt: skip
    _tell_staff(tx, case, practice.name, [staff[each] for each in before ^ after if each in staff])
    return None


def _found(tx: Session, case: Case, partner_id: UUID) -> tuple[PartnerFacts | None, Agreed | None]:
    partner = directory.trading_partner(tx, partner_id)
    if partner is None or partner.registry != case.place.target.registry:
        return None, None
    return partner, facts.agreed(_rows(tx, case, partner_id), today=case.now.date())


def _rows(tx: Session, case: Case, partner_id: UUID) -> list[Engagement]:
    return facts.rows_of(tx, partner_id=partner_id, practice_id=case.place.target.id)


def _write(tx: Session, case: Case, partner: PartnerFacts, wanted: Agreed) -> None:
    """The manager's own row; the roster's runs beside it and says no more than that."""
    cap = None if wanted.cap is None else list(wanted.cap)
    mine = next((row for row in _rows(tx, case, partner.id) if row.source == MANAGER), None)
    if mine is None:
        mine = Engagement(trading_partner_id=partner.id, practice_id=case.place.target.id, source=MANAGER)
        tx.add(mine)
    mine.starts_on, mine.ends_on, mine.levels_cap, mine.ended_by = wanted.starts_on, wanted.ends_on, cap, None
    ends_on = wanted.ends_on
    for row in _rows(tx, case, partner.id) if ends_on is not None else ():
        if row.source != MANAGER and (row.ends_on is None or (ends_on is not None and row.ends_on > ends_on)):
            row.ends_on, row.ended_by = ends_on, case.by
    tx.flush()


def _audit(tx: Session, case: Case, partner: PartnerFacts, *, before: Agreed | None, after: Agreed | None) -> None:
    target = case.place.target
    audit.append(
        tx, Event.ENGAGEMENT_CHANGED, now=case.now, actor=case.by, origin=case.origin,
        client_id=case.place.party.client_id, target_kind=target.kind.value, target_id=target.id,
        details={"partner": partner.trading_partner_id, "before": _said(before), "after": _said(after)},
    )  # fmt: skip


def _said(agreed: Agreed | None) -> dict[str, object] | None:
    if agreed is None:
        return None
    ends = None if agreed.ends_on is None else agreed.ends_on.isoformat()
    cap = None if agreed.cap is None else list(agreed.cap)
    return {"starts_on": agreed.starts_on.isoformat(), "ends_on": ends, "cap": cap}


def _tell(tx: Session, case: Case, partner: PartnerFacts, *, happened: str) -> None:
    """Both sides' managers, in the name of the portal where each of them works."""
    context = {"target": case.place.target.name, "partner": partner.name, "happened": happened}
    dormancy = house.get(Settings).dormancy
    ours = managers_of(
        tx, target=case.place.target, terms=case.place.terms, now=case.now, dormancy=dormancy, but=case.by
    )
    tell_managers(tx, ours, notice="engagement", party=case.place.party, context=context, now=case.now)
    pointed = point_at(
        tx, registry=partner.registry, kind=TargetKind.TRADING_PARTNER, target_id=partner.id, now=case.now
    )
    for party in facts.portals_of_partners(partner.registry) if pointed is not None else ():
        terms = affiliations.terms_of(party)
        if terms is not None and pointed is not None:
            theirs = managers_of(tx, target=pointed, terms=terms, now=case.now, dormancy=dormancy)
            tell_managers(tx, theirs, notice="engagement", party=party, context=context, now=case.now)


def _tell_staff(tx: Session, case: Case, practice: str, people: Collection[str]) -> None:
    url = f"{house.get(Settings).issuer}/account/access"
    for subject_id in sorted(people):
        subject = subjects.by_id(tx, subject_id=subject_id)
        if subject is not None and subject.email is not None:
            notices.notify(
                tx, notice="access_changed", subject=subject, party=case.place.party,
                context={"target": practice, "url": url}, now=case.now,
            )  # fmt: skip
