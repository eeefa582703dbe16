"""Signing out in both places: here and, where its connection says so, at the provider that a session rests on.

The session here has ended before anybody is sent anywhere, so a provider that is down keeps nobody signed in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.federation import arrivals, requests
from idp.federation.arrivals import Arrived
from idp.federation.connections import facts as connections
from idp.federation.connections.facts import Applied
from idp.federation.requests import Asked, Purpose
from idp.federation.rules import Reason
from idp.federation.upstream_oidc import service as upstream_oidc
from idp.federation.upstream_oidc.rules import Wrong
from idp.federation.upstream_saml import service as upstream_saml
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind
from idp.foundation.database import Rows, reading
from idp.foundation.origin import Origin
from idp.sessions import service as sessions
from idp.sessions.rules import Ended, SessionFacts
from idp.settings import Settings
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

Prepared = Callable[[Secret], str]
Protocol = Callable[[Applied, Arrived, str, datetime], Prepared | None]
"""May use the network; what it returns makes the address once its `state` is known. `None`: nothing to sign out of."""


def _oidc(applied: Applied, arrived: Arrived, back_to: str, now: datetime) -> Prepared | None:
    return upstream_oidc.sign_out(applied, arrived.hint, back_to=back_to, now=now)


def _saml(applied: Applied, arrived: Arrived, _back_to: str, now: datetime) -> Prepared | None:
    return upstream_saml.sign_out(applied, arrived.hint, now=now)


PROTOCOLS: Final[dict[str, Protocol]] = {"oidc": _oidc, "saml": _saml}


@dataclass(frozen=True, slots=True)
class Onward:
    """Where a sign-out goes on, before it is parked."""

    applied: Applied
    prepared: Prepared


def prepare(session: SessionFacts | None, *, now: datetime) -> Onward | None:
    """Whether this session rests on a provider that can be signed out of; asked before the session ends."""
    if session is None:
        return None
    with reading() as tx:
        arrived = arrivals.of_session(tx, session_id=session.id)
        applied = connections.find(tx, arrived.identity.connection) if arrived is not None else None
    if arrived is None or applied is None or not applied.enabled:
        return None
    protocol = PROTOCOLS.get(applied.connection.protocol)
    prepared = protocol(applied, arrived, back_from(applied.name), now) if protocol is not None else None
    return None if prepared is None else Onward(applied, prepared)


def leave(tx: Session, onward: Onward, *, browser_digest: bytes, location: str | None, now: datetime) -> str:
    """Keep where the browser goes on after it, and say where it goes now."""
    asked = Asked(
        connection=onward.applied.name,
        issuer=onward.applied.connection.issuer,
        purpose=Purpose.SIGN_OUT,
        at=now,
        onward=location,
    )
    return onward.prepared(requests.keep(tx, asked, browser_digest=browser_digest))


def came_back(tx: Rows, name: str, state: str, *, browser_digest: bytes, now: datetime) -> str | None:
    """Where a browser goes on that was signed out there; nothing that the provider sends says where."""
    found = requests.look(tx, state, connection=name, browser_digest=browser_digest, now=now)
    return None if isinstance(found, Refused) or found.purpose is not Purpose.SIGN_OUT else found.onward


def back_from(name: str) -> str:
    """The one address that a provider sends people back to after signing out."""
    return f"{house.get(Settings).issuer}/federation/{name}/signed-out"


@dataclass(frozen=True, slots=True)
class Told:
    """A verified sign-out message of a provider: whose sessions, and the message's own name, good once."""

    message: str
    subject: str | None
    session: str | None


def names_another(tx: Session, applied: Applied, said: Told, *, now: datetime, origin: Origin) -> Refused | None:
    """Refuse a message whose `sid` is of somebody else than its `sub`; the message is not used up by that (FE-16)."""
    if said.subject is None or said.session is None:
        return None
    named = {"connection": applied.name, "issuer": applied.connection.issuer}
    resting = arrivals.sessions_resting_on(tx, **named, subject=None, sid=said.session)
    if not resting or said.subject in {subject for _session_id, subject in resting}:
        return None
    refused = Refused(Reason.BAD_SUBJECT)
    audit.append(
        tx,
        Event.UPSTREAM_REFUSED,
        now=now,
        actor="anonymous",
        origin=origin,
        outcome=Reason.BAD_SUBJECT.value,
        details={**named, "purpose": Purpose.SIGN_OUT.value, "wrong": Wrong.SUBJECT.value},
    )
    return refused


def told(tx: Session, applied: Applied, said: Told, *, now: datetime, origin: Origin) -> int | Refused:
    """End every session here that rests on what a provider ended (FE-16, FE-45); says how many, once a message."""
    value = f"{applied.name}:{said.message}"
    if not artefacts.record_once(tx, kind=Kind.UPSTREAM_ONCE, value=value, now=now, lifetime=requests.REMEMBERED):
        return Refused(Reason.REPLAYED)
    resting = arrivals.sessions_resting_on(
        tx, connection=applied.name, issuer=applied.connection.issuer, subject=said.subject, sid=said.session
    )
    ended = sum(
        sessions.end_session(tx, session_id=session_id, reason=Ended.UPSTREAM, now=now, origin=origin)
        for session_id in sorted({session_id for session_id, _subject in resting})
    )
    audit.append(
        tx,
        Event.UPSTREAM_SIGNED_OUT,
        now=now,
        actor="anonymous",
        origin=origin,
        details={"connection": applied.name, "issuer": applied.connection.issuer, "ended": ended},
    )
    return ended
