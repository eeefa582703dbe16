"""Making, finding, disabling and enabling people."""

import unicodedata
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation import artefacts, house, vault
from idp.foundation.database import Rows
from idp.foundation.origin import Origin
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.subjects import facts, legacy, reserved
from idp.subjects.claims import standard_claims, well_formed
from idp.subjects.facts import Stored
from idp.subjects.models import Subject
from idp.subjects.rules import (
    NewSubject,
    Reason,
    Status,
    SubjectFacts,
    email_key,
    new_subject_id,
    status_after_creation,
    user_id_key,
)
from idp.vocabulary.refused import Refused


def find_by_login(tx: Session, *, key: str, portal: str | None = None) -> SubjectFacts | None:
    """Whose login this is; `key` comes from `idp.subjects.rules.login_key`.

    `portal` is where it was typed: what people typed there before it was ours is good there, and nowhere else.
    """
    return facts.by_login(tx, key=key, portal=portal)


def by_id(tx: Rows, *, subject_id: str) -> SubjectFacts | None:
    """The person with this id, whatever their state."""
    return facts.by_id(tx, subject_id=subject_id)


def locked(tx: Session, *, subject_id: str) -> Stored | None:
    """The person's row for a transaction that acts on it, read by Core; no key of it may change."""
    return facts.locked(tx, subject_id=subject_id)


def of_row(row: Stored) -> SubjectFacts:
    """The person of a row that the caller has read, and locked if it matters."""
    return facts.of_row(row)


def profile_claims(subject: SubjectFacts) -> dict[str, Any]:
    """Every standard claim about a person; the scope table decides who gets which."""
    return standard_claims(subject, phone=phone_of(subject))


def phone_of(subject: SubjectFacts) -> str | None:
    """The telephone number, unsealed."""
    if subject.phone_sealed is None:
        return None
    keys = house.get(Keyring).vault
    return vault.unseal(subject.phone_sealed, keys=keys, context=phone_context(subject.id)).decode()


def create(tx: Session, *, new: NewSubject, actor: str, now: datetime, origin: Origin) -> SubjectFacts | Refused:
    """Make a person, once per user ID and once per e-mail address; the database has the last word on both.

    What anybody's old user ID is at a portal is nobody's new one (EN-14).
    """
    user_key = user_id_key(new.user_id) if new.user_id else None
    mail_key = email_key(new.email) if new.email else None
    if not new.email_claimed and isinstance(mail_key, str):
        mail_key = None
    for key in (user_key, mail_key):
        if isinstance(key, Refused):
            return key
    if user_key is None and mail_key is None and not new.comes_with_legacy_login:
        return Refused(Reason.NO_LOGIN)
    if _taken(tx, user_key=user_key, mail_key=mail_key):
        return Refused(Reason.TAKEN)
    identity = new_subject_id()
    row = _row(identity, new, now=now) | {"user_id_key": user_key, "email_key": mail_key}
    try:
        with tx.begin_nested():
            tx.execute(insert(Subject).values(**row))
            if mail_key is not None:
                reserved.refuse(tx, key=str(mail_key), owner=identity, now=now)
    except (IntegrityError, reserved.Reserved):
        return Refused(Reason.TAKEN)
    audit.append(tx, Event.SUBJECT_CREATED, now=now, actor=actor, origin=origin, subject_id=identity)
    made = facts.by_id(tx, subject_id=identity)
    assert made is not None
    return made


def disable(
    tx: Session, *, subject_id: str, reason: str, actor: str, now: datetime, origin: Origin
) -> SubjectFacts | Refused:
    """Shut a person out: one epoch kills every session, grant and token of theirs (D4, MODEL §6)."""
    return _set_status(
        tx, Status.DISABLED, subject_id=subject_id, reason=reason[:500], actor=actor, now=now, origin=origin
    )


def enable(tx: Session, *, subject_id: str, actor: str, now: datetime, origin: Origin) -> SubjectFacts | Refused:
    """Let a disabled person in again; what the disabling killed stays dead."""
    return _set_status(tx, Status.ACTIVE, subject_id=subject_id, reason=None, actor=actor, now=now, origin=origin)


def free_unproven_email(tx: Session, *, email: str, actor: str, now: datetime, origin: Origin) -> bool:
    """At the first proof of a mailbox, take it from whoever claimed it unproven before (RC-19); says whether one did.

    That account keeps nothing by which the mailbox could reach it: no address, no link, no session; and what anybody
    asked to make theirs by a link to this mailbox is dead. Call it in the transaction of the proof, before the address
    is given to the person who proved it.
    """
    key = email_key(email)
    if isinstance(key, Refused):
        return False
    lost = tx.execute(
        update(Subject)
        .where(Subject.email_key == key, Subject.email_verified_at.is_(None))
        .values(email=None, email_key=None, epoch=Subject.epoch + 1, version=Subject.version + 1, updated_at=now)
        .returning(Subject.id)
    ).scalar_one_or_none()
    reserved.void_pending(tx, key=key, now=now)
    if lost is None:
        return False
    artefacts.void(tx, now=now, subject_id=lost)
    audit.append(tx, Event.EMAIL_LOST, now=now, actor=actor, origin=origin, subject_id=lost)
    return True


def holder_of_email(tx: Session, *, email: str) -> SubjectFacts | None:
    """Who has proven this mailbox, if somebody has."""
    key = email_key(email)
    if isinstance(key, Refused):
        return None
    proven = select(Subject.id).where(Subject.email_key == key, Subject.email_verified_at.is_not(None))
    identity = tx.execute(proven).scalar_one_or_none()
    return None if identity is None else facts.by_id(tx, subject_id=identity)


