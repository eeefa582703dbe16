"""Keeping a person's site key, and what a user ID is shown at a portal."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.site_key import rules
from idp.authenticators.site_key.models import SiteKey
from idp.authenticators.site_key.rules import Shown
from idp.foundation import house, vault
from idp.foundation.origin import Origin
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.subjects import service as subjects
from idp.subjects.rules import NOBODY
from idp.vocabulary.refused import Refused

_table = SiteKey.__table__
_OF_SUBJECT: Final = select(_table.c.shown_sealed).where(_table.c.subject_id == bindparam("subject_id"))
_DECOY: Final = "site_key.decoy"


def set_site_key(
    tx: Session, *, subject_id: str, picture: str, phrase: str, now: datetime, actor: str, origin: Origin
) -> Shown | Refused:
    """Keep what the person chose in place of what they had; that it is not their password, the caller has checked."""
    shown = rules.shown_of(picture, phrase)
    if isinstance(shown, Refused):
        return shown
    values = {"shown_sealed": _seal(shown, context=_context(subject_id)), "set_at": now}
    changed = tx.execute(update(SiteKey).where(SiteKey.subject_id == subject_id).values(**values))
    had_one = changed.rowcount > 0  # type: ignore[attr-defined]
    if not had_one:
        tx.execute(insert(SiteKey).values(subject_id=subject_id, **values))
    event = Event.SITE_KEY_CHANGED if had_one else Event.SITE_KEY_SET
    audit.append(tx, event, now=now, actor=actor, origin=origin, subject_id=subject_id)
    return shown


def site_key_of(tx: Session, *, subject_id: str) -> Shown | None:
    """The person's own; `None` where they chose none."""
    sealed = tx.execute(_OF_SUBJECT, {"subject_id": subject_id}).scalar_one_or_none()
    return None if sealed is None else _unseal(sealed, context=_context(subject_id))


def shown_for(tx: Session, *, portal: str, login_key: str) -> Shown:
    """What stands between this user ID and the password at `portal`; everybody is shown something (A6).

    A user ID that nobody has, and a person without a site key, get their decoy: the same statements and the same work
    as for a key that was chosen (ruling 12), and the same picture and phrase for ever.
    """
    subject = subjects.find_by_login(tx, key=login_key, portal=portal)
    account = subject.id if subject else NOBODY + login_key
    sealed = tx.execute(_OF_SUBJECT, {"subject_id": account}).scalar_one_or_none()
    seed = vault.blind_index(f"{portal}\x00{login_key}", key=house.get(Keyring).index, context=_DECOY)
    decoy = _seal(rules.decoy(seed), context=_context(account))
    return _unseal(decoy if sealed is None else sealed, context=_context(account))


def _seal(shown: Shown, *, context: str) -> bytes:
    return vault.seal(f"{shown.picture}:{shown.phrase}".encode(), keys=house.get(Keyring).vault, context=context)


def _unseal(sealed: bytes, *, context: str) -> Shown:
    picture, _, phrase = vault.unseal(sealed, keys=house.get(Keyring).vault, context=context).decode().partition(":")
    return Shown(picture, phrase)


def _context(subject_id: str) -> str:
    return f"site_key.shown:{subject_id}"


resealing.register("site_key.shown", resealing.of_column(SiteKey.shown_sealed, context=_context))
