"""Signing in by password: reserve, hash outside of any transaction, then act or refuse (DESIGN §4.4).

Whatever is wrong, one hash is computed, the same statements run, and the page says one sentence (SI-01, SI-02).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators import admission
from idp.authenticators.admission import Arrival
from idp.authenticators.factors import facts as factors
from idp.authenticators.password import budgets, facts, rules, setting
from idp.authenticators.password.kdf import Kdf, Verdict
from idp.authenticators.password.rules import Credential, Reason
from idp.authenticators.remembered_devices import service as devices
from idp.authenticators.remembered_devices.service import Found
from idp.authenticators.upstairs import Upstairs
from idp.foundation import house
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.sessions import transactions
from idp.sessions.rules import PASSWORD, Ahead, Known, SessionFacts, TransactionFacts
from idp.sessions.service import NewSession
from idp.subjects import service as subjects
from idp.subjects.facts import Stored
from idp.subjects.rules import Status, SubjectFacts, account_key
from idp.vocabulary.assurance import Acr, Amr, Factor
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

STEP = "password"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One typed password, where it was typed, and what the browser holds."""

    txn: UUID
    browser_digest: bytes
    login: str
    """Canonical login key."""
    plain: Secret
    session: SessionFacts | None
    origin: Origin
    now: datetime
    devices: tuple[Secret, ...] = ()
    """What this browser was remembered by."""


@dataclass(frozen=True, slots=True)
class _Reserved:
    """What the first transaction read."""

    transaction: TransactionFacts
    subject: SubjectFacts | None
    credential: Credential | None
    counted: str
    """What the attempt was counted against."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """What the second transaction has locked."""

    transaction: TransactionFacts
    subject: Stored


@dataclass(frozen=True, slots=True)
class FactorDue:
    """The password was right; nobody is signed in before a second factor is proven too (MF-01)."""


def sign_in(attempt: Attempt) -> NewSession | FactorDue | Refused:
    """Verify a password typed for a transaction that awaits one; make the session, unless a factor must follow."""
    reserved = _reserve(attempt)
    if isinstance(reserved, Refused):
        return reserved
    kdf = house.get(Kdf)
    credential = reserved.credential
    verdict = kdf.check(attempt.plain, digest=credential.digest if credential else None)
    if isinstance(verdict, Refused):
        with writing() as tx:
            budgets.nothing_tried(tx, account=reserved.counted, now=attempt.now)
        return verdict
    fresh = kdf.digest(attempt.plain) if verdict.outdated else None
    with writing() as tx:
        opened = _admit(tx, attempt, reserved, verdict)
        if isinstance(opened, Refused):
            audit_refusal(tx, opened, subject=reserved.subject, client_id=reserved.transaction.client_id, by=attempt)
            return opened
        assert credential is not None
        known = subjects.of_row(opened.subject)
        kept = setting.refresh(tx, subject=known, credential=credential, plain=attempt.plain, digest=fresh)
        outcome = _go_on(tx, attempt, opened, kept)
        # All sign-ins share a counter's row: it is locked last, and in the order in which it is charged.
        budgets.succeeded(tx, account=reserved.counted, subject_id=opened.subject.id, now=attempt.now)
        return outcome


def must_change(tx: Session, *, subject_id: str, client_id: str | None, typed: bool) -> bool:
    """For the dispatcher: whether *change password* comes next; `typed` means typed in this very transaction."""
    credential = facts.credential_of(tx, subject_id=subject_id)
    if credential is None:
        return False
    return rules.must_change(credential, client_id=client_id, policed=facts.policies(), typed=typed)


def audit_refusal(
    tx: Session, refused: Refused, *, subject: SubjectFacts | None, client_id: str | None, by: Attempt
) -> None:
    """Note who was refused and why; what was typed is never noted (AU-07)."""
    audit.append(
        tx,
        Event.SIGN_IN_REFUSED,
        now=by.now,
        actor=subject.id if subject else "anonymous",
        origin=by.origin,
        outcome=refused.reason.value,
        subject_id=subject.id if subject else None,
        client_id=client_id,
        details={"method": Amr.PASSWORD.value},
    )


def _reserve(attempt: Attempt) -> _Reserved | Refused:
    with writing() as tx:
        transaction = transactions.open_transaction(
            tx, txn=attempt.txn, browser_digest=attempt.browser_digest, step=STEP, now=attempt.now
        )
        if isinstance(transaction, Refused):
            return transaction
        subject = subjects.find_by_login(tx, key=attempt.login, portal=transaction.client_id)
        account = account_key(subject, login=attempt.login)
        credential = facts.credential_of(tx, subject_id=account)
        counted = _counted(tx, attempt, account=account)
        refused = budgets.reserve(tx, account=counted, now=attempt.now)
        if refused is not None:
            audit_refusal(tx, refused, subject=subject, client_id=transaction.client_id, by=attempt)
            return refused
        return _Reserved(transaction, subject, credential, counted)


def _counted(tx: Session, attempt: Attempt, *, account: str) -> str:
    """A browser that the person had remembered has counters of its own: strangers' failures lock them out nowhere (SI-09)."""
    device = devices.known(tx, subject_id=account, sent=attempt.devices, now=attempt.now)
    return account if device is None else f"{account}:{device}"


