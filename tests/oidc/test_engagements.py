"""A trading partner's staff act for a practice only through an engagement (MODEL §2)."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from idp.affiliations.engagements.models import EngagementStaff
from idp.affiliations.models import Affiliation
from idp.directory.models import Engagement
from idp.foundation.database import writing
from tests.conftest import Hands
from tests.oidc.conftest import World
from tests.oidc.flow import Flow, answered, payload_of

pytestmark = pytest.mark.both
TIN = "812345678"
SCOPE = "openid trading_partner tin entitlements"


@pytest.fixture
def staff(client: Any, world: World, make: Any) -> Flow:
    """Rosa on the staff of a trading partner that works for the practice of `TIN`, which caps what it may do."""
    exchange = world.exchange()
    partner = make.trading_partner("OHTP204518")
    provider = make.provider("200300400", tin=TIN, registry_name="ozark")
    world.on_staff = make.affiliation(
        world.person,
        partner,
        portal="ozark-exchange",
        levels=(("ozark-exchange", "claims.inquiry"), ("ozark-exchange", "claims.submit")),
    )
    world.partner_of_ozark = partner
    world.engagement = make.engagement(
        partner, make.row(type(make.practice()), provider.practice_id), levels_cap=["claims.inquiry"]
    )
    return Flow(client, exchange)


def test_as_the_partner_itself_no_practice_is_named(staff: Flow) -> None:
    told = payload_of(staff.tokens()["access_token"])
    assert (told["trading_partner_id"], told["trading_partner_name"]) == ("OHTP204518", "Lantern Billing")
    assert "tin" not in told
    assert len(told["represents"]) == 1
    assert told["entitlements"] == ["claims.inquiry", "claims.submit"]


def test_for_an_engaged_practice_the_token_names_both_within_the_practices_cap(staff: Flow) -> None:
    told = payload_of(staff.tokens(scope=f"{SCOPE} tin:{TIN}")["access_token"])
    assert (told["trading_partner_id"], told["tin"]) == ("OHTP204518", TIN)
    assert told["entitlements"] == ["claims.inquiry"]
    reference = told["represents"][0]
    by_reference = payload_of(staff.tokens(scope=f"{SCOPE} tin:{reference}")["access_token"])
    assert by_reference["tin"] == TIN


def test_a_practice_that_did_not_engage_the_partner_is_denied_like_an_unknown_one(staff: Flow, make: Any) -> None:
    make.provider("200300401", tin="823456789", registry_name="ozark")
    staff.tokens()
    for tin in ("823456789", "834567890"):
        assert answered(staff.through(staff.authorize(scope=f"{SCOPE} tin:{tin}")))["error"] == "access_denied"


def test_when_the_engagement_ends_nothing_lives_under_it(staff: Flow, world: World, hands: Hands) -> None:
    tokens = staff.tokens(scope=f"{SCOPE} tin:{TIN}")
    assert staff.introspect(tokens["access_token"])["active"]
    with writing() as tx:
        tx.get(Engagement, world.engagement.id).ends_on = date(2026, 3, 2)
    assert not staff.introspect(tokens["access_token"])["active"]
    assert staff.userinfo(tokens["access_token"]).status_code == 401


def test_what_a_partner_assigns_to_one_of_its_staff_is_no_longer_anothers(
    staff: Flow, world: World, make: Any, new_browser: Callable[[], Any], now: datetime
) -> None:
    colleague = make.subject("paul.ferrand")
    theirs = make.affiliation(
        colleague, world.partner_of_ozark, portal="ozark-exchange", levels=(("ozark-exchange", "claims.inquiry"),)
    )
    scope = f"{SCOPE} tin:{TIN}"
    ours, others = staff.tokens(scope=scope), Flow(new_browser(), staff.party, login="paul.ferrand").tokens(scope=scope)
    _assign(world, theirs, now)
    assert staff.introspect(others["access_token"])["active"]
    assert not staff.introspect(ours["access_token"])["active"], "assigned to a colleague, who holds a grant for it too"
    _assign(world, world.on_staff, now)
    assert staff.introspect(ours["access_token"])["active"]


def _assign(world: World, affiliation: Affiliation, now: datetime) -> None:
    engagement = world.engagement
    shared = {"trading_partner_id": engagement.trading_partner_id, "practice_id": engagement.practice_id}
    with writing() as tx:
        tx.add(EngagementStaff(**shared, affiliation_id=affiliation.id, at=now, by="manager"))
