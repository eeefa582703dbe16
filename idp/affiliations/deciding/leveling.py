"""Access levels and the account manager's mark change: levels, epoch, audit with before and after, message (MODEL §2, §10)."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.cases import Case, tell
from idp.affiliations.deciding.rules import Member, word_of
from idp.affiliations.invitations import orphaned
from idp.affiliations.managers.facts import managers_of
from idp.affiliations.managers.telling import tell_managers
from idp.affiliations.models import Affiliation, AffiliationEvidence, HeldLevel
from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.database import see_as
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.subjects import service as subjects


def set_levels(tx: Session, case: Case, row: Affiliation, member: Member) -> None:
    """The levels asked for become those at this portal; the managing one among them is the mark."""
    wanted, managing = frozenset(case.asked.levels), case.place.managing
    if case.actor.payer and managing in wanted - member.levels:
        vouch(tx, case, row)
    _write(tx, case, row, wanted)
    row.account_manager = managing in wanted
    if managing in member.levels - wanted:
        orphaned.void_of(
            tx, row, actor=case.actor.by, now=case.now, origin=case.origin, portal=case.place.party.client_id
        )
    _changed(tx, case, row, member, wanted)


def mark(tx: Session, case: Case, row: Affiliation, member: Member) -> None:
    """The payer makes somebody account manager, by its own word: its evidence, the managing level, the mark."""
    vouch(tx, case, row)
    wanted = member.levels | {case.place.managing}
    _write(tx, case, row, wanted)
    row.account_manager = True
    _changed(tx, case, row, member, wanted)
    _tell_managers(tx, case, row, given=True)


def unmark(tx: Session, case: Case, row: Affiliation, member: Member) -> None:
    """The mark goes, with the managing level of every portal that shows it and what they sent as manager; the rest stays."""
    for held in list(row.levels):
        party = relying_parties.find(held.portal)
        if party is not None and any(level.manages and level.key == held.level for level in party.manifest.levels):
            tx.execute(delete(HeldLevel).where(HeldLevel.id == held.id))
    row.account_manager = False
    orphaned.void_of(tx, row, actor=case.actor.by, now=case.now, origin=case.origin)
    _changed(tx, case, row, member, member.levels - {case.place.managing})
    _tell_managers(tx, case, row, given=False)


def vouch(tx: Session, case: Case, row: Affiliation) -> None:
    """What the actor's word is worth, written down once for each portal and kind (MODEL §1)."""
    kind, portal = word_of(case.actor).value, case.place.party.client_id
    if not case.actor.payer or (kind, portal) not in {(proof.kind, proof.portal) for proof in row.evidence}:
        tx.add(AffiliationEvidence(affiliation_id=row.id, kind=kind, portal=portal, at=case.now, by=case.actor.by))


def _write(tx: Session, case: Case, row: Affiliation, wanted: frozenset[str]) -> None:
    portal = case.place.party.client_id
    tx.execute(delete(HeldLevel).where(HeldLevel.affiliation_id == row.id, HeldLevel.portal == portal))
    levels = {portal: sorted(wanted)}
    affiliations.give_levels(tx, affiliation_id=row.id, levels=levels, now=case.now, by=case.actor.by)


def _changed(tx: Session, case: Case, row: Affiliation, member: Member, after: frozenset[str]) -> None:
    row.epoch += 1
    row.version += 1
    tx.flush()
    tx.expire(row, ["levels", "evidence"])
    audit.append(
        tx,
        Event.LEVELS_CHANGED,
        now=case.now,
        actor=case.actor.by,
        origin=case.origin,
        subject_id=row.subject_id,
        client_id=case.place.party.client_id,
        target_kind=row.target_kind,
        target_id=str(row.target_id),
        details={"before": sorted(member.levels), "after": sorted(after)},
    )
    tell(tx, case, row, notice="access_changed")


def _tell_managers(tx: Session, case: Case, row: Affiliation, *, given: bool) -> None:
    """The other managers learn who manages with them now, or no longer."""
    place, person = case.place, subjects.by_id(tx, subject_id=row.subject_id)
    if person is None:
        return
    dormancy = house.get(Settings).dormancy
    others = managers_of(
        tx, target=place.target, terms=place.terms, now=case.now, dormancy=dormancy, but=row.subject_id
    )
    context = {"target": place.target.name, "person": person.name, "given": given}
    tell_managers(tx, others, notice="manager_mark", party=place.party, context=context, now=case.now)
    see_as(tx, target_id=place.target.id)
