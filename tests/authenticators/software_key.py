"""An authenticator made of Python: answers challenges as a browser with a passkey does, or lies as a test asks."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from idp.authenticators.webauthn.rules import Assertion, Attestation, RelyingPartyId
from tests.conftest import ISSUER

US = RelyingPartyId.of(ISSUER)
PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class Maker:
    """A maker of keys with a root certificate of its own, and one batch certificate under it."""

    def __init__(self, name: str = "Quarry Keys") -> None:
        self._root_key, self._batch_key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} Root")])
        batch = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"{name} Batch 1"),
            ]
        )
        self.root = self._certificate(root, root, self._root_key, is_root=True)
        self.batch = self._certificate(batch, root, self._batch_key, is_root=False)

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    def statement(self, signed: bytes) -> dict[str, Any]:
        signature = self._batch_key.sign(signed, ec.ECDSA(SHA256()))
        return {"alg": -7, "sig": signature, "x5c": [self.batch.public_bytes(Encoding.DER)]}

    def _certificate(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_root: bool
    ) -> x509.Certificate:
        today = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
            .sign(self._root_key, SHA256())
        )


@dataclass
class SoftwareKey:
    """One key pair. Every part of an answer can be given otherwise than a decent authenticator would."""

    user_handle: bytes = b""
    sign_count: int = 0
    counts: bool = False
    flags: int = PRESENT | VERIFIED | ELIGIBLE | BACKED_UP
    private: PrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    aaguid: bytes = bytes(16)
    maker: Maker | None = None

    @cached_property
    def cose(self) -> bytes:
        """The public key as authenticators write it."""
        match self.private:
            case ec.EllipticCurvePrivateKey():
                numbers = self.private.public_key().public_numbers()
                size = (self.private.curve.key_size + 7) // 8
                x, y = numbers.x.to_bytes(size, "big"), numbers.y.to_bytes(size, "big")
                curve = {"secp256r1": 1, "secp384r1": 2}[self.private.curve.name]
                return cbor2.dumps({1: 2, 3: -7, -1: curve, -2: x, -3: y})
            case ed25519.Ed25519PrivateKey():
                return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: self.private.public_key().public_bytes_raw()})
            case rsa.RSAPrivateKey():
                public = self.private.public_key().public_numbers()
                modulus = public.n.to_bytes(self.private.key_size // 8, "big")
                return cbor2.dumps({1: 3, 3: -257, -1: modulus, -2: public.e.to_bytes(3, "big")})
        raise TypeError(self.private)

    def client_data(self, challenge: str, type_: str, **said: Any) -> bytes:
        usual = {"type": type_, "challenge": challenge, "origin": US.origin, "crossOrigin": False}
        return json.dumps({name: value for name, value in (usual | said).items() if value is not ...}).encode()

    def signed_head(self, *, flags: int | None = None, rp_id: str = US.id, sign_count: int | None = None) -> bytes:
        if sign_count is None:
            self.sign_count += 1 if self.counts else 0
            sign_count = self.sign_count
        told = self.flags if flags is None else flags
        return sha256(rp_id.encode()).digest() + bytes([told]) + sign_count.to_bytes(4, "big")

    def create(
        self,
        challenge: str,
        *,
        said: dict[str, Any] | None = None,
        statement: Callable[[bytes], dict[str, Any]] | None = None,
        fmt: str | None = None,
        **head: Any,
    ) -> Attestation:
        """The answer to `navigator.credentials.create()`."""
        client_data = self.client_data(challenge, "webauthn.create", **(said or {}))
        flags = head.pop("flags", self.flags) | ATTESTED
        made = self.aaguid + len(self.credential_id).to_bytes(2, "big") + self.credential_id + self.cose
        signed = self.signed_head(flags=flags, **head) + made
        stated = statement or (self.maker.statement if self.maker is not None else lambda _signed: {})
        parts = {
            "fmt": fmt or ("packed" if self.maker is not None else "none"),
            "attStmt": stated(signed + sha256(client_data).digest()),
            "authData": signed,
        }
        return Attestation(client_data, cbor2.dumps(parts), ("internal",))

    def get(
        self,
        challenge: str,
        *,
        said: dict[str, Any] | None = None,
        user_handle: bytes | None = ...,  # type: ignore[assignment]
        credential_id: bytes | None = None,
        **head: Any,
    ) -> Assertion:
        """The answer to `navigator.credentials.get()`."""
        client_data = self.client_data(challenge, "webauthn.get", **(said or {}))
        signed = self.signed_head(**head)
        return Assertion(
            credential_id=credential_id or self.credential_id,
            client_data=client_data,
            authenticator_data=signed,
            signature=self._sign(signed + sha256(client_data).digest()),
            user_handle=self.user_handle if user_handle is ... else user_handle,
        )

    def _sign(self, data: bytes) -> bytes:
        match self.private:
            case ec.EllipticCurvePrivateKey():
                return self.private.sign(data, ec.ECDSA(SHA256()))
            case ed25519.Ed25519PrivateKey():
                return self.private.sign(data)
            case rsa.RSAPrivateKey():
                return self.private.sign(data, PKCS1v15(), SHA256())
        raise TypeError(self.private)
