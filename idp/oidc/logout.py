"""RP-Initiated Logout (OIDC): what a request may do, and the end of the session (LO-02…08; PROTOCOL 24)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.references import sub_at
from idp.federation import sign_out
from idp.federation.leaving import Leave
from idp.foundation import house, jose
from idp.foundation.database import reading, writing
from idp.foundation.jose import Purpose
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import participants, transactions
from idp.sessions import service as sessions
from idp.sessions.rules import Ended, SessionFacts
from idp.settings import Settings
from idp.sign_in.requests import parked
from idp.sign_in.rules import AuthorizationRequest
from idp.vocabulary.refused import Refused

STEP = "logout"
_LONGEST_STATE: Final = 4096
"""As at the authorization endpoint."""
_KEPT = "logout"


class Reason(StrEnum):
    """Requests that end on an error page; nothing was ended and nobody is redirected."""

    ID_TOKEN_HINT = "id_token_hint"
    CLIENT_ID = "client_id"
    POST_LOGOUT_REDIRECT_URI = "post_logout_redirect_uri"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A request whose client and address have been checked."""

    party: RelyingParty | None = None
    hint: Mapping[str, Any] | None = None
    redirect_uri: str | None = None
    state: str | None = None

    def location(self) -> str | None:
        """Where to go when the session has ended; `state` only if it was sent."""
        if self.redirect_uri is None:
            return None
        joint = "&" if "?" in self.redirect_uri else "?"
        return self.redirect_uri + (f"{joint}{urlencode({'state': self.state})}" if self.state is not None else "")


def read(parameters: Mapping[str, str], *, now: datetime) -> LogoutRequest | Refused:
    """Check hint, client and address against each other; a hint may have expired, but must be ours (LO-04, LO-06)."""
    hint = None
    if "id_token_hint" in parameters:
        hint = _hint(parameters["id_token_hint"], now=now)
        if hint is None:
            return Refused(Reason.ID_TOKEN_HINT)
    named = parameters.get("client_id", hint["aud"] if hint is not None else None)
    if hint is not None and named != hint["aud"]:
        return Refused(Reason.CLIENT_ID)
    party = relying_parties.find(named) if named is not None else None
    if named is not None and party is None:
        return Refused(Reason.CLIENT_ID)
    redirect_uri = parameters.get("post_logout_redirect_uri")
    if redirect_uri is not None and (party is None or redirect_uri not in post_logout_uris(party)):
        return Refused(Reason.POST_LOGOUT_REDIRECT_URI)
    if len(parameters.get("state", "")) > _LONGEST_STATE:
        return Refused(Reason.STATE)
    return LogoutRequest(party, hint, redirect_uri, parameters.get("state"))


def post_logout_uris(party: RelyingParty) -> frozenset[str]:
    """The registered addresses, byte for byte."""
    return frozenset(party.absolute(uri) for uri in party.registration.post_logout_redirect_uris)


def needs_confirmation(request: LogoutRequest, session: SessionFacts | None) -> bool:
    """Only a hint of this very session speaks for the person; anything else is asked about (LO-02, LO-03)."""
    if session is None:
        return False
    if request.hint is None or request.party is None:
        return True
    with reading() as tx:
        joined = participants.participation(tx, session_id=session.id, client_id=request.party.client_id)
    same_person = request.hint["sub"] == sub_at(request.party, subject_id=session.subject_id)
    return not (same_person and joined is not None and request.hint.get("sid") == str(joined.sid))


def end(
    session: SessionFacts | None, *, location: str | None, browser_digest: bytes, now: datetime, origin: Origin
) -> Leave | None:
    """End the browser's session and owe every portal its logout token, in one transaction.

    The answer says where the browser signs out too, when the session rests on another provider; it comes back to
    `location` from there.
    """
    if session is None:
        return None
    onward = sign_out.prepare(session, now=now)
    with writing() as tx:
        sessions.end_session(
            tx,
            session_id=session.id,
            reason=Ended.SIGNED_OUT,
            now=now,
            origin=origin,
            subject_id=session.subject_id,
        )
        if onward is None:
            return None
        url = sign_out.leave(tx, onward, browser_digest=browser_digest, location=location, now=now)
    return Leave(url, onward.applied)


def park(request: LogoutRequest, *, browser_digest: bytes, now: datetime) -> UUID:
    """Keep the request while the person is asked, or until the browser of a cross-site POST comes back by GET.

    To the dispatcher it is a visit to the sign-out page: no code can ever be made of it.
    """
    kept = {
        "client_id": request.party.client_id if request.party is not None else None,
        "hint": None if request.hint is None else {name: request.hint.get(name) for name in ("sub", "sid")},
        "redirect_uri": request.redirect_uri,
        "state": request.state,
    }
    with writing() as tx:
        txn = transactions.park(
            tx,
            browser_digest=browser_digest,
            client_id=None,
            request={**parked(AuthorizationRequest(client_id=None, return_to="oidc.end_session")), _KEPT: kept},
            now=now,
            lifetime=house.get(Settings).transaction_lifetime,
        )
        transactions.await_step(tx, txn=txn, step=STEP)
    return txn


def load(tx: Session, *, txn: UUID, browser_digest: bytes, now: datetime) -> LogoutRequest | Refused:
    """The request that a confirmation page is about; another browser's, or an expired one, is refused."""
    opened = transactions.open_transaction(tx, txn=txn, browser_digest=browser_digest, step=STEP, now=now)
    if isinstance(opened, Refused):
        return opened
    kept = opened.request[_KEPT]
    party = relying_parties.find(kept["client_id"]) if kept["client_id"] is not None else None
    return LogoutRequest(party, kept["hint"], kept["redirect_uri"], kept["state"])


def claim(*, txn: UUID, browser_digest: bytes) -> None:
    """The first browser that comes for a posted request is the one that will be asked."""
    with writing() as tx:
        transactions.claim(tx, txn=txn, browser_digest=browser_digest)


def _hint(token: str, *, now: datetime) -> Mapping[str, Any] | None:
    claims = jose.verify(
        token,
        purpose=Purpose.ID_TOKEN_HINT,
        keys=house.get(Keyring).verification_keys(),
        issuer=house.get(Settings).issuer,
        audience=None,
        now=now,
    )
    return None if isinstance(claims, Refused) or not isinstance(claims["aud"], str) else claims
