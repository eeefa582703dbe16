"""XML from elsewhere: only plain documents, only signed bytes."""

from datetime import timedelta
from typing import Any

import pytest
from lxml import etree

from idp.foundation import certificates, xml, xml_signature
from idp.foundation.algorithms import Alg
from idp.foundation.certificates import Certificate
from idp.foundation.xml import Node
from idp.foundation.xml_signature import Reason
from idp.vocabulary.refused import Refused
from tests.foundation import xml_bench as bench

BOMB = "<!DOCTYPE a [" + "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10)) + "]><a>&e9;</a>"
NOT_PLAIN = {
    "doctype": b"<!DOCTYPE a><a/>",
    "external entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "parameter entity": b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]><a/>',
    "bomb": BOMB.encode(),
    "doctype after a declaration": b'<?xml version="1.0"?>\n<!DOCTYPE a><a/>',
    "doctype in another case": b"<!doctype a><a/>",
    "utf-16": '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    "utf-7 by its declaration": b'<?xml version="1.0" encoding="utf-7"?><a/>',
    "instruction": b"<?xml-stylesheet href='http://127.0.0.1/x.xsl'?><a/>",
    "comment": b"<a>x<!-- -->y</a>",
    "marked section": b"<a><![CDATA[<b/>]]></a>",
    "xinclude": b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd" parse="text"/></a>',
    "stylesheet": b'<x:transform xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0"/>',
}


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_FE_33_anything_but_plain_xml_is_refused_before_it_is_parsed(name: str) -> None:
    assert xml.read(NOT_PLAIN[name]) == Refused(xml.Reason.NOT_PLAIN)


def test_FE_33_an_entity_that_is_not_declared_is_malformed() -> None:
    assert xml.read(b"<a>&x;</a>") == Refused(xml.Reason.MALFORMED)
    assert xml.read(b"<a>&#60;&amp;</a>") == Node("a", {}, "<&")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"<a>" + b"x" * xml.SIZE + b"</a>", xml.Reason.TOO_LARGE),
        (b"<a>" * 33 + b"</a>" * 33, xml.Reason.TOO_DEEP),
        (b"<a>" + b"<b/>" * 4000 + b"</a>", xml.Reason.TOO_DEEP),
        (b"<a " + b" ".join(b'a%d=""' % n for n in range(40)) + b"/>", xml.Reason.TOO_DEEP),
        (b"<a>" * 20000, xml.Reason.MALFORMED),
        (b"<a><b></a>", xml.Reason.MALFORMED),
        (b"", xml.Reason.MALFORMED),
        (b"<a/><b/>", xml.Reason.MALFORMED),
        (b"\xff<a/>", xml.Reason.NOT_PLAIN),
        (b"<a>\x00</a>", xml.Reason.NOT_PLAIN),
    ],
)
def test_FE_43_size_depth_and_number_are_capped(document: bytes, reason: xml.Reason) -> None:
    assert xml.read(document) == Refused(reason)


def test_a_file_that_people_write_may_have_comments_and_a_byte_order_mark() -> None:
    document = b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?><!-- ours --><a><!-- b -->x</a>'
    assert xml.read(document, comments=True) == Node("a", {}, "x")
    assert xml.read(document) == Refused(xml.Reason.NOT_PLAIN)
    assert xml.read(b"<!-- <!DOCTYPE a> --><a/>", comments=True) == Node("a")
    assert xml.read(b"<!-- --><!DOCTYPE a><a/>", comments=True) == Refused(xml.Reason.NOT_PLAIN)


def test_what_is_written_is_read_again_whatever_stands_in_it() -> None:
    node = Node("{urn:a}x", {"q": "\"'<&>\n"}, "<&>'\"", (Node("{urn:b}y", {}, "z"),))
    assert xml.read(xml.written(node, prefixes={"a": "urn:a", "b": "urn:b"}).encode()) == node


def document(*, inner: str = "", **signing: Any) -> bytes:
    root = etree.fromstring(
        f'<r:Root xmlns:r="urn:r" xmlns:xs="urn:xs" ID="r1"><r:Name/><r:Part ID="p1"><r:Name>x</r:Name> <r:Of xs:t="xs:y">{inner}</r:Of>'
        "</r:Part></r:Root>"
    )
    bench.sign(root[1], **signing)
    return etree.tostring(root)


