"""Changes of an affiliation reach whoever was told of it (MODEL §10; DESIGN §6)."""

from typing import Any

import pytest

from idp.affiliations import service
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.messaging.models import OutboxMessage
from idp.sessions.models import LogoutDelivery
from idp.vocabulary.affiliation import AffiliationStatus
from tests.oidc.conftest import World
from tests.oidc.flow import Flow

pytestmark = pytest.mark.both
HERE = Origin.local("test")


@pytest.fixture
def world(make: Any) -> World:
    return World(make)


def change(world: World, status: AffiliationStatus, now: Any) -> bool:
    with writing() as tx:
        return service.change_status(
            tx, affiliation_id=world.affiliation.id, status=status, now=now, actor="system", origin=HERE
        )


def test_leaving_active_calls_the_portals_that_act_under_it_and_writes_to_the_person(
    client: Any, world: World, make: Any, now: Any
) -> None:
    hearing = world.portal(backchannel_logout_uri="https://heartland-one.test/backchannel-logout")
    Flow(client, hearing).tokens()
    assert change(world, AffiliationStatus.DISABLED, now)
    assert [row.client_id for row in make.rows(LogoutDelivery)] == ["heartland-one"]
    assert [row.notice for row in make.rows(OutboxMessage)] == ["access_ended"]
    assert change(world, AffiliationStatus.ENDED, now), "ended from disabled: nobody acts under it any more"
    assert len(make.rows(LogoutDelivery)) == 1


def test_a_portal_that_acts_under_something_else_is_not_called(client: Any, world: World, make: Any, now: Any) -> None:
    other = make.provider("100200399")
    elsewhere = make.affiliation(world.person, other, portal="heartland-one", levels=(("heartland-one", "x"),))
    flow = Flow(client, world.portal(backchannel_logout_uri="https://heartland-one.test/backchannel-logout"))
    flow.tokens(scope="openid provider_id provider_id:100200300")
    with writing() as tx:
        service.change_status(
            tx, affiliation_id=elsewhere.id, status=AffiliationStatus.ENDED, now=now, actor="system", origin=HERE
        )
    assert make.rows(LogoutDelivery) == []


def test_default_levels_come_with_the_first_visit_to_the_portal_itself(client: Any, world: World, make: Any) -> None:
    newcomer = make.subject("newcomer.ned")
    make.affiliation(newcomer, world.provider, portal="heartland-one")
    partner = world.partner()
    told = Flow(client, partner, login="newcomer.ned").tokens(scope="openid provider_id entitlements")
    assert Flow(client, partner).userinfo(told["access_token"]).json["entitlements"] == []
    visited = Flow(client, world.portal(), login="newcomer.ned").tokens()
    assert Flow(client, partner).userinfo(visited["access_token"]).json["entitlements"] == ["claims.inquiry"]


def test_D7_parking_requests_without_a_session_is_counted_by_address(client: Any, world: World) -> None:
    flow = Flow(client, world.portal())
    answers = {flow.authorize().status_code for _ in range(301)}
    assert answers == {303, 429}
    assert client.get("/sign-in").status_code == 429
