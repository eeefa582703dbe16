"""Who invited: whether they could still give it when it is accepted, and what dies with their own access (AD-12, AD-14)."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.deciding.facts import Place, levels_within, manager_at
from idp.affiliations.deciding.rules import word_of
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
    levels = _given(row, own)
    party = relying_parties.find(row.portal)
    terms = affiliations.terms_of(party) if party is not None else None
    if party is None or terms is None or terms.registry != target.registry:
        return False
    place = Place(party, terms, target)
    inviter = manager_at(tx, place, subject_id=row.invited_by, now=now)
    if isinstance(inviter, Refused) or not word_of(inviter).suffices(Evidence(row.evidence)):
        return False
    return not levels or levels_within(levels, actor=inviter, place=place) is None


def _given(row: Invitation, own: Affiliation | None) -> frozenset[str]:
    """What it gives, or what its inviter gave to the affiliation that it completes."""
    waits = own is not None and own.id == row.affiliation_id
    held = own.levels if own is not None and waits else ()
    theirs = {each.level for each in held if each.portal == row.portal and each.by == row.invited_by}
    return frozenset(theirs.union(row.levels))
