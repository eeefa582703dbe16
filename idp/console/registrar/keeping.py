"""A registrar keeps access that is there already, by the managers' own rule and service; always with words for the history."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations.deciding import moving
from idp.affiliations.deciding.cases import Asked, Done
from idp.affiliations.deciding.facts import row_of
from idp.affiliations.deciding.reaching import setting_of
from idp.affiliations.deciding.rules import Act, Member, Reason, Setting, offered
from idp.console.registrar import entrance
from idp.console.staff.service import By
from idp.foundation.database import writing
from idp.manage.service import Opened, act_in
from idp.subjects import service as subjects
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Person:
    """One person's access at one portal, and what this registrar may do with it now."""

    affiliation_id: UUID
    opened: Opened
    subject: SubjectFacts
    member: Member
    setting: Setting
    offers: frozenset[Act]


def person(tx: Session, by: By, affiliation_id: UUID, *, client_id: str | None = None) -> Person | Refused:
    """What the pages show; what does not exist and what is at no portal look the same."""
    opened = entrance.to_person(tx, by, affiliation_id, client_id=client_id)
    row = row_of(tx, opened.place, affiliation_id) if isinstance(opened, Opened) else None
    subject = subjects.by_id(tx, subject_id=row.subject_id) if row is not None else None
    if isinstance(opened, Refused) or row is None or subject is None:
        return Refused(Reason.UNKNOWN)
    member = moving.seen_by(tx, opened.actor, opened.place, row, now=by.now)
    setting = setting_of(tx, opened.place, row, member, by=opened.actor, now=by.now)
    offers = offered(actor=opened.actor, member=member, setting=setting)
    return Person(row.id, opened, subject, member, setting, offers)


def keep(by: By, asked: Asked, *, client_id: str | None = None) -> Done | Refused:
    """Do it, in one transaction; the person is told, their portals are called, tokens die at once."""
    with writing() as tx:
        opened = entrance.to_person(tx, by, asked.affiliation_id, client_id=client_id)
        return opened if isinstance(opened, Refused) else act_in(tx, opened, asked, now=by.now, origin=by.origin)
