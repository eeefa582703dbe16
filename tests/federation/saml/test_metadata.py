"""Metadata of both sides, and the requests that go by redirect."""

import zlib
from base64 import b64decode
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from idp.federation.upstream_saml import asking, ours, theirs
from idp.federation.upstream_saml.asking import Wish
from idp.federation.upstream_saml.names import A, P
from idp.federation.upstream_saml.ours import Ours
from idp.federation.upstream_saml.theirs import Provider
from idp.foundation import certificates, xml
from idp.foundation.xml import Node
from idp.vocabulary.refused import Refused
from tests.federation.saml.bench import ACS, IDP, NOW, SP, at
from tests.foundation import xml_bench

OURS = Ours.at("https://credence.test", "hospital")
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"


def key(pem: str, use: str = 'use="signing"') -> str:
    data = f"<ds:X509Data><ds:X509Certificate>\n{xml_bench.bare(pem)}\n</ds:X509Certificate></ds:X509Data>"
    return f'<md:KeyDescriptor {use}><ds:KeyInfo xmlns:ds="{xml_bench.DS}">{data}</ds:KeyInfo></md:KeyDescriptor>'


OLD, NEW = xml_bench.certificate(), xml_bench.certificate(xml_bench.OTHER_RSA_KEY)
EXPIRED = xml_bench.certificate(until=NOW - timedelta(days=1))


def metadata(
    *keys: str,
    entity: str = IDP,
    until: str = "",
    role: str = "IDPSSODescriptor",
    binding: str = REDIRECT,
    protocol: str = "urn:oasis:names:tc:SAML:2.0:protocol",
) -> str:
    valid = f' validUntil="{until}"' if until else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- of the hospital -->\n<md:EntityDescriptor xmlns:md="{MD}" ID="_m1" '
        f'entityID="{entity}"{valid}><md:{role} protocolSupportEnumeration="{protocol}" WantAuthnRequestsSigned="true">'
        f"{''.join(keys or (key(OLD),))}"
        f'<md:SingleLogoutService Binding="{REDIRECT}" Location="{IDP}/slo" ResponseLocation="{IDP}/slo-done"/>'
        f'<md:SingleSignOnService Binding="{binding}" Location="{IDP}/sso?a=b"/></md:{role}></md:EntityDescriptor>'
    )


def signed(by: Any) -> str:
    root = etree.fromstring(metadata().encode())
    xml_bench.sign(root, key=by, at=0)
    return etree.tostring(root, encoding="unicode")


def read(document: str, *, signer: str | None = None) -> Provider | str:
    pinned = certificates.read(signer) if signer is not None else None
    found = theirs.read(document, entity_id=IDP, signer=pinned, now=NOW)
    return str(found.reason) if isinstance(found, Refused) else found


def test_metadata_says_where_to_go_and_whose_signatures_count() -> None:
    found = read(
        metadata(key(OLD), key(NEW, ""), key(OLD), key(xml_bench.certificate(xml_bench.EC_KEY), 'use="encryption"'))
    )
    assert isinstance(found, Provider)
    assert found.sign_in_address == f"{IDP}/sso?a=b"
    assert found.sign_out_address == f"{IDP}/slo"
    assert found.sign_out_response_address == f"{IDP}/slo-done"
    assert found.wants_signed_requests
    wanted = [certificates.read(pem) for pem in (OLD, NEW)]
    assert [each.fingerprint for each in found.certificates] == [
        each.fingerprint for each in wanted if each is not None
    ]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("<x/>", "not_metadata"),
        ("", "malformed"),
        ("<!DOCTYPE x><x/>", "not_plain"),
        (metadata(entity="https://other.example"), "other_entity"),
        (metadata(role="SPSSODescriptor"), "no_identity_provider"),
        (metadata(protocol="urn:oasis:names:tc:SAML:1.1:protocol"), "no_identity_provider"),
        (metadata(binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP"), "no_sign_in_address"),
        (metadata(key(OLD, 'use="encryption"')), "no_certificate"),
        (metadata(key(EXPIRED)), "certificates_expired"),
        (metadata(until=at(0)), "stale"),
        (metadata(until="soon"), "stale"),
    ],
)
def test_FE_44_what_is_no_metadata_or_stale_or_expired_is_refused(document: str, why: str) -> None:
    assert read(document) == why
    assert isinstance(read(metadata(until=at(1))), Provider)


