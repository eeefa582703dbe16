"""At the page that signs in: ring the person's phones, and take their approval, once and here alone."""

import hmac
from typing import Final
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import facts as factors
from idp.authenticators.factors import proving
from idp.authenticators.factors.proving import Attempt, Opened, Proof
from idp.authenticators.push import closing, facts, rules
from idp.authenticators.push.models import PushDelivery, PushRequest
from idp.authenticators.push.rules import Outcome, Reason
from idp.authenticators.webauthn import base64url
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind, digest_of
from idp.foundation.database import new_id, writing
from idp.keyring.service import Keyring
from idp.sessions.browsers import browser_name
from idp.sessions.service import NewSession
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused

KIND: Final = Factor.PUSH
_NONCE: Final = "push request"


def ask(attempt: Attempt) -> Refused | None:
    """Ring the phones of the person who is asked for a second factor; counted as a typed code is, before it is sent."""
    reserved = proving.reserve(attempt, kind=KIND)
    if isinstance(reserved, Refused):
        return reserved
    with writing() as tx:
        opened = proving.open_step(tx, attempt, kind=KIND)
        if isinstance(opened, Refused):
            return opened
        closing.close_overdue(tx, subject_id=opened.subject.id, now=attempt.now, origin=attempt.origin)
        before = facts.recent(tx, subject_id=opened.subject.id)
        refused = rules.may_ask(before, txn=attempt.txn, now=attempt.now)
        phones = facts.phones_of(tx, subject_id=opened.subject.id)
        if refused is None and not phones:
            refused = Refused(Reason.UNKNOWN_PHONE)
        if refused is not None:
            _audit(tx, attempt, opened, outcome=refused.reason.value)
            return None if refused.reason is Reason.WAITING else refused
        request_id = _issue(tx, attempt, opened)
        _audit(tx, attempt, opened, outcome="ok")
        owed = [each.factor_id for each in phones if each.is_subscribed]
        if owed:
            tx.execute(insert(PushDelivery), [_delivery(factor_id, request_id, attempt) for factor_id in owed])
    return None


def complete(attempt: Attempt) -> NewSession | Refused:
    """Take the phone's approval of this sign-in: made in this transaction, for this person and session (RA-04)."""
    with writing() as tx:
        opened = proving.open_step(tx, attempt, kind=KIND)
        if isinstance(opened, Refused):
            return opened
        asked = facts.of_sign_in(tx, txn=attempt.txn, subject_id=opened.subject.id)
        if asked is None:
            return Refused(Reason.NOT_ASKED)
        if asked.waits(now=attempt.now):
            return Refused(Reason.WAITING)
        if asked.outcome is None:
            closing.close(tx, asked, Outcome.UNANSWERED, now=attempt.now, origin=attempt.origin)
            return Refused(Reason.UNANSWERED)
        if asked.outcome is not Outcome.APPROVED:
            return Refused(Reason.UNANSWERED if asked.outcome is Outcome.UNANSWERED else Reason.NOT_APPROVED)
        used = artefacts.redeem(
            tx,
            kind=Kind.PUSH_APPROVAL,
            digest=digest_of(nonce_of(asked.id)),
            now=attempt.now,
            bound_to=place_of(asked.txn, opened.lifts.id if opened.lifts else None),
        )
        held = factors.held(tx, subject_id=opened.subject.id)
        phone = next((each for each in held if each.id == asked.factor_id and not each.stopped), None)
        if isinstance(used, Refused) or phone is None:
            return Refused(Reason.UNANSWERED)
        return proving.complete(tx, attempt, opened, proof=Proof.of(KIND, phone.id))


def nonce_of(request_id: UUID) -> str:
    """What the phone signs for this request: 256 bits that only we can make again."""
    return base64url.encode(hmac.digest(house.get(Keyring).derive(_NONCE), request_id.bytes, "sha256"))


def place_of(txn: UUID, session_id: UUID | None) -> str:
    """What an approval is good for: one parked sign-in, to begin a session or to lift this one."""
    return f"{txn}:{session_id or '-'}"


def _issue(tx: Session, attempt: Attempt, opened: Opened) -> UUID:
    request_id, subject_id = new_id(), opened.subject.id
    lifts = opened.lifts.id if opened.lifts else None
    tx.execute(
        insert(PushRequest).values(
            id=request_id,
            subject_id=subject_id,
            txn=attempt.txn,
            number=rules.new_number(),
            client_id=opened.transaction.client_id,
            browser=browser_name(attempt.origin.user_agent)[:128],
            address=attempt.origin.address[:45],
            created_at=attempt.now,
            expires_at=attempt.now + rules.REQUEST_LIFE,
        )
    )
    artefacts.issue(
        tx,
        kind=Kind.PUSH_REQUEST,
        now=attempt.now,
        lifetime=rules.REQUEST_LIFE,
        subject_id=subject_id,
        family=attempt.txn,
        bound_to=f"{attempt.txn}:{subject_id}",
        payload={"request": str(request_id), "place": place_of(attempt.txn, lifts)},
        digest=digest_of(nonce_of(request_id)),
    )
    return request_id


def _delivery(factor_id: UUID, request_id: UUID, attempt: Attempt) -> dict[str, object]:
    return {
        "id": new_id(),
        "factor_id": factor_id,
        "request_id": request_id,
        "created_at": attempt.now,
        "due_at": attempt.now,
        "expires_at": attempt.now + rules.REQUEST_LIFE,
        "attempts": 0,
    }


def _audit(tx: Session, attempt: Attempt, opened: Opened, *, outcome: str) -> None:
    audit.append(
        tx,
        Event.PUSH_ASKED,
        now=attempt.now,
        actor=opened.subject.id,
        origin=attempt.origin,
        outcome=outcome,
        subject_id=opened.subject.id,
        client_id=opened.transaction.client_id,
    )
