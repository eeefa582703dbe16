"""Giving a person their data: proven, counted, audited, told; then read and written out."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from idp.account import standing
from idp.account.data import collecting
from idp.account.data.rules import Reason
from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.alerts import links as alerts
from idp.foundation import limiter
from idp.foundation.database import reading, writing
from idp.foundation.limiter import Budget
from idp.foundation.origin import Origin
from idp.sessions import notices
from idp.sessions.rules import SessionFacts
from idp.subjects import service as subjects
from idp.vocabulary.refused import Refused

_DAY: Final = timedelta(days=1)
DOWNLOADS: Final = Budget(name="data_downloads", limit=5, window=_DAY, lock_first=_DAY, lock_max=_DAY)


def download(session: SessionFacts, *, now: datetime, origin: Origin) -> Iterator[str] | Refused:
    """The file, piece by piece; what it is made of was read before the first piece leaves, in one transaction."""
    with writing() as tx:
        row = standing.locked(tx, session, now=now)
        if isinstance(row, Refused):
            return row
        subject = subjects.by_id(tx, subject_id=row.id)
        assert subject is not None
        counted = limiter.reserve(tx, budget=DOWNLOADS, key=row.id, now=now)
        refused = isinstance(counted, Refused)
        audit.append(
            tx,
            Event.DATA_DOWNLOADED,
            now=now,
            actor=row.id,
            origin=origin,
            outcome=Reason.TOO_MANY.value if refused else "ok",
            subject_id=row.id,
        )
        if refused:
            return Refused(Reason.TOO_MANY)
        url, link = alerts.link_for(tx, subject, now=now)
        context = {"url": url, "address": origin.address}
        notices.notify(tx, notice="data_downloaded", subject=subject, party=None, context=context, now=now, link=link)
    with reading() as tx:
        everything = collecting.collect(tx, subject, now=now)
    return json.JSONEncoder(indent=1, ensure_ascii=False, default=collecting.as_text).iterencode(everything)