def claim_email(tx: Session, *, subject_id: str, email: str, actor: str, now: datetime, origin: Origin) -> bool:
    """Give a kept address to its account, in the transaction that proves the mailbox; `False`: it is somebody's."""
    key = email_key(email)
    if isinstance(key, Refused):
        return False
    free_unproven_email(tx, email=email, actor=actor, now=now, origin=origin)
    try:
        with tx.begin_nested():
            tx.execute(update(Subject).where(Subject.id == subject_id).values(email_key=key))
            reserved.refuse(tx, key=key, owner=subject_id, now=now)
    except (IntegrityError, reserved.Reserved):
        return False
    return True


def user_id_is_taken(tx: Session, *, key: str, but_of: str | None = None) -> bool:
    """Whether somebody has this user ID, or had it at a portal before that was ours (EN-14).

    A person's own old user ID, `but_of` theirs, is free for them if it was nobody else's at another portal.
    """
    return _taken(tx, user_key=key, mail_key=None, but_of=but_of)


def choose_user_id(
    tx: Session, *, subject_id: str, user_id: str, actor: str, now: datetime, origin: Origin
) -> Refused | None:
    """Give a user ID to a person who has none; the database has the last word on whether it is free."""
    key = user_id_key(user_id)
    if isinstance(key, Refused):
        return key
    if user_id_is_taken(tx, key=key, but_of=subject_id):
        return Refused(Reason.TAKEN)
    try:
        with tx.begin_nested():
            chosen = tx.execute(
                update(Subject)
                .where(Subject.id == subject_id, Subject.user_id_key.is_(None))
                .values(
                    user_id=unicodedata.normalize("NFKC", user_id),
                    user_id_key=key,
                    version=Subject.version + 1,
                    updated_at=now,
                )
                .returning(Subject.id)
            ).one_or_none()
    except IntegrityError:
        return Refused(Reason.TAKEN)
    if chosen is None:
        return Refused(Reason.UNCHANGED)
    audit.append(tx, Event.USER_ID_CHOSEN, now=now, actor=actor, origin=origin, subject_id=subject_id)
    return None


def _taken(tx: Session, *, user_key: object, mail_key: object, but_of: str | None = None) -> bool:
    if isinstance(user_key, str) and legacy.is_known(tx, key=user_key, but_of=but_of):
        return True
    same = [Subject.user_id_key == user_key] if user_key else []
    same += [Subject.email_key == mail_key] if mail_key else []
    return bool(same) and tx.execute(select(Subject.id).where(or_(*same)).limit(1)).first() is not None


def _row(identity: str, new: NewSubject, *, now: datetime) -> dict[str, Any]:
    keyring = house.get(Keyring)
    phone = new.phone.encode() if new.phone else None
    return {
        "id": identity,
        "status": status_after_creation(new),
        "epoch": 1,
        "version": 1,
        "user_id": unicodedata.normalize("NFKC", new.user_id) if new.user_id else None,
        "email": new.email,
        "email_verified_at": now if new.email and new.email_proven else None,
        "phone_sealed": vault.seal(phone, keys=keyring.vault, context=phone_context(identity)) if phone else None,
        "phone_index": vault.blind_index(new.phone, key=keyring.index, context="subject.phone") if new.phone else None,
        "given_name": new.given_name,
        "family_name": new.family_name,
        "display_name": new.display_name,
        "locale": new.locale,
        "zoneinfo": new.zoneinfo,
        "profile": well_formed(new.profile),
        "created_at": now,
        "updated_at": now,
    }


def _set_status(
    tx: Session, status: Status, *, subject_id: str, reason: str | None, actor: str, now: datetime, origin: Origin
) -> SubjectFacts | Refused:
    allowed = (Status.DISABLED,) if status is Status.ACTIVE else (Status.ACTIVE, Status.UNVERIFIED)
    before = facts.by_id(tx, subject_id=subject_id)
    if before is None:
        return Refused(Reason.UNKNOWN)
    landed = _after(status, before)
    changed = tx.execute(
        update(Subject)
        .where(Subject.id == subject_id, Subject.status.in_(allowed), Subject.merged_into.is_(None))
        .where(Subject.closed_at.is_(None))
        .values(
            status=landed,
            disabled_reason=reason,
            epoch=Subject.epoch + 1,
            version=Subject.version + 1,
            updated_at=now,
        )
        .returning(Subject.id)
    ).one_or_none()
    if changed is None:
        return Refused(Reason.UNCHANGED)
    event = Event.SUBJECT_DISABLED if status is Status.DISABLED else Event.SUBJECT_ENABLED
    details = {"reason": reason, "before": before.status.value} if reason else {"before": before.status.value}
    audit.append(tx, event, now=now, actor=actor, origin=origin, subject_id=subject_id, details=details)
    after = facts.by_id(tx, subject_id=subject_id)
    assert after is not None
    return after


def _after(status: Status, before: SubjectFacts) -> Status:
    """Enabling proves no mailbox: who was unverified is unverified again."""
    if status is Status.ACTIVE and before.email_verified_at is None:
        return Status.UNVERIFIED
    return status


def phone_context(subject_id: str) -> str:
    """Where a telephone is sealed for."""
    return f"subject.phone:{subject_id}"


resealing.register("subject.phone", resealing.of_column(Subject.phone_sealed, context=phone_context))
