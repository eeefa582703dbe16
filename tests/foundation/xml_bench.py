"""An identity provider's hand for tests: it signs elements with any key and method, also as nobody should."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha1, sha256, sha384, sha512
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID
from lxml import etree

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{DS}enveloped-signature"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
RSA_SHA256 = f"{MORE}rsa-sha256"
XMLENC_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
WIDE_EC_KEY = ec.generate_private_key(ec.SECP521R1())

DIGESTS: dict[str, Any] = {
    XMLENC_SHA256: sha256,
    f"{MORE}sha384": sha384,
    "http://www.w3.org/2001/04/xmlenc#sha512": sha512,
    f"{DS}sha1": sha1,
}


def certificate(
    key: Any = RSA_KEY, *, since: datetime = NOW - timedelta(days=30), until: datetime = NOW + timedelta(days=365)
) -> str:
    """A self-signed certificate in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.hospital.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(since).not_valid_after(until)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def bare(pem: str) -> str:
    """The base64 of a PEM certificate, as `KeyInfo` and metadata carry it."""
    return "".join(pem.split("-----")[2].split())


def canonical(element: Any, prefixes: Sequence[str] = ()) -> bytes:
    alone = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(
        alone, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=list(prefixes) or None
    )


def value_of(data: bytes, key: Any, method: str) -> bytes:
    match method.rpartition("#")[2]:
        case "rsa-sha256":
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        case "rsa-sha384":
            return key.sign(data, padding.PKCS1v15(), hashes.SHA384())
        case "rsa-sha512":
            return key.sign(data, padding.PKCS1v15(), hashes.SHA512())
        case "sha256-rsa-MGF1":
            return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        case "rsa-sha1":
            return key.sign(data, padding.PKCS1v15(), hashes.SHA1())
        case "ecdsa-sha256":
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        case "ecdsa-sha512":
            width = (key.curve.key_size + 7) // 8
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA512())))
            return r.to_bytes(width, "big") + s.to_bytes(width, "big")
        case "hmac-sha256":
            import hmac

            public = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return hmac.digest(public, data, "sha256")
    raise ValueError(method)


def sign(
    element: Any,
    *,
    key: Any = RSA_KEY,
    method: str = RSA_SHA256,
    digest: str = XMLENC_SHA256,
    transforms: Sequence[str] = (ENVELOPED, EXCLUSIVE),
    prefixes: Sequence[str] = (),
    key_info: str | None = None,
    uri: str | None = None,
    at: int = 1,
    also: Callable[[Any], None] | None = None,
) -> Any:
    """Put a signature over `element` into it, at child `at`; returns the signature."""
    listed = "".join(
        f'<ds:Transform Algorithm="{each}">'
        + (
            f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="{" ".join(prefixes)}"/>'
            if each == EXCLUSIVE and prefixes
            else ""
        )
        + "</ds:Transform>"
        for each in transforms
    )
    made = b64encode(DIGESTS[digest](canonical(element, prefixes)).digest()).decode()
    reference = f"#{element.get('ID')}" if uri is None else uri
    signature = etree.fromstring(
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
        f'<ds:SignatureMethod Algorithm="{method}"/><ds:Reference URI="{reference}"><ds:Transforms>{listed}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue>{made}</ds:DigestValue></ds:Reference></ds:SignedInfo>'
        f"<ds:SignatureValue/>{key_info or ''}</ds:Signature>"
    )
    if also is not None:
        also(signature)
    element.insert(at, signature)
    signature[1].text = b64encode(value_of(canonical(signature[0]), key, method)).decode()
    return signature
