"""What a passkey costs: µs of CPU to verify one use, in this process, beside the bare signature check."""

import json
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Final
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from bench import report
from bench.report import Figure
from idp.authenticators.webauthn.rules import Assertion, AuthenticatorData, Credential, RelyingPartyId, assurance_of
from idp.authenticators.webauthn.verifying import verify_use

ROUNDS: Final = 5
TIMES: Final = 300
_US: Final = RelyingPartyId.of("https://id.payer.example")
_SUBJECT: Final = "abcdefghijklmnopqrstuvwxyz"
_CHALLENGE: Final = "pH7Qk0dpXOoqLwMSZBz4dL9ZVv7j1nq2v6yG0r8l3cI"
_SAID: Final = {"type": "webauthn.get", "challenge": _CHALLENGE, "origin": _US.origin, "crossOrigin": False}
_CLIENT_DATA: Final = json.dumps(_SAID).encode()
_SIGNED: Final = sha256(_US.id.encode()).digest() + b"\x1d" + bytes(4)
"""RP ID; present, verified, may be copied, is copied; a counter that does not count."""
_DATA: Final = _SIGNED + sha256(_CLIENT_DATA).digest()


def costs() -> Iterator[Figure]:
    """Of each algorithm our verification, and the signature alone."""
    curve, edwards, modulus = _es256(), _eddsa(), _rs256()
    for name, (cose, signature, bare) in {"ES256": curve, "EdDSA": edwards, "RS256": modulus}.items():
        sent = Assertion(b"key", _CLIENT_DATA, _SIGNED, signature, _SUBJECT.encode())
        yield Figure(f"passkey {name}", "µs CPU", _us(lambda sent=sent, cose=cose: _verify(sent, cose)))  # type: ignore[misc]
        yield Figure(f"passkey {name}, the signature alone", "µs CPU", _us(bare))


def _verify(sent: Assertion, cose: bytes) -> None:
    acr, amr = assurance_of(attested=False, backup_eligible=True)
    stored = Credential(UUID(int=1), _SUBJECT, b"key", cose, 0, True, True, False, (), acr, amr)
    told = verify_use(sent, challenge=_CHALLENGE, credential=stored, us=_US, named_by_key=True)
    if not isinstance(told, AuthenticatorData):
        raise SystemExit(f"the bench's own key was refused: {told}")


def _es256() -> tuple[bytes, bytes, Callable[[], None]]:
    key = ec.generate_private_key(ec.SECP256R1())
    public, signature = key.public_key(), key.sign(_DATA, ec.ECDSA(SHA256()))
    numbers = public.public_numbers()
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
    return cose, signature, lambda: public.verify(signature, _DATA, ec.ECDSA(SHA256()))


def _eddsa() -> tuple[bytes, bytes, Callable[[], None]]:
    key = ed25519.Ed25519PrivateKey.generate()
    public, signature = key.public_key(), key.sign(_DATA)
    cose = cbor2.dumps({1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()})
    return cose, signature, lambda: public.verify(signature, _DATA)


def _rs256() -> tuple[bytes, bytes, Callable[[], None]]:
    key = rsa.generate_private_key(65537, 2048)
    public, signature = key.public_key(), key.sign(_DATA, PKCS1v15(), SHA256())
    modulus = public.public_numbers().n.to_bytes(256, "big")
    cose = cbor2.dumps({1: 3, 3: -257, -1: modulus, -2: b"\x01\x00\x01"})
    return cose, signature, lambda: public.verify(signature, _DATA, PKCS1v15(), SHA256())


def _us(act: Callable[[], None]) -> list[float]:
    act()
    taken: list[float] = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(TIMES):
            act()
        taken.append((time.process_time() - begun) / TIMES * 1e6)
    return taken


def main() -> None:
    """Measure, print, keep."""
    report.tell("passkeys", list(costs()))


if __name__ == "__main__":
    main()
