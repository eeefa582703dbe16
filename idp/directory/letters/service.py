"""Issuing letters, and ending those that a newer one replaces (EN-02)."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory.letters import facts
from idp.directory.letters.digest import pin_digest
from idp.directory.letters.rules import PIN_ALPHABET, PIN_LENGTH, Addressee, NewLetter, Span, sendable
from idp.foundation import artefacts, house
from idp.foundation.database import new_id
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret


class Changed(RuntimeError):
    """A provider left the roster between the writing of its letter and the issue: nothing of the batch stands."""


def written(addressee: Addressee) -> NewLetter:
    """A letter with a new PIN, which is good for nothing until `issue` commits."""
    pin = Secret("".join(secrets.choice(PIN_ALPHABET) for _ in range(PIN_LENGTH)))
    return NewLetter(new_id(), addressee, pin)


def issue(
    tx: Session,
    letters: Sequence[NewLetter],
    *,
    batch: UUID,
    portal: str,
    span: Span,
    now: datetime,
    actor: str,
    origin: Origin,
) -> dict[UUID, int]:
    """Make the PINs good, all of them or (raising) none; says for each letter how many older ones it replaced.

    Call it when the letters are safely on disk: whoever reads the database later finds digests only.
    """
    current = facts.locked(tx, [letter.addressee.id for letter in letters])
    replaced: dict[UUID, int] = {}
    for letter in letters:
        found = sendable(current.get(letter.addressee.id), on=span.issued_on)
        if isinstance(found, Refused):
            raise Changed(letter.addressee.provider_id)
        replaced[letter.id] = void_open(tx, found.id, now=now)
        _keep(tx, letter, batch=batch, span=span, now=now)
        audit.append(
            tx,
            Event.PIN_LETTER_ISSUED,
            now=now,
            actor=actor,
            origin=origin,
            client_id=portal,
            target_kind="provider",
            target_id=found.id,
            details={
                "letter": letter.id,
                "batch": batch,
                "expires_on": span.expires_on.isoformat(),
                "replaced": replaced[letter.id],
            },
        )
    return replaced


def _keep(tx: Session, letter: NewLetter, *, batch: UUID, span: Span, now: datetime) -> None:
    _secret, artefact = artefacts.issue(
        tx,
        kind=artefacts.Kind.PIN_LETTER,
        now=now,
        lifetime=span.ends_at - now,
        family=letter.id,
        digest=pin_digest(letter.pin.reveal(), provider=letter.addressee.id, key=house.get(Keyring).index),
    )
    row = {"id": letter.id, "provider_id": letter.addressee.id, "artefact_id": artefact, "batch_id": batch}
    tx.execute(insert(facts.letter).values(**row, issued_on=span.issued_on, expires_on=span.expires_on))


def void_open(tx: Session, provider_id: UUID, *, now: datetime, before: date | None = None) -> int:
    """End a provider's open letters, with `before` those of earlier days only; says how many."""
    count = 0
    for row in facts.open_letters(tx, provider_id, before=before):
        if facts.is_alive(tx, row.artefact_id, now=now):
            artefacts.void(tx, now=now, kind=artefacts.Kind.PIN_LETTER, identity=row.artefact_id)
            tx.execute(update(facts.letter).where(facts.letter.c.id == row.id).values(voided_at=now))
            count += 1
    return count


def void_outdated(tx: Session, provider_id: UUID, *, now: datetime) -> int:
    """After a letter was taken in: all but those of the newest day end, be it the one taken in; says how many."""
    return void_open(tx, provider_id, now=now, before=facts.newest_day(tx, provider_id))
