"""The whole way at a scripted SAML provider, on both databases: who is let in, and that nothing is taken twice."""

from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree
from sqlalchemy import insert
from werkzeug.test import TestResponse

from idp.audit.models import AuditEvent
from idp.federation.connections import facts as connections
from idp.federation.connections import stored
from idp.federation.connections.manifest import Connection
from idp.federation.connections.models import AppliedConnection
from idp.federation.models import UpstreamLink
from idp.federation.service import By
from idp.federation.upstream_saml import arriving
from idp.federation.upstream_saml import service as upstream
from idp.federation.upstream_saml.service import Carried
from idp.foundation.artefacts import digest_of
from idp.foundation.database import new_id, reading, writing
from idp.foundation.origin import Origin
from idp.keyring.service import Keyring
from idp.sessions.models import BrowserSession
from idp.vocabulary.secret import Secret
from tests.authenticators.browsing import follow, open_sign_in, post_form
from tests.conftest import NOON, _forget_everything
from tests.federation.conftest import address_of
from tests.federation.saml import bench
from tests.federation.saml.test_metadata import metadata, sent
from tests.foundation import xml_bench
from tests.races import race

pytestmark = pytest.mark.both
ISSUER = "https://credence.test"
HOSPITAL: dict[str, Any] = {
    "name": {"en": "Saint Anne Hospital", "es": "Hospital Santa Ana"},
    "protocol": "saml",
    "issuer": bench.IDP,
    "portals": ["ozark-secure"],
    "claims": {"email": "mail"},
    "saml": {},
}


class World:
    """A portal, a hospital by SAML, and Rosa, whom it knows."""

    def __init__(self, app: Flask, make: Any) -> None:
        self.app, self.make = app, make
        make.client("ozark-secure")
        self.rosa = make.subject("rosa.delgado")
        self.said: dict[str, str] = {}

    def connect(self, *, asserts: tuple[dict[str, Any], ...] = (), **saml: Any) -> None:
        connection = Connection.model_validate(HOSPITAL | {"saml": saml, "asserts": asserts})
        document = stored.to_row(connection, name="hospital")
        with writing() as tx:
            tx.execute(
                insert(AppliedConnection).values(
                    name="hospital", document=document, texts={"metadata.xml": metadata()}, enabled=True, version=1,
                    applied_at=NOON,
                )
            )  # fmt: skip

    def link(self) -> None:
        with writing() as tx:
            tx.add(
                UpstreamLink(
                    id=new_id(), subject_id=self.rosa.id, connection="hospital", issuer=bench.IDP, subject="n-4711",
                    shown_as="", created_at=NOON,
                )
            )  # fmt: skip

    def leave(self, browser: FlaskClient) -> str:
        away = post_form(browser, open_sign_in(browser), "with-form-hospital")
        assert away.status_code == 200, away.text[:500]
        return address_of(away)

    def answer(self, address: str, *, change: Any = None, **said: str) -> dict[str, str]:
        """What the provider's page posts: a fresh answer to the request in `address`."""
        request, query = sent(address)
        usual = {
            "request": request.attributes["ID"],
            "issued": bench.at(now=NOON),
            "not_before": bench.at(-5, now=NOON),
            "until": bench.at(300, now=NOON),
            "confirmed_until": bench.at(300, now=NOON),
            "instant": bench.at(-30, now=NOON),
        }
        return {
            "SAMLResponse": bench.encoded(bench.signed(change, **usual | self.said | said)),
            "RelayState": query["RelayState"],
        }


def post(browser: FlaskClient, form: dict[str, str]) -> TestResponse:
    """As a browser posts from the provider's page: without cookies, and saying where it comes from."""
    elsewhere = browser.application.test_client()
    headers = {"Origin": "https://idp.hospital.example", "Sec-Fetch-Site": "cross-site"}
    return elsewhere.post("/federation/saml/hospital/acs", data=form, headers=headers, base_url=ISSUER)


def land(browser: FlaskClient, form: dict[str, str]) -> TestResponse:
    posted = post(browser, form)
    assert posted.status_code == 303, posted.text[:300]
    return follow(browser, browser.get(posted.headers["Location"]))


def groups(count: int, *also: str) -> Any:
    """A directory that says every group of a person, by its number."""

    def change(root: Any) -> None:
        said = root.find(f".//{{{bench.A}}}Attribute[@Name='groups']")
        for value in (*(f"{number:08x}-0000-4000-8000-0123456789ab" for number in range(count)), *also):
            etree.SubElement(said, f"{{{bench.A}}}AttributeValue").text = value

    return change


