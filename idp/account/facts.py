"""Reading what a person's pages show; always of one person."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.account.upstairs import serves
from idp.affiliations import service as affiliations
from idp.affiliations.rules import Blocked, Held, blocked, levels_at, status_at
from idp.consent import grants
from idp.consent.models import Consent
from idp.foundation import house
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import service as sessions
from idp.sessions.browsers import browser_name
from idp.settings import Settings
from idp.vocabulary.affiliation import AffiliationStatus


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One browser in which the person is signed in."""

    id: UUID
    browser: str
    address: str
    signed_in_at: datetime
    last_seen_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class AtPortal:
    """What one affiliation is good for at one portal: levels, or why it cannot be used there."""

    party: RelyingParty
    levels: tuple[str, ...]
    blocked: Blocked | None


@dataclass(frozen=True, slots=True)
class OwnAccess:
    """One affiliation of the person."""

    held: Held
    status: AffiliationStatus
    portals: tuple[AtPortal, ...]


@dataclass(frozen=True, slots=True)
class OwnApp:
    """One relying party that the person let in: what it may see, since when."""

    party: RelyingParty
    scopes: tuple[str, ...]
    since: datetime


def own_sessions(tx: Session, *, subject_id: str, this: UUID, now: datetime) -> list[OwnSession]:
    """Where the person is signed in now, this browser first."""
    found = [
        OwnSession(
            id=session.id,
            browser=browser_name(session.user_agent),
            address=session.address,
            signed_in_at=session.auth_time,
            last_seen_at=session.last_seen_at,
            is_this=session.id == this,
        )
        for session in sessions.list_sessions(tx, subject_id=subject_id, now=now)
    ]
    return sorted(found, key=lambda session: not session.is_this)


def own_access(tx: Session, *, subject_id: str, now: datetime) -> list[OwnAccess]:
    """For whom the person may act, and where."""
    parties = sorted(relying_parties.every().values(), key=lambda party: party.manifest.name)
    portals = [party for party in parties if party.portal is not None and party.enabled]
    dormancy = house.get(Settings).dormancy
    return [
        OwnAccess(
            held=held,
            status=status_at(held, now=now, dormancy=dormancy),
            portals=tuple(
                _at_portal(held, party, now=now)
                for party in portals
                if party.portal is not None and serves(party.portal, held)
            ),
        )
        for held in affiliations.held(tx, subject_id=subject_id, now=now)
    ]


def own_apps(tx: Session, *, subject_id: str, now: datetime) -> list[OwnApp]:
    """Relying parties with a remembered consent or a live grant, by name."""
    seen: dict[str, tuple[set[str], datetime]] = {}
    consents = tx.execute(
        select(Consent.client_id, Consent.scopes, Consent.granted_at).where(
            Consent.subject_id == subject_id, Consent.revoked_at.is_(None)
        )
    )
    held = [
        grant
        for grant in grants.held_by(tx, subject_id=subject_id, now=now)
        if grants.live(tx, grant_id=grant.id, now=now) is not None
    ]
    for client_id, scopes, at in [*consents, *((grant.client_id, grant.scopes, grant.created_at) for grant in held)]:
        before, since = seen.get(client_id, (set(), at))
        seen[client_id] = (before | set(scopes.split()), min(since, at))
    apps = [
        OwnApp(party, tuple(sorted(scopes)), since)
        for client_id, (scopes, since) in seen.items()
        if (party := relying_parties.find(client_id)) is not None
    ]
    return sorted(apps, key=lambda app: app.party.manifest.name.casefold())


def _at_portal(held: Held, party: RelyingParty, *, now: datetime) -> AtPortal:
    terms = affiliations.terms_of(party)
    if terms is None:
        raise LookupError(f"portal {party.client_id} states no terms")
    why = blocked(held, terms=terms, now=now, dormancy=house.get(Settings).dormancy)
    return AtPortal(party, levels_at(held, terms) if why is None else (), why)
