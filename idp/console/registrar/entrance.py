"""A registrar's proven right at any target of the payer's: the same `Acting` and place as a manager's (SECURITY D5, ruling 20)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.authority import ActedOn, authorize_payer
from idp.affiliations.deciding.facts import Place, whoever_at
from idp.affiliations.deciding.rules import Reason
from idp.affiliations.rules import serves
from idp.console.registrar import facts
from idp.console.staff import facts as staff
from idp.console.staff.rules import allowed
from idp.console.staff.service import By
from idp.manage.service import Opened
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.assurance import acr_to_tell
from idp.vocabulary.refused import Refused


def to_person(tx: Session, by: By, affiliation_id: UUID, *, client_id: str | None = None) -> Opened | Refused:
    """Where this person's access is judged: at the portal of its first proof, or at another of its registry."""
    row = facts.find(tx, affiliation_id)
    case = facts.case_of(tx, row, now=by.now) if row is not None else None
    if row is None or case is None:
        return Refused(Reason.UNKNOWN)
    place = case.place
    if client_id in (None, place.party.client_id):
        return _open(tx, by, place)
    if client_id not in {each.client_id for each in portals(row.registry_name, place.target.kind, now=by.now)}:
        return Refused(Reason.UNKNOWN)
    there = facts.place_of(
        tx, portal=client_id, registry=row.registry_name, kind=row.target_kind, target_id=row.target_id, now=by.now
    )
    return _open(tx, by, there)


def to_target(tx: Session, by: By, target_id: UUID, *, client_id: str) -> Opened | Refused:
    """A target at a portal that acts for such targets."""
    party = relying_parties.find(client_id, now=by.now)
    terms = affiliations.terms_of(party) if party is not None and party.portal is not None else None
    if terms is None:
        return Refused(Reason.UNKNOWN)
    for kind in TargetKind:
        if client_id not in {each.client_id for each in portals(terms.registry, kind, now=by.now)}:
            continue
        place = facts.place_of(
            tx, portal=client_id, registry=terms.registry, kind=kind.value, target_id=target_id, now=by.now
        )
        if place is not None:
            return _open(tx, by, place)
    return Refused(Reason.UNKNOWN)


def portals(registry: str, kind: TargetKind, *, now: datetime) -> tuple[RelyingParty, ...]:
    """The portals where somebody may act for such a target of a registry, by name."""
    found = []
    for party in relying_parties.every(now=now).values():
        terms = affiliations.terms_of(party) if party.portal is not None and party.enabled else None
        if terms is not None and terms.registry == registry and serves(kind, terms):
            found.append(party)
    return tuple(sorted(found, key=lambda party: party.manifest.name))


def _open(tx: Session, by: By, place: Place | None) -> Opened | Refused:
    """The roles are read in this transaction: who lost the role since the page was shown acts no more (AD-11)."""
    if place is None or by.subject_id is None or by.session is None:
        return Refused(Reason.UNKNOWN)
    target = place.target
    acting = authorize_payer(
        ActedOn(target.registry, target.kind, target.id, target.practice_id),
        subject_id=by.subject_id,
        may=allowed(staff.roles_of(tx, subject_id=by.subject_id)),
        acr=acr_to_tell(by.session.acr),
        fresh_at=by.session.auth_time,
    )
    if isinstance(acting, Refused):
        return Refused(Reason.NOT_THEIRS)
    actor = whoever_at(tx, place, acting=acting, now=by.now)
    return actor if isinstance(actor, Refused) else Opened(acting, actor, place)
