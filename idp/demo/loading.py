"""Puts the invented directory and people in; doing it twice changes nothing but the date of last use.

Uses the services of the rooms, so what the demo shows is what they do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.models import Affiliation
from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.password import setting as passwords
from idp.authenticators.password.kdf import Kdf
from idp.authenticators.site_key import service as site_keys
from idp.authenticators.totp import service as totp
from idp.consent import service as consent
from idp.console.staff import service as staff
from idp.console.staff.service import By
from idp.demo.people import DemoAffiliation, DemoPerson, WrongPeople, levels_of, midnight
from idp.directory import service as directory
from idp.directory.imports.service import run_import
from idp.foundation import house
from idp.foundation.database import new_id, reading, see_as, writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import NewSubject, SubjectFacts, user_id_key
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.assurance import GAINS, Factor
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

ACTOR: Final = "system"
APP: Final = "Demo app"
ORIGIN: Final = Origin.local("demo")
TEMPORARY: Final = timedelta(days=7)
STAY_FRESH: Final = timedelta(days=30)
"""An affiliation that was used longer ago is marked as used now, so that an old demo is not a dormant one."""
_FILES: Final = (
    ("provider-master", "providers.csv"),
    ("trading-partners", "trading_partners.csv"),
    ("pin-letters", "pin_letters.csv"),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """How much of it was new."""

    rows: int
    people: int


def load_directory(folder: Path, *, now: datetime) -> int:
    """Import each registry's files (`<folder>/<registry>/*.csv`); says how many rows changed something."""
    changes = 0
    for registry in sorted(path for path in folder.iterdir() if path.is_dir()):
        for format_name, name in _FILES:
            with (registry / name).open("rb") as stream:
                report = run_import(
                    stream,
                    name=name,
                    format_name=format_name,
                    registry=registry.name,
                    now=now,
                    actor=ACTOR,
                    origin=ORIGIN,
                )
            if report.rejected:
                raise WrongPeople(f"{registry.name}/{name}: {dict(report.reasons)}")
            changes += report.changes
    return changes


def load_people(people: tuple[DemoPerson, ...], *, now: datetime, passwords_too: bool = True) -> int:
    """Make whoever is not there yet; says how many. Portals must have been applied and the directory loaded.

    Without `passwords_too` they sign in from elsewhere only.
    """
    catalogues = {
        party.client_id: tuple(level.key for level in party.manifest.levels)
        for party in relying_parties.every().values()
        if party.portal is not None
    }
    made = 0
    for person in people:
        if _load_person(person, catalogues=catalogues, now=now, password=passwords_too):
            made += 1
            _give_roles(person, now=now)
    _keep_fresh(people, now=now)
    return made


def _load_person(
    person: DemoPerson, *, catalogues: Mapping[str, tuple[str, ...]], now: datetime, password: bool
) -> bool:
    with reading() as tx:
        if _known(tx, person) is not None:
            return False
    digest = house.get(Kdf).digest(person.secret)
    if isinstance(digest, Refused):
        raise WrongPeople(f"{person.user_id}: no password could be set ({digest.reason.value})")
    with writing() as tx:
        subject = _make_subject(tx, person, now=now)
        row = tx.get(Subject, subject.id)
        assert row is not None
        temporary = TEMPORARY if person.must_change else None
        if password:
            passwords.store(tx, subject=row, digest=digest, plain=person.secret, now=now, temporary_for=temporary)
        _set_site_key(tx, person, subject_id=subject.id, now=now)
        _add_app(tx, person, subject_id=subject.id, now=now)
        for affiliation in person.affiliations:
            _make_affiliation(tx, affiliation, subject_id=subject.id, catalogues=catalogues, now=now)
        if person.agreements_accepted:
            _accept_agreements(tx, person, subject_id=subject.id, now=now)
        if person.disabled:
            subjects.disable(tx, subject_id=subject.id, reason=person.disabled, actor=ACTOR, now=now, origin=ORIGIN)
    return True


def _give_roles(person: DemoPerson, *, now: datetime) -> None:
    """As the operator gives the first ones; nobody is mailed about it."""
    for role in person.staff:
        by = By(None, ACTOR, ORIGIN, now)
        given = staff.bootstrap(by, login=person.user_id, role=role, quiet=True)
        if isinstance(given, Refused):
            raise WrongPeople(f"{person.user_id}: {given.reason.value}")


def _make_subject(tx: Session, person: DemoPerson, *, now: datetime) -> SubjectFacts:
    new = NewSubject(
        user_id=person.user_id,
        email=person.email,
        email_proven=person.email_proven,
        phone=person.phone,
        given_name=person.given_name,
        family_name=person.family_name,
        display_name=None,
        locale=person.locale,
        zoneinfo=person.zoneinfo,
        profile=person.profile,
    )
    made = subjects.create(tx, new=new, actor=ACTOR, now=now, origin=ORIGIN)
    if isinstance(made, Refused):
        raise WrongPeople(f"{person.user_id}: {made.reason.value}")
    return made


