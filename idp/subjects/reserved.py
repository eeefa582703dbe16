"""Addresses that nobody else gets: those which a person may still get back (RA-08), and what is pending for one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from idp.foundation import artefacts, house, vault
from idp.foundation.artefacts import Kind
from idp.foundation.database import Rows
from idp.keyring.service import Keyring
from idp.subjects.models import FormerContact

_table: Table = FormerContact.__table__  # type: ignore[assignment]


class Reserved(Exception):
    """The address is another person's to get back; what was written of it goes back with the savepoint."""


def refuse(tx: Rows, *, key: str, owner: str, now: datetime) -> None:
    """Raise `Reserved` where somebody but `owner` may still get this address back.

    Asked after the address was written: who gave it up a moment ago has committed by then, or the write would wait.
    """
    others = select(_table.c.id).where(_table.c.email_key == key, _table.c.until > now, _table.c.subject_id != owner)
    if tx.execute(others.limit(1)).first() is not None:
        raise Reserved


def pending_for(key: str) -> UUID:
    """The family of every change to this address that waits for its proof, whoever asked; it names no address."""
    index = vault.blind_index(key, key=house.get(Keyring).index, context="artefact.email_change")
    return UUID(bytes=index[:16])


def hold_pending(tx: Session, *, key: str) -> None:
    """Let one at a time go on with this address: before a change to it is used up, and before any is voided (RA-08)."""
    artefacts.hold_family(tx, kind=Kind.EMAIL_CHANGE, family=pending_for(key))


def void_pending(tx: Session, *, key: str, now: datetime) -> None:
    """Whatever anybody began with this address is dead (RC-19)."""
    hold_pending(tx, key=key)
    artefacts.void(tx, now=now, kind=Kind.EMAIL_CHANGE, family=pending_for(key))
