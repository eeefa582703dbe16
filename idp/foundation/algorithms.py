"""Signature algorithms, and which key may be used with which (RFC 7518 §3, RFC 8037, SECURITY D8).

An algorithm belongs to a key type and, for curves, to one curve: a token can never choose how its key is used.
Symmetric algorithms and `none` are not in the table, so nothing can select them (KY-01, KY-02).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

RSA_BITS: Final = range(2048, 8193)
"""Below is weak (KY-12), above is a way to keep us busy."""


class Alg(StrEnum):
    """The `alg` values of this house."""

    ES256 = "ES256"
    ES384 = "ES384"
    RS256 = "RS256"
    RS384 = "RS384"
    PS256 = "PS256"
    EDDSA = "EdDSA"


class DocumentAlg(StrEnum):
    """What others may sign XML with beside those: no token is ever made or taken with them."""

    RS512 = "RS512"
    ES512 = "ES512"


@dataclass(frozen=True, slots=True)
class _Curve:
    curve: type[ec.EllipticCurve]
    width: int
    order: int
    scheme: ec.ECDSA


@dataclass(frozen=True, slots=True)
class _Rsa:
    digest: hashes.HashAlgorithm
    padding: padding.AsymmetricPadding


_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P384_ORDER: Final = int("f" * 48 + "c7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16)

_P521_ORDER: Final = int("1ff" + "f" * 63 + "a51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16)

_CURVES: Final[Mapping[str, _Curve]] = {
    Alg.ES256: _Curve(ec.SECP256R1, 32, _P256_ORDER, ec.ECDSA(hashes.SHA256())),
    Alg.ES384: _Curve(ec.SECP384R1, 48, _P384_ORDER, ec.ECDSA(hashes.SHA384())),
}
_RSAS: Final[Mapping[str, _Rsa]] = {
    Alg.RS256: _Rsa(hashes.SHA256(), padding.PKCS1v15()),
    Alg.RS384: _Rsa(hashes.SHA384(), padding.PKCS1v15()),
    Alg.PS256: _Rsa(hashes.SHA256(), padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)),
}
_DOCUMENT_CURVE: Final = _Curve(ec.SECP521R1, 66, _P521_ORDER, ec.ECDSA(hashes.SHA512()))
_DOCUMENT_RSA: Final = _Rsa(hashes.SHA512(), padding.PKCS1v15())


def fitting(key: object) -> frozenset[Alg]:
    """The algorithms that `key` may be used with; empty for a key that is weak or of another kind."""
    if isinstance(key, (ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey)):
        return frozenset(Alg(alg) for alg, row in _CURVES.items() if isinstance(key.curve, row.curve))
    if isinstance(key, (rsa.RSAPublicKey, rsa.RSAPrivateKey)):
        return frozenset(Alg(alg) for alg in _RSAS) if key.key_size in RSA_BITS else frozenset()
    if isinstance(key, (ed25519.Ed25519PublicKey, ed25519.Ed25519PrivateKey)):
        return frozenset({Alg.EDDSA})
    return frozenset()


def fitting_documents(key: object) -> frozenset[Alg | DocumentAlg]:
    """The algorithms that others may sign XML with by `key`; one that is weak for tokens is weak here."""
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP521R1):
        return frozenset({DocumentAlg.ES512})
    usual = fitting(key)
    return usual | {DocumentAlg.RS512} if Alg.RS256 in usual else usual


def signer(alg: Alg, key: PrivateKey) -> Callable[[bytes], bytes]:
    """A function that signs bytes as JWS wants them; a key that does not fit `alg` is a programming error."""
    if alg not in fitting(key):
        raise ValueError(f"the key does not fit {alg}")
    if isinstance(key, ec.EllipticCurvePrivateKey):
        row, sign_der = _CURVES[alg], key.sign

        def sign_ec(data: bytes) -> bytes:
            r, s = decode_dss_signature(sign_der(data, row.scheme))
            return r.to_bytes(row.width, "big") + s.to_bytes(row.width, "big")

        return sign_ec
    if isinstance(key, rsa.RSAPrivateKey):
        scheme, sign_rsa = _RSAS[alg], key.sign
        return lambda data: sign_rsa(data, scheme.padding, scheme.digest)
    return key.sign


def is_signature(signature: bytes, data: bytes, *, alg: Alg | DocumentAlg, key: PublicKey) -> bool:
    """Whether `signature` is `key`'s over `data`; the caller has checked that `alg` fits the key."""
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            row = _DOCUMENT_CURVE if alg is DocumentAlg.ES512 else _CURVES[alg]
            return _is_ec_signature(signature, data, row=row, key=key)
        if isinstance(key, rsa.RSAPublicKey):
            scheme = _DOCUMENT_RSA if alg is DocumentAlg.RS512 else _RSAS[alg]
            key.verify(signature, data, scheme.padding, scheme.digest)
        else:
            key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _is_ec_signature(signature: bytes, data: bytes, *, row: _Curve, key: ec.EllipticCurvePublicKey) -> bool:
    """Raw `r || s` of fixed width (RFC 7518 §3.4), both inside the group: zero proves nothing (CVE-2022-21449)."""
    if len(signature) != 2 * row.width:
        return False
    r, s = int.from_bytes(signature[: row.width], "big"), int.from_bytes(signature[row.width :], "big")
    if not (0 < r < row.order and 0 < s < row.order):
        return False
    key.verify(encode_dss_signature(r, s), data, row.scheme)
    return True
