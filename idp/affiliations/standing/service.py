"""*Who could act for this number on this day, granted by whom, on what proof*: one question, one answer for all who ask.

Access, levels, proof and their givers are the audit's, so they are true for any past day. What the roster says (in force,
moved, engaged) is read by its dates, and what a portal asks for is its manifest of today.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.rules import PortalTerms
from idp.affiliations.standing import facts
from idp.affiliations.standing.rules import Could, Day, Lets, Record, could, of_the_day, was_enabled
from idp.affiliations.standing.targets import Targets
from idp.directory import service as directory
from idp.directory.rules import EngagementFacts, PracticeFacts
from idp.foundation import house
from idp.keyring.service import Keyring
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.rules import Status, SubjectFacts
from idp.vocabulary.affiliation import Acting, TargetKind
from idp.vocabulary.identifiers import Malformed, Tin

A_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: the owners of one number (or one practice alone), a day, and what belongs to them on it."""

    practices: tuple[PracticeFacts, ...]
    day: Day
    date: date
    targets: frozenset[UUID]
    engaged: Mapping[UUID, EngagementFacts]
    registry: str | None = None
    """Only access in this payer's file; staff see all."""


@dataclass(frozen=True, slots=True)
class Line:
    """One person's access to one target on the day."""

    subject: SubjectFacts
    could: Could
    target_name: str
    target_number: str | None
    engagement: EngagementFacts | None
    """For staff of a trading partner: by which engagement."""
    assigned_by: str | None = None
    """Who assigned them to the practice, where the partner did not leave it to all of its staff."""

    @property
    def record(self) -> Record:
        return self.could.record


def ask(
    tx: Session, *, on: date, now: datetime, tin: str = "", practice_id: UUID | None = None, every_owner: bool = False
) -> Asked | None:
    """The question about a number as typed, or about a practice: alone, or with all that ever held its number (staff only).

    `None` where nobody has or had it.
    """
    practices = _practices(tx, tin=tin, practice_id=practice_id, every_owner=every_owner)
    if not practices:
        return None
    day, ids = Day.of(on, now=now), [each.id for each in practices]
    engaged = facts.engagements_of(tx, ids, day)
    targets = frozenset({*ids, *facts.providers_of(tx, ids), *engaged})
    return Asked(practices, day, on, targets, engaged)


def ask_within(tx: Session, *, acting: Acting, on: date, now: datetime) -> Asked | None:
    """The same question about what a manager manages, and nothing beside it (AU-08); partners have no number."""
    day = Day.of(on, now=now)
    match acting.target_kind:
        case TargetKind.PRACTICE:
            found = ask(tx, on=on, now=now, practice_id=acting.target_id)
            return None if found is None else replace(found, registry=acting.registry)
        case TargetKind.PROVIDER:
            provider = directory.provider(tx, acting.target_id)
            practice = directory.practice(tx, provider.practice_id) if provider is not None else None
            if practice is None:
                return None
            return Asked((practice,), day, on, frozenset({acting.target_id}), {}, acting.registry)
        case _:
            return None


def _practices(tx: Session, *, tin: str, practice_id: UUID | None, every_owner: bool) -> tuple[PracticeFacts, ...]:
    one = directory.practice(tx, practice_id) if practice_id is not None else None
    if practice_id is not None and (one is None or not every_owner):
        return (one,) if one is not None else ()
    try:
        number = directory.tin_of(one) if one is not None else Tin.parse(tin)
    except Malformed:
        return ()
    return facts.practices_of(tx, directory.tin_index(number, key=house.get(Keyring).index))


def page(tx: Session, asked: Asked, *, after: str = "", limit: int = A_PAGE) -> tuple[tuple[Line, ...], str | None]:
    """Some of those who could act, by their ids, and after whom the next page begins."""
    found: list[Line] = []
    while True:
        people = facts.people(tx, asked.targets, asked.day, after=after, limit=limit + 1)
        some = people[:limit]
        found.extend(_lines(tx, asked, some))
        if len(people) <= limit:
            return tuple(found), None
        after = some[-1]
        if len(found) >= limit:
            return tuple(found), after


def everyone(tx: Session, asked: Asked) -> Iterator[Line]:
    """All of them, page by page."""
    after: str | None = ""
    while after is not None:
        lines, after = page(tx, asked, after=after, limit=200)
        yield from lines


def named(tx: Session, lines: Collection[Line]) -> Mapping[str, str]:
    """Names of those who granted something in these lines, by what the audit calls them."""
    actors = {line.record.actor for line in lines}
    actors |= {line.assigned_by for line in lines if line.assigned_by}
    actors |= {proof.by for line in lines for proof in line.record.proofs if proof.by}
    actors |= {by for line in lines for lets in line.could.at for _, by in lets.levels if by}
    found: dict[str, str] = {}
    for actor in actors:
        subject = subjects.by_id(tx, subject_id=actor.removeprefix("staff:"))
        if subject is not None:
            found[actor] = subject.name
    return found


def _lines(tx: Session, asked: Asked, people: list[str]) -> Iterator[Line]:
    if not people:
        return
    records = facts.records(tx, asked.targets, people, asked.day)
    uses = facts.uses(tx, asked.targets, people, asked.day)
    switched, targets, terms = facts.switched(tx, people), Targets(tx, day=asked.day, on=asked.date), _terms()
    assigned = facts.assigned(tx, asked.engaged, asked.day)
    settings, practices = house.get(Settings), {each.id for each in asked.practices}
    known = {subject_id: subjects.by_id(tx, subject_id=subject_id) for subject_id in people}
    for (subject_id, _), theirs in sorted(records.items(), key=lambda item: (item[0][0], str(item[0][1]))):
        subject, newest = known[subject_id], theirs[-1]
        elsewhere = newest.kind is TargetKind.PROVIDER and newest.practice_id not in practices
        if subject is None or elsewhere or asked.registry not in (None, newest.registry):
            continue
        staff, by = assigned.get(newest.target_id, (None, None))
        if staff is not None and newest.affiliation_id not in staff:
            continue
        enabled_now = subject.status is not Status.DISABLED
        if not was_enabled(switched.get(subject_id, ()), asked.day, is_now=enabled_now):
            continue
        found = could(
            of_the_day(theirs, asked.day),
            asked.day,
            target=targets.of(newest),
            terms=[each for each in terms if each.registry == newest.registry],
            used_at=uses.get((subject_id, newest.target_id)),
            dormancy=settings.dormancy,
        )
        if found is not None:
            yield _line(subject, found, targets, asked, assigned_by=by if staff is not None else None)


def _line(subject: SubjectFacts, found: Could, targets: Targets, asked: Asked, *, assigned_by: str | None) -> Line:
    record = found.record
    engagement = asked.engaged.get(record.target_id)
    if engagement is not None and engagement.levels_cap is not None:
        cap = engagement.levels_cap
        within = tuple(Lets(each.portal, tuple(one for one in each.levels if one[0] in cap)) for each in found.at)
        found = Could(record, within, found.until, found.used_at)
    return Line(subject, found, targets.of(record).name, targets.number_of(record), engagement, assigned_by)


def _terms() -> list[PortalTerms]:
    found = [affiliations.terms_of(party) for party in relying_parties.every().values() if party.portal is not None]
    return [terms for terms in found if terms is not None]
