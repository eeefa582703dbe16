"""Sending a code to an address that we keep, and taking it back once (MF-13…16, RA-04)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.codes import phones, rules
from idp.authenticators.codes.models import CodePhone
from idp.authenticators.codes.rules import Reason
from idp.authenticators.factors import adding, budgets, keeping, proving
from idp.authenticators.factors import facts as factors
from idp.authenticators.factors.adding import SetUp
from idp.authenticators.factors.proving import Attempt, Proof
from idp.authenticators.factors.rules import Held, working
from idp.authenticators.factors.rules import Reason as FactorReason
from idp.foundation import artefacts, house, limiter, vault
from idp.foundation.artefacts import Kind
from idp.foundation.database import Rows, writing
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.relying_parties import service as relying_parties
from idp.sessions import notices
from idp.sessions.service import NewSession
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_HOUR: Final = timedelta(hours=1)


def _sent(name: str, limit: int) -> Budget:
    return Budget(name=name, limit=limit, window=_HOUR, lock_first=_HOUR, lock_max=_HOUR)


TO_ACCOUNT: Final = _sent("codes_to_account", 6)
TO_ADDRESS: Final = _sent("codes_to_address", 6)
TO_PREFIX: Final = _sent("codes_to_prefix", 60)
BY_SMS: Final = _sent("codes_by_sms", 3000)
"""SMS costs money: what all people together may cause in an hour (RX-10)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a code is good: one sign-in, or one change in the account."""

    id: UUID
    client_id: str | None = None


def send(attempt: Attempt, *, kind: Factor) -> Refused | None:
    """Send a code for this sign-in to where the newest factor of this kind leads; a former one for it is void.

    Whose factor it is is read under the lock: another tab may have typed somebody else's password meanwhile.
    """
    with writing() as tx:
        opened = proving.open_step(tx, attempt, kind=kind)
        if isinstance(opened, Refused):
            return opened
        mine = _mine(tx, opened.subject, kind=kind)
        address = address_of(tx, mine[-1], subject=opened.subject) if mine else None
        if address is None:
            return Refused(Reason.NO_MAILBOX)
        place = Place(opened.transaction.id, opened.transaction.client_id)
        return send_to(tx, place, opened.subject, kind=kind, address=address, now=attempt.now, origin=attempt.origin)


def prove(attempt: Attempt, *, kind: Factor, typed: str) -> NewSession | Refused:
    """Take a code that was sent in this sign-in to where one of the person's factors leads now (MF-16)."""
    reserved = proving.reserve(attempt, kind=kind)
    if isinstance(reserved, Refused):
        return reserved
    with writing() as tx:
        opened = proving.open_step(tx, attempt, kind=kind)
        if isinstance(opened, Refused):
            return opened
        for factor in _mine(tx, opened.subject, kind=kind):
            address = address_of(tx, factor, subject=opened.subject)
            if address is not None and take(tx, attempt.txn, opened.subject.id, address, typed, now=attempt.now):
                return proving.complete(tx, attempt, opened, proof=Proof.of(kind, factor.id))
        refused = Refused(FactorReason.WRONG_CODE)
        proving.fail(tx, attempt, opened, kind=kind, reason=refused)
        return refused


def begin(set_up: SetUp, *, kind: Factor, phone: str | None = None) -> Refused | None:
    """Send the code that proves an address: a telephone typed now, or the mailbox that the account has."""
    number = rules.mobile(phone) if phone is not None else None
    if isinstance(number, Refused):
        return number
    with writing() as tx:
        place = adding.open_step(tx, set_up, kind=kind)
        if isinstance(place, Refused):
            return place
        address = number or _mailbox(place.subject)
        if address is None:
            return Refused(Reason.NO_MAILBOX)
        keeping.keep(tx, txn=set_up.txn, kind=kind, value=Secret(address))
        here = Place(place.transaction.id, place.transaction.client_id)
        return send_to(tx, here, place.subject, kind=kind, address=address, now=set_up.now, origin=set_up.origin)


def confirm(set_up: SetUp, *, kind: Factor, typed: str, name: str) -> NewSession | Refused:
    """Add the address once its code is right; it is the one that the code was sent to, whatever is typed (MF-16)."""
    refused = adding.reserve(set_up, kind=kind)
    if refused is not None:
        return refused
    with writing() as tx:
        place = adding.open_step(tx, set_up, kind=kind)
        if isinstance(place, Refused):
            return place
        address = keeping.kept(place.transaction, kind=kind)
        if address is None or not take(tx, set_up.txn, place.subject.id, address.reveal(), typed, now=set_up.now):
            wrong = Refused(FactorReason.WRONG_CODE)
            return adding.refuse(tx, set_up, kind=kind, reason=wrong, client_id=place.transaction.client_id)
        number = address.reveal() if kind is Factor.SMS else None
        added = adding.add(tx, set_up, place, kind=kind, name=name, phone=number)
        if isinstance(added, Refused):
            return added
        factor_id, session = added
        if number is not None:
            sealed = vault.seal(number.encode(), keys=house.get(Keyring).vault, context=phones.place_of(factor_id))
            tx.add(CodePhone(factor_id=factor_id, phone_sealed=sealed))
        keeping.forget_kept(tx, txn=set_up.txn)
        budgets.succeeded(tx, account=set_up.session.subject_id, txn=set_up.txn, now=set_up.now)
        return session