def pinned(*pems: str) -> list[Certificate]:
    return [read for pem in pems if (read := certificates.read(pem)) is not None]


RSA_PIN = pinned(bench.certificate())
EC_PIN = pinned(bench.certificate(bench.EC_KEY))
WIDE_EC_PIN = pinned(bench.certificate(bench.WIDE_EC_KEY))


def judged(text: bytes, pins: list[Certificate] = RSA_PIN) -> Any:
    answer = xml_signature.verified(text, names={"{urn:r}Root", "{urn:r}Part"}, certificates=pins, now=bench.NOW)
    return answer.reason if isinstance(answer, Refused) else answer


@pytest.mark.parametrize(
    ("signing", "pins"),
    [
        ({}, RSA_PIN),
        ({"method": f"{bench.MORE}rsa-sha384", "digest": f"{bench.MORE}sha384"}, RSA_PIN),
        ({"digest": "http://www.w3.org/2001/04/xmlenc#sha512"}, RSA_PIN),
        ({"method": "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"}, RSA_PIN),
        ({"method": f"{bench.MORE}rsa-sha512"}, RSA_PIN),
        ({"method": f"{bench.MORE}ecdsa-sha256", "key": bench.EC_KEY}, EC_PIN),
        ({"method": f"{bench.MORE}ecdsa-sha512", "key": bench.WIDE_EC_KEY}, WIDE_EC_PIN),
        ({"prefixes": ("xs",)}, RSA_PIN),
        ({"at": 0}, RSA_PIN),
        ({"at": 2}, RSA_PIN),
        ({"key_info": f'<ds:KeyInfo xmlns:ds="{bench.DS}"><ds:KeyName>x</ds:KeyName></ds:KeyInfo>'}, RSA_PIN),
    ],
)
def test_FE_31_what_was_signed_is_returned_without_its_signature(
    signing: dict[str, Any], pins: list[Certificate]
) -> None:
    found = judged(document(**signing), pins)
    part = found["{urn:r}Part"]
    assert [child.name for child in part.children] == ["{urn:r}Name", "{urn:r}Of"]
    assert part.children[0].text == "x"
    assert set(found) == {"{urn:r}Part"}


