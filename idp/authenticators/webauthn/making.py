"""Making a passkey at the set-up step: asked for, verified, kept with its factor."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import adding
from idp.authenticators.webauthn import challenges, facts, options, rules, verifying
from idp.authenticators.webauthn.challenges import Place
from idp.authenticators.webauthn.makers import Makers
from idp.authenticators.webauthn.models import WebauthnCredential
from idp.authenticators.webauthn.rules import Attestation, Purpose, Reason
from idp.authenticators.webauthn.service import us
from idp.authenticators.webauthn.verifying import NewKey
from idp.foundation import house
from idp.foundation.database import writing
from idp.sessions.service import NewSession
from idp.settings import Settings
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused


def ask(set_up: adding.SetUp) -> Mapping[str, Any] | Refused:
    """A challenge for a new key, and what it is to be."""
    with writing() as tx:
        place = adding.open_step(tx, set_up, kind=Factor.PASSKEY)
        if isinstance(place, Refused):
            return place
        return options.to_create(
            challenge=challenges.issue(tx, _place(set_up), now=set_up.now),
            us=us(),
            our_name=house.get(Settings).support_name,
            subject=place.subject,
            held=facts.of_subject(tx, subject_id=place.subject.id),
            wants_maker=bool(house.get(Makers).roots),
        )


def make(set_up: adding.SetUp, sent: Attestation, *, name: str) -> NewSession | Refused:
    """Keep the key that was made for our challenge; the session is lifted by it, under a new cookie."""
    called = rules.name_of(name)
    with writing() as tx:
        place = adding.open_step(tx, set_up, kind=Factor.PASSKEY)
        if isinstance(place, Refused):
            return place
        challenge = challenges.consume(tx, _place(set_up), client_data=sent.client_data, now=set_up.now)
        if isinstance(challenge, Refused):
            _audit_refusal(tx, set_up, challenge)
            return challenge
    made = called if isinstance(called, Refused) else _verified(sent, challenge=challenge)
    with writing() as tx:
        outcome = made if isinstance(made, Refused) else _keep(tx, set_up, sent, made, name=str(called))
        if isinstance(outcome, Refused):
            _audit_refusal(tx, set_up, outcome)
        return outcome


def _verified(sent: Attestation, *, challenge: str) -> NewKey | Refused:
    return verifying.verify_new(sent, challenge=challenge, us=us(), roots=house.get(Makers).roots)


def _keep(tx: Session, set_up: adding.SetUp, sent: Attestation, made: NewKey, *, name: str) -> NewSession | Refused:
    place = adding.open_step(tx, set_up, kind=Factor.PASSKEY)
    if isinstance(place, Refused):
        return place
    acr, amr = rules.assurance_of(attested=made.attested, backup_eligible=made.backup_eligible)
    try:
        with tx.begin_nested():
            added = adding.add(tx, set_up, place, kind=Factor.PASSKEY, name=name, acr=acr, amr=amr)
            if isinstance(added, Refused):
                return added
            factor_id, session = added
            tx.execute(insert(WebauthnCredential).values(**_row(made, sent), factor_id=factor_id))
    except IntegrityError:  # the credential id is somebody's already (§7.1 step 26)
        return Refused(Reason.TAKEN)
    return session


def _row(made: NewKey, sent: Attestation) -> dict[str, Any]:
    return {
        "credential_id": made.credential_id,
        "public_key": made.public_key,
        "sign_count": made.sign_count,
        "backup_eligible": made.backup_eligible,
        "backed_up": made.backed_up,
        "attested": made.attested,
        "aaguid": made.aaguid,
        "transports": list(sent.transports),
    }


def _place(set_up: adding.SetUp) -> Place:
    return Place(Purpose.ADD, set_up.txn, set_up.session.id)


def _audit_refusal(tx: Session, set_up: adding.SetUp, refused: Refused) -> None:
    audit.append(
        tx,
        Event.FACTOR_ADDED,
        now=set_up.now,
        actor=set_up.session.subject_id,
        origin=set_up.origin,
        outcome=refused.reason.value,
        subject_id=set_up.session.subject_id,
        details={"kind": Factor.PASSKEY.value},
    )
