"""Noting the use of a passkey in the transaction of its effect, and stopping one that may have a twin (MF-28)."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import facts as factors
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.factors.rules import Held
from idp.authenticators.webauthn.models import WebauthnCredential
from idp.authenticators.webauthn.rules import AuthenticatorData, Credential, Reason
from idp.foundation import house
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.refused import Refused


def note(
    tx: Session,
    credential: Credential,
    told: AuthenticatorData,
    *,
    client_id: str | None,
    now: datetime,
    origin: Origin,
) -> Refused | None:
    """Keep the counter of a verified use; refused when it did not grow, or when the key was stopped or removed meanwhile.

    One statement decides, so that of two uses with one counter only one is taken. The person is locked by the caller.
    """
    factor = factors.one(tx, subject_id=credential.subject_id, factor_id=credential.factor_id)
    if factor is None:
        return Refused(Reason.UNKNOWN_CREDENTIAL)
    if factor.stopped:
        return Refused(Reason.STOPPED)
    key = WebauthnCredential.__table__.c
    grows = key.sign_count < told.sign_count if told.sign_count else key.sign_count == 0
    taken = tx.execute(
        update(WebauthnCredential)
        .where(key.factor_id == credential.factor_id, grows)
        .values(sign_count=told.sign_count, backed_up=told.backed_up)
    )
    if taken.rowcount == 0:  # type: ignore[attr-defined]
        _stop(tx, credential, factor, told, client_id=client_id, now=now, origin=origin)
        return Refused(Reason.COUNTER_WENT_BACK)
    tx.execute(update(HeldFactor).where(HeldFactor.id == factor.id).values(last_used_at=now))
    return None


def _stop(
    tx: Session,
    credential: Credential,
    factor: Held,
    told: AuthenticatorData,
    *,
    client_id: str | None,
    now: datetime,
    origin: Origin,
) -> None:
    """Which of the two is the copy nobody can tell: neither is taken again, and the owner is told."""
    tx.execute(update(HeldFactor).where(HeldFactor.id == factor.id).values(stopped_at=now))
    audit.append(
        tx,
        Event.PASSKEY_STOPPED,
        now=now,
        actor=credential.subject_id,
        origin=origin,
        subject_id=credential.subject_id,
        client_id=client_id,
        details={"factor": factor.id, "stored": credential.sign_count, "told": told.sign_count},
    )
    subject = subjects.by_id(tx, subject_id=credential.subject_id)
    if subject is not None:
        notices.notify(
            tx,
            notice="passkey_stopped",
            subject=subject,
            party=relying_parties.find(client_id) if client_id else None,
            context={"factor_name": factor.name, "url": f"{house.get(Settings).issuer}/account/factors"},
            now=now,
        )