@pytest.fixture
def world(app: Flask, make: Any) -> World:
    return World(app, make)


def refusals(world: World) -> list[str]:
    return sorted(
        str(event.details["wrong"]) for event in world.make.rows(AuditEvent) if event.type == "upstream_refused"
    )


def test_a_linked_person_is_in_and_the_session_says_honestly_how(world: World, client: FlaskClient) -> None:
    world.connect()
    world.link()
    address = world.leave(client)
    assert address.startswith(f"{bench.IDP}/sso?a=b&SAMLRequest=")
    assert "Signature=" in address
    landed = land(client, world.answer(address))
    assert landed.request.path == "/account/"
    session = world.make.rows(BrowserSession)[0]
    assert (session.subject_id, session.acr, session.amr) == (world.rosa.id, ["aal1"], [])


def test_FE_11_only_values_that_the_file_names_are_carried_home(world: World, client: FlaskClient) -> None:
    table = {
        "portal": "ozark-secure",
        "tins": ["98-1112223"],
        "claim": "groups",
        "levels": {"billing": ["claims.submit"]},
    }
    world.connect(asserts=(table,))
    world.link()
    posted = post(client, world.answer(world.leave(client), change=groups(300, "billing")))
    there = posted.headers["Location"]
    assert len(there) < 4096
    sealed = dict(parse_qsl(urlsplit(there).query))["answer"]
    carried = upstream.carried_in(sealed, name="hospital", now=NOON)
    assert isinstance(carried, Carried)
    assert carried.said.claims == {"groups": ["billing"], "mail": ["ada@hospital.example"]}
    assert follow(client, client.get(there)).request.path == "/account/"


def test_FE_35_an_assertion_is_good_once_in_parallel_too(world: World, client: FlaskClient) -> None:
    world.connect()
    world.link()
    form = world.answer(world.leave(client))
    cookie = client.get_cookie("__Host-credence_browser", domain="credence.test")
    assert cookie is not None
    with reading() as tx:
        applied = connections.find(tx, "hospital")
    assert applied is not None
    state = Secret(form["RelayState"])
    carried = upstream.take(applied, form["SAMLResponse"], state=state, now=NOON)
    assert isinstance(carried, Carried)
    by = By(digest_of(cookie.value), None, Origin.local("test"), NOON)
    ends = race(world.app, lambda: arriving.arrive(applied, carried, state=state, by=by)[0], threads=6)
    assert sorted(type(end).__name__ for end in ends) == ["Refused"] * 5 + ["SignedIn"]
    assert len(world.make.rows(BrowserSession)) == 1


def test_FE_35_the_same_assertion_to_another_request_is_a_replay(world: World, client: FlaskClient) -> None:
    world.connect()
    world.link()
    assert land(client, world.answer(world.leave(client))).request.path == "/account/"
    other = world.app.test_client()
    again = land(other, world.answer(world.leave(other)))
    assert again.status_code == 422
    assert refusals(world) == ["replayed"]
    _forget_everything(world.app)
    other = world.app.test_client()
    assert land(other, world.answer(world.leave(other))).status_code == 422, "after a restart too"
    other = world.app.test_client()
    assert land(other, world.answer(world.leave(other), assertion_id="_a2")).request.path == "/account/"


def test_FE_37_an_answer_is_good_in_the_browser_that_asked_and_nowhere_else(world: World, client: FlaskClient) -> None:
    world.connect()
    world.link()
    form = world.answer(world.leave(client))
    victim = world.app.test_client()
    assert land(victim, form).status_code == 400
    assert world.make.rows(BrowserSession) == []
    assert land(client, form).request.path == "/account/"


