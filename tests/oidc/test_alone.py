"""Apps by themselves (client credentials), and what people allow apps (X2, X3)."""

import pytest

from idp.consent import service as consents
from idp.consent.models import Consent
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from tests.oidc.flow import answered, header_of, payload_of
from tests.oidc.invariants import adds_events, count

pytestmark = pytest.mark.usefixtures("watch")


def alone(world, browser, **form):
    return world.partner().call(browser, "/oauth/token", {"grant_type": "client_credentials", **form})


@pytest.mark.both
def test_an_app_gets_what_it_is_approved_for(world, new_browser, make):
    practice = make.practice("987654321")
    member = make.provider("100200399", practice=practice, tin="987654321")
    token = alone(world, new_browser(), scope="provider_id tin provider_id:100200300").json["access_token"]
    told = payload_of(token)
    assert (told["provider_id"], told["tin"], told["sub"]) == ("100200300", "981234567", "harborline")
    assert header_of(token)["typ"] == "at+jwt"
    by_tin = payload_of(alone(world, new_browser(), scope="tin tin:987654321").json["access_token"])
    assert by_tin["tin"] == "987654321" and "provider_id" not in by_tin
    through_practice = alone(world, new_browser(), scope=f"provider_id provider_id:{member.provider_id}")
    assert payload_of(through_practice.json["access_token"])["provider_id"] == member.provider_id
    every = payload_of(alone(world, new_browser()).json["access_token"])
    assert every["provider_ids"] == ["100200300"]


def test_a_provider_that_ended_is_nobody_to_act_for(world, new_browser, hands):
    with writing() as tx:
        tx.merge(world.provider).end_date = hands.now.date()
    assert alone(world, new_browser(), scope="provider_id:100200300").json["error"] == "invalid_scope"


@pytest.mark.both
def test_an_apps_token_is_introspected_and_dies_with_the_app(world, new_browser, hands):
    from tests.attacks.oidc_world import turn_off

    browser = new_browser()
    token = alone(world, browser).json["access_token"]
    partner = world.partner()
    told = partner.call(browser, "/oauth/introspect", {"token": token}).json
    assert told["active"] and told["client_id"] == "harborline" and "epochs" not in told
    observer = world.portal("observer", may_introspect=True)
    assert observer.call(browser, "/oauth/introspect", {"token": token}).json["active"]
    turn_off("harborline")
    assert observer.call(browser, "/oauth/introspect", {"token": token}).json == {"active": False}


def test_an_app_revokes_its_own_token(world, new_browser):
    browser, partner = new_browser(), world.partner()
    token = alone(world, browser).json["access_token"]
    _, added = adds_events(lambda: partner.call(browser, "/oauth/revoke", {"token": token}))
    assert added == [("token_revoked", "ok")]
    assert partner.call(browser, "/oauth/introspect", {"token": token}).json == {"active": False}


@pytest.mark.both
def test_an_opaque_token_of_an_app(world, new_browser):
    world.partner(access_token={"format": "opaque"})
    browser = new_browser()
    token = alone(world, browser).json["access_token"]
    assert token.startswith("at_") and "." not in token
    assert world.partner().call(browser, "/oauth/introspect", {"token": token}).json["active"]


def resource(world, browser, value):
    return alone(world, browser, resource=value)


def test_an_app_asks_only_for_registered_resources(world, new_browser):
    world.partner(resources=["https://api.test"])
    answer = resource(world, new_browser(), "https://api.test")
    assert payload_of(answer.json["access_token"])["aud"] == "https://api.test"
    assert resource(world, new_browser(), "https://other.test").json["error"] == "invalid_target"


@pytest.mark.both
@pytest.mark.parametrize("scope", ["openid profile", "openid profile provider_id"])
def test_consent_is_asked_once_and_again_for_more_or_when_asked_to(world, open_flow, scope):
    flow = open_flow(world.partner())
    page = flow.through(flow.authorize(scope=scope), consent="none-of-these")
    del page
    flow.tokens(scope=scope)
    assert "code" in answered(flow.authorize(scope=scope, prompt="none"))
    elsewhere = open_flow(world.partner())
    elsewhere.tokens(scope=scope)
    assert "code" in answered(elsewhere.authorize(scope=scope, prompt="none"))
    assert answered(flow.authorize(scope=f"{scope} email", prompt="none"))["error"] == "consent_required"
    asked = flow.follow(flow.authorize(scope=scope, prompt="consent"))
    assert 'id="consent-allow"' in asked.text


@pytest.mark.both
def test_consent_taken_back_ends_the_apps_tokens(world, open_flow, hands):
    flow = open_flow(world.partner())
    tokens = flow.tokens(scope="openid profile offline_access")
    with writing() as tx:
        consents.revoke(
            tx, subject_id=world.person.id, client_id="harborline", now=hands.now, origin=Origin.local("test")
        )
    assert flow.introspect(tokens["access_token"]) == {"active": False}
    assert flow.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert answered(flow.authorize(scope="openid profile", prompt="none"))["error"] == "consent_required"
    assert count(Consent, Consent.revoked_at.is_(None)) == 0


def test_a_partner_without_offline_access_gets_no_refresh_token(world, open_flow):
    assert "refresh_token" not in open_flow(world.partner()).tokens(scope="openid profile")


def test_a_no_is_told_to_the_app(world, open_flow):
    flow = open_flow(world.partner())
    answer, added = adds_events(lambda: flow.through(flow.authorize(), consent="deny"))
    assert answered(answer)["error"] == "access_denied"
    assert ("consent_denied", "ok") in added and ("authorization_refused", "access_denied") in added
