"""A new telephone: asked for with a fresh strong proof, proven by a code that is texted to it, told to the former one."""

import base64
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.account import standing
from idp.account.contact.rules import Reason
from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.alerts import links as alerts
from idp.authenticators.codes import rules as codes_rules
from idp.authenticators.codes import service as codes
from idp.authenticators.codes.service import Place
from idp.authenticators.factors import budgets
from idp.foundation import artefacts, house, masks, vault
from idp.foundation.artefacts import Kind, Redeemed, digest_of
from idp.foundation.database import new_id, reading, writing
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.sessions import notices
from idp.sessions.rules import SessionFacts
from idp.subjects import contact
from idp.subjects import service as subjects
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused


def ask(session: SessionFacts, *, typed: str, now: datetime, origin: Origin) -> UUID | Refused:
    """Text a code to the new number; what comes back names the change, good in this session only."""
    number = codes_rules.mobile(typed)
    if isinstance(number, Refused):
        elsewhere = number.reason is codes_rules.Reason.ELSEWHERE
        return Refused(Reason.PHONE_ELSEWHERE if elsewhere else Reason.BAD_PHONE)
    with writing() as tx:
        row = standing.locked(tx, session, now=now)
        if isinstance(row, Refused):
            return row
        subject = subjects.by_id(tx, subject_id=row.id)
        assert subject is not None
        if subjects.phone_of(subject) == number and subject.phone_verified_at is not None:
            return Refused(Reason.SAME_PHONE)
        change = new_id()
        artefacts.void(tx, now=now, kind=Kind.PHONE_CHANGE, subject_id=row.id)
        refused = codes.send_to(tx, Place(change), subject, kind=Factor.SMS, address=number, now=now, origin=origin)
        if refused is not None:
            return Refused(Reason.TOO_MANY)
        artefacts.issue(
            tx,
            kind=Kind.PHONE_CHANGE,
            now=now,
            lifetime=codes_rules.GOOD_FOR,
            subject_id=row.id,
            payload={"phone": _sealed(number, change), "epoch": row.epoch},
            digest=_digest(session, change),
        )
        return change


def look(session: SessionFacts, change: UUID, *, now: datetime) -> str | Refused:
    """The number that the code went to, masked."""
    with reading() as tx:
        found = artefacts.peek(tx, kind=Kind.PHONE_CHANGE, digest=_digest(session, change), now=now)
        return Refused(Reason.DEAD_LINK) if isinstance(found, Refused) else masks.phone(_number(found, change))


def confirm(session: SessionFacts, change: UUID, *, typed: str, now: datetime, origin: Origin) -> Refused | None:
    """Make it theirs once the code is right; it is the number that the code was sent to (MF-16)."""
    with writing() as tx:
        counted = budgets.reserve(tx, account=session.subject_id, txn=change, now=now)
        if counted is not None:
            return _refused(tx, session, Refused(Reason.TOO_MANY), now=now, origin=origin)
    with writing() as tx:
        row = standing.locked(tx, session, fresh=False, now=now)
        if isinstance(row, Refused):
            return row
        before = subjects.by_id(tx, subject_id=row.id)
        found = artefacts.peek(tx, kind=Kind.PHONE_CHANGE, digest=_digest(session, change), now=now)
        if before is None or isinstance(found, Refused) or found.payload.get("epoch") != row.epoch:
            return _refused(tx, session, Refused(Reason.DEAD_LINK), now=now, origin=origin)
        number = _number(found, change)
        if not codes.take(tx, change, row.id, number, typed, now=now):
            return _refused(tx, session, Refused(Reason.WRONG_CODE), now=now, origin=origin)
        used = artefacts.redeem(tx, kind=Kind.PHONE_CHANGE, digest=_digest(session, change), now=now)
        if isinstance(used, Refused):
            return _refused(tx, session, Refused(Reason.DEAD_LINK), now=now, origin=origin)
        budgets.succeeded(tx, account=row.id, txn=change, now=now)
        _tell(tx, before, number, now=now)
        contact.set_phone(tx, row=row, phone=number, now=now, origin=origin)
    return None


def _tell(tx: Session, before: SubjectFacts, number: str, *, now: datetime) -> None:
    """By mail, and by text to the former number; both with the way back (AU-10)."""
    url, link = alerts.link_for(tx, before, now=now)
    told = {"notice": "phone_changed", "subject": before, "party": None, "now": now}
    notices.notify(tx, context={"new": masks.phone(number), "url": url}, link=link, **told)  # type: ignore[arg-type]
    former = subjects.phone_of(before)
    if former is not None and before.phone_verified_at is not None:
        url, _link = alerts.link_for(tx, before, now=now)
        context = {"new": masks.phone(number), "url": url}
        notices.text_person(tx, phone=former, context=context, **told)  # type: ignore[arg-type]


def _refused(tx: Session, session: SessionFacts, refused: Refused, *, now: datetime, origin: Origin) -> Refused:
    audit.append(
        tx,
        Event.PHONE_CHANGED,
        now=now,
        actor=session.subject_id,
        origin=origin,
        outcome=refused.reason.value,
        subject_id=session.subject_id,
    )
    return refused


def _digest(session: SessionFacts, change: UUID) -> bytes:
    return digest_of(f"{session.id}:{session.subject_id}:{change}")


def _sealed(number: str, change: UUID) -> str:
    sealed = vault.seal(number.encode(), keys=house.get(Keyring).vault, context=_place(change))
    return base64.b64encode(sealed).decode("ascii")


def _number(found: Redeemed, change: UUID) -> str:
    sealed = base64.b64decode(found.payload["phone"])
    return vault.unseal(sealed, keys=house.get(Keyring).vault, context=_place(change)).decode()


def _place(change: UUID) -> str:
    return f"artefact.phone_change:{change}"
