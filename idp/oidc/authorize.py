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
from idp.consent import service as consents
from idp.foundation import house
from idp.foundation.database import looking_up, writing
from idp.foundation.origin import Origin
from idp.oidc import authorization_requests, issuing
from idp.oidc.authorization_requests import Reason, client_of
from idp.oidc.errors import RequestError
from idp.oidc.requests import Parameters
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import service as sessions
from idp.sessions import transactions
from idp.sessions.rules import Ahead, Known, SessionFacts, TransactionFacts
from idp.settings import Settings
from idp.sign_in import steps
from idp.sign_in.requests import parked, unparked
from idp.sign_in.rules import AuthorizationRequest, Show, Step
from idp.sign_in.service import bind, decide, is_shown, show
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
    """On to the step that was shown; without one, to the dispatcher."""

    txn: UUID
    step: Step | None = None


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
        return Parked(_park(tx, request, browser_digest=transactions.UNCLAIMED, now=visitor.now))


def answer(*, txn: UUID, visitor: Visitor) -> Redirect | Parked | Refused:
    """The end of a parked request: the verdict is asked again in the transaction that acts on it (D2)."""
    with looking_up() as tx:
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


def go_on(
    tx: Session,
    *,
    transaction: TransactionFacts,
    session: SessionFacts,
    known: Known,
    origin: Origin,
    now: datetime,
) -> Ahead:
    """Where a browser goes that was just signed in, settled in the transaction that signed it in (D2).

    `transaction` is locked, and `session` was made, by the caller.
    """
    party = relying_parties.find(transaction.client_id or "")
    if party is None or not party.enabled:
        return Ahead()
    visitor = Visitor(transaction.browser_digest, session, origin, now)
    asked = unparked(transaction.request)
    outcome = _act(tx, asked, party, visitor, transaction=transaction, session=session, known=known)
    if isinstance(outcome, Redirect):
        return Ahead(uri=outcome.uri)
    return Ahead(endpoint=steps.PAGES[outcome.step]) if outcome.step is not None else Ahead()


def _settle(
    request: AuthorizationRequest, party: RelyingParty, visitor: Visitor, *, txn: UUID | None, waits: bool = False
) -> Redirect | Parked | Refused:
    with writing() as tx:
        transaction: TransactionFacts | None = None
        if txn is not None:
            if waits:
                transactions.claim(tx, txn=txn, browser_digest=visitor.browser_digest)
            locked = transactions.lock(tx, txn=txn, browser_digest=visitor.browser_digest, now=visitor.now)
            if isinstance(locked, Refused):
                return locked
            transaction = locked
        session = sessions.hold(tx, visitor.session) if visitor.session is not None else None
        return _act(tx, request, party, visitor, transaction=transaction, session=session)


def _act(
    tx: Session,
    request: AuthorizationRequest,
    party: RelyingParty,
    visitor: Visitor,
    *,
    transaction: TransactionFacts | None,
    session: SessionFacts | None,
    known: Known | None = None,
) -> Redirect | Parked:
    """Ask the dispatcher and do as it says; `transaction` and `session` are locked."""
    now = visitor.now
    if session is not None and not party.registration.first_party:
        consents.hold(tx, subject_id=session.subject_id, client_id=party.client_id)
    decision = decide(tx, request, party=party, transaction=transaction, session=session, known=known, now=now)
    if isinstance(decision.verdict, Show):
        return _show(tx, request, visitor, decision.verdict, transaction=transaction, session=session)
    if transaction is not None:
        transactions.finish(tx, txn=transaction.id, now=now)
    if isinstance(decision.verdict, Refused):
        _note_refusal(tx, party, visitor, outcome=decision.verdict.reason.value)
        return _back(request, {"error": decision.verdict.reason.value})
    assert session is not None, "a verdict to proceed rests on a live session"
    code = issuing.code(tx, request, party=party, session=session, decision=decision, origin=visitor.origin, now=now)
    return _back(request, {"code": code})


def _show(
    tx: Session,
    request: AuthorizationRequest,
    visitor: Visitor,
    shown: Show,
    *,
    transaction: TransactionFacts | None,
    session: SessionFacts | None,
) -> Parked:
    """Straight to the step's page: what the dispatcher would say at the next request was said here."""
    if transaction is None:
        txn = _park(tx, request, browser_digest=visitor.browser_digest, now=visitor.now, shown=shown, session=session)
        bind(tx, shown, txn=txn, now=visitor.now)
        return Parked(txn, shown.step)
    if not is_shown(shown, transaction=transaction, session=session):
        show(tx, shown, txn=transaction.id, session=session, now=visitor.now)
    return Parked(transaction.id, shown.step)


def _park(
    tx: Session,
    request: AuthorizationRequest,
    *,
    browser_digest: bytes,
    now: datetime,
    shown: Show | None = None,
    session: SessionFacts | None = None,
) -> UUID:
    return transactions.park(
        tx,
        browser_digest=browser_digest,
        client_id=request.client_id,
        request=parked(request),
        now=now,
        lifetime=house.get(Settings).transaction_lifetime,
        step=shown.step if shown is not None else "",
        session_id=session.id if session is not None else None,
        accepts=shown.accepts if shown is not None else (),
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
