"""Reading what a portal asks of a person's proofs, and what the person holds; only where it can matter."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.authenticators.factors import facts as factors
from idp.authenticators.recovery_codes import facts as recovery_codes
from idp.federation import homes
from idp.foundation import house
from idp.relying_parties.rules import RelyingParty
from idp.sessions.rules import SessionFacts
from idp.settings import Settings
from idp.sign_in.assurance.rules import Equipment, Terms, Wish, asks_nothing, demands
from idp.vocabulary.assurance import Acr


def of_session(
    tx: Session, wish: Wish, *, party: RelyingParty | None, session: SessionFacts, now: datetime
) -> tuple[Terms, Equipment]:
    """For a live session; nothing is read when it has all that could be asked."""
    terms = _terms(party)
    if asks_nothing(wish, terms, session):
        return terms, Equipment()
    terms, equipment = of_subject(tx, party=party, subject_id=session.subject_id, now=now)
    if session.spared_by is not None and party is not None and demands(terms):
        terms = replace(terms, takes_spared=homes.spares_at(tx, session=session, portal=party.roles_of))
    return terms, equipment


def of_subject(tx: Session, *, party: RelyingParty | None, subject_id: str, now: datetime) -> tuple[Terms, Equipment]:
    """For somebody whose password was right, or who must prove more."""
    terms = _terms(party)
    acting = affiliations.terms_of(party) if party is not None and party.portal is not None else None
    if acting is not None and terms.policy != "optional":
        manages = affiliations.is_manager(tx, subject_id=subject_id, terms=acting, now=now)
        terms = replace(terms, manages=manages)
    held = factors.held(tx, subject_id=subject_id)
    left = recovery_codes.left(tx, subject_id=subject_id, now=now) if held else 0
    return terms, Equipment(held, recovery=left > 0)


def _terms(party: RelyingParty | None) -> Terms:
    days = house.get(Settings).remember_device
    if party is None:
        return Terms(own=True, remembers=days)
    mfa = party.manifest.mfa
    return Terms(
        policy=mfa.policy,
        kinds=frozenset(mfa.kinds),
        min_acr=party.portal.min_acr if party.portal is not None else Acr.AAL1,
        remembers=min(days, timedelta(days=mfa.remember_days)),
    )
