"""Adding somebody to a target by name: a new account with a one-time password, or an account that there is.

SECURITY ruling 3: whoever typed the password cannot use it, since the account is nobody's until its mailbox is proven
together with that password, and it must be changed at the first sign-in.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.clerks import facts
from idp.affiliations.clerks import service as clerks
from idp.affiliations.clerks.rules import Found, Looked, Reason
from idp.affiliations.clerks.service import Case
from idp.affiliations.deciding.facts import levels_within
from idp.authenticators.password import mailbox, setting
from idp.authenticators.password.mailbox import MadeBy
from idp.authenticators.password.people import TEMPORARY_FOR
from idp.authenticators.password.rules import policy_for_setting
from idp.foundation import house, limiter
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.manage.clerks.forms import Chosen, NewClerk
from idp.manage.service import Opened
from idp.relying_parties.manifest import PasswordPolicy
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import NewSubject, SubjectFacts, phone_number
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret


@dataclass(frozen=True, slots=True)
class Added:
    """Who was added, and to what their access belongs."""

    affiliation_id: UUID


def policy(opened: Opened) -> PasswordPolicy:
    """What a temporary password must be: what the portal asks of its own."""
    return policy_for_setting(held=(), own=opened.place.party.manifest.password)


def person_of(form: NewClerk, *, locale: str) -> NewSubject:
    """The account to be made; its address is kept for the mail, and is nobody's until it is proven (RC-19)."""
    phone = phone_number(form.phone)
    return NewSubject(
        user_id=form.user_id.strip(),
        email=form.email.strip(),
        email_claimed=False,
        phone=phone if isinstance(phone, str) else None,
        given_name=form.first_name.strip(),
        family_name=form.last_name.strip(),
        locale=locale,
        zoneinfo=house.get(Settings).default_zone,
    )


def add_new(
    opened: Opened, form: NewClerk, *, levels: tuple[str, ...], locale: str, now: datetime, origin: Origin
) -> Added | Refused:
    """Make the account with its temporary password, and its access; the form was judged before."""
    person = person_of(form, locale=locale)
    with writing() as tx:
        refused = _may(tx, opened, levels, now=now, origin=origin)
    if refused is not None:
        return refused
    prepared = setting.digest_and_policies(Secret(form.password), subject=person)
    if isinstance(prepared, Refused):
        return prepared
    with writing() as tx:
        case = _case(tx, opened, now=now, origin=origin)
        if isinstance(case, Refused):
            return case
        refused = levels_within(levels, actor=case.actor, place=case.place)
        if refused is not None:
            return refused
        made = subjects.create(tx, new=person, actor=case.actor.subject_id, now=now, origin=origin)
        if isinstance(made, Refused):
            return made
        row = tx.get(Subject, made.id, with_for_update=True)
        assert row is not None
        digest, satisfies = prepared
        setting.store_prepared(
            tx, subject=row, digest=digest, satisfies=satisfies, now=now, temporary_for=TEMPORARY_FOR
        )
        tx.flush()
        added = clerks.offer(tx, case, person=made, levels=levels, mailed=False)
        _mail(tx, opened, subjects.by_id(tx, subject_id=made.id) or made, now=now)
        return Added(added)


def look(opened: Opened, looked: Looked, *, now: datetime, origin: Origin) -> Found | Refused:
    """Search (D7); each look is counted and kept."""
    with writing() as tx:
        case = _case(tx, opened, now=now, origin=origin)
        return case if isinstance(case, Refused) else clerks.look(tx, case, looked)


def find(tx: Session, opened: Opened, chosen: Chosen) -> SubjectFacts | None:
    """The person whom the picked row means, as the search could have shown them."""
    if chosen.person:
        try:
            return facts.colleague(tx, opened.place, UUID(hex=chosen.person))
        except ValueError:
            return None
    found = facts.stranger(tx, opened.place, Looked(user_name=chosen.user_name, last_name=chosen.last_name))
    return None if found is None else found[1]


def add_existing(
    opened: Opened, chosen: Chosen, *, levels: tuple[str, ...], now: datetime, origin: Origin
) -> Added | Refused:
    """Offer the access to somebody who has an account; they accept at their next sign-in."""
    with writing() as tx:
        case = _case(tx, opened, now=now, origin=origin)
        if isinstance(case, Refused):
            return case
        if not chosen.person and _too_often(tx, case):
            return Refused(Reason.TOO_MANY)
        person = find(tx, opened, chosen)
        if person is None:
            return Refused(Reason.UNKNOWN)
        added = clerks.add_existing(tx, case, person=person, levels=levels)
        return added if isinstance(added, Refused) else Added(added)


def _mail(tx: Session, opened: Opened, subject: SubjectFacts, *, now: datetime) -> None:
    place = opened.place
    mailbox.mail(
        tx,
        subject=subject,
        txn=None,
        client_id=place.party.client_id,
        now=now,
        made_by=MadeBy(place.target.name, TEMPORARY_FOR),
    )


def _may(tx: Session, opened: Opened, levels: tuple[str, ...], *, now: datetime, origin: Origin) -> Refused | None:
    """Judged before the password is hashed, and again with it (ruling 12: no work for who may not)."""
    case = _case(tx, opened, now=now, origin=origin)
    return case if isinstance(case, Refused) else clerks.may_add(tx, case, levels)


def _case(tx: Session, opened: Opened, *, now: datetime, origin: Origin) -> Case | Refused:
    return clerks.open_case(tx, acting=opened.acting, party=opened.place.party, now=now, origin=origin)


def _too_often(tx: Session, case: Case) -> bool:
    """A row picked by what was typed is a look like any other."""
    return isinstance(limiter.reserve(tx, budget=clerks.LOOKS, key=case.actor.subject_id, now=case.now), Refused)
