"""What is wrong with a connection by SAML before it is applied, and what its metadata says, for the plan (FE-44)."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from idp.federation.connections.manifest import Saml
from idp.federation.upstream_saml import theirs
from idp.federation.upstream_saml.names import TRANSIENT
from idp.federation.upstream_saml.theirs import Provider
from idp.foundation import certificates, xml, xml_signature
from idp.relying_parties.addresses.rules import wrong_page
from idp.relying_parties.faults import Fault, Ground
from idp.vocabulary.refused import Refused

METADATA: Final = "metadata.xml"
_SAID: Final[Mapping[str, str]] = {
    xml.Reason.TOO_LARGE: "is too large",
    xml.Reason.TOO_DEEP: "has too many elements: take the one provider's metadata, not a federation's",
    xml.Reason.NOT_PLAIN: "has a document type, an instruction or a marked section, or is not UTF-8",
    xml.Reason.MALFORMED: "is no XML document",
    theirs.Reason.NOT_METADATA: "is no EntityDescriptor of SAML 2.0",
    theirs.Reason.OTHER_ENTITY: "names another entityID than issuer",
    theirs.Reason.NO_IDENTITY_PROVIDER: "describes no identity provider of SAML 2.0",
    theirs.Reason.NO_SIGN_IN_ADDRESS: "has no SingleSignOnService for HTTP-Redirect",
    theirs.Reason.NO_CERTIFICATE: "has no signing certificate of RSA (2048 bits or more), P-256 or P-384",
    theirs.Reason.CERTIFICATES_EXPIRED: "has no certificate that is valid now",
    theirs.Reason.STALE: "is out of date (validUntil): fetch it anew",
    theirs.Reason.UNSIGNED: "is not signed, and metadata_certificate says that it must be",
    xml_signature.Reason.EXPIRED_CERTIFICATE: "is signed under a metadata_certificate that is not valid now",
    xml_signature.Reason.ALGORITHM: "is signed by a method weaker than SHA-256, or that does not fit metadata_certificate",
}


def faults(saml: Saml, *, entity_id: str, texts: Mapping[str, str], ground: Ground, now: datetime) -> Iterator[Fault]:
    """All that is wrong with the protocol's part and the metadata beside it."""
    if saml.name_id_format == TRANSIENT:
        yield Fault(("saml", "name_id_format"), "is a name that changes each time: nobody would be known again")
    signer = None if saml.metadata_certificate is None else certificates.read(saml.metadata_certificate)
    if saml.metadata_certificate is not None and signer is None:
        yield Fault(("saml", "metadata_certificate"), "is no certificate in PEM with a key that is used here")
        return
    if METADATA not in texts:
        yield Fault(("saml",), f"has no {METADATA} in the folder of its name")
        return
    provider = theirs.read(texts[METADATA], entity_id=entity_id, signer=signer, now=now)
    if isinstance(provider, Refused):
        said = _SAID.get(provider.reason, "is not signed by metadata_certificate as it stands")
        yield Fault(("saml",), f"{METADATA} {said}")
        return
    for address in (provider.sign_in_address, provider.sign_out_address, provider.sign_out_response_address):
        reason = None if address is None else wrong_page(address, ground=ground)
        if reason is not None:
            yield Fault(("saml",), f"{METADATA} names {address}, which {reason}")


def shown(saml: Saml, *, entity_id: str, text: str, now: datetime) -> Mapping[str, str]:
    """What the metadata says, as lines of a plan; nothing where it cannot be read (`faults` says why)."""
    signer = None if saml.metadata_certificate is None else certificates.read(saml.metadata_certificate)
    provider = theirs.read(text, entity_id=entity_id, signer=signer, now=now)
    return {} if isinstance(provider, Refused) else dict(_lines(provider))


def _lines(provider: Provider) -> Iterator[tuple[str, str]]:
    yield "metadata.sign_in_address", provider.sign_in_address
    if provider.sign_out_address is not None:
        yield "metadata.sign_out_address", provider.sign_out_address
    for each in provider.certificates:
        yield f"metadata.certificate.{each.fingerprint[:16]}", f"until {each.not_after:%Y-%m-%d}"
