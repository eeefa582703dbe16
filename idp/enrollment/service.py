"""Taking what a page posts: count, compare, keep; and at the last proof let all of it happen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import LazyString
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.password.rules import Reason as PasswordReason
from idp.enrollment import claims, completing, mailbox, rules, runs
from idp.enrollment.again import service as again
from idp.enrollment.ceremonies import EVIDENCE, is_again
from idp.enrollment.place import Place, Visit, run_of, stand
from idp.enrollment.reading import MALFORMED, Read, Unread, read
from idp.enrollment.refusals import sentence_for
from idp.enrollment.rules import Complete, Page, Show
from idp.enrollment.runs import Run
from idp.enrollment.step import Kept, Wrong
from idp.foundation import parsing
from idp.foundation.database import reading, writing
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Onward:
    """Taken; the dispatcher says what is next."""

    run_id: UUID
    elsewhere: str | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """Not taken: the page once more, with what is wrong."""

    errors: Mapping[str, LazyString] = field(default_factory=dict)
    problem: LazyString | None = None
    show: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    status: int = 422


@dataclass(frozen=True, slots=True)
class Busy:
    """Too many passwords are being hashed."""


Outcome = Onward | Again | Busy | None
"""`None`: this page is not the one to answer; the dispatcher knows which is."""


def submit(visit: Visit, page: Page, sent: MultiDict[str, str]) -> Outcome:
    """Take a posted page, all of its steps or none."""
    with reading() as tx:
        place = stand(tx, visit, run_of(tx, visit))
    if (visit.run_id is not None and place.run is None) or not place.may_open(page):
        return None
    asked = _answered(place, page, sent)
    if asked is not None:
        return asked
    parts = read(place, page, sent)
    if isinstance(parts, Unread):
        return Again(parts.errors, parts.problem, status=parts.status)
    refused = _reserve(visit, parts)
    if refused is not None:
        return _again(refused, parts[0])
    for part in parts:
        part.prepared = part.step.prepare(part.form, part.at)
        if isinstance(part.prepared, Refused) and part.prepared.reason is PasswordReason.BUSY:
            return Busy()
    with writing() as tx:
        return _settle(tx, visit, page, parts, seen=place.run)


def leave(visit: Visit) -> None:
    """*Cancel*: end it, and forget what was typed."""
    with writing() as tx:
        run = runs.lock(tx, visit.run_id, browser_digest=visit.browser_digest, now=visit.now) if visit.run_id else None
        if isinstance(run, Run):
            runs.finish(tx, run, outcome="left", told={}, now=visit.now)


def finish(visit: Visit) -> Refused | None:
    """Complete what lacks nothing, for its own person; a run that waits for something stays as it is."""
    with writing() as tx:
        run = run_of(tx, visit, lock=True)
        if run is None:
            return None
        place = stand(tx, visit, run)
        if not (place.is_its_persons and isinstance(place.verdict(), Complete)):
            return None
        return completing.complete(tx, place)


def begin(visit: Visit) -> UUID:
    """Begin a ceremony without an answer yet: for whoever signs in first."""
    with writing() as tx:
        run = runs.latest(
            tx,
            browser_digest=visit.browser_digest,
            client_id=visit.party.client_id,
            ceremony=visit.ceremony,
            now=visit.now,
        )
        return (run or _begun(tx, visit)).id


def _answered(place: Place, page: Page, sent: MultiDict[str, str]) -> Again | None:
    """The page with the answer, where a button of it only asked something."""
    for use, step in place.asked(page):
        for question in step.questions & set(sent):
            values = parsing.single_values(sent)
            if values is None:
                return Again(problem=MALFORMED, status=400)
            with reading() as tx:
                return Again(show={use.name: step.answer(tx, question, values, place.at(use))}, status=200)
    return None


def _reserve(visit: Visit, parts: list[Read]) -> Refused | None:
    """Count an attempt of each step that counts any; the first one too many ends it."""
    if not any(part.counts for part in parts):
        return None
    with writing() as tx:
        for part in parts:
            refused = part.step.reserve(tx, part.form, part.at)
            if refused is not None:
                if not isinstance(refused, Wrong) or refused.audited:
                    _audit(tx, visit, part, refused, subject_id=None)
                return refused
    return None


def _settle(tx: Session, visit: Visit, page: Page, parts: list[Read], *, seen: Run | None) -> Outcome:
    """Look again under lock; keep everything, or nothing and say why. What another tab changed meanwhile goes first."""
    run = run_of(tx, visit, lock=True)
    if visit.run_id is not None and (run is None or seen is None or run.kept != seen.kept):
        return None
    place = stand(tx, visit, run)
    if not place.may_open(page):
        return None
    taken: dict[str, Kept] = {}
    for part in parts:
        outcome = _own_again(tx, place, part, part.step.settle(tx, part.form, part.prepared, part.at))
        if isinstance(outcome, Wrong):
            if outcome.audited:
                _audit(tx, visit, part, outcome, subject_id=place.subject.id if place.subject else None)
            return _again(outcome, part)
        taken[part.use.name] = outcome
    elsewhere = next((kept.elsewhere for kept in taken.values() if kept.elsewhere), None)
    if elsewhere is not None:
        return Onward(run.id if run is not None else UUID(int=0), elsewhere)
    run = _keep(tx, place, page, parts, taken, run or _begun(tx, visit))
    return _move_on(tx, visit, run, parts, ends=any(kept.ends for kept in taken.values()))


def _own_again(tx: Session, place: Place, part: Read, outcome: Kept | Wrong) -> Kept | Wrong:
    """Evidence brought again has to be the person's own; a stranger's looks like one that does not match (RC-22)."""
    visit, worth = place.visit, EVIDENCE.get(part.use.name)
    if isinstance(outcome, Wrong) or worth is None or not is_again(visit.ceremony) or place.subject is None:
        return outcome
    proof = None if outcome.ends else claims.proof_of(outcome.answers, evidence=worth)
    refused = again.judge(tx, proof, browser_digest=visit.browser_digest, subject_id=place.subject.id, now=visit.now)
    return outcome if refused is None else claims.no_match(Refused(refused))


def _keep(tx: Session, place: Place, page: Page, parts: list[Read], taken: Mapping[str, Kept], run: Run) -> Run:
    done = (run.done - rules.undone_by(place.pages, page, done=run.done)) | {
        name for name, kept in taken.items() if kept.done
    }
    return runs.save(
        tx,
        run,
        done=done,
        typed={**run.typed, **{part.use.name: part.typed for part in parts}},
        kept={**run.kept, **{name: {**kept.answers} for name, kept in taken.items()}},
        subject_id=next((kept.subject_id for kept in taken.values() if kept.subject_id), None),
    )


def _move_on(tx: Session, visit: Visit, run: Run, parts: list[Read], *, ends: bool) -> Outcome:
    """Owe the mail where the link is awaited next; complete where nothing is left to prove."""
    place = stand(tx, visit, run)
    verdict = place.verdict()
    if ends or isinstance(verdict, Complete):
        refused = completing.complete(tx, place, ended_early=ends)
        if refused is not None:
            return Again(problem=sentence_for(refused))
    elif isinstance(verdict, Show) and verdict.page.awaits_link:
        mailbox.send_link(tx, place)
    return Onward(run.id)


def _begun(tx: Session, visit: Visit) -> Run:
    return runs.begin(
        tx,
        client_id=visit.party.client_id,
        ceremony=visit.ceremony,
        browser_digest=visit.browser_digest,
        subject_id=None,
        now=visit.now,
    )


def _again(refused: Refused, part: Read) -> Again:
    if isinstance(refused, Wrong):
        return Again(refused.errors, refused.problem, show={part.use.name: refused.show} if refused.show else {})
    return Again(problem=part.step.sentence(refused))


def _audit(tx: Session, visit: Visit, part: Read, refused: Refused, *, subject_id: str | None) -> None:
    audit.append(
        tx,
        Event.ENROLLMENT_REFUSED,
        now=visit.now,
        actor=subject_id or "anonymous",
        origin=visit.origin,
        outcome=refused.reason.value,
        subject_id=subject_id,
        client_id=visit.party.client_id,
        details={"ceremony": visit.ceremony, "step": part.use.name},
    )


def where(visit: Visit) -> Place:
    """Where this browser stands, for showing a page."""
    with reading() as tx:
        return stand(tx, visit, run_of(tx, visit))


def newest(visit: Visit) -> Run | None:
    """The enrollment of this ceremony that this browser has begun."""
    with reading() as tx:
        return runs.latest(
            tx,
            browser_digest=visit.browser_digest,
            client_id=visit.party.client_id,
            ceremony=visit.ceremony,
            now=visit.now,
        )


def newest_of(browser_digest: bytes, *, now: datetime) -> Run | None:
    """Whatever this browser works on: where a sign-in comes back to."""
    with reading() as tx:
        return runs.latest(tx, browser_digest=browser_digest, now=now)


def ended(visit: Visit) -> Run | None:
    """An enrollment of this browser that has ended lately."""
    if visit.run_id is None:
        return None
    with reading() as tx:
        run = runs.ended(tx, visit.run_id, browser_digest=visit.browser_digest, now=visit.now)
    return run if run is not None and run.client_id == visit.party.client_id else None


def send_again(visit: Visit) -> bool | None:
    """Mail the link once more: `True` sent, `False` too many lately, `None` where no link is awaited."""
    with writing() as tx:
        run = run_of(tx, visit, lock=True)
        if run is None:
            return None
        place = stand(tx, visit, run)
        verdict = place.verdict()
        if not (isinstance(verdict, Show) and verdict.page.awaits_link):
            return None
        return mailbox.send_link(tx, place)