def _admit(tx: Session, attempt: Attempt, reserved: _Reserved, verdict: Verdict) -> _Opened | Refused:
    """Look again at everything, under lock, now that the hash is known (RA-09)."""
    transaction = transactions.open_transaction(
        tx, txn=attempt.txn, browser_digest=attempt.browser_digest, step=STEP, now=attempt.now
    )
    account = account_key(reserved.subject, login=attempt.login)
    # No key of it changes: a decision about the person that waits for this transaction may refer to them meanwhile.
    row = subjects.locked(tx, subject_id=account)
    credential = facts.credential_of(tx, subject_id=account)
    if row is None:
        return Refused(Reason.UNKNOWN_LOGIN)
    if credential is None:
        return Refused(Reason.NO_PASSWORD)
    if not verdict.right:
        return Refused(Reason.WRONG_PASSWORD)
    if row.status != Status.ACTIVE:
        return Refused(Reason.DISABLED if row.status == Status.DISABLED else Reason.UNVERIFIED)
    if reserved.credential is None or credential.digest != reserved.credential.digest:
        return Refused(Reason.CHANGED_MEANWHILE)
    if rules.temporary_has_expired(credential, now=attempt.now):
        return Refused(Reason.TEMPORARY_EXPIRED)
    return transaction if isinstance(transaction, Refused) else _Opened(transaction, row)


def _go_on(tx: Session, attempt: Attempt, opened: _Opened, credential: Credential) -> NewSession | FactorDue:
    subject, transaction = opened.subject, opened.transaction
    client_id = transaction.client_id
    device = None
    if factors.held(tx, subject_id=subject.id):
        device = _device(tx, attempt, transaction, subject)
        if device is None:
            return _await_factor(tx, attempt, subject=subject, client_id=client_id)
    remembered = {Factor.DEVICE.value: device.remembered_at} if device is not None else {}
    session = admission.admit(
        tx,
        Arrival(attempt.txn, client_id, attempt.browser_digest, attempt.session, attempt.origin, attempt.now),
        subject=subject,
        method=" ".join((Amr.PASSWORD.value, *remembered)),
        acr=[Acr.AAL1],
        amr=[Amr.PASSWORD],
        proven={PASSWORD: attempt.now, **remembered},
    )
    return replace(
        session,
        device=device.cookie if device is not None else None,
        ahead=_ahead(tx, attempt, transaction, session, credential),
    )


def _ahead(
    tx: Session, attempt: Attempt, transaction: TransactionFacts, made: NewSession, credential: Credential
) -> Ahead:
    """What the dispatcher would say at the next request, said and done in this transaction; `credential` as it is now."""
    assert made.facts is not None, "a sign-in tells what it made"
    must = rules.must_change(credential, client_id=transaction.client_id, policed=facts.policies(), typed=True)
    return house.get(Upstairs).go_on(
        tx,
        transaction=transaction.authenticated_by(made.session_id, now=attempt.now),
        session=made.facts,
        known=Known(password_must_change=must, accepted=made.accepted, joined=made.kept),
        origin=replace(attempt.origin, session_digest=made.facts.digest_prefix),
        now=attempt.now,
    )


def _device(tx: Session, attempt: Attempt, transaction: TransactionFacts, subject: Stored) -> Found | None:
    """The remembered device that spares the factor, where the dispatcher lets one serve (C5)."""
    if not attempt.devices:
        return None
    at_most = house.get(Upstairs).remembered_for(tx, transaction=transaction, subject_id=subject.id, now=attempt.now)
    return devices.recognise(
        tx, subject=subject, sent=attempt.devices, at_most=at_most, now=attempt.now, origin=attempt.origin
    )


def _await_factor(tx: Session, attempt: Attempt, *, subject: Stored, client_id: str | None) -> FactorDue:
    transactions.remember_first_factor(tx, txn=attempt.txn, subject_id=subject.id, epoch=subject.epoch, now=attempt.now)
    audit.append(
        tx,
        Event.PASSWORD_PROVEN,
        now=attempt.now,
        actor=subject.id,
        origin=attempt.origin,
        subject_id=subject.id,
        client_id=client_id,
    )
    return FactorDue()
