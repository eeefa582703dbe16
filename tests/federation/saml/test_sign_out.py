"""Signing out in both places by SAML, whichever begins; what the provider did not sign ends nothing."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.federation.upstream_saml import asking
from idp.foundation.xml import Node
from idp.sessions.models import BrowserSession
from tests.authenticators.browsing import follow, post_form, signed_in
from tests.conftest import ISSUER, NOON
from tests.federation.conftest import address_of
from tests.federation.saml import bench
from tests.federation.saml.test_logout import A, P, by, message
from tests.federation.saml.test_metadata import sent
from tests.federation.saml.test_sign_in import World, land, world
from tests.foundation import xml_bench

pytestmark = pytest.mark.both
__all__ = ["world"]
ADDRESS = "https://x/federation/saml/hospital/sign-out"


def request(key: Any = xml_bench.RSA_KEY, **said: Any) -> str:
    node = message(IssueInstant=bench.at(now=NOON), **said)
    sign = by(key) if key is not None else None
    address = asking.address(ADDRESS, node, kind="SAMLRequest", relay_state="r", sign=sign)
    return address.removeprefix("https://x")


def live(world: World) -> int:
    return sum(row.ended_at is None for row in world.make.rows(BrowserSession))


def come_in(world: World, browser: FlaskClient, assertion_id: str = "_a1") -> None:
    landed = land(browser, world.answer(world.leave(browser), assertion_id=assertion_id))
    assert landed.request.path == "/account/"


def told(answer: TestResponse) -> Node:
    assert answer.status_code == 303, answer.text[:300]
    query = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    root, _ = sent(answer.headers["Location"].replace("SAMLResponse=", "SAMLRequest="))
    assert query["RelayState"] == "r"
    assert "Signature" in query
    return root


def test_FE_45_a_signed_request_ends_what_rests_on_it_and_nothing_else(
    world: World, client: FlaskClient, new_browser: Any
) -> None:
    world.connect()
    world.link()
    come_in(world, client)
    signed_in(new_browser(), "rosa.delgado")
    assert live(world) == 2
    for ignored in (
        request(key=None),
        request(key=xml_bench.OTHER_RSA_KEY),
        request(Destination="https://other.example"),
        f"{request()}&SAMLRequest=x",
    ):
        assert new_browser().get(ignored, base_url=ISSUER).status_code == 400
    assert live(world) == 2
    for other in (request(ID="_l2", name_id="somebody-else"), request(ID="_l3", sessions=("_other",))):
        assert told(new_browser().get(other, base_url=ISSUER)).name == f"{P}LogoutResponse"
    assert live(world) == 2
    done = told(new_browser().get(request(), base_url=ISSUER))
    assert done.attributes["InResponseTo"] == "_l1"
    assert live(world) == 1
    assert new_browser().get(request(), base_url=ISSUER).status_code == 400
    come_in(world, client, "_a2")
    told(new_browser().get(request(ID="_l4", sessions=()), base_url=ISSUER))
    assert live(world) == 1


def test_signing_out_here_signs_out_there_and_comes_back(world: World, client: FlaskClient) -> None:
    world.connect()
    world.link()
    come_in(world, client)
    asked = follow(client, client.get("/oauth/logout"))
    address = address_of(post_form(client, asked, "logout-form"))
    assert live(world) == 0
    assert address.startswith(f"{bench.IDP}/slo?SAMLRequest=")
    root, query = sent(address)
    assert root.name == f"{P}LogoutRequest"
    assert [child.text for child in root.children if child.name != f"{A}Issuer"] == ["n-4711", "_s1"]
    back = client.get(f"/federation/saml/hospital/sign-out?SAMLResponse=x&RelayState={query['RelayState']}")
    assert back.status_code == 200
    assert "evil" not in client.get("/federation/saml/hospital/sign-out?RelayState=https://evil.example").text
    assert follow(client, client.get("/account/")).request.path != "/account/"


def test_signing_out_there_is_left_out_where_the_connection_says_so(world: World, client: FlaskClient) -> None:
    world.connect(sends_out=False)
    world.link()
    come_in(world, client)
    done = post_form(client, follow(client, client.get("/oauth/logout")), "logout-form")
    assert "SAMLRequest" not in done.text
    assert live(world) == 0
