"""The authorization endpoint: validate, ask the dispatcher, and answer with a code or an error at the client (RFC 6749 §4.1).

Client and redirect URI are checked before anything may be redirected (AZ-01…09); a live session that needs no page is
answered at once, everything else is parked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import house
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.oidc import authorization_requests, issuing
from idp.oidc.authorization_requests import Reason, client_of
from idp.oidc.errors import RequestError
from idp.oidc.requests import Parameters
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import service as sessions
from idp.sessions import transactions
from idp.sessions.rules import SessionFacts, TransactionFacts
from idp.settings import Settings
from idp.sign_in.requests import parked, unparked
from idp.sign_in.rules import AuthorizationRequest, Show
from idp.sign_in.service import decide
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser at the endpoint."""

    browser_digest: bytes
    session: SessionFacts | None
    origin: Origin
    now: datetime


@dataclass(frozen=True, slots=True)
class Redirect:
    """Back to the client, at a registered address."""

    uri: str


@dataclass(frozen=True, slots=True)
class Parked:
    """On to the dispatcher."""

    txn: UUID


def begin(parameters: Parameters, *, visitor: Visitor) -> Redirect | Parked | Refused:
    """A new authorization request."""
    party = client_of(parameters.single)
    if isinstance(party, Refused):
        return party
    request = authorization_requests.read(parameters, party, now=visitor.now)
    if isinstance(request, RequestError):
        return _refuse_request(request, parameters.single, party, visitor)
    # Whatever the dispatcher says, something is written: so it is asked once, in the transaction that acts on it.
    return _settle(request, party, visitor, txn=None)


def keep(parameters: Parameters, *, visitor: Visitor) -> Redirect | Parked | Refused:
    """A request posted from elsewhere: it came without this browser's cookies, so it waits for its GET (ruling 13)."""
    party = client_of(parameters.single)
    if isinstance(party, Refused):
        return party
    request = authorization_requests.read(parameters, party, now=visitor.now)
    if isinstance(request, RequestError):
        return _refuse_request(request, parameters.single, party, visitor)
    with writing() as tx:
        return _park(tx, request, visitor, transactions.UNCLAIMED)


def answer(*, txn: UUID, visitor: Visitor) -> Redirect | Parked | Refused:
    """The end of a parked request: the verdict is asked again in the transaction that acts on it (D2)."""
    with reading() as tx:
        transaction = transactions.load_or_unclaimed(
            tx, txn=txn, browser_digest=visitor.browser_digest, now=visitor.now
        )
    if isinstance(transaction, Refused):
        return transaction
    party = relying_parties.find(transaction.client_id or "")
    if party is None or not party.enabled:
        return Refused(Reason.CLIENT_ID)
    waits = transaction.browser_digest == transactions.UNCLAIMED
    return _settle(unparked(transaction.request), party, visitor, txn=txn, waits=waits)


def _settle(
    request: AuthorizationRequest, party: RelyingParty, visitor: Visitor, *, txn: UUID | None, waits: bool = False
) -> Redirect | Parked | Refused:
    now = visitor.now
    with writing() as tx:
        transaction: TransactionFacts | None = None
        if txn is not None:
            if waits:
                transactions.claim(tx, txn=txn, browser_digest=visitor.browser_digest)
            locked = transactions.lock(tx, txn=txn, browser_digest=visitor.browser_digest, now=now)
            if isinstance(locked, Refused):
                return locked
            transaction = locked
        session = sessions.hold(tx, visitor.session) if visitor.session is not None else None
        decision = decide(tx, request, party=party, transaction=transaction, session=session, now=now)
        if isinstance(decision.verdict, Show):
            return Parked(txn) if txn is not None else _park(tx, request, visitor, visitor.browser_digest)
        if txn is not None:
            transactions.finish(tx, txn=txn, now=now)
        if isinstance(decision.verdict, Refused):
            _note_refusal(tx, party, visitor, outcome=decision.verdict.reason.value)
            return _back(request, {"error": decision.verdict.reason.value})
        assert session is not None, "a verdict to proceed rests on a live session"
        code = issuing.code(
            tx, request, party=party, session=session, decision=decision, origin=visitor.origin, now=now
        )
        return _back(request, {"code": code})


def _park(tx: Session, request: AuthorizationRequest, visitor: Visitor, browser_digest: bytes) -> Parked:
    return Parked(
        transactions.park(
            tx,
            browser_digest=browser_digest,
            client_id=request.client_id,
            request=parked(request),
            now=visitor.now,
            lifetime=house.get(Settings).transaction_lifetime,
        )
    )


def _refuse_request(
    error: RequestError, parameters: Mapping[str, str], party: RelyingParty, visitor: Visitor
) -> Redirect:
    request = AuthorizationRequest(
        client_id=None, redirect_uri=parameters["redirect_uri"], state=parameters.get("state")
    )
    with writing() as tx:
        _note_refusal(tx, party, visitor, outcome=error.reason.value)
    return _back(request, {"error": error.reason.value, "error_description": error.description})


def _note_refusal(tx: Session, party: RelyingParty, visitor: Visitor, *, outcome: str) -> None:
    session = visitor.session
    audit.append(
        tx,
        Event.AUTHORIZATION_REFUSED,
        now=visitor.now,
        actor=session.subject_id if session is not None else "anonymous",
        origin=visitor.origin,
        outcome=outcome,
        subject_id=session.subject_id if session is not None else None,
        client_id=party.client_id,
    )


def _back(request: AuthorizationRequest, told: Mapping[str, str]) -> Redirect:
    """The client's answer: `state` unchanged, `iss` always (RFC 9207), nothing else (PROTOCOL 9)."""
    state = {} if request.state is None else {"state": request.state}
    query = urlencode({**told, **state, "iss": house.get(Settings).issuer})
    joint = "&" if "?" in request.redirect_uri else "?"
    return Redirect(f"{request.redirect_uri}{joint}{query}")
