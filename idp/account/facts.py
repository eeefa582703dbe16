"""Reading what a person's pages show; always of one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.account.rules import binds_the_name
from idp.account.upstairs import serves
from idp.affiliations import service as affiliations
from idp.affiliations.rules import Blocked, Held, blocked, levels_at, status_at
from idp.consent import grants
from idp.consent.models import Consent, Grant
from idp.directory.models import Practice, Provider
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
    last_used_at: datetime | None = None
    """When the person last let it in; `None` where nothing but a remembered consent is left."""
    acting_for: tuple[str, ...] = ()
    """Whom it may act for in the person's name."""
    offline: bool = False
    """Whether it may go on without the person."""


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


def name_is_bound_to(tx: Session, *, subject_id: str, now: datetime) -> tuple[str, ...]:
    """For whom others gave the person access, by the name that they have."""
    every = affiliations.held(tx, subject_id=subject_id, now=now)
    return tuple(
        dict.fromkeys(
            held.target.name
            for held in every
            if binds_the_name((*held.evidence, *(proof for _, proof in held.brought)))
        )
    )


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
    names = _names_of(tx, held)
    apps = [
        OwnApp(
            party,
            tuple(sorted(scopes)),
            since,
            last_used_at=max((grant.created_at for grant in held if grant.client_id == client_id), default=None),
            acting_for=tuple(
                dict.fromkeys(names[grant.id] for grant in held if grant.client_id == client_id and grant.id in names)
            ),
            offline=any(grant.offline for grant in held if grant.client_id == client_id),
        )
        for client_id, (scopes, since) in seen.items()
        if (party := relying_parties.find(client_id)) is not None
    ]
    return sorted(apps, key=lambda app: app.party.manifest.name.casefold())


def _names_of(tx: Session, held: Sequence[Grant]) -> dict[UUID, str]:
    """Whom each grant acts for, by name: the provider picked, else the practice as a whole."""
    providers = {grant.provider_id for grant in held if grant.provider_id is not None}
    practices = {grant.practice_id for grant in held if grant.practice_id is not None}
    names: dict[UUID, str] = {}
    if providers:
        found = tx.execute(select(Provider.id, Provider.legal_name).where(Provider.id.in_(providers)))
        names |= {row.id: row.legal_name for row in found}
    if practices:
        found = tx.execute(select(Practice.id, Practice.name).where(Practice.id.in_(practices)))
        names |= {row.id: row.name for row in found}
    whom = ((grant.id, grant.provider_id or grant.practice_id) for grant in held)
    return {grant_id: names[each] for grant_id, each in whom if each in names}


def _at_portal(held: Held, party: RelyingParty, *, now: datetime) -> AtPortal:
    terms = affiliations.terms_of(party)
    if terms is None:
        raise LookupError(f"portal {party.client_id} states no terms")
    why = blocked(held, terms=terms, now=now, dormancy=house.get(Settings).dormancy)
    return AtPortal(party, levels_at(held, terms) if why is None else (), why)
