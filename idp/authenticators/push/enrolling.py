"""Connecting a phone at the set-up step: a code on this screen, a key on the phone, a confirmation here again.

Whoever sees the code may bring a phone, so nothing is added before the person has compared both screens and said so.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import adding, keeping
from idp.authenticators.factors.adding import SetUp
from idp.authenticators.push import calls, rules
from idp.authenticators.push.models import PushPhone
from idp.authenticators.push.rules import Reason
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind, Redeemed
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.sessions.browsers import browser_name
from idp.sessions.rules import TransactionFacts
from idp.sessions.service import NewSession
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

KIND: Final = Factor.PUSH


@dataclass(frozen=True, slots=True)
class Came:
    """A phone that brought the code: what it is, and the digits that it shows."""

    browser: str
    check: str


def begin(set_up: SetUp) -> Refused | None:
    """Make a code for one phone and keep it with the transaction; a former one, and what came by it, is void."""
    with writing() as tx:
        place = adding.open_step(tx, set_up, kind=KIND)
        if isinstance(place, Refused):
            return place
        for kind in (Kind.PUSH_ENROLMENT, Kind.PUSH_PHONE):
            artefacts.void(tx, now=set_up.now, kind=kind, family=set_up.txn)
        code = rules.new_code()
        artefacts.issue(
            tx,
            kind=Kind.PUSH_ENROLMENT,
            now=set_up.now,
            lifetime=rules.CODE_LIFE,
            subject_id=place.subject.id,
            family=set_up.txn,
            digest=_digest(code, Kind.PUSH_ENROLMENT),
        )
        keeping.keep(tx, txn=set_up.txn, kind=KIND, value=Secret(code))
    return None


def pending_code(transaction: TransactionFacts, *, now: datetime) -> Secret | None:
    """The code to be shown, while a phone may still bring it."""
    code = keeping.kept(transaction, kind=KIND)
    if code is None:
        return None
    with reading() as tx:
        digest = _digest(code.reveal(), Kind.PUSH_ENROLMENT)
        found = artefacts.peek(tx, kind=Kind.PUSH_ENROLMENT, digest=digest, now=now)
    return None if isinstance(found, Refused) else code


def came(transaction: TransactionFacts, *, now: datetime) -> Came | None:
    """The phone that brought the code, to be compared and confirmed."""
    code = keeping.kept(transaction, kind=KIND)
    if code is None:
        return None
    with reading() as tx:
        found = artefacts.peek(
            tx,
            kind=Kind.PUSH_PHONE,
            digest=_digest(code.reveal(), Kind.PUSH_PHONE),
            now=now,
            bound_to=str(transaction.id),
        )
    if isinstance(found, Refused):
        return None
    thumbprint = calls.thumbprint_of(found.payload["x"], found.payload["y"])
    return Came(found.payload["browser"], rules.check_digits(thumbprint))


def arrive(*, token: str, x: str, y: str, origin: Origin, now: datetime) -> str | Refused:
    """A phone brings a code, and proves that it holds the key it brings; the digits that it shall show."""
    thumbprint = calls.thumbprint_of(x, y)
    claims = calls.proven(token, x=x, y=y, thumbprint=thumbprint, address="enrolment", now=now)
    if isinstance(claims, Refused):
        return claims
    typed = claims.get("code")
    code = rules.canonical(typed) if isinstance(typed, str) else None
    if code is None:
        return Refused(Reason.BAD_CODE)
    with writing() as tx:
        digest = _digest(code, Kind.PUSH_ENROLMENT)
        used = artefacts.redeem(tx, kind=Kind.PUSH_ENROLMENT, digest=digest, now=now)
        if isinstance(used, Refused) or used.family is None:
            return Refused(Reason.BAD_CODE)
        artefacts.issue(
            tx,
            kind=Kind.PUSH_PHONE,
            now=now,
            lifetime=rules.CODE_LIFE,
            subject_id=used.subject_id,
            family=used.family,
            bound_to=str(used.family),
            payload={"x": x, "y": y, "browser": browser_name(origin.user_agent)},
            digest=_digest(code, Kind.PUSH_PHONE),
        )
        audit.append(tx, Event.PUSH_PHONE_CAME, now=now, actor="anonymous", origin=origin, subject_id=used.subject_id)
    return rules.check_digits(thumbprint)


def confirm(set_up: SetUp, *, name: str) -> NewSession | Refused:
    """Add the phone that came; the session is lifted by it, under a new cookie."""
    with writing() as tx:
        place = adding.open_step(tx, set_up, kind=KIND)
        if isinstance(place, Refused):
            return place
        code = keeping.kept(place.transaction, kind=KIND)
        if code is None:
            return Refused(Reason.NO_PHONE_YET)
        digest = _digest(code.reveal(), Kind.PUSH_PHONE)
        phone = artefacts.redeem(tx, kind=Kind.PUSH_PHONE, digest=digest, now=set_up.now, bound_to=str(set_up.txn))
        if isinstance(phone, Refused) or phone.subject_id != place.subject.id:
            return Refused(Reason.NO_PHONE_YET)
        keeping.forget_kept(tx, txn=set_up.txn)
        return _keep(tx, set_up, place, phone, name=name)


def _keep(tx: Session, set_up: SetUp, place: adding.Place, phone: Redeemed, *, name: str) -> NewSession | Refused:
    x, y = phone.payload["x"], phone.payload["y"]
    row = {"thumbprint": calls.thumbprint_of(x, y), "x": x, "y": y, "last_call": 0}
    try:
        with tx.begin_nested():
            added = adding.add(tx, set_up, place, kind=KIND, name=name)
            if isinstance(added, Refused):
                return added
            factor_id, session = added
            tx.execute(insert(PushPhone).values(**row, factor_id=factor_id))
    except IntegrityError:  # this key proves somebody already
        return Refused(Reason.TAKEN)
    return session


def _digest(code: str, kind: Kind) -> bytes:
    return artefacts.short_digest(code, pepper=house.get(Keyring).index, context=kind.value)
