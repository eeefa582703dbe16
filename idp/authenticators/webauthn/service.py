"""Signing in by passkey, without a user ID or after a password: the challenge is used up, the signature is checked
outside of any transaction, then the use is noted and acted on together (DESIGN §4.4).

No attempt is counted against an account: a signature cannot be guessed, and whoever holds a passkey is never shut out
by other people's failures (SI-09, MODEL §6).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators import admission
from idp.authenticators.admission import Arrival
from idp.authenticators.factors import proving
from idp.authenticators.factors.proving import Opened, Proof
from idp.authenticators.webauthn import challenges, facts, options, uses, verifying
from idp.authenticators.webauthn.challenges import Place
from idp.authenticators.webauthn.rules import Assertion, AuthenticatorData, Credential, Purpose, Reason, RelyingPartyId
from idp.foundation import house
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.sessions import transactions
from idp.sessions.rules import Reason as Parking
from idp.sessions.rules import SessionFacts, TransactionFacts
from idp.sessions.service import NewSession
from idp.settings import Settings
from idp.subjects.models import Subject
from idp.subjects.rules import Status
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused

STEPS: Final = ("identify", "password")
"""A passkey may answer at either: it says who it is."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser at the sign-in page of a parked request."""

    txn: UUID
    browser_digest: bytes
    session: SessionFacts | None
    origin: Origin
    now: datetime

    @property
    def place(self) -> Place:
        return Place(Purpose.SIGN_IN, self.txn, self.session.id if self.session else None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the first transaction found: the challenge that was used up, and the key that the answer names."""

    challenge: str
    credential: Credential


def us() -> RelyingPartyId:
    """Who we are to authenticators."""
    return RelyingPartyId.of(house.get(Settings).issuer)


def ask(visit: Visit) -> Mapping[str, Any] | Refused:
    """A challenge for any passkey of ours; nobody is named, so nothing is told about anybody."""
    with writing() as tx:
        transaction = _open(tx, visit)
        if isinstance(transaction, Refused):
            return transaction
        return options.to_get(challenge=challenges.issue(tx, visit.place, now=visit.now), us=us())


def sign_in(visit: Visit, sent: Assertion) -> NewSession | Refused:
    """Make or rotate the session of whoever the key says it is (SI-12)."""
    with writing() as tx:
        transaction = _open(tx, visit)
        if isinstance(transaction, Refused):
            return transaction
        asked = _look_up(tx, visit.place, sent, now=visit.now)
        if isinstance(asked, Refused):
            _audit_refusal(tx, visit, asked, credential=None, client_id=transaction.client_id)
            return asked
    told = verifying.verify_use(
        sent, challenge=asked.challenge, credential=asked.credential, us=us(), named_by_key=True
    )
    with writing() as tx:
        outcome = told if isinstance(told, Refused) else _admit(tx, visit, asked.credential, told)
        if isinstance(outcome, Refused):
            _audit_refusal(tx, visit, outcome, credential=asked.credential, client_id=transaction.client_id)
        return outcome


def ask_second(attempt: proving.Attempt) -> Mapping[str, Any] | Refused:
    """A challenge for one of the keys of the person who is asked for a second factor."""
    with writing() as tx:
        opened = proving.open_step(tx, attempt, kind=Factor.PASSKEY)
        if isinstance(opened, Refused):
            return opened
        challenge = challenges.issue(tx, _second_place(attempt, opened), now=attempt.now)
        return options.to_get(challenge=challenge, us=us(), keys=facts.of_subject(tx, subject_id=opened.subject.id))


def prove_second(attempt: proving.Attempt, sent: Assertion) -> NewSession | Refused:
    """Make the session that the password began, or lift the live one; only by a key of that very person (MF-29)."""
    with writing() as tx:
        opened = proving.open_step(tx, attempt, kind=Factor.PASSKEY)
        if isinstance(opened, Refused):
            return opened
        asked = _look_up(tx, _second_place(attempt, opened), sent, now=attempt.now)
        if isinstance(asked, _Asked) and asked.credential.subject_id != opened.subject.id:
            asked = Refused(Reason.UNKNOWN_CREDENTIAL)
        if isinstance(asked, Refused):
            proving.fail(tx, attempt, opened, kind=Factor.PASSKEY, reason=asked)
            return asked
    told = verifying.verify_use(
        sent, challenge=asked.challenge, credential=asked.credential, us=us(), named_by_key=False
    )
    with writing() as tx:
        again = proving.open_step(tx, attempt, kind=Factor.PASSKEY)
        if isinstance(again, Refused):
            return again
        outcome = told if isinstance(told, Refused) else _complete(tx, attempt, again, asked.credential, told)
        if isinstance(outcome, Refused):
            proving.fail(tx, attempt, again, kind=Factor.PASSKEY, reason=outcome)
        return outcome


def _open(tx: Session, visit: Visit) -> TransactionFacts | Refused:
    transaction = transactions.lock(tx, txn=visit.txn, browser_digest=visit.browser_digest, now=visit.now)
    if isinstance(transaction, TransactionFacts) and transaction.awaiting not in STEPS:
        return Refused(Parking.NOT_AWAITED)
    return transaction


def _look_up(tx: Session, place: Place, sent: Assertion, *, now: datetime) -> _Asked | Refused:
    """Use the challenge up first, whatever else is wrong with the answer (MF-25)."""
    challenge = challenges.consume(tx, place, client_data=sent.client_data, now=now)
    if isinstance(challenge, Refused):
        return challenge
    credential = facts.by_credential_id(tx, credential_id=sent.credential_id)
    return Refused(Reason.UNKNOWN_CREDENTIAL) if credential is None else _Asked(challenge, credential)


def _admit(tx: Session, visit: Visit, credential: Credential, told: AuthenticatorData) -> NewSession | Refused:
    """Look again at everything, under lock, now that the signature is known to be right (RA-09, SI-21)."""
    transaction = _open(tx, visit)
    if isinstance(transaction, Refused):
        return transaction
    row = tx.get(Subject, credential.subject_id, with_for_update=True)
    if row is None:
        return Refused(Reason.UNKNOWN_CREDENTIAL)
    if row.status != Status.ACTIVE:
        return Refused(Reason.DISABLED if row.status == Status.DISABLED else Reason.UNVERIFIED)
    refused = uses.note(tx, credential, told, client_id=transaction.client_id, now=visit.now, origin=visit.origin)
    if refused is not None:
        return refused
    return admission.admit(
        tx,
        Arrival(
            txn=visit.txn,
            client_id=transaction.client_id,
            browser_digest=visit.browser_digest,
            session=visit.session,
            origin=visit.origin,
            now=visit.now,
        ),
        subject=row,
        method=Factor.PASSKEY.value,
        acr=credential.acr,
        amr=credential.amr,
        proven={Factor.PASSKEY.value: visit.now},
    )


def _complete(
    tx: Session, attempt: proving.Attempt, opened: Opened, credential: Credential, told: AuthenticatorData
) -> NewSession | Refused:
    if credential.subject_id != opened.subject.id:  # another password was typed in another tab meanwhile
        return Refused(Reason.UNKNOWN_CREDENTIAL)
    client_id = opened.transaction.client_id
    refused = uses.note(tx, credential, told, client_id=client_id, now=attempt.now, origin=attempt.origin)
    if refused is not None:
        return refused
    proof = Proof(Factor.PASSKEY, credential.factor_id, credential.acr, credential.amr)
    return proving.complete(tx, attempt, opened, proof=proof)


def _second_place(attempt: proving.Attempt, opened: Opened) -> Place:
    return Place(Purpose.SECOND_FACTOR, attempt.txn, opened.lifts.id if opened.lifts else None)


def _audit_refusal(
    tx: Session, visit: Visit, refused: Refused, *, credential: Credential | None, client_id: str | None
) -> None:
    audit.append(
        tx,
        Event.SIGN_IN_REFUSED,
        now=visit.now,
        actor="anonymous",
        origin=visit.origin,
        outcome=refused.reason.value,
        subject_id=credential.subject_id if credential else None,
        client_id=client_id,
        details={"method": Factor.PASSKEY.value},
    )
