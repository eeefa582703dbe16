"""Whether two accounts, or an account and what somebody typed, are one person's: by what was proven to be theirs (AD-07)."""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.subjects import facts, service
from idp.subjects.models import FormerContact
from idp.subjects.rules import email_key
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Reached:
    """How one person is reached; of an account only what they have proven, now or until a change of it is final."""

    account: str | None
    mailboxes: frozenset[str] = field(default=frozenset(), repr=False)
    phones: frozenset[str] = field(default=frozenset(), repr=False)


def same_person(one: Reached, other: Reached) -> bool:
    """The same account, the same mailbox, or the same telephone. Pure."""
    if one.account is not None and one.account == other.account:
        return True
    return bool(one.mailboxes & other.mailboxes or one.phones & other.phones)


def mailbox(key: str) -> str:
    """Whose mail it is: what stands behind a plus sign in front of the at sign is the owner's own mark."""
    local, _at, domain = key.partition("@")
    return f"{local.partition('+')[0]}@{domain}"


def reached(tx: Session, *, account: str | None, email: str = "", phone: str | None = None) -> Reached:
    """The person of an account, with the address and the telephone that were typed for them."""
    mailboxes, phones = [email], {phone} if phone else set[str]()
    subject = facts.by_id(tx, subject_id=account) if account is not None else None
    if subject is not None:
        number = service.phone_of(subject) if subject.phone_verified_at is not None else None
        phones |= {number} if number else set()
        mailboxes.append(subject.email or "" if subject.email_verified_at is not None else "")
        former = select(FormerContact.email_key).where(
            FormerContact.subject_id == subject.id,
            FormerContact.email_key.is_not(None),
            FormerContact.verified_at.is_not(None),
        )
        mailboxes += [key or "" for key in tx.scalars(former)]
    keys = map(email_key, mailboxes)
    return Reached(account, frozenset(mailbox(key) for key in keys if not isinstance(key, Refused)), frozenset(phones))


def are_one(tx: Session, one: str, other: str | None, *, email: str = "", phone: str | None = None) -> bool:
    """Whether an account is that of the person who has the other account, or typed this."""
    if one == other:
        return True
    return same_person(reached(tx, account=one), reached(tx, account=other, email=email, phone=phone))
