"""Web Push: a message sealed for one browser (RFC 8291 over RFC 8188), and who sends it (VAPID, RFC 8292).

The push service between us and the phone carries what it cannot read; the phone's keys came with its subscription.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from idp.foundation import jose
from idp.foundation.jose import SigningKey

AUTH_BYTES: Final = 16
LONGEST: Final = 3993
"""Bytes of a message that every push service carries (RFC 8291 §4)."""
VAPID_LIFE: Final = timedelta(hours=12)
"""Below the 24 hours of RFC 8292 §2."""
_RECORD: Final = 4096
_SALT: Final = 16
_LAST_RECORD: Final = b"\x02"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A browser's subscription: where to send, and the two keys of RFC 8291 §2."""

    endpoint: str = field(repr=False)
    p256dh: bytes
    auth: bytes = field(repr=False)


def is_receiver(*, p256dh: bytes, auth: bytes) -> bool:
    """Whether these are keys that a message can be sealed for: a point of P-256 and 128 bits."""
    try:
        _point(p256dh)
    except ValueError:
        return False
    return len(auth) == AUTH_BYTES


def seal(
    plain: bytes, *, receiver: Receiver, salt: bytes | None = None, ours: ec.EllipticCurvePrivateKey | None = None
) -> bytes:
    """One `aes128gcm` record under a key of this message alone; `salt` and `ours` are given by the RFC's example only."""
    if len(plain) > LONGEST:
        raise ValueError("too long for a push message")
    salt = salt or secrets.token_bytes(_SALT)
    ours = ours or ec.generate_private_key(ec.SECP256R1())
    sender = _raw(ours.public_key())
    shared = ours.exchange(ec.ECDH(), _point(receiver.p256dh))
    secret = _derive(receiver.auth, shared, b"WebPush: info\x00" + receiver.p256dh + sender, 32)
    key = _derive(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derive(salt, secret, b"Content-Encoding: nonce\x00", 12)
    header = salt + _RECORD.to_bytes(4, "big") + bytes((len(sender),)) + sender
    return header + AESGCM(key).encrypt(nonce, plain + _LAST_RECORD, None)


def authorization(endpoint: str, *, key: SigningKey, contact: str, now: datetime) -> str:
    """The `Authorization` header for one push service; `contact` is whom it may write to (RFC 8292 §2, §3)."""
    place = urlsplit(endpoint)
    claims = {"aud": f"{place.scheme}://{place.netloc}", "exp": int((now + VAPID_LIFE).timestamp()), "sub": contact}
    return f"vapid t={jose.sign(claims, key=key, typ='JWT')}, k={public_key(key)}"


def public_key(key: SigningKey) -> str:
    """Our public key as browsers and push services want it: the uncompressed point, base64url."""
    if not isinstance(key.key, ec.EllipticCurvePrivateKey):
        raise TypeError("a push key is one of P-256")
    return urlsafe_b64encode(_raw(key.key.public_key())).rstrip(b"=").decode("ascii")


def _point(raw: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)


def _raw(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 of at most one block (RFC 5869)."""
    return hmac.digest(hmac.digest(salt, secret, "sha256"), info + b"\x01", "sha256")[:length]
