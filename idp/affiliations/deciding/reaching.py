"""Where an act happens and where else it reaches: who would be left, and what the two are at the registry's other portals."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.facts import Place, held_at, marked_of
from idp.affiliations.deciding.reach import Elsewhere
from idp.affiliations.deciding.rules import Actor, Member, Setting
from idp.affiliations.managers.facts import managers_of
from idp.affiliations.models import Affiliation, HeldLevel
from idp.affiliations.rules import Held, PortalTerms, accepted, levels_at, manages_at, serves, status_at
from idp.foundation import house
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.settings import Settings
from idp.vocabulary.affiliation import AffiliationStatus


def setting_of(
    tx: Session,
    place: Place,
    row: Affiliation,
    member: Member,
    *,
    by: Actor | None,
    now: datetime,
    levels: Collection[HeldLevel] | None = None,
) -> Setting:
    """The catalogue, how many would manage the target without this person, and the portals that the act reaches besides.

    A registrar is a manager of nothing, and the payer's word stands at every portal; without `by` nobody acts: a review's
    time is over, and only who would be left is asked. `levels` are those to be judged, else all that are written. The row
    fence is the target's when it returns.
    """
    others = 1
    if member.account_manager or (by is not None and by.payer):
        others = _others(tx, place, place.terms, member, now=now)
    if by is not None and by.payer:
        return Setting(place.catalogue, place.managing, others)
    marked = marked_of(tx, place.target, subject_id=by.subject_id) if by is not None else None
    held, judged = held_at(place, row), row.levels if levels is None else levels
    found = []
    for party, terms in others_serving(place, now=now):
        theirs = frozenset(each.level for each in judged if each.portal == party.client_id) - _managing(party)
        found.append(_there(tx, place, terms, held, member, theirs, marked, now=now))
    return Setting(place.catalogue, place.managing, others, tuple(found))


def others_serving(place: Place, *, now: datetime) -> list[tuple[RelyingParty, PortalTerms]]:
    """The registry's other portals that act for such a target, switched off ones too: they may be on again tomorrow."""
    found = []
    for party in relying_parties.every(now=now).values():
        terms = affiliations.terms_of(party) if party.portal is not None else None
        if terms is None or party.client_id == place.party.client_id or terms.registry != place.target.registry:
            continue
        if serves(place.target.kind, terms):
            found.append((party, terms))
    return found


def _there(
    tx: Session,
    place: Place,
    terms: PortalTerms,
    held: Held,
    member: Member,
    levels: frozenset[str],
    marked: tuple[Held, ...] | None,
    *,
    now: datetime,
) -> Elsewhere:
    dormancy = house.get(Settings).dormancy
    proven = any(proof.suffices(terms.accepts_for_manager) for proof in held.evidence)
    stand = [
        each
        for each in marked or ()
        if status_at(each, now=now, dormancy=dormancy) is AffiliationStatus.ACTIVE and accepted(each, terms)
    ]
    return Elsewhere(
        accepts=terms.accepts,
        accepts_for_manager=terms.accepts_for_manager,
        proven=proven,
        acts=accepted(held, terms),
        levels=levels,
        actor_manages=marked is None
        or any(manages_at(each, terms=terms, now=now, dormancy=dormancy) for each in marked),
        actor_acts=marked is None or bool(stand),
        actor_levels=frozenset(level for each in stand for level in levels_at(each, terms)),
        other_managers=_others(tx, place, terms, member, now=now) if proven and member.account_manager else 1,
    )


def _others(tx: Session, place: Place, terms: PortalTerms, member: Member, *, now: datetime) -> int:
    dormancy = house.get(Settings).dormancy
    return len(managers_of(tx, target=place.target, terms=terms, now=now, dormancy=dormancy, but=member.subject_id))


def _managing(party: RelyingParty) -> frozenset[str]:
    return frozenset(level.key for level in party.manifest.levels if level.manages)
