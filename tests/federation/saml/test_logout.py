"""Sign-out messages by redirect: signed by the provider, for us, now, or ignored."""

import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from idp.federation.upstream_saml import asking, logout, theirs
from idp.federation.upstream_saml.logout import LogoutAsked
from idp.federation.upstream_saml.ours import Ours
from idp.federation.upstream_saml.theirs import Provider
from idp.foundation import xml
from idp.foundation.xml import Node
from idp.vocabulary.refused import Refused
from tests.federation.saml.bench import IDP, NOW, at
from tests.federation.saml.test_metadata import metadata
from tests.foundation import xml_bench

OURS = Ours.at("https://credence.test", "hospital")
P = "{urn:oasis:names:tc:SAML:2.0:protocol}"
A = "{urn:oasis:names:tc:SAML:2.0:assertion}"


def provider() -> Provider:
    found = theirs.read(metadata(), entity_id=IDP, signer=None, now=NOW)
    assert isinstance(found, Provider)
    return found


def by(key: Any) -> Callable[[bytes], bytes]:
    return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def message(**changed: Any) -> Node:
    attributes = {"ID": "_l1", "Version": "2.0", "IssueInstant": at(), "Destination": OURS.sign_out}
    said = {"issuer": IDP, "name_id": "n-4711", "sessions": ("_s1",), "name": "LogoutRequest", **changed}
    attributes |= {key: value for key, value in said.items() if key[0].isupper()}
    names = (Node(f"{A}NameID", text=said["name_id"]),) if said["name_id"] is not None else ()
    indices = tuple(Node(f"{P}SessionIndex", text=each) for each in said["sessions"])
    return Node(f"{P}{said['name']}", attributes, children=(Node(f"{A}Issuer", text=said["issuer"]), *names, *indices))


def query(node: Node, *, key: Any = xml_bench.RSA_KEY, kind: str = "SAMLRequest") -> bytes:
    sign = by(key) if key is not None else None
    return urlsplit(asking.address("https://x/", node, kind=kind, relay_state="r s", sign=sign)).query.encode()


def read(sent: bytes) -> LogoutAsked | str:
    found = logout.read_request(sent, provider=provider(), ours=OURS, now=NOW)
    return str(found.reason) if isinstance(found, Refused) else found


def test_a_signed_request_names_whose_sessions_end() -> None:
    found = read(query(message()))
    assert isinstance(found, LogoutAsked)
    assert read(query(message(sessions=("_s1", "_s2", "_s1")))).sessions == ("_s1", "_s2")  # type: ignore[union-attr]
    assert (found.request_id, found.name_id, found.sessions, found.relay_state) == ("_l1", "n-4711", ("_s1",), "r s")


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (query(message(), key=None), "unsigned"),
        (query(message(), key=xml_bench.OTHER_RSA_KEY), "signature"),
        (query(message()).replace(b"RelayState=r", b"RelayState=x"), "signature"),
        (query(message()).replace(b"rsa-sha256", b"rsa-sha1"), "signature"),
        (query(message()) + b"&SAMLRequest=x", "unreadable"),
        (query(message()).partition(b"&Signature")[0], "unsigned"),
        (b"", "unreadable"),
        (query(message(), kind="SAMLResponse"), "unreadable"),
        (query(message(name="LogoutResponse")), "unreadable"),
        (query(message(issuer="https://other.example")), "issuer"),
        (query(message(Destination="https://other.example")), "destination"),
        (query(message(IssueInstant=at(-361))), "expired"),
        (query(message(IssueInstant=at(61))), "not_yet"),
        (query(message(NotOnOrAfter=at(-60))), "expired"),
        (query(message(NotOnOrAfter=at(25 * 3600))), "too_long"),
        (query(message(name_id=None)), "subject"),
        (query(message(name_id="")), "subject"),
    ],
)
def test_FE_45_what_the_provider_did_not_sign_for_us_now_is_ignored(sent: bytes, why: str) -> None:
    assert read(sent) == why


def test_FE_43_a_bomb_is_stopped_at_the_size_of_a_message() -> None:
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(b"<a>" + b"x" * 50_000_000) + packer.flush()
    assert logout.inflated(bomb) == Refused(xml.Reason.TOO_LARGE)
    assert logout.inflated(b"\xff\xff") == Refused(logout.Reason.UNREADABLE)
    assert len(b64encode(bomb)) < 100_000


def test_our_own_messages_are_read_by_the_other_side() -> None:
    asked = logout.request(
        OURS,
        destination=f"{IDP}/slo",
        request_id="_q",
        name_id="n",
        name_id_format="urn:f",
        session="_s",
        now=NOW,
    )
    assert [child.text for child in asked.children] == [OURS.entity_id, "n", "_s"]
    done = logout.response(OURS, destination=f"{IDP}/slo", response_id="_d", in_response_to="_l1", now=NOW)
    assert done.attributes["InResponseTo"] == "_l1"
