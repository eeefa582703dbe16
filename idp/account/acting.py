"""For whom the person acts now at each portal of this session, and where they choose another (MODEL §5)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.consent import grants
from idp.consent.models import Grant
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions.rules import SessionFacts


@dataclass(frozen=True, slots=True)
class ActingNow:
    """One portal where the person is signed in and may act for several."""

    party: RelyingParty
    name: str
    switch_url: str | None
    """The portal's own page that asks again; `None` where its manifest names none."""


def acting_now(tx: Session, session: SessionFacts, *, now: datetime) -> tuple[ActingNow, ...]:
    """By the live grants of this session; where there is nobody else to act for, nothing can be switched."""
    newest: dict[str, Grant] = {}
    for grant in grants.held_by(tx, subject_id=session.subject_id, now=now):
        if grant.session_id == session.id and grants.live(tx, grant_id=grant.id, now=now) is not None:
            newest.setdefault(grant.client_id, grant)
    found = (_at(tx, grant, now=now) for grant in newest.values())
    return tuple(sorted((each for each in found if each is not None), key=lambda each: each.party.manifest.name))


def _at(tx: Session, grant: Grant, *, now: datetime) -> ActingNow | None:
    party = relying_parties.find(grant.client_id)
    terms = affiliations.terms_of(party) if party is not None and party.enabled else None
    if party is None or party.portal is None or terms is None or grant.affiliation_id is None:
        return None
    if len(affiliations.choices_at(tx, subject_id=grant.subject_id, terms=terms, now=now)) < 2:
        return None
    choice = affiliations.choice_at(
        tx,
        subject_id=grant.subject_id,
        terms=terms,
        affiliation_id=grant.affiliation_id,
        provider_id=grant.provider_id,
        now=now,
    )
    switch = party.portal.switch_uri
    return None if choice is None else ActingNow(party, choice.name, party.absolute(switch) if switch else None)
