"""Staff try an OpenID connection: each failure in words with the provider's own code, and nobody is signed in (R-36, FE-15)."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.federation.upstream_oidc.rules import KNOWN_ERRORS
from idp.federation.words import CODES
from idp.foundation import house, jose
from idp.foundation.outgoing import Outgoing
from idp.sessions.models import BrowserSession
from tests.authenticators.browsing import follow, press
from tests.console.staff_world import ADMINISTRATOR, enter_as, staff
from tests.federation.conftest import World, address_of
from tests.federation.upstream import Upstream, new_key

PAGE = "/console/connections/saint-anne"


@pytest.fixture
def world(app: Any, make: Any) -> Any:
    before = house.get(Outgoing)
    make.client("ozark-secure")
    made = World(app, Upstream(app), make, make.subject("rosa.delgado"))
    made.connect()
    yield made
    house.furnish(app, before, kind=Outgoing)


@pytest.fixture
def ana(world: World, client: FlaskClient, make: Any) -> FlaskClient:
    return enter_as(client, make, staff(make, ADMINISTRATOR))


def leave(ana: FlaskClient) -> str:
    return address_of(press(ana, ana.get(PAGE), f"{PAGE}/test"))


def test_a_trial_shows_what_the_provider_said_and_signs_nobody_in(world: World, ana: FlaskClient) -> None:
    before = {row.id for row in world.make.rows(BrowserSession)}
    landed = follow(ana, world.come_back(ana, leave(ana)))
    assert landed.request.path == PAGE
    assert all(text in landed.text for text in ("It works", "up-248289", "maria@saintanne.example", "Maria Ortega"))
    assert {row.id for row in world.make.rows(BrowserSession)} == before
    for address in ("callback", "signed-out", "logout"):
        assert f"https://credence.test/federation/saint-anne/{address}</dd>" in landed.text
    assert "https://credence.test/federation/jwks</dd>" in landed.text


def test_each_failure_is_told_in_words_with_the_providers_code(world: World, ana: FlaskClient) -> None:
    def tried(**answer: Any) -> str:
        return follow(ana, world.come_back(ana, leave(ana), **answer)).text

    said = tried(code=None, error="access_denied", error_description="<b>call me</b>")
    assert all(
        text in said for text in ("Failed", "the person cancelled", '"mono">access_denied<', "not assigned to us")
    )
    assert "call me" not in said
    own = tried(code=None, error="visit_evil_example")
    assert "the person cancelled" in own
    assert "visit_evil_example" not in own
    world.upstream.wants = "https://other.example"
    refused = tried()
    assert all(text in refused for text in ("refused to give tokens", '"mono">invalid_grant<', "used before"))
    world.upstream.wants = world.upstream.issuer
    foreign, _public = new_key("up-9")
    world.upstream.write = lambda claims: jose.sign(claims, key=foreign, typ="JWT")
    unsigned = tried()
    assert "not signed by one of its published keys" in unsigned
    assert 'id="code"' not in unsigned


def test_a_trial_of_another_session_is_none(world: World, ana: FlaskClient, new_browser: Any) -> None:
    back = world.upstream.authorize(leave(ana))
    new_browser().get(back)
    assert "Nobody has tested it yet" in ana.get(PAGE).text
    ana.get(back)
    assert "It works" in ana.get(PAGE).text


def test_FE_15_every_code_that_is_kept_has_words() -> None:
    assert set(CODES) == KNOWN_ERRORS
