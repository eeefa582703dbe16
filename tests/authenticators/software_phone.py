"""A phone in software: holds a key, brings a code, looks what waits, answers; says what a test wants it to say."""

import json
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.authenticators.push.calls import thumbprint_of
from idp.authenticators.webauthn import base64url
from tests.conftest import ISSUER
from tests.factories import Make


class SoftwarePhone:
    """One key; calls are numbered as a browser's clock would."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        self.x, self.y = (base64url.encode(each.to_bytes(32, "big")) for each in (numbers.x, numbers.y))
        self.thumbprint = thumbprint_of(self.x, self.y)
        self.calls = 0

    def sign(self, address: str, now: datetime, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A call; a claim given as `None` is left out."""
        self.calls += 1
        at = int(now.timestamp())
        said = {
            "iss": self.thumbprint, "aud": f"{ISSUER}/phone/{address}", "iat": at, "exp": at + 60, "n": self.calls,
        } | claims  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        parts = [{"alg": "ES256", "typ": "phone+jwt"} | (header or {}), said]
        message = ".".join(base64url.encode(json.dumps(part).encode()) for part in parts)
        r, s = decode_dss_signature(self.key.sign(message.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{message}.{base64url.encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def call(self, client: FlaskClient, address: str, now: datetime, **claims: Any) -> TestResponse:
        return client.post(f"/phone/{address}", data={"call": self.sign(address, now, **claims)})

    def bring(self, client: FlaskClient, code: str, now: datetime) -> TestResponse:
        """Come with the code that the desk shows."""
        token = self.sign("enrolment", now, code=code)
        return client.post("/phone/enrolment", data={"call": token, "x": self.x, "y": self.y})

    def look(self, client: FlaskClient, now: datetime) -> Any:
        """What waits."""
        return self.call(client, "requests", now).get_json()

    def answer(
        self, client: FlaskClient, now: datetime, asked: dict[str, Any], decision: str = "approve", number: str = ""
    ) -> TestResponse:
        said = {"txn": asked["txn"], "jti": asked["nonce"], "number": number, "decision": decision}
        return self.call(client, "answer", now, **said)


def connected(make: Make, subject: Any, **changed: Any) -> SoftwarePhone:
    """A phone that this person has connected."""
    from idp.authenticators.push.models import PushPhone
    from idp.vocabulary.assurance import Factor

    phone = SoftwarePhone()
    factor = make.factor(subject, Factor.PUSH, name="Rosa’s phone")
    row = {"factor_id": factor.id, "thumbprint": phone.thumbprint, "x": phone.x, "y": phone.y, "last_call": 0}
    make._save(PushPhone(**(row | changed)))
    return phone


def number_on(page: TestResponse) -> str:
    """The number that the desk shows."""
    return page.text.split('id="push-number"', 1)[1].split(">", 1)[1][:2]
