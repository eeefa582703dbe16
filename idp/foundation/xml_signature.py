"""Enveloped XML signatures: who asks for a signed element gets the bytes that were signed, and nothing else (FE-30, FE-31).

The one shape that is taken: a signature that is a child of the element which it covers by that element's own ID, one
reference, the transforms *enveloped* and *exclusive canonical XML*, SHA-256 or better, under a pinned certificate. What
`verified` returns was read anew from the canonical bytes whose digest was signed; the rest of the document is gone.
No key, certificate or address in `KeyInfo` is ever looked at (FE-39).
"""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256, sha384, sha512
from typing import Any, Final

from lxml import etree

from idp.foundation import xml
from idp.foundation.algorithms import Alg, DocumentAlg, is_signature
from idp.foundation.certificates import Certificate
from idp.foundation.xml import Node
from idp.vocabulary.refused import Refused

DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_INCLUSIVE_NAMESPACES: Final = f"{{{EXCLUSIVE}}}InclusiveNamespaces"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
ALGORITHMS: Final[Mapping[str, Alg | DocumentAlg]] = {
    f"{_MORE}rsa-sha256": Alg.RS256,
    f"{_MORE}rsa-sha384": Alg.RS384,
    f"{_MORE}rsa-sha512": DocumentAlg.RS512,
    f"{_MORE}ecdsa-sha256": Alg.ES256,
    f"{_MORE}ecdsa-sha384": Alg.ES384,
    f"{_MORE}ecdsa-sha512": DocumentAlg.ES512,
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1": Alg.PS256,
}
"""What a signature may be made with: no HMAC, no DSA, no SHA-1; a curve goes with the digest of its own size alone."""
_DIGESTS: Final[Mapping[str, Any]] = {
    "http://www.w3.org/2001/04/xmlenc#sha256": sha256,
    f"{_MORE}sha384": sha384,
    "http://www.w3.org/2001/04/xmlenc#sha512": sha512,
}
_IDS: Final = frozenset({"ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id"})
_PREFIXES: Final = 16


class Reason(StrEnum):
    """Why an element is not taken for signed."""

    UNSIGNED = "unsigned"
    SHAPE = "signature_shape"
    ALGORITHM = "signature_algorithm"
    DIGEST = "digest"
    SIGNATURE = "signature"
    EXPIRED_CERTIFICATE = "expired_certificate"
    AMBIGUOUS = "ambiguous_id"


