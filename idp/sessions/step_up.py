"""A session that is proven better: what a factor adds to it, under a new cookie (SI-12, MF-33; RA-13)."""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from idp.foundation.artefacts import digest_of
from idp.sessions.models import BrowserSession
from idp.sessions.rules import Reason, SessionFacts
from idp.sessions.service import NewSession
from idp.vocabulary.assurance import Acr, Amr
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret


def lift(
    tx: Session,
    session: SessionFacts,
    *,
    acr: Collection[Acr],
    amr: Sequence[Amr],
    proven: Collection[str],
    now: datetime,
) -> NewSession | Refused:
    """Add to this very session and no other; refused when it was ended or rotated since it was read (RA-13).

    `auth_time` stays: only half of a sign-in was repeated, and a client's `max_age` asks about all of it.
    """
    row = tx.get(BrowserSession, session.id, with_for_update=True, populate_existing=True)
    if row is None or row.ended_at is not None or row.digest.hex()[:16] != session.digest_prefix:
        return Refused(Reason.SESSION_GONE)
    cookie = Secret(secrets.token_urlsafe(32))
    row.digest = digest_of(cookie.reveal())
    row.acr = sorted({*row.acr, *(value.value for value in acr)})
    row.amr = list(dict.fromkeys([*row.amr, *(method.value for method in amr)]))
    row.proven = {**_before(row, session), **{str(kind): now.isoformat() for kind in proven}}
    row.last_seen_at = row.looked_at = now
    tx.flush()  # a verdict asked later in this transaction reads by statement
    return NewSession(cookie, row.id)


def _before(row: BrowserSession, session: SessionFacts) -> dict[str, str]:
    """As the locked row says: a device may have been taken out of it since the session was read."""
    if row.proven is not None:
        return row.proven
    return {kind: at.isoformat() for kind, at in session.proven.items()}
