"""Ringing one phone: the words sealed for its browser, handed to the push service that it named (RFC 8030)."""

from datetime import datetime
from typing import Any, Final

import orjson
from flask_babel import force_locale, gettext
from sqlalchemy import select

from idp.authenticators.push import facts, subscribing
from idp.authenticators.push.models import PushPhone
from idp.authenticators.push.rules import Asked, Reason
from idp.foundation import house, i18n, web_push
from idp.foundation.database import reading
from idp.foundation.outgoing import Outgoing, Purpose
from idp.messaging.rules import one_line
from idp.relying_parties import service as relying_parties
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.refused import Refused

_GONE: Final = frozenset({404, 410})
_TOPIC: Final = "sign-in"
"""A newer request takes an older one's place at the push service."""


def deliver(row: Any, now: datetime) -> Refused | None:
    """One try for one leased row of `push_delivery`; `GONE` when nobody is there, or nothing to ring for."""
    with reading() as tx:
        phone = tx.execute(select(PushPhone.__table__).where(PushPhone.factor_id == row.factor_id)).one_or_none()
        asked = facts.by_id(tx, request_id=row.request_id)
        subject = subjects.by_id(tx, subject_id=asked.subject_id) if asked is not None else None
    if phone is None or asked is None or subject is None or not asked.waits(now=now):
        return Refused(Reason.NOT_WAITING)
    ringing = subscribing.ringing(phone)
    if ringing is None:
        return Refused(Reason.NOT_WAITING)
    endpoint = ringing.receiver.endpoint
    reply = house.get(Outgoing).post(
        endpoint,
        purpose=Purpose.WEB_PUSH,
        body=web_push.seal(_words(asked, locale=subject.locale), receiver=ringing.receiver),
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(int((asked.expires_at - now).total_seconds())),
            "Urgency": "high",
            "Topic": _TOPIC,
            "Authorization": web_push.authorization(
                endpoint, key=ringing.key, contact=house.get(Settings).issuer, now=now
            ),
        },
    )
    if isinstance(reply, Refused):
        return Refused(Reason.TRY_LATER)
    if 200 <= reply.status < 300:
        return None
    return Refused(Reason.GONE if reply.status in _GONE else Reason.TRY_LATER)


def _words(asked: Asked, *, locale: str | None) -> bytes:
    """What the phone shows while it is locked: that somebody signs in, and where; nothing about whom."""
    party = relying_parties.find(asked.client_id) if asked.client_id else None
    name = party.manifest.name if party is not None else house.get(Settings).support_name
    with force_locale(i18n.choose(profile=locale or "en")):
        title = gettext("Is it you who signs in?")
        body = gettext("%(portal)s: open to approve or deny.", portal=one_line(name))
    return orjson.dumps({"title": title, "body": body})