def test_FE_44_metadata_that_must_be_signed_is_read_by_its_pinned_certificate_alone() -> None:
    assert read(metadata(), signer=OLD) == "unsigned_metadata"
    assert isinstance(read(signed(xml_bench.RSA_KEY), signer=OLD), Provider)
    assert read(signed(xml_bench.OTHER_RSA_KEY), signer=OLD) == "signature"
    assert read(signed(xml_bench.RSA_KEY).replace("/sso", "/evil"), signer=OLD) == "digest"


def test_our_metadata_names_our_keys_and_addresses_and_none_for_encryption() -> None:
    text = ours.metadata(OURS, certificates=("AAAA", "BBBB"), name_id_format=None, signs=True)
    root = xml.read(text.encode())
    assert isinstance(root, Node)
    assert root.attributes["entityID"] == SP
    role = root.children[0]
    assert role.attributes["WantAssertionsSigned"] == role.attributes["AuthnRequestsSigned"] == "true"
    assert [child.attributes.get("use") for child in role.children[:2]] == ["signing", "signing"]
    acs = role.only(f"{{{MD}}}AssertionConsumerService")
    assert acs is not None and acs.attributes["Location"] == ACS


def sent(address: str) -> tuple[Node, dict[str, str]]:
    query = dict(parse_qsl(urlsplit(address).query))
    root = xml.read(zlib.decompress(b64decode(query["SAMLRequest"]), wbits=-15))
    assert isinstance(root, Node)
    return root, query


def test_a_request_is_deflated_and_signed_over_the_query_as_sent() -> None:
    wish = Wish(again=True, contexts=("urn:a", "urn:b<"), name_id_format="urn:f")
    message = asking.authn_request(OURS, destination=f"{IDP}/sso?a=b", request_id="_q", wish=wish, now=NOW)
    address = asking.address(
        f"{IDP}/sso?a=b",
        message,
        kind="SAMLRequest",
        relay_state="s&t",
        sign=lambda data: xml_bench.RSA_KEY.sign(data, padding.PKCS1v15(), hashes.SHA256()),
    )
    assert address.startswith(f"{IDP}/sso?a=b&SAMLRequest=")
    root, query = sent(address)
    assert (root.name, root.attributes["ID"], root.attributes["ForceAuthn"]) == (f"{P}AuthnRequest", "_q", "true")
    assert root.attributes["AssertionConsumerServiceURL"] == ACS
    wanted = root.only(f"{P}RequestedAuthnContext")
    assert wanted is not None and [child.text for child in wanted.children] == ["urn:a", "urn:b<"]
    issuer = root.only(f"{A}Issuer")
    assert issuer is not None and issuer.text == SP
    assert query["RelayState"] == "s&t"
    covered = address.partition("?a=b&")[2].rpartition("&Signature=")[0]
    xml_bench.RSA_KEY.public_key().verify(
        b64decode(query["Signature"]), covered.encode(), padding.PKCS1v15(), hashes.SHA256()
    )


def test_a_request_that_wishes_nothing_asks_for_nothing() -> None:
    message = asking.authn_request(OURS, destination=IDP, request_id="_q", wish=Wish(), now=NOW)
    root, query = sent(asking.address(IDP, message, kind="SAMLRequest", relay_state=None, sign=None))
    assert "ForceAuthn" not in root.attributes
    assert root.only(f"{P}RequestedAuthnContext") is None
    assert set(query) == {"SAMLRequest"}
