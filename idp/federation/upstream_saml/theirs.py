"""An identity provider's metadata, from a file that the operator applied: where to send people, whose signatures count.

Nothing is fetched: a provider that is down cannot change what we know of it, and a new certificate is applied as any other
change of a connection, beside the old one for as long as both are in the file (FE-44).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from idp.federation.upstream_saml import moments
from idp.federation.upstream_saml.names import MD, PROTOCOL_NS, REDIRECT
from idp.foundation import certificates, xml, xml_signature
from idp.foundation.certificates import Certificate
from idp.foundation.xml import Node
from idp.foundation.xml_signature import DS
from idp.vocabulary.refused import Refused

CERTIFICATES: Final = 4
"""The old, the new, and the two that nobody took out."""


class Reason(StrEnum):
    """Why a file is no metadata of the provider."""

    NOT_METADATA = "not_metadata"
    OTHER_ENTITY = "other_entity"
    NO_IDENTITY_PROVIDER = "no_identity_provider"
    NO_SIGN_IN_ADDRESS = "no_sign_in_address"
    NO_CERTIFICATE = "no_certificate"
    CERTIFICATES_EXPIRED = "certificates_expired"
    STALE = "stale"
    UNSIGNED = "unsigned_metadata"


@dataclass(frozen=True, slots=True)
class Provider:
    """What we know of an identity provider."""

    entity_id: str
    sign_in_address: str
    """Its SingleSignOnService for HTTP-Redirect."""
    sign_out_address: str | None
    sign_out_response_address: str | None
    certificates: tuple[Certificate, ...]
    wants_signed_requests: bool
    valid_until: datetime | None


def read(document: str, *, entity_id: str, signer: Certificate | None, now: datetime) -> Provider | Refused:
    """The provider that a metadata file describes; with a `signer` the file must bear that certificate's signature."""
    raw = document.encode()
    if signer is None:
        root = xml.read(raw, comments=True, size=xml.METADATA_SIZE)
    else:
        root = _signed(raw, signer=signer, now=now)
    if isinstance(root, Refused):
        return root
    if root.name != f"{MD}EntityDescriptor":
        return Refused(Reason.NOT_METADATA)
    if root.attributes.get("entityID") != entity_id:
        return Refused(Reason.OTHER_ENTITY)
    role = next((each for each in root.all(f"{MD}IDPSSODescriptor") if _speaks(each)), None)
    if role is None:
        return Refused(Reason.NO_IDENTITY_PROVIDER)
    return _provider(root, role, entity_id=entity_id, now=now)


def _provider(root: Node, role: Node, *, entity_id: str, now: datetime) -> Provider | Refused:
    ends = [node.attributes["validUntil"] for node in (root, role) if "validUntil" in node.attributes]
    moments_read = [moments.read(text) for text in ends]
    if any(moment is None or moment <= now for moment in moments_read):
        return Refused(Reason.STALE)
    sign_in = _address(role, "SingleSignOnService", REDIRECT)
    if sign_in is None:
        return Refused(Reason.NO_SIGN_IN_ADDRESS)
    pinned = tuple(_certificates(role))[:CERTIFICATES]
    if not pinned:
        return Refused(Reason.NO_CERTIFICATE)
    if not any(each.is_valid(now) for each in pinned):
        return Refused(Reason.CERTIFICATES_EXPIRED)
    sign_out = _address(role, "SingleLogoutService", REDIRECT)
    return Provider(
        entity_id=entity_id,
        sign_in_address=sign_in,
        sign_out_address=sign_out,
        sign_out_response_address=_address(role, "SingleLogoutService", REDIRECT, "ResponseLocation") or sign_out,
        certificates=pinned,
        wants_signed_requests=role.attributes.get("WantAuthnRequestsSigned") in {"true", "1"},
        valid_until=min((moment for moment in moments_read if moment is not None), default=None),
    )


def _signed(raw: bytes, *, signer: Certificate, now: datetime) -> Node | Refused:
    name = f"{MD}EntityDescriptor"
    found = xml_signature.verified(
        raw, names={name}, certificates=(signer,), now=now, comments=True, size=xml.METADATA_SIZE
    )
    if isinstance(found, Refused):
        return Refused(Reason.UNSIGNED) if found.reason is xml_signature.Reason.UNSIGNED else found
    return found[name]


def _speaks(role: Node) -> bool:
    return PROTOCOL_NS in role.attributes.get("protocolSupportEnumeration", "").split()


def _address(role: Node, service: str, binding: str, attribute: str = "Location") -> str | None:
    for each in role.all(f"{MD}{service}"):
        if each.attributes.get("Binding") == binding and each.attributes.get(attribute):
            return each.attributes[attribute]
    return None


def _certificates(role: Node) -> Iterator[Certificate]:
    """Those for signing, each once, in the order of the file; what cannot be read or is weak is passed over."""
    seen: set[str] = set()
    for descriptor in role.all(f"{MD}KeyDescriptor"):
        if descriptor.attributes.get("use", "signing") != "signing":
            continue
        for node in descriptor.everything():
            if node.name != f"{DS}X509Certificate":
                continue
            certificate = certificates.read(node.text)
            if certificate is not None and certificate.fingerprint not in seen:
                seen.add(certificate.fingerprint)
                yield certificate
