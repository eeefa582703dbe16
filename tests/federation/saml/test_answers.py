"""A SAML answer counts only when it was signed, for us, now, for this request."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree

from idp.federation.upstream_saml.rules import Answer
from idp.foundation import xml
from idp.vocabulary.refused import Refused
from tests.federation.saml import bench
from tests.federation.saml.bench import A, assertion_of, at, reason, response, signed
from tests.foundation import xml_bench

DS = f"{{{xml_bench.DS}}}"
NOBODY_ASKED = replace(bench.EXPECTED, request_id=None)


def test_a_signed_assertion_says_who_when_and_how() -> None:
    assert bench.read(signed()) == Answer(
        assertion_id="_a1",
        name_id="n-4711",
        name_id_format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
        in_response_to=bench.REQUEST,
        session_index="_s1",
        authenticated_at=bench.NOW - timedelta(seconds=30),
        context="urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        attributes={"mail": ("ada@hospital.example",), "groups": ("a", "b")},
        until=bench.NOW + timedelta(seconds=300),
    )


def test_a_response_that_is_signed_too_is_taken_and_both_signatures_count() -> None:
    root = signed()
    xml_bench.sign(root)
    assert reason(root) is None
    root.set("Destination", f"{bench.ACS}?")
    assert reason(root) == "destination"
    root.set("Destination", bench.ACS)
    root.set("Consent", "urn:x")
    assert reason(root) == "digest"


def test_FE_30_unsigned_is_refused_wherever_the_signature_is_missing() -> None:
    assert reason(response()) == "unsigned"
    only_response = response()
    xml_bench.sign(only_response)
    assert reason(only_response) == "unsigned_assertion"
    stripped = signed()
    assertion_of(stripped).remove(assertion_of(stripped).find(f"{DS}Signature"))
    assert reason(stripped) == "unsigned"
    none = signed()
    none.remove(assertion_of(none))
    assert reason(none) == "assertions"
    emptied = signed()
    signature = assertion_of(emptied).find(f"{DS}Signature")
    for child in list(signature):
        signature.remove(child)
    assert reason(emptied) == "signature_shape"


def test_FE_32_a_comment_in_a_name_does_not_shorten_it() -> None:
    def put(node: Any) -> Callable[[Any], None]:
        def change(root: Any) -> None:
            name = root.find(f".//{{{A}}}NameID")
            name.text = "admin@hospital.example"
            name.append(node)
            name[0].tail = ".evil.example"

        return change

    assert reason(signed(put(etree.Comment("")))) == "not_plain"
    assert reason(signed(put(etree.Element("b")))) == "subject"


def test_FE_33_a_document_type_before_a_good_answer_is_refused() -> None:
    good = etree.tostring(signed()).decode()
    for prolog in (
        "<!DOCTYPE x>",
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        "<?xml-stylesheet href='x'?>",
    ):
        assert reason(b64encode((prolog + good).encode()).decode()) == "not_plain"


def test_FE_33_an_include_is_refused_wherever_it_stands() -> None:
    def include(path: str) -> Callable[[Any], None]:
        def change(root: Any) -> None:
            there = root.find(path, bench.NS)
            there.append(
                etree.fromstring(
                    '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
                )
            )

        return change

    assert reason(signed(include(".//a:NameID"))) == "not_plain"
    assert reason(signed(include(".//a:AttributeValue"))) == "not_plain"


@pytest.mark.parametrize("identity", ["_a1' or '1'='1", "_a1'] | //*[@ID='_evil", "*"])
def test_FE_43_an_id_that_looks_like_a_path_finds_nothing_but_itself(identity: str) -> None:
    root = signed(assertion_id=identity)
    answer = bench.read(root)
    assert isinstance(answer, Refused) or answer.assertion_id == assertion_of(root).get("ID")
    root.insert(1, bench.evil(assertion_of(root)))
    assert reason(root) is not None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"audience": "https://other.example/metadata"}, "audience"),
        ({"recipient": "https://other.example/acs"}, "recipient"),
        ({"recipient": ""}, "recipient"),
        ({"destination": "https://other.example/acs"}, "destination"),
        ({"issuer": "https://other.example/saml"}, "issuer"),
        ({"issued": at(120), "not_before": at(-5)}, "not_yet"),
        ({"not_before": at(61)}, "not_yet"),
        ({"not_before": "yesterday"}, "not_yet"),
        ({"until": at(-60)}, "expired"),
        ({"until": "2026-03-01T13:00:00"}, "expired"),
        ({"confirmed_until": at(-60)}, "expired"),
        ({"confirmed_until": "never"}, "confirmation"),
        ({"confirmed_until": at(86500)}, "too_long"),
        ({"instant": at(61)}, "not_yet"),
        ({"instant": "now"}, "statement"),
        ({"session_end": f' SessionNotOnOrAfter="{at(-60)}"'}, "expired"),
        ({"method": "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"}, "confirmation"),
        ({"conditions": "<a:Condition/>"}, "conditions"),
        ({"conditions": "<a:AudienceRestriction><a:Audience>x</a:Audience></a:AudienceRestriction>"}, "audience"),
        ({"request": "_another"}, "in_response_to"),
        ({"format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}, "transient"),
        ({"name_id": ""}, "subject"),
        ({"name_id": " n "}, "subject"),
        ({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, "denied"),
        (
            {
                "status": "urn:oasis:names:tc:SAML:2.0:status:Responder",
                "inner_status": '<p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext"/>',
            },
            "no_authn_context",
        ),
    ],
)
def test_FE_36_for_another_or_for_another_time_is_refused(said: dict[str, str], why: str) -> None:
    assert reason(signed(**said)) == why


@pytest.mark.parametrize(
    "said", [{"until": at(-59)}, {"confirmed_until": at(-59)}, {"not_before": at(59)}, {"instant": at(59)}]
)
def test_R_19_a_clock_that_is_a_minute_off_is_forgiven(said: dict[str, str]) -> None:
    assert reason(signed(**said)) is None


def _drop(path: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        found = root.find(path, bench.NS)
        found.getparent().remove(found)

    return change


def _twice(path: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        found = root.find(path, bench.NS)
        found.getparent().append(etree.fromstring(etree.tostring(found, with_tail=False)))

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_twice("a:Assertion"), "assertions"),
        (_drop("a:Assertion/a:Conditions"), "conditions"),
        (_drop("a:Assertion/a:Conditions/a:AudienceRestriction"), "audience"),
        (_drop("a:Assertion/a:Subject"), "confirmation"),
        (_drop("a:Assertion/a:Subject/a:NameID"), "subject"),
        (_drop("a:Assertion/a:Subject/a:SubjectConfirmation"), "confirmation"),
        (_drop("a:Assertion/a:AuthnStatement"), "statement"),
        (_drop("a:Assertion/a:Issuer"), "issuer"),
        (_twice("a:Assertion/a:Conditions"), "conditions"),
        (_twice("a:Assertion/a:Subject"), "confirmation"),
        (_twice("a:Assertion/a:Subject/a:NameID"), "subject"),
        (_twice("a:Assertion/a:Subject/a:SubjectConfirmation"), "confirmation"),
        (_twice("a:Assertion/a:AuthnStatement"), "statement"),
        (_twice("a:Assertion/a:Issuer"), "issuer"),
    ],
)
def test_FE_36_what_is_missing_or_said_twice_is_refused(change: Callable[[Any], None], why: str) -> None:
    assert reason(signed(change)) == why


def test_FE_37_an_answer_that_nobody_asked_for_or_to_another_request_is_refused() -> None:
    def unsolicited(root: Any) -> None:
        del root.attrib["InResponseTo"]
        del root.find(".//a:SubjectConfirmationData", bench.NS).attrib["InResponseTo"]

    assert reason(signed(unsolicited)) == "unsolicited"
    assert reason(signed(unsolicited), expected=NOBODY_ASKED) is None
    assert reason(signed(), expected=NOBODY_ASKED) == "in_response_to"
    outside = signed()
    outside.set("InResponseTo", "_another")
    assert reason(outside) == "in_response_to"


def test_FE_40_an_encrypted_assertion_is_refused_and_so_is_an_encrypted_name() -> None:
    root = response()
    root.replace(assertion_of(root), etree.Element(f"{{{A}}}EncryptedAssertion"))
    assert reason(root) == "encrypted"
    beside = signed()
    beside.append(etree.Element(f"{{{A}}}EncryptedAssertion"))
    assert reason(beside) == "encrypted"

    def name(root: Any) -> None:
        subject = root.find("a:Assertion/a:Subject", bench.NS)
        subject.replace(subject[0], etree.Element(f"{{{A}}}EncryptedID"))

    assert reason(signed(name)) == "encrypted"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("%%%", "unreadable"),
        ("", "malformed"),
        (b64encode(b"<a/>").decode(), "not_a_response"),
        ("A" * (xml.SIZE * 2), "too_large"),
        (b64encode(b"<a>" * 30 + b"<b/>" * 4000 + b"</a>" * 30).decode(), "too_deep"),
        (b64encode(b"\xff\xfe<\x00").decode(), "not_plain"),
    ],
)
def test_FE_43_what_is_no_answer_or_too_large_is_refused(text: str, why: str) -> None:
    assert reason(text) == why


def test_a_wanted_name_format_is_insisted_on() -> None:
    mail = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    wanted = replace(bench.EXPECTED, name_id_format=mail)
    assert reason(signed(), expected=wanted) == "name_id_format"
    assert reason(signed(format=mail), expected=wanted) is None


def test_FE_11_an_attribute_named_twice_hides_no_value() -> None:
    def again(root: Any) -> None:
        statement = root.find("a:Assertion/a:AttributeStatement", bench.NS)
        copy = etree.fromstring(etree.tostring(statement[0]))
        copy[0].text = "mallory@hospital.example"
        statement.append(copy)

    answer = bench.read(signed(again))
    assert isinstance(answer, Answer)
    assert answer.attributes["mail"] == ("ada@hospital.example", "mallory@hospital.example")
