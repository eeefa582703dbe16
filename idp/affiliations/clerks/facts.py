"""Who may be found by a manager who adds somebody (ruling 10); the caller has authorized them and counts the look."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Select, Uuid, func, literal, select, union_all
from sqlalchemy.orm import Session

from idp.affiliations.clerks.rules import MOST, Colleague, Looked, Stranger, initials, same_last_name
from idp.affiliations.deciding.facts import Place
from idp.affiliations.models import Affiliation
from idp.affiliations.searching.facts import found_by_name
from idp.affiliations.searching.rules import terms
from idp.directory.models import Provider
from idp.foundation.database import see_as
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import Status, SubjectFacts, login_key
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind


def colleagues(tx: Session, place: Place, looked: Looked) -> tuple[Colleague, ...]:
    """People of the practice of whose names or user ID some word begins with each word, without those who act for this target already."""
    words = looked.words
    if not words:
        return ()
    query = (
        select(Affiliation.id, Subject.id.label("subject_id"), Subject.user_id, Subject.given_name, Subject.family_name)
        .join(Subject, Subject.id == Affiliation.subject_id)
        .where(*_of_the_practice(place), Subject.status == Status.ACTIVE.value)
        .where(Affiliation.id.in_(found_by_name(_targets(place), terms(" ".join(words)))))
        .where(Affiliation.subject_id.not_in(_held_here(place)))
        .order_by(func.lower(Subject.family_name), func.lower(Subject.given_name), Affiliation.id)
        .limit(MOST * 2)
    )
    see_as(tx, everything=True)  # a practice's people hang on its several providers; the query names them all
    rows = tx.execute(query).all()
    see_as(tx, target_id=place.target.id)
    once = {row.subject_id: row for row in reversed(rows)}
    shown = [row for row in rows if once[row.subject_id] is row][:MOST]
    return tuple(
        Colleague(row.id.hex, row.user_id or "–", row.given_name or "", row.family_name or "") for row in shown
    )


def colleague(tx: Session, place: Place, affiliation_id: UUID) -> SubjectFacts | None:
    """The colleague whom a row of the search named; a key of anybody else finds none."""
    see_as(tx, everything=True)
    query = select(Affiliation.subject_id).where(Affiliation.id == affiliation_id, *_of_the_practice(place))
    identity = tx.execute(query).scalar_one_or_none()
    see_as(tx, target_id=place.target.id)
    found = subjects.by_id(tx, subject_id=identity) if identity is not None else None
    return found if found is not None and found.status is Status.ACTIVE else None


def stranger(tx: Session, place: Place, looked: Looked) -> tuple[Stranger, SubjectFacts] | None:
    """The one person whose user name and last name were both typed exactly; a mail address is no user name."""
    if not looked.names_somebody:
        return None
    found = subjects.find_by_login(tx, key=login_key(looked.user_name.strip()), portal=place.party.client_id)
    if found is None or found.status is not Status.ACTIVE or found.email_verified_at is None:
        return None
    if "@" in looked.user_name or not same_last_name(looked.last_name, found.family_name):
        return None
    shown = Stranger(looked.user_name.strip(), looked.last_name.strip(), initials(found.given_name, found.family_name))
    return shown, found


def acts_here(tx: Session, place: Place, *, subject_id: str) -> bool:
    """Whether the person has an affiliation with the target that has not ended; the fence is open for the target."""
    query = _held_here(place).where(Affiliation.subject_id == subject_id)
    return tx.execute(query.limit(1)).first() is not None


def _held_here(place: Place) -> Select[str]:
    return select(Affiliation.subject_id).where(
        Affiliation.target_id == place.target.id,
        Affiliation.registry_name == place.target.registry,
        Affiliation.target_kind == place.target.kind.value,
        Affiliation.status != AffiliationStatus.ENDED.value,
    )


def _targets(place: Place) -> Sequence[UUID] | CompoundSelect[UUID]:
    practice, target = place.target.practice_id, place.target
    if practice is None:
        return (target.id,)
    providers = select(Provider.id).where(Provider.practice_id == practice, Provider.registry_name == target.registry)
    return union_all(select(literal(practice, Uuid)), providers)


def _of_the_practice(place: Place) -> tuple[ColumnElement[bool], ...]:
    practice, target = place.target.practice_id, place.target
    return (
        Affiliation.target_id.in_(_targets(place)),
        Affiliation.registry_name == target.registry,
        Affiliation.target_kind.in_(
            [TargetKind.TRADING_PARTNER.value]
            if practice is None
            else [TargetKind.PRACTICE.value, TargetKind.PROVIDER.value]
        ),
        Affiliation.status != AffiliationStatus.ENDED.value,
    )
