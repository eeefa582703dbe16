"""Old logins of portals: `(portal, login)` is one person's, and good at that portal only (X4)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.foundation.database import Rows
from idp.foundation.origin import Origin
from idp.subjects.models import LegacyLogin
from idp.subjects.rules import LOGIN_MAX


@dataclass(frozen=True, slots=True)
class OldLogin:
    """One old login; `email_key` is the mailbox that the portal had for the person."""

    portal: str
    key: str
    login: str
    email_key: str | None


_table: Table = LegacyLogin.__table__  # type: ignore[assignment]


def add(tx: Session, old: OldLogin, *, subject_id: str, actor: str, now: datetime, origin: Origin) -> None:
    """Give a person an old login; the primary key refuses a second owner."""
    tx.execute(
        insert(_table).values(
            portal=old.portal,
            login_key=old.key,
            login=old.login,
            subject_id=subject_id,
            email_key=old.email_key,
            added_at=now,
        )
    )
    audit.append(
        tx,
        Event.LEGACY_LOGIN_ADDED,
        now=now,
        actor=actor,
        origin=origin,
        subject_id=subject_id,
        details={"portal": old.portal},
    )


def owner(tx: Rows, *, portal: str, key: str) -> str | None:
    """Whose old login at this portal it is."""
    whose = select(_table.c.subject_id).where(_table.c.portal == portal, _table.c.login_key == key[:LOGIN_MAX])
    return tx.execute(whose).scalar_one_or_none()


def of(tx: Rows, *, subject_id: str) -> tuple[OldLogin, ...]:
    """A person's old logins, by portal."""
    rows = tx.execute(select(_table).where(_table.c.subject_id == subject_id).order_by(_table.c.portal, _table.c.login))
    return tuple(OldLogin(row.portal, row.login_key, row.login, row.email_key) for row in rows)


def is_known(tx: Rows, *, key: str, but_of: str | None = None) -> bool:
    """Whether it is anybody's old login at any portal, or anybody's but this person's."""
    known = select(_table.c.portal).where(_table.c.login_key == key[:LOGIN_MAX])
    if but_of is not None:
        known = known.where(_table.c.subject_id != but_of)
    return tx.execute(known.limit(1)).first() is not None