def _set_site_key(tx: Session, person: DemoPerson, *, subject_id: str, now: datetime) -> None:
    chosen = person.site_key
    if chosen is None:
        return
    kept = site_keys.set_site_key(
        tx,
        subject_id=subject_id,
        picture=chosen.picture,
        phrase=chosen.phrase,
        now=now,
        actor=ACTOR,
        origin=ORIGIN,
    )
    if isinstance(kept, Refused):
        raise WrongPeople(f"{person.user_id}: {kept.reason.value}")


def _add_app(tx: Session, person: DemoPerson, *, subject_id: str, now: datetime) -> None:
    if person.totp_secret is None:
        return
    gain = GAINS[Factor.TOTP]
    app = HeldFactor(
        id=new_id(),
        subject_id=subject_id,
        kind=Factor.TOTP.value,
        name=APP,
        gives=sorted(gain.acr),
        amr=list(gain.amr),
        created_at=now,
    )
    tx.add(app)
    tx.flush()  # the secret's row refers to it
    totp.keep(tx, factor_id=app.id, secret=Secret(person.totp_secret), last_step=0)
    details = {"kind": app.kind, "factor": app.id}
    audit.append(tx, Event.FACTOR_ADDED, now=now, actor=ACTOR, origin=ORIGIN, subject_id=subject_id, details=details)


def _make_affiliation(
    tx: Session,
    wanted: DemoAffiliation,
    *,
    subject_id: str,
    catalogues: Mapping[str, tuple[str, ...]],
    now: datetime,
) -> None:
    ended = wanted.status is AffiliationStatus.ENDED
    made = affiliations.grant_affiliation(
        tx,
        subject_id=subject_id,
        registry=wanted.registry,
        kind=wanted.kind,
        target_id=_target(tx, wanted),
        evidence=wanted.evidence,
        levels=levels_of(wanted, catalogues=catalogues),
        now=now,
        actor=ACTOR,
        origin=ORIGIN,
        status=AffiliationStatus.ACTIVE if ended else wanted.status,
        account_manager=wanted.account_manager,
        starts_at=midnight(wanted.starts),
        ends_at=midnight(wanted.ends),
        disabled_by=wanted.disabled_by,
    )
    if ended:
        affiliations.change_status(
            tx, affiliation_id=made, status=AffiliationStatus.ENDED, now=now, actor=ACTOR, origin=ORIGIN
        )
    if (last := wanted.last_used(now)) is not None:
        tx.execute(update(Affiliation).where(Affiliation.id == made).values(last_used_at=last, activated_at=last))


def _accept_agreements(tx: Session, person: DemoPerson, *, subject_id: str, now: datetime) -> None:
    """Every text of the portals where the person acts, as if accepted at an earlier visit; they then open silently."""
    active = [each for each in person.affiliations if each.status is AffiliationStatus.ACTIVE]
    for client_id in sorted({portal for each in active for portal in each.levels}):
        party = relying_parties.find(client_id)
        if party is None:
            raise WrongPeople(f"there is no portal {client_id}")
        for text in consent.agreements_of(party):
            consent.accept(tx, subject_id=subject_id, party=party, text=text, now=now, origin=ORIGIN)


def _target(tx: Session, wanted: DemoAffiliation) -> UUID:
    found: UUID | None = None
    if wanted.kind is TargetKind.PROVIDER:
        provider = directory.provider_by_number(tx, registry=wanted.registry, provider_id=wanted.id)
        found = None if provider is None else provider.id
    elif wanted.kind is TargetKind.PRACTICE:
        practice = directory.practice_by_tin(tx, wanted.id)
        found = None if practice is None else practice.id
    else:
        partner = directory.trading_partner_by_number(tx, registry=wanted.registry, trading_partner_id=wanted.id)
        found = None if partner is None else partner.id
    if found is None:
        raise WrongPeople(f"{wanted.registry} has no {wanted.kind.value} …{wanted.id[-4:]}")
    return found


def _keep_fresh(people: tuple[DemoPerson, ...], *, now: datetime) -> None:
    """A demo that was last opened months ago shows what it showed then; who is dormant on purpose stays so."""
    with writing() as tx:
        see_as(tx, everything=True)
        for person in people:
            known = _known(tx, person)
            if known is None or any(each.last_used_days_ago is not None for each in person.affiliations):
                continue
            tx.execute(
                update(Affiliation)
                .where(
                    Affiliation.subject_id == known,
                    Affiliation.status == AffiliationStatus.ACTIVE.value,
                    Affiliation.activated_at < now - STAY_FRESH,
                    (Affiliation.last_used_at.is_(None)) | (Affiliation.last_used_at < now - STAY_FRESH),
                )
                .values(last_used_at=now)
            )


def _known(tx: Session, person: DemoPerson) -> str | None:
    key = user_id_key(person.user_id)
    if isinstance(key, Refused):
        raise WrongPeople(f"{person.user_id}: {key.reason.value}")
    return tx.execute(select(Subject.id).where(Subject.user_id_key == key)).scalar_one_or_none()