class _Misshapen(Exception):
    """Something is there that the one shape has not."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Signature:
    alg: Alg | DocumentAlg
    value: bytes
    digest: bytes
    digest_made_by: Any
    prefixes: tuple[str, ...]
    signed_info: bytes


def verified(
    document: bytes,
    *,
    names: Collection[str],
    certificates: Collection[Certificate],
    now: datetime,
    comments: bool = False,
    size: int = xml.SIZE,
) -> Mapping[str, Node] | Refused:
    """The signed elements among `names`, each as it was signed; each stands at most once in the document.

    `names` are the root's and those of its children that may be signed. A signature that is there must be good, wherever
    it stands; `Refused(UNSIGNED)` when there is none at all.
    """
    root = xml.parse(document, comments=comments, size=size)
    if isinstance(root, Refused):
        return root
    try:
        return _all_of(root, names=names, certificates=certificates, now=now)
    except _Misshapen as error:
        return Refused(error.reason)


def is_signed(
    data: bytes, signature: str, *, method: str, certificates: Collection[Certificate], now: datetime
) -> bool:
    """Whether a detached signature, of the redirect binding, is good (SAML bindings §3.4.4.1)."""
    alg = ALGORITHMS.get(method)
    if alg is None:
        return False
    try:
        value = b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return _proven(data, value, alg=alg, certificates=certificates, now=now) is None


def _all_of(
    root: "etree._Element", *, names: Collection[str], certificates: Collection[Certificate], now: datetime
) -> Mapping[str, Node]:
    _ids_are_unique(root)
    found: dict[str, Node] = {}
    signatures = list(root.iter(f"{DS}Signature"))
    if not signatures:
        raise _Misshapen(Reason.UNSIGNED)
    for signature in signatures:
        parent = signature.getparent()
        if parent is None or parent.tag not in names or (parent is not root and parent.getparent() is not root):
            raise _Misshapen(Reason.SHAPE)
        if str(parent.tag) in found:
            raise _Misshapen(Reason.AMBIGUOUS)
        found[str(parent.tag)] = _one(signature, parent, certificates=certificates, now=now)
    for name in found:
        if len(list(root.iter(name))) != 1:
            raise _Misshapen(Reason.AMBIGUOUS)
    return found


def _one(
    signature: "etree._Element", parent: "etree._Element", *, certificates: Collection[Certificate], now: datetime
) -> Node:
    read = _read(signature, parent)
    position = list(parent).index(signature)
    covered = _alone(parent)
    _take_out(covered, covered[position])
    canonical = _canonical(covered, read.prefixes)
    if not hmac.compare_digest(read.digest_made_by(canonical).digest(), read.digest):
        raise _Misshapen(Reason.DIGEST)
    wrong = _proven(read.signed_info, read.value, alg=read.alg, certificates=certificates, now=now)
    if wrong is not None:
        raise _Misshapen(wrong)
    node = xml.read(canonical, size=len(canonical))
    if isinstance(node, Refused):  # canonical bytes of a document that was read are a document
        raise _Misshapen(Reason.SHAPE)
    return node


def _proven(
    data: bytes, value: bytes, *, alg: Alg | DocumentAlg, certificates: Collection[Certificate], now: datetime
) -> Reason | None:
    """Tried with every pinned certificate: during a roll-over there are two. One that is out of its time never counts."""
    fitting = [certificate for certificate in certificates if alg in certificate.algs]
    proven = [each for each in fitting if is_signature(value, data, alg=alg, key=each.key)]
    if not proven:
        return Reason.SIGNATURE if fitting else Reason.ALGORITHM
    return None if any(each.is_valid(now) for each in proven) else Reason.EXPIRED_CERTIFICATE


def _read(signature: "etree._Element", parent: "etree._Element") -> _Signature:
    """The one shape, named element by element."""
    children = [str(child.tag) for child in signature]
    if children[:2] != [f"{DS}SignedInfo", f"{DS}SignatureValue"] or children[2:] not in ([], [f"{DS}KeyInfo"]):
        raise _Misshapen(Reason.SHAPE)
    info = signature[0]
    if [str(child.tag) for child in info] != [f"{DS}CanonicalizationMethod", f"{DS}SignatureMethod", f"{DS}Reference"]:
        raise _Misshapen(Reason.SHAPE)
    method, reference = info[1], info[2]
    if len(method) or [str(child.tag) for child in reference] != [
        f"{DS}Transforms",
        f"{DS}DigestMethod",
        f"{DS}DigestValue",
    ]:
        raise _Misshapen(Reason.SHAPE)
    identity = parent.get("ID")
    if not identity or reference.get("URI") != f"#{identity}":
        raise _Misshapen(Reason.SHAPE)
    transforms, digest_method, digest = reference
    if [transform.get("Algorithm") for transform in transforms] != [ENVELOPED, EXCLUSIVE] or len(transforms[0]):
        raise _Misshapen(Reason.SHAPE)
    if info[0].get("Algorithm") != EXCLUSIVE or len(digest_method):
        raise _Misshapen(Reason.SHAPE)
    alg, made_by = ALGORITHMS.get(method.get("Algorithm") or ""), _DIGESTS.get(digest_method.get("Algorithm") or "")
    if alg is None or made_by is None:
        raise _Misshapen(Reason.ALGORITHM)
    return _Signature(
        alg,
        _octets(signature[1]),
        _octets(digest),
        made_by,
        _prefixes(transforms[1]),
        _canonical(_alone(info), _prefixes(info[0])),
    )


def _prefixes(method: "etree._Element") -> tuple[str, ...]:
    """Exclusive canonical XML §4: prefixes that are kept though nothing visible uses them."""
    if not len(method):
        return ()
    if len(method) > 1 or method[0].tag != _INCLUSIVE_NAMESPACES or len(method[0]):
        raise _Misshapen(Reason.SHAPE)
    prefixes = (method[0].get("PrefixList") or "").split()
    if len(prefixes) > _PREFIXES:
        raise _Misshapen(Reason.SHAPE)
    return tuple(prefixes)


def _alone(element: "etree._Element") -> "etree._Element":
    """The element as a document of its own, with the namespaces that it stood in."""
    return etree.fromstring(etree.tostring(element, with_tail=False), parser=xml.parser())


def _take_out(parent: "etree._Element", child: "etree._Element") -> None:
    """Remove a child and keep the text behind it: lxml would take it along."""
    tail, before = child.tail or "", child.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    child.tail = None
    parent.remove(child)


def _canonical(element: "etree._Element", prefixes: tuple[str, ...]) -> bytes:
    kept = list(prefixes) or None
    canonical: bytes = etree.tostring(
        element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=kept
    )
    return canonical


def _octets(element: "etree._Element") -> bytes:
    if len(element):
        raise _Misshapen(Reason.SHAPE)
    try:
        return b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise _Misshapen(Reason.SHAPE) from None


def _ids_are_unique(root: "etree._Element") -> None:
    seen: set[str] = set()
    for element in root.iter():
        for name in _IDS.intersection(str(each) for each in element.attrib):
            value = str(element.attrib[name])
            if value in seen:
                raise _Misshapen(Reason.AMBIGUOUS)
            seen.add(value)
