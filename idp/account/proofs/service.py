"""What a person changes about their ways to sign in; each is one transaction with its audit event and its mail."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.account.proofs import rules
from idp.account.upstairs import portals_held
from idp.authenticators.factors import facts, removing
from idp.authenticators.factors.rules import Held, Reason, is_fresh, to_prove
from idp.authenticators.recovery_codes import facts as recovery_codes
from idp.authenticators.recovery_codes import service as codes
from idp.authenticators.remembered_devices import service as devices
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import service as sessions
from idp.sessions.browsers import browser_name
from idp.sessions.rules import SessionFacts
from idp.sign_in.assurance import facts as assurance
from idp.sign_in.assurance.rules import accepted, demands
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret


@dataclass(frozen=True, slots=True)
class Ways:
    """How a person can sign in beside the password."""

    held: tuple[Held, ...]
    codes_left: int
    devices: int
    fresh: bool
    """Whether anything may be changed now without proving it again."""


@dataclass(frozen=True, slots=True)
class OwnDevice:
    """One browser that was remembered."""

    id: UUID
    browser: str
    address: str
    remembered_at: datetime
    last_used_at: datetime
    until: datetime


def ways(session: SessionFacts, *, now: datetime) -> Ways:
    """All that the page lists."""
    with reading() as tx:
        held = facts.held(tx, subject_id=session.subject_id)
        return Ways(
            held,
            recovery_codes.left(tx, subject_id=session.subject_id, now=now),
            len(_devices(tx, session, now=now)),
            is_fresh(session, held=to_prove(held), now=now),
        )


def find(session: SessionFacts, *, factor_id: UUID) -> Held | Refused:
    """One of the person's own factors; a foreign one is as unknown as none."""
    with reading() as tx:
        return facts.one(tx, subject_id=session.subject_id, factor_id=factor_id) or Refused(Reason.NOT_HELD)


def remove(session: SessionFacts, *, factor_id: UUID, now: datetime, origin: Origin) -> Refused | None:
    """Take a factor away after a fresh strong proof, and never the last one, of all or for a portal that demands one (MF-11)."""
    with writing() as tx:
        held = _locked(tx, session)
        if isinstance(held, Refused):
            return held
        refused = _not_fresh(session, held, now=now) or rules.may_remove(
            factor_id, held=held, demanded=_demanded(tx, session.subject_id, now=now)
        )
        if refused is not None:
            return refused
        subject = subjects.by_id(tx, subject_id=session.subject_id)
        factor = next(each for each in held if each.id == factor_id)
        assert subject is not None
        removing.remove(tx, factor, subject=subject, now=now, origin=origin)
    return None


def rename(session: SessionFacts, *, factor_id: UUID, name: str, now: datetime, origin: Origin) -> Refused | None:
    """Give a factor another name; a name proves nothing, so no step-up."""
    if not name.strip():
        return Refused(Reason.BAD_NAME)
    with writing() as tx:
        return removing.rename(
            tx, subject_id=session.subject_id, factor_id=factor_id, name=name.strip(), now=now, origin=origin
        )


def new_codes(session: SessionFacts, *, now: datetime, origin: Origin) -> tuple[Secret, ...] | Refused:
    """Ten new recovery codes; the former ones no longer work."""
    with writing() as tx:
        held = _locked(tx, session)
        if isinstance(held, Refused):
            return held
        refused = _not_fresh(session, held, now=now)
        if refused is not None or not held:
            return refused or Refused(Reason.NOT_HELD)
        return codes.make_anew(tx, subject_id=session.subject_id, origin=origin, now=now)


def own_devices(session: SessionFacts, *, now: datetime) -> list[OwnDevice]:
    """Browsers that spare the person the second proof."""
    with reading() as tx:
        return _devices(tx, session, now=now)


def forget_device(session: SessionFacts, *, device_id: UUID, now: datetime, origin: Origin) -> bool:
    """Forget one; `False` for any id but the person's own."""
    with writing() as tx:
        return devices.forget_one(tx, subject_id=session.subject_id, device_id=device_id, now=now, origin=origin)


def forget_devices(session: SessionFacts, *, now: datetime, origin: Origin) -> int:
    """Forget all of them."""
    with writing() as tx:
        return devices.forget_all(tx, subject_id=session.subject_id, now=now, origin=origin)


def _locked(tx: Session, session: SessionFacts) -> tuple[Held, ...] | Refused:
    """The person's factors, while nobody else changes them; refused for a session that was ended meanwhile (RA-13)."""
    if sessions.hold(tx, session) is None:
        return Refused(Reason.NOT_FRESH)
    row = tx.get(Subject, session.subject_id, with_for_update=True, populate_existing=True)
    if row is None or row.epoch != session.subject_epoch:
        return Refused(Reason.NOT_FRESH)
    return facts.held(tx, subject_id=session.subject_id)


def _not_fresh(session: SessionFacts, held: tuple[Held, ...], *, now: datetime) -> Refused | None:
    return None if is_fresh(session, held=to_prove(held), now=now) else Refused(Reason.NOT_FRESH)


def _demanded(tx: Session, subject_id: str, *, now: datetime) -> list[frozenset[Factor]]:
    """The kinds that each portal takes which demands a factor of this person."""
    found = []
    for client_id in portals_held(tx, subject_id=subject_id, now=now):
        party = relying_parties.find(client_id)
        terms, _equipment = assurance.of_subject(tx, party=party, subject_id=subject_id, now=now)
        if demands(terms):
            found.append(accepted(terms))
    return found


def _devices(tx: Session, session: SessionFacts, *, now: datetime) -> list[OwnDevice]:
    subject = tx.get(Subject, session.subject_id)
    if subject is None:
        return []
    return [
        OwnDevice(
            device.id,
            browser_name(device.user_agent),
            device.address,
            device.remembered_at,
            device.last_used_at,
            device.expires_at,
        )
        for device in devices.listed(tx, subject=subject, now=now)
    ]