@pytest.mark.parametrize(
    ("signing", "reason"),
    [
        ({"key": bench.OTHER_RSA_KEY}, Reason.SIGNATURE),
        ({"method": f"{bench.DS}rsa-sha1"}, Reason.ALGORITHM),
        ({"digest": f"{bench.DS}sha1"}, Reason.ALGORITHM),
        ({"method": f"{bench.MORE}hmac-sha256"}, Reason.ALGORITHM),
        ({"method": f"{bench.MORE}ecdsa-sha256", "key": bench.EC_KEY}, Reason.ALGORITHM),
        ({"transforms": (bench.EXCLUSIVE,)}, Reason.SHAPE),
        ({"transforms": (bench.ENVELOPED,)}, Reason.SHAPE),
        ({"transforms": (bench.ENVELOPED, bench.EXCLUSIVE + "WithComments")}, Reason.SHAPE),
        ({"transforms": (bench.ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116")}, Reason.SHAPE),
        (
            {"transforms": (bench.ENVELOPED, bench.EXCLUSIVE, "http://www.w3.org/TR/1999/REC-xpath-19991116")},
            Reason.SHAPE,
        ),
        ({"uri": ""}, Reason.SHAPE),
        ({"uri": "#r1"}, Reason.SHAPE),
        ({"uri": "http://127.0.0.1/other.xml"}, Reason.SHAPE),
        ({"uri": "#xpointer(id('p1'))"}, Reason.SHAPE),
        ({"also": lambda signature: signature.append(etree.Element(f"{{{bench.DS}}}Object"))}, Reason.SHAPE),
        ({"also": lambda signature: signature[0].append(signature[0][2].__copy__())}, Reason.SHAPE),
    ],
)
def test_FE_39_another_key_method_or_shape_is_refused(signing: dict[str, Any], reason: Reason) -> None:
    assert judged(document(**signing)) == reason


def test_FE_39_a_method_that_does_not_fit_the_pinned_key_is_refused() -> None:
    """A curve goes with the digest of its own size alone, and RSA's methods with RSA."""
    wide, more = {"key": bench.WIDE_EC_KEY}, bench.MORE
    assert judged(document(method=f"{more}ecdsa-sha512", key=bench.EC_KEY), EC_PIN) == Reason.ALGORITHM
    assert judged(document(method=f"{more}ecdsa-sha512", **wide), EC_PIN) == Reason.ALGORITHM
    assert judged(document(method=f"{more}ecdsa-sha512", **wide), RSA_PIN) == Reason.ALGORITHM
    assert judged(document(method=f"{more}rsa-sha512"), WIDE_EC_PIN) == Reason.ALGORITHM
    assert judged(document(method=f"{more}rsa-sha512", key=bench.OTHER_RSA_KEY)) == Reason.SIGNATURE
    assert {"RS512", "ES512"}.isdisjoint(Alg), "documents alone"


def test_FE_39_a_certificate_in_key_info_proves_nothing() -> None:
    theirs = bench.bare(bench.certificate(bench.OTHER_RSA_KEY))
    info = f'<ds:KeyInfo xmlns:ds="{bench.DS}"><ds:X509Data><ds:X509Certificate>{theirs}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>'
    assert judged(document(key=bench.OTHER_RSA_KEY, key_info=info)) == Reason.SIGNATURE
    assert "{urn:r}Part" in judged(document(key_info=info))


def test_FE_30_no_signature_or_one_over_changed_bytes() -> None:
    assert judged(b'<r:Root xmlns:r="urn:r" ID="r1"/>') == Reason.UNSIGNED
    assert judged(document().replace(b">x<", b">y<")) == Reason.DIGEST
    changed = document().replace(b"DigestValue>", b"DigestValue> ", 1)
    assert judged(changed) == Reason.SIGNATURE


def test_FE_31_an_id_that_stands_twice_is_refused() -> None:
    assert judged(document(inner='<r:Z xmlns:r="urn:r" Id="r1"/>')) == Reason.AMBIGUOUS
    twice = document().replace(b"</r:Root>", b'<r:Part ID="p2"/></r:Root>')
    assert judged(twice) == Reason.AMBIGUOUS


def test_FE_44_an_old_and_a_new_certificate_are_both_good_and_an_expired_one_is_not() -> None:
    new = bench.certificate(bench.OTHER_RSA_KEY)
    both = pinned(bench.certificate(), new)
    assert "{urn:r}Part" in judged(document(), both)
    assert "{urn:r}Part" in judged(document(key=bench.OTHER_RSA_KEY), both)
    expired = pinned(bench.certificate(until=bench.NOW - timedelta(seconds=1)), new)
    assert judged(document(), expired) == Reason.EXPIRED_CERTIFICATE
    early = pinned(bench.certificate(since=bench.NOW + timedelta(seconds=1)))
    assert judged(document(), early) == Reason.EXPIRED_CERTIFICATE


def test_a_signature_inside_another_signed_element_stays_covered() -> None:
    root = etree.fromstring(
        '<r:Root xmlns:r="urn:r" ID="r1"><r:Name/><r:Part ID="p1"><r:Name>x</r:Name></r:Part></r:Root>'
    )
    bench.sign(root[1])
    bench.sign(root)
    found = judged(etree.tostring(root))
    assert set(found) == {"{urn:r}Root", "{urn:r}Part"}
    inner = root.find("{urn:r}Part")
    assert inner is not None
    inner.remove(inner[1])
    assert judged(etree.tostring(root)) == Reason.DIGEST


def test_certificates_of_weak_keys_or_with_rubbish_are_none() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for text in (
        "",
        "x",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        bench.certificate(weak),
        "A" * 20000,
    ):
        assert certificates.read(text) is None
    assert certificates.read(bench.bare(bench.certificate())) is not None


def test_our_own_certificate_is_the_same_every_time() -> None:
    made = {certificates.self_signed(bench.RSA_KEY, name="login.example", kid="saml-1", since=bench.NOW) for _ in "ab"}
    assert len(made) == 1
    read = certificates.read(made.pop())
    assert (
        read is not None
        and read.is_valid(bench.NOW)
        and read.key.public_numbers() == bench.RSA_KEY.public_key().public_numbers()
    )  # type: ignore[union-attr]
