"""A SAML identity provider's hand for tests: responses as one would write them, and as one should not."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from lxml import etree

from idp.federation.upstream_saml import answers
from idp.federation.upstream_saml.rules import Answer, Expected
from idp.foundation import certificates
from idp.vocabulary.refused import Refused
from tests.foundation import xml_bench

NOW = xml_bench.NOW
IDP = "https://idp.hospital.example/saml"
SP = "https://credence.test/federation/saml/hospital/metadata"
ACS = "https://credence.test/federation/saml/hospital/acs"
REQUEST = "_request-1"
P = "urn:oasis:names:tc:SAML:2.0:protocol"
A = "urn:oasis:names:tc:SAML:2.0:assertion"
NS = {"p": P, "a": A, "ds": xml_bench.DS}
EXPECTED = Expected(issuer=IDP, audience=SP, recipient=ACS, request_id=REQUEST)
PINS = [each for each in [certificates.read(xml_bench.certificate())] if each is not None]


def at(seconds: int = 0, *, now: datetime = NOW) -> str:
    return (now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


USUAL: Mapping[str, str] = {
    "request": REQUEST,
    "destination": ACS,
    "recipient": ACS,
    "audience": SP,
    "issuer": IDP,
    "name_id": "n-4711",
    "format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "issued": at(),
    "not_before": at(-5),
    "until": at(300),
    "confirmed_until": at(300),
    "instant": at(-30),
    "status": "urn:oasis:names:tc:SAML:2.0:status:Success",
    "inner_status": "",
    "context": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
    "method": "urn:oasis:names:tc:SAML:2.0:cm:bearer",
    "assertion_id": "_a1",
    "conditions": "",
    "email": "ada@hospital.example",
    "session_end": "",
}
_RESPONSE = (
    '<p:Response xmlns:p="{P}" xmlns:a="{A}" ID="_r1" Version="2.0" IssueInstant="{issued}" Destination="{destination}"'
    ' InResponseTo="{request}"><a:Issuer>{issuer}</a:Issuer>'
    '<p:Status><p:StatusCode Value="{status}">{inner_status}</p:StatusCode></p:Status>'
    '<a:Assertion ID="{assertion_id}" Version="2.0" IssueInstant="{issued}"><a:Issuer>{issuer}</a:Issuer>'
    '<a:Subject><a:NameID Format="{format}">{name_id}</a:NameID><a:SubjectConfirmation Method="{method}">'
    '<a:SubjectConfirmationData InResponseTo="{request}" Recipient="{recipient}" NotOnOrAfter="{confirmed_until}"/>'
    '</a:SubjectConfirmation></a:Subject><a:Conditions NotBefore="{not_before}" NotOnOrAfter="{until}">'
    "<a:AudienceRestriction><a:Audience>{audience}</a:Audience></a:AudienceRestriction>{conditions}</a:Conditions>"
    '<a:AuthnStatement AuthnInstant="{instant}" SessionIndex="_s1"{session_end}><a:AuthnContext>'
    "<a:AuthnContextClassRef>{context}</a:AuthnContextClassRef></a:AuthnContext></a:AuthnStatement>"
    '<a:AttributeStatement><a:Attribute Name="mail"><a:AttributeValue>{email}</a:AttributeValue></a:Attribute>'
    '<a:Attribute Name="groups"><a:AttributeValue>a</a:AttributeValue><a:AttributeValue>b</a:AttributeValue></a:Attribute>'
    "</a:AttributeStatement></a:Assertion></p:Response>"
)


def response(change: Callable[[Any], None] | None = None, **said: str) -> Any:
    """An unsigned response; `change` does to its root what words cannot."""
    root = etree.fromstring(_RESPONSE.format(**{**USUAL, **said, "P": P, "A": A}))
    if change is not None:
        change(root)
    return root


def assertion_of(root: Any) -> Any:
    return root.find(f"{{{A}}}Assertion")


def signed(
    change: Callable[[Any], None] | None = None, *, signing: Mapping[str, Any] | None = None, **said: str
) -> Any:
    """A response whose assertion is signed."""
    root = response(change, **said)
    xml_bench.sign(assertion_of(root), **(signing or {}))
    return root


def encoded(root: Any) -> str:
    return b64encode(etree.tostring(root)).decode()


def read(root: Any, *, expected: Expected = EXPECTED, now: datetime = NOW, pins: Any = PINS) -> Answer | Refused:
    text = root if isinstance(root, str) else encoded(root)
    return answers.read(text, certificates=pins, expected=expected, now=now)


def reason(root: Any, **how: Any) -> str | None:
    """Why it is refused; `None` when it is taken."""
    answer = read(root, **how)
    return str(answer.reason) if isinstance(answer, Refused) else None


def without_signature(element: Any) -> Any:
    copy = deepcopy(element)
    for signature in copy.findall(f"{{{xml_bench.DS}}}Signature"):
        copy.remove(signature)
    return copy


def evil(element: Any) -> Any:
    """A copy without signature that names somebody else under an ID of its own."""
    copy = without_signature(element)
    copy.set("ID", "_evil")
    for name in copy.iter(f"{{{A}}}NameID"):
        name.text = "administrator"
    return copy
