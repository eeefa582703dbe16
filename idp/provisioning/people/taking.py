"""One person of the file: which account they become, their old login, their password, their access."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.uniting import service as uniting
from idp.authenticators.password import facts as passwords
from idp.authenticators.password import people as accounts
from idp.directory import service as directory
from idp.foundation.origin import Origin
from idp.provisioning.people.reading import Entry, Intake
from idp.provisioning.people.rules import Access, Fate, Fault, Holder, Person, PortalTerms, fate
from idp.subjects import legacy
from idp.subjects import service as subjects
from idp.subjects.legacy import OldLogin
from idp.subjects.rules import NewSubject, SubjectFacts
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.refused import Refused


@dataclass(frozen=True, slots=True)
class Taking:
    """What every person of a run is told."""

    intake: Intake
    answered: bool
    now: datetime
    actor: str
    origin: Origin

    def note(self, name: str) -> None:
        self.intake.report.notes[name] += 1


def take(tx: Session, entry: Entry, run: Taking, *, digest: str | None) -> None:
    """Take one person in, or refuse their lines; whoever is known by their old login keeps all that they have."""
    terms, report = run.intake.portals[entry.person.portal], run.intake.report
    targets = _targets(tx, entry, terms, run)
    good = set(entry.lines) - {line for line, _ in entry.access} | {line for line, _, _ in targets}
    if not good:
        return
    known = legacy.owner(tx, portal=entry.person.portal, key=entry.person.key)
    landed = _settle(tx, entry.person, run, digest=digest) if known is None else (known, False)
    if isinstance(landed, Fault):
        for line in sorted(good):
            run.intake.refuse(line, entry.person.named, landed)
        return
    subject_id, is_new = landed
    given = [_give(tx, subject_id, access, target_id, terms, run) for _, access, target_id in targets]
    if is_new:
        report.added += 1
    elif known is None or any(given):
        report.changed += 1
    else:
        report.unchanged += 1


def _settle(tx: Session, person: Person, run: Taking, *, digest: str | None) -> tuple[str, bool] | Fault:
    """The account of somebody whose old login is new to us; whether it was made for them."""
    holder = subjects.find_by_login(tx, key=person.email_key)
    decided = fate(person, holder=_holder(holder), answered=run.answered)
    if isinstance(decided, Fault):
        return decided
    if decided is Fate.TAKE_MAILBOX:
        subjects.free_unproven_email(tx, email=person.email, actor=run.actor, now=run.now, origin=run.origin)
    joins = decided is Fate.JOIN and holder is not None
    subject = holder if joins and holder is not None else _make(tx, person, decided, run)
    old = OldLogin(person.portal, person.key, person.login, person.email_key)
    legacy.add(tx, old, subject_id=subject.id, actor=run.actor, now=run.now, origin=run.origin)
    if digest is not None and passwords.credential_of(tx, subject_id=subject.id) is None:
        accounts.keep_imported(tx, subject_id=subject.id, digest=digest, now=run.now)
    elif digest is not None:
        run.note("passwords_left")
    run.note({Fate.JOIN: "joined", Fate.TWIN: "twins", Fate.TAKE_MAILBOX: "mailboxes_taken"}.get(decided, "made"))
    if subject.email_verified_at is None and decided is not Fate.TWIN:
        run.note("mailboxes_to_prove")
    return subject.id, not joins


def _make(tx: Session, person: Person, decided: Fate, run: Taking) -> SubjectFacts:
    new = NewSubject(
        email=None if decided is Fate.TWIN else person.email,
        email_proven=decided is not Fate.TWIN and person.email_proven and run.answered,
        phone=person.phone,
        given_name=person.first_name,
        family_name=person.last_name,
        comes_with_legacy_login=True,
    )
    made = subjects.create(tx, new=new, actor=run.actor, now=run.now, origin=run.origin)
    if isinstance(made, Refused):
        raise RuntimeError(f"an imported person was refused: {made.reason}")
    return made


def _holder(subject: SubjectFacts | None) -> Holder | None:
    if subject is None:
        return None
    return Holder(subject.email_verified_at is not None, subject.given_name, subject.family_name)


def _targets(tx: Session, entry: Entry, terms: PortalTerms, run: Taking) -> list[tuple[int, Access, UUID]]:
    """Each access with what it points at; lines whose target the registry does not know are refused."""
    found = []
    for line, access in entry.access:
        target_id = _target(tx, access, registry=terms.registry)
        if target_id is None:
            run.intake.refuse(line, entry.person.named, Fault.TARGET_UNKNOWN)
        else:
            found.append((line, access, target_id))
    return found


def _target(tx: Session, access: Access, *, registry: str) -> UUID | None:
    if access.kind is TargetKind.PROVIDER:
        provider = directory.provider_by_number(tx, registry=registry, provider_id=access.number)
        return provider.id if provider else None
    if access.kind is TargetKind.PRACTICE:
        practice = directory.practice_by_tin(tx, access.number)
        return practice.id if practice else None
    partner = directory.trading_partner_by_number(tx, registry=registry, trading_partner_id=access.number)
    return partner.id if partner else None


def _give(tx: Session, subject_id: str, access: Access, target_id: UUID, terms: PortalTerms, run: Taking) -> bool:
    """Give one access; `False` where this portal has stated it before, whatever became of it since."""
    portal, registry = terms.client_id, terms.registry
    rows = uniting.rows_at(tx, subject_id=subject_id, registry=registry, kind=access.kind, target_id=target_id)
    if uniting.is_stated_by(rows, portal):
        return False
    live = uniting.live_one(rows)
    run.note("affiliations_made" if live is None else "affiliations_added_to")
    if live is not None:
        uniting.add_statement(
            tx,
            live,
            portal=portal,
            evidence=access.evidence,
            levels=access.levels,
            account_manager=access.account_manager,
            now=run.now,
            actor=run.actor,
            origin=run.origin,
        )
        return True
    affiliations.grant_affiliation(
        tx,
        subject_id=subject_id,
        registry=registry,
        kind=access.kind,
        target_id=target_id,
        evidence={portal: access.evidence},
        levels={portal: access.levels},
        status=access.status,
        account_manager=access.account_manager,
        disabled_by="manager" if access.status is AffiliationStatus.DISABLED else None,
        now=run.now,
        actor=run.actor,
        origin=run.origin,
    )
    return True
