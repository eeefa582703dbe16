"""Connections in the console: read, tried and switched; a trial signs nobody in and says what is wrong (R-36, MODEL §7)."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.federation.connections import facts as connections
from idp.federation.connections import stored
from idp.federation.connections.manifest import Connection
from idp.federation.connections.models import AppliedConnection
from idp.foundation.database import writing
from idp.sessions.models import BrowserSession
from tests.authenticators.browsing import press
from tests.conftest import NOON
from tests.console.staff_world import ADMINISTRATOR, AUDITOR, enter_as, post, staff
from tests.federation.conftest import address_of
from tests.federation.saml import bench
from tests.federation.saml.test_metadata import metadata
from tests.federation.saml.test_sign_in import World, land

pytestmark = pytest.mark.both
PAGE = "/console/connections/hospital"


@pytest.fixture
def world(app: Any, make: Any) -> World:
    made = World(app, make)
    made.connect()
    return made


@pytest.fixture
def ana(world: World, client: FlaskClient, make: Any) -> FlaskClient:
    return enter_as(client, make, staff(make, ADMINISTRATOR))


def test_what_it_may_assert_is_told_in_words_and_no_tax_id_in_full(world: World, ana: FlaskClient) -> None:
    with writing() as tx:
        applied = connections.find(tx, "hospital")
        assert applied is not None
        table = {"portal": "ozark-secure", "tins": ["98-1112223"], "claim": "groups", "kind": "payer",
                 "levels": {"billing": ["claims.inquiry"]}, "account_manager": ["lead"]}  # fmt: skip
        said = Connection.model_validate(
            applied.connection.model_dump(mode="json")
            | {
                "asserts": [table],
                "home": {"tins": ["98-4445556"]},
                "brings": [
                    {
                        "portal": "ozark-secure",
                        "tins": ["98-1112224"],
                        "claim": "staff",
                        "values": ["nurse"],
                        "kind": "directory",
                    }
                ],
            }
        )
        tx.execute(update(AppliedConnection).values(document=stored.to_row(said, name="hospital"), version=2))
    page = ana.get(PAGE).text
    assert all(text in page for text in ("**-***2223", "billing", "claims.inquiry", "the payer’s staff", "lead"))
    assert all(text in page for text in ("**-***5556", "**-***2224", "nurse", "a match with the payer’s records"))
    assert "1112223" not in page
    assert "Access that it asserted ends at once." in ana.get(f"{PAGE}/disable").text


def try_it(world: World, ana: FlaskClient, **said: str) -> str:
    away = press(ana, ana.get(PAGE), f"{PAGE}/test")
    assert away.status_code == 200, away.text[:300]
    landed = land(ana, world.answer(address_of(away), **said))
    assert landed.request.path == PAGE
    return landed.text


def test_a_connection_is_read_switched_off_and_on(world: World, ana: FlaskClient, make: Any) -> None:
    assert "Saint Anne Hospital" in ana.get("/console/connections").text
    page = ana.get(PAGE).text
    assert "https://credence.test/federation/saml/hospital/acs" in page
    assert press(ana, ana.get(f"{PAGE}/disable"), f"{PAGE}/disable").location == f"{PAGE}?done=disabled"
    assert make.row(AppliedConnection, "hospital").enabled is False
    assert press(ana, ana.get(PAGE), f"{PAGE}/enable").location == f"{PAGE}?done=enabled"
    assert make.row(AppliedConnection, "hospital").enabled is True
    told = [event for event in make.rows(AuditEvent) if event.type == Event.CONNECTION_APPLIED.value]
    assert len(told) == 2
    assert all(event.actor.startswith("staff:") for event in told)
    assert ana.get("/console/connections/nobody").status_code == 404
    assert post(ana, "/console/connections/nobody/enable").status_code == 404


def test_a_trial_shows_what_the_provider_said_and_signs_nobody_in(world: World, ana: FlaskClient, make: Any) -> None:
    before = {row.id for row in make.rows(BrowserSession)}
    page = try_it(world, ana)
    assert "It works" in page
    assert "n-4711" in page
    assert "ada@hospital.example" in page
    assert {row.id for row in make.rows(BrowserSession)} == before


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"audience": "https://other.example"}, "another audience than our entity ID"),
        ({"until": bench.at(-61, now=NOON)}, "Compare the clocks"),
        ({"issuer": "https://other.example"}, "letter by letter"),
        ({"format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"}, "changes each time"),
        ({"status": "urn:oasis:names:tc:SAML:2.0:status:Responder"}, "refused the request"),
    ],
)
def test_each_failure_of_a_trial_is_explained_in_words(
    world: World, ana: FlaskClient, said: dict[str, str], words: str
) -> None:
    page = try_it(world, ana, **said)
    assert "Failed" in page
    assert words in page.split('id="wrong">')[1].split("</p>")[0]


def test_stale_metadata_is_said_on_the_page_and_by_the_trial(world: World, ana: FlaskClient, make: Any) -> None:

    with writing() as tx:
        tx.execute(update(AppliedConnection).values(texts={"metadata.xml": metadata(until=bench.at(0, now=NOON))}))
    assert 'id="unusable"' in ana.get(PAGE).text
    assert press(ana, ana.get(PAGE), f"{PAGE}/test").location == PAGE
    assert "cannot be used any more" in ana.get(PAGE).text


def test_an_auditor_reads_and_tries_nothing(world: World, client: FlaskClient, make: Any) -> None:
    edith = enter_as(client, make, staff(make, AUDITOR))
    page = edith.get(PAGE)
    assert page.status_code in {200, 403}
    assert "connection-test" not in page.text
    assert post(edith, f"{PAGE}/test").status_code == 403
    assert post(edith, f"{PAGE}/disable").status_code == 403