def address_of(tx: Rows, factor: Held, *, subject: SubjectFacts) -> str | None:
    """Where this factor's codes go now; an e-mail factor follows the person's proven address."""
    if factor.kind is Factor.EMAIL:
        return _mailbox(subject)
    return phones.number_of(tx, factor_id=factor.id)


def _mine(tx: Rows, subject: SubjectFacts, *, kind: Factor) -> tuple[Held, ...]:
    return tuple(each for each in working(factors.held(tx, subject_id=subject.id)) if each.kind is kind)


def _mailbox(subject: SubjectFacts) -> str | None:
    return subject.email if subject.email_verified_at is not None else None


def send_to(
    tx: Session,
    place: Place,
    subject: SubjectFacts,
    *,
    kind: Factor,
    address: str,
    now: datetime,
    origin: Origin,
) -> Refused | None:
    """Send a code that is good at `place` only, within the limits of account, address, block and house (MF-15)."""
    refused = _reserve(tx, kind, subject_id=subject.id, address=address, now=now)
    if refused is None:
        artefacts.void(tx, now=now, kind=Kind.ONE_TIME_CODE, family=place.id)
        code = _issue(tx, place.id, subject.id, address, now=now)
        party = relying_parties.find(place.client_id) if place.client_id else None
        context = {"code": code.reveal(), "minutes": int(rules.GOOD_FOR.total_seconds()) // 60}
        told = {"notice": "sign_in_code", "subject": subject, "party": party, "context": context, "now": now}
        if kind is Factor.SMS:
            notices.text_person(tx, phone=address, **told)  # type: ignore[arg-type]
        else:
            notices.notify(tx, **told)  # type: ignore[arg-type]
    audit.append(
        tx,
        Event.CODE_SENT,
        now=now,
        actor=subject.id,
        origin=origin,
        outcome=refused.reason.value if refused else "ok",
        subject_id=subject.id,
        client_id=place.client_id,
        details={"kind": kind.value},
    )
    return refused


def _reserve(tx: Session, kind: Factor, *, subject_id: str, address: str, now: datetime) -> Refused | None:
    """Count the message against the account, the number, its block and everybody (MF-15)."""
    counted = [(TO_ACCOUNT, subject_id), (TO_ADDRESS, address)]
    if kind is Factor.SMS:
        counted += [(TO_PREFIX, address[: rules.PREFIX + 1]), (BY_SMS, "all")]
    for budget, key in counted:
        if isinstance(limiter.reserve(tx, budget=budget, key=key, now=now), Refused):
            return Refused(Reason.TOO_MANY_SENT)
    return None


def _issue(tx: Session, txn: UUID, subject_id: str, address: str, *, now: datetime) -> Secret:
    """A code that this sign-in has not had yet."""
    while True:
        code = rules.new_code()
        digest = _digest(code, txn=txn, subject_id=subject_id, address=address)
        known = artefacts.peek(tx, kind=Kind.ONE_TIME_CODE, digest=digest, now=now, bound_to=str(txn))
        if isinstance(known, Refused) and known.reason is artefacts.Reason.UNKNOWN:
            break
    artefacts.issue(
        tx,
        kind=Kind.ONE_TIME_CODE,
        now=now,
        lifetime=rules.GOOD_FOR,
        subject_id=subject_id,
        family=txn,
        bound_to=str(txn),
        digest=digest,
    )
    return Secret(code)


def take(tx: Session, txn: UUID, subject_id: str, address: str, typed: str, *, now: datetime) -> bool:
    """Use up the code that was sent to this address at this place, once (RA-04)."""
    code = rules.canonical(typed)
    if code is None:
        return False
    digest = _digest(code, txn=txn, subject_id=subject_id, address=address)
    used = artefacts.redeem(tx, kind=Kind.ONE_TIME_CODE, digest=digest, now=now, bound_to=str(txn))
    return not isinstance(used, Refused)


def _digest(code: str, *, txn: UUID, subject_id: str, address: str) -> bytes:
    context = f"one_time_code:{subject_id}:{txn}:{address}"
    return artefacts.short_digest(code, pepper=house.get(Keyring).index, context=context)
