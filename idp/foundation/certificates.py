"""X.509 certificates, as SAML uses them: a way to write down a key and how long it may be used (SECURITY D8, FE-39, FE-44).

A certificate proves nothing here by who issued it: it is pinned, or it is ours. No chain is ever built.
"""

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from idp.foundation.algorithms import Alg, DocumentAlg, PrivateKey, PublicKey, fitting_documents

LIFE: Final = timedelta(days=3650)
"""How long a certificate of ours is good; its key is rotated long before."""
_SIZE: Final = 16384
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*\Z", re.ASCII)
_SERIAL_BYTES: Final = 19
"""RFC 5280 §4.1.2.2: at most 20 octets, and positive."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A public key, the algorithms that it may be used with, and the time in which it may be used."""

    key: PublicKey = field(repr=False, compare=False)
    algs: frozenset[Alg | DocumentAlg] = field(repr=False, compare=False)
    not_before: datetime
    not_after: datetime
    fingerprint: str
    """SHA-256 of its bytes, in hexadecimal: what two people compare by telephone."""

    def is_valid(self, now: datetime) -> bool:
        return self.not_before <= now <= self.not_after


def read(text: str) -> Certificate | None:
    """A certificate in PEM, or as the bare base64 of a metadata file; `None` unless its key is one that we use."""
    found = _PEM.match(text.strip())
    compact = "".join((found[1] if found else text).split())
    if len(compact) > _SIZE:
        return None
    try:
        der = b64decode(compact, validate=True)
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    algs = fitting_documents(key)
    if not algs:
        return None
    return Certificate(
        cast("PublicKey", key),
        algs,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        sha256(der).hexdigest(),
    )


def self_signed(key: PrivateKey, *, name: str, kid: str, since: datetime) -> str:
    """Our certificate of an RSA key, as base64: the same on every node and after every restart, so it is not stored."""
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("only RSA signs the same bytes twice alike")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    serial = int.from_bytes(sha256(kid.encode()).digest()[:_SERIAL_BYTES], "big") | 1
    since = since.replace(microsecond=0)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(since)
        .not_valid_after(since + LIFE)
        .sign(key, hashes.SHA256())
    )
    return b64encode(made.public_bytes(Encoding.DER)).decode("ascii")