@pytest.mark.parametrize(
    ("said", "wrong", "status"),
    [
        ({"audience": "https://other.example"}, "audience", 422),
        ({"request": "_another"}, "in_response_to", 400),
        ({"until": bench.at(-61, now=NOON)}, "expired", 422),
        ({"format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}, "transient", 422),
        ({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, "denied", 422),
    ],
)
def test_FE_36_what_is_refused_is_said_in_one_sentence_and_the_other_ways_stay(
    world: World, client: FlaskClient, said: dict[str, str], wrong: str, status: int
) -> None:
    world.connect()
    world.link()
    page = land(client, world.answer(world.leave(client), **said))
    assert page.status_code == status
    assert 'id="back-to-sign-in"' in page.text
    assert wrong not in page.text.split('id="why"')[1].split("</p>")[0]
    assert refusals(world) == [wrong]
    assert world.make.rows(BrowserSession) == []


def test_FE_41_a_relay_state_that_is_no_state_of_ours_leads_nowhere(world: World, client: FlaskClient) -> None:
    world.connect()
    world.link()
    form = world.answer(world.leave(client))
    for relayed in ("https://evil.example", "javascript:alert(1)", "", "A" * 43):
        page = land(client, form | {"RelayState": relayed})
        assert page.status_code == 400
        assert "evil" not in page.text
    assert set(refusals(world)) == {"unsolicited", "in_response_to"}


def test_FE_37_unsolicited_where_allowed_begins_a_sign_in_and_is_none(world: World, client: FlaskClient) -> None:
    world.connect(allow_unsolicited=True)
    world.link()
    form = world.answer(world.leave(client))
    root = etree.fromstring(b64decode(form["SAMLResponse"]))
    assertion = bench.assertion_of(root)
    del root.attrib["InResponseTo"]
    del root.find(".//a:SubjectConfirmationData", bench.NS).attrib["InResponseTo"]
    assertion.remove(assertion.find(f"{{{xml_bench.DS}}}Signature"))
    xml_bench.sign(assertion)
    unasked = {"SAMLResponse": bench.encoded(root), "RelayState": "https://evil.example"}
    stranger = world.app.test_client()
    posted = post(stranger, unasked)
    begun = stranger.get(posted.headers["Location"], base_url=ISSUER)
    assert begun.status_code == 303
    assert "evil" not in begun.headers["Location"]
    assert world.make.rows(BrowserSession) == []
    again = stranger.get(post(stranger, unasked).headers["Location"], base_url=ISSUER)
    assert again.status_code == 422
    assert refusals(world) == ["replayed"]


def test_SI_09_a_sign_in_anew_is_asked_for_and_insisted_on(world: World, client: FlaskClient) -> None:
    world.connect()
    world.link()
    page = follow(client, client.get("/sign-in?to=account.overview&fresh=1"))
    address = address_of(post_form(client, page, "with-form-hospital"))
    assert sent(address)[0].attributes["ForceAuthn"] == "true"
    old = land(client, world.answer(address, instant=bench.at(-120, now=NOON)))
    assert old.status_code == 422
    assert refusals(world) == ["not_again"]


def test_FE_44_a_stale_or_expired_connection_leads_nobody_away(world: World, client: FlaskClient, hands: Any) -> None:
    world.connect()
    hands.forward(days=400)
    away = post_form(client, open_sign_in(client), "with-form-hospital")
    assert away.status_code == 503
    assert 'id="back-to-sign-in"' in away.text


def test_a_request_that_must_be_signed_never_goes_unsigned(
    world: World, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.connect()
    monkeypatch.setattr(Keyring, "upstream", lambda *_: None)
    assert post_form(client, open_sign_in(client), "with-form-hospital").status_code == 503


def test_FE_41_FE_43_what_a_browser_brings_home_cannot_be_made_up_or_kept(
    world: World, client: FlaskClient, hands: Any
) -> None:
    world.connect()
    world.link()
    place = post(client, world.answer(world.leave(client))).headers["Location"]
    query = dict(parse_qsl(urlsplit(place).query))
    for answer in ("", "x", b64encode(b"x" * 60).decode(), query["answer"][:-4] + "AAAA"):
        made_up = client.get(f"{urlsplit(place).path}?{urlencode({'answer': answer})}")
        assert made_up.status_code == 400
    assert client.get(f"{urlsplit(place).path}?why=%3Cscript%3E").status_code == 400
    hands.forward(minutes=6)
    assert client.get(place).status_code == 400
    assert world.make.rows(BrowserSession) == []


def test_our_metadata_is_there_for_a_saml_connection_and_for_no_other(world: World, client: FlaskClient) -> None:
    world.connect(sign_requests=True)
    page = client.get("/federation/saml/hospital/metadata")
    assert page.mimetype == "application/samlmetadata+xml"
    assert page.text.count("X509Certificate>") == 4
    assert f'Location="{ISSUER}/federation/saml/hospital/acs"' in page.text
    assert client.get("/federation/saml/other/metadata").status_code == 404
    assert client.post("/federation/saml/hospital/acs", data={}).status_code == 400
