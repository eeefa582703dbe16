"""A posted `SAMLResponse`: decoded, verified, then judged; of the unsigned envelope only what refuses is read (FE-30…43)."""

import binascii
from base64 import b64decode
from collections.abc import Collection
from datetime import datetime
from typing import Final

from idp.federation.upstream_saml import rules
from idp.federation.upstream_saml.names import NO_AUTHN_CONTEXT, SUCCESS, A, P
from idp.federation.upstream_saml.rules import Answer, Expected, Reason, is_issuer
from idp.foundation import xml, xml_signature
from idp.foundation.certificates import Certificate
from idp.foundation.xml import Node
from idp.vocabulary.refused import Refused

ENCODED_SIZE: Final = (xml.SIZE + 2) // 3 * 4 + 4096
"""Characters of base64, with its line ends."""
_ENCRYPTED: Final = frozenset({f"{A}EncryptedAssertion", f"{A}EncryptedID", f"{A}EncryptedAttribute"})


def read(encoded: str, *, certificates: Collection[Certificate], expected: Expected, now: datetime) -> Answer | Refused:
    """The one signed assertion of a posted answer, or why it is none for us."""
    document = decoded(encoded)
    if isinstance(document, Refused):
        return document
    envelope = xml.read(document)
    if isinstance(envelope, Refused):
        return envelope
    wrong = _envelope(envelope, expected=expected)
    if wrong is not None:
        return wrong
    signed = xml_signature.verified(
        document, names={f"{P}Response", f"{A}Assertion"}, certificates=certificates, now=now
    )
    if isinstance(signed, Refused):
        return signed
    assertion = signed.get(f"{A}Assertion")
    if assertion is None:
        return Refused(Reason.UNSIGNED)
    return rules.judge(assertion, expected=expected, now=now)


def in_response_to(encoded: str) -> str | None:
    """The request that an answer claims to answer, unproven: only to tell one that nobody asked for."""
    document = decoded(encoded)
    envelope = document if isinstance(document, Refused) else xml.read(document)
    return None if isinstance(envelope, Refused) else envelope.attributes.get("InResponseTo")


def decoded(encoded: str) -> bytes | Refused:
    """The bytes of a message; nothing is decoded that could not be read anyway."""
    if len(encoded) > ENCODED_SIZE:
        return Refused(xml.Reason.TOO_LARGE)
    try:
        return b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return Refused(Reason.UNREADABLE)


def _envelope(response: Node, *, expected: Expected) -> Refused | None:
    """What can be refused without a signature; nothing here lets anybody in."""
    if response.name != f"{P}Response" or response.attributes.get("Version") != "2.0":
        return Refused(Reason.NOT_A_RESPONSE)
    if response.attributes.get("Destination", expected.recipient) != expected.recipient:
        return Refused(Reason.DESTINATION)
    issuer = response.only(f"{A}Issuer")
    if response.all(f"{A}Issuer") and not is_issuer(issuer, expected.issuer):
        return Refused(Reason.ISSUER)
    answers = response.attributes.get("InResponseTo", expected.request_id)
    if answers != expected.request_id:
        return Refused(Reason.IN_RESPONSE_TO)
    status = response.only(f"{P}Status")
    code = status.only(f"{P}StatusCode") if status is not None else None
    if code is None:
        return Refused(Reason.NOT_A_RESPONSE)
    if code.attributes.get("Value") != SUCCESS:
        inner = code.only(f"{P}StatusCode")
        missed = inner is not None and inner.attributes.get("Value") == NO_AUTHN_CONTEXT
        return Refused(Reason.NO_AUTHN_CONTEXT if missed else Reason.DENIED)
    names = [node.name for node in response.everything()]
    if not _ENCRYPTED.isdisjoint(names):
        return Refused(Reason.ENCRYPTED)
    return None if names.count(f"{A}Assertion") == 1 else Refused(Reason.ASSERTIONS)
