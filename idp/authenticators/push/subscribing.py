"""How a phone may be rung while its app is closed: its browser's subscription, kept sealed (RFC 8030, RFC 8291)."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Table, update
from sqlalchemy.orm import Session

from idp.authenticators.push import calls
from idp.authenticators.push.calls import Call
from idp.authenticators.push.models import PushPhone
from idp.authenticators.push.rules import Reason
from idp.authenticators.webauthn import base64url
from idp.foundation import house, vault, web_push
from idp.foundation.database import writing
from idp.foundation.jose import SigningKey
from idp.foundation.outgoing import Outgoing
from idp.foundation.web_push import Receiver
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused

_table: Table = PushPhone.__table__  # type: ignore[assignment]
LONGEST_ENDPOINT: Final = 2048


@dataclass(frozen=True, slots=True)
class Ringing:
    """Whom to send to, and the key that this subscription knows us by."""

    receiver: Receiver
    key: SigningKey


def subscribe(call: Call) -> Refused | None:
    """Keep the subscription that the phone's browser was given for our active push key."""
    receiver, key = _receiver(call), house.get(Keyring).push_key()
    if receiver is None or key is None or call.text("key") != web_push.public_key(key):
        return Refused(Reason.BAD_SUBSCRIPTION)
    factor_id = call.phone.factor_id
    said = {"endpoint": receiver.endpoint, "p256dh": call.text("p256dh"), "auth": call.text("auth")}
    sealed = vault.seal(orjson.dumps(said), keys=house.get(Keyring).vault, context=place_of(factor_id))
    with writing() as tx:
        refused = calls.take(tx, call)
        if refused is None:
            kept = {"subscription_sealed": sealed, "push_kid": key.kid}
            tx.execute(update(_table).where(_table.c.factor_id == factor_id).values(**kept))
        return refused


def ringing(row: Any) -> Ringing | None:
    """How to ring the phone of a `push_phone` row; `None`: not at all, or not any more with that key."""
    key = house.get(Keyring).push_key(row.push_kid) if row.push_kid else None
    if row.subscription_sealed is None or key is None:
        return None
    plain = vault.unseal(bytes(row.subscription_sealed), keys=house.get(Keyring).vault, context=place_of(row.factor_id))
    said = orjson.loads(plain)
    receiver = Receiver(said["endpoint"], base64url.decode(said["p256dh"]), base64url.decode(said["auth"]))
    return Ringing(receiver, key)


def unsubscribe(tx: Session, *, factor_id: UUID) -> None:
    """The push service says that nobody is there: the phone still answers when its app is opened."""
    gone = {"subscription_sealed": None, "push_kid": None}
    tx.execute(update(_table).where(_table.c.factor_id == factor_id).values(**gone))


def place_of(factor_id: UUID) -> str:
    """Where a subscription is sealed for."""
    return f"push_phone.subscription_sealed:{factor_id}"


def wanted_key(call: Call) -> str | None:
    """The push key that the phone should subscribe to anew; `None`: it is subscribed to it, or there is none."""
    key = house.get(Keyring).push_key()
    if key is None or (call.phone.is_subscribed and call.phone.push_kid == key.kid):
        return None
    return web_push.public_key(key)


def _receiver(call: Call) -> Receiver | None:
    """The subscription, where it is one and leads where we may call."""
    endpoint = call.text("endpoint")
    try:
        p256dh, auth = base64url.decode(call.text("p256dh")), base64url.decode(call.text("auth"))
    except ValueError:
        return None
    if len(endpoint) > LONGEST_ENDPOINT or not house.get(Outgoing).may_call(endpoint):
        return None
    return Receiver(endpoint, p256dh, auth) if web_push.is_receiver(p256dh=p256dh, auth=auth) else None


resealing.register("push_phone.subscription", resealing.of_column(PushPhone.subscription_sealed, context=place_of))
