"""A browser whose person holds a software key: asks for a challenge, answers it, or posts something else instead."""

from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.webauthn.models import WebauthnCredential
from idp.authenticators.webauthn.rules import Assertion, Attestation, assurance_of
from idp.subjects.models import Subject
from tests.authenticators.software_key import ELIGIBLE, SoftwareKey, b64
from tests.conftest import ISSUER
from tests.factories import Make
from tests.sign_in.visiting import token_in, txn_of


def hold(make: Make, subject: Subject, key: SoftwareKey, *, attested: bool = False, **changed: Any) -> HeldFactor:
    """The rows of a key that `subject` made before; the key then answers in their name."""
    key.user_handle = subject.id.encode()
    eligible = bool(key.flags & ELIGIBLE)
    acr, amr = assurance_of(attested=attested, backup_eligible=eligible)
    factor = HeldFactor(
        id=uuid4(),
        subject_id=subject.id,
        kind="passkey",
        name="Desk key",
        gives=sorted(acr),
        amr=list(amr),
        created_at=make.now,
        last_used_at=None,
    )
    values: dict[str, Any] = {
        "factor_id": factor.id,
        "credential_id": key.credential_id,
        "public_key": key.cose,
        "sign_count": key.sign_count,
        "backup_eligible": eligible,
        "backed_up": False,
        "attested": attested,
        "aaguid": uuid4(),
        "transports": ["internal"],
    }
    return make._save(factor, WebauthnCredential(**(values | changed)))


def options(client: FlaskClient, page: TestResponse, path: str = "passkey") -> TestResponse:
    """What the page's script asks for."""
    address = f"/sign-in/{txn_of(page)}/{path}/options"
    return client.post(address, data={"csrf_token": token_in(page)}, headers={"Origin": ISSUER})


def challenge_of(client: FlaskClient, page: TestResponse, path: str = "passkey") -> str:
    told = options(client, page, path)
    assert told.status_code == 200, (told.status_code, told.text)
    challenge: str = told.get_json()["challenge"]
    return challenge


def fields(sent: Assertion | Attestation) -> dict[str, str]:
    """An answer as the page's form carries it."""
    if isinstance(sent, Attestation):
        return {
            "client_data": b64(sent.client_data),
            "attestation": b64(sent.attestation_object),
            "transports": " ".join(sent.transports),
        }
    return {
        "credential_id": b64(sent.credential_id),
        "client_data": b64(sent.client_data),
        "authenticator_data": b64(sent.authenticator_data),
        "signature": b64(sent.signature),
        "user_handle": b64(sent.user_handle or b""),
    }


def post(
    client: FlaskClient, page: TestResponse, sent: Assertion | Attestation, path: str = "passkey", **changed: Any
) -> TestResponse:
    """The page's form, sent by its script."""
    data = {"csrf_token": token_in(page), **fields(sent), **changed}
    return client.post(f"/sign-in/{txn_of(page)}/{path}", data=data, headers={"Origin": ISSUER})


def use(client: FlaskClient, page: TestResponse, key: SoftwareKey, path: str = "passkey", **lies: Any) -> TestResponse:
    """Ask for a challenge and answer it."""
    return post(client, page, key.get(challenge_of(client, page, path), **lies), path)


def make_one(client: FlaskClient, page: TestResponse, key: SoftwareKey, *, name: str = "Desk key") -> TestResponse:
    """Make a key at the set-up step."""
    path = "set-up-mfa/passkey"
    return post(client, page, key.create(challenge_of(client, page, path)), path, name=name)
