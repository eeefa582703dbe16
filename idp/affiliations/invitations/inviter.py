"""Who invited: whether they could still give it when it is accepted, and what dies with their own access (AD-12, AD-14)."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.facts import Place, levels_within, manager_at, member_of
from idp.affiliations.deciding.reaching import setting_of
from idp.affiliations.deciding.rules import Actor, may_wake, word_of
from idp.affiliations.invitations.models import Invitation
from idp.affiliations.managers.facts import Pointed
from idp.affiliations.models import Affiliation
from idp.relying_parties import service as relying_parties
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused


def may_still(tx: Session, row: Invitation, own: Affiliation | None, target: Pointed, *, now: datetime) -> bool:
    """Whether who invited could do so now, by the rule that judged it then; the payer's word stands by itself.

    The target is locked, so nobody loses their mark between this and the yes. The row fence is the target's after it.
    """
    if row.evidence == Evidence.PAYER:
        return True
    party = relying_parties.find(row.portal)
    terms = affiliations.terms_of(party) if party is not None else None
    if party is None or terms is None or terms.registry != target.registry:
        return False
    place = Place(party, terms, target)
    inviter = manager_at(tx, place, subject_id=row.invited_by, now=now)
    if isinstance(inviter, Refused) or not word_of(inviter).suffices(Evidence(row.evidence)):
        return False
    if row.levels and levels_within(row.levels, actor=inviter, place=place) is not None:
        return False
    return own is None or own.id != row.affiliation_id or _may_complete(tx, row, own, inviter, place, now=now)


def _may_complete(
    tx: Session, row: Invitation, own: Affiliation, inviter: Actor, place: Place, *, now: datetime
) -> bool:
    """Whether their word may bring to life what waits, wherever it reaches (MODEL §7).

    What another manager gave after it was sent was that one's to give.
    """
    judged = [each for each in own.levels if each.by == row.invited_by or each.at <= row.sent_at]
    portal, managing = place.party.client_id, place.managing
    here = frozenset(each.level for each in judged if each.portal == portal) - {managing}
    seen = member_of(place, own, now=now)
    mark = frozenset({managing}) if own.account_manager else frozenset()
    member = replace(seen, levels=here | mark, by_default=False)
    setting = setting_of(tx, place, own, member, by=inviter, now=now, levels=judged)
    return may_wake(inviter, member, setting) is None
