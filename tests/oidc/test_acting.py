"""For whom a token speaks: practice as a whole, trading partner, SSN, narrowing, switching (MODEL §1, DESIGN §6)."""

import re
from datetime import timedelta

import pytest

from idp.affiliations.references import tin_ref
from idp.consent.models import Grant
from idp.directory.models import Practice
from idp.foundation import house
from idp.foundation.database import writing
from idp.keyring.service import Keyring
from idp.vocabulary.identifiers import TinType
from tests.authenticators.browsing import post_form
from tests.oidc.flow import Flow, answered, payload_of

pytestmark = pytest.mark.usefixtures("watch")
SCOPE = "openid provider_id tin entitlements"


def levels(*portals: str) -> tuple[tuple[str, str], ...]:
    return tuple((portal, "claims.inquiry") for portal in portals)


@pytest.fixture
def ben(make):
    """Somebody with no affiliation yet."""
    return make.subject("ben.okafor")


def billed(make):
    """A practice with a provider on the roster of the trading partner's registry."""
    provider = make.provider(registry_name="ozark")
    return make.row(Practice, provider.practice_id)


def reference(practice, host: str) -> str:
    return tin_ref(practice.id, sector=host, key=house.get(Keyring).index)


@pytest.mark.both
def test_a_practice_as_a_whole_lists_its_providers(world, make, ben, open_flow):
    practice = make.practice("983000001")
    group = make.group("300000001", practice=practice, tin="983000001")
    for number in ("300000003", "300000002"):
        make.provider(number, practice=practice, tin="983000001")
    make.affiliation(ben, practice, registry="heartland", levels=levels("heartland-one"))
    flow = open_flow(world.portal(), login="ben.okafor")
    tokens = flow.tokens(scope=SCOPE)
    told = payload_of(tokens["access_token"])
    assert (told["tin"], told["tin_type"], told["provider_id"]) == ("983000001", "EIN", group.provider_id)
    assert "providers" not in told
    info = flow.userinfo(tokens["access_token"]).json
    assert [each["provider_id"] for each in info["providers"]] == ["300000001", "300000002", "300000003"]
    assert all(set(each) == {"provider_id", "npi", "name"} for each in info["providers"])
    assert "providers_more" not in info


def test_a_practice_without_a_group_record_has_no_provider_id(world, make, ben, open_flow):
    practice = make.practice("983000002")
    make.provider("300000004", practice=practice, tin="983000002")
    make.affiliation(ben, practice, registry="heartland", levels=levels("heartland-one"))
    flow = open_flow(world.portal(), login="ben.okafor")
    told = payload_of(flow.tokens(scope=SCOPE)["access_token"])
    assert told["tin"] == "983000002" and "provider_id" not in told


def test_two_hundred_providers_are_told_and_that_there_are_more(world, make, ben, open_flow):
    practice = make.practice("983000003")
    for number in range(201):
        make.provider(f"31{number:07}", practice=practice, tin="983000003")
    make.affiliation(ben, practice, registry="heartland", levels=levels("heartland-one"))
    flow = open_flow(world.portal(), login="ben.okafor")
    info = flow.userinfo(flow.tokens(scope=SCOPE)["access_token"]).json
    assert len(info["providers"]) == 200 and info["providers_more"] is True


@pytest.mark.both
def test_a_trading_partner_represents_the_practices_engaged_now(world, make, ben, open_flow, hands):
    partner, practices = make.trading_partner("TP000777"), [billed(make) for _ in range(3)]
    make.engagement(partner, practices[0])
    make.engagement(partner, practices[1])
    make.engagement(partner, practices[2], ends_on=hands.now.date() - timedelta(days=1))
    make.affiliation(ben, partner, levels=levels("ozark-exchange"))
    flow = open_flow(world.exchange(), login="ben.okafor")
    tokens = flow.tokens()
    told, info = payload_of(tokens["access_token"]), flow.userinfo(tokens["access_token"]).json
    expected = sorted(reference(each, "ozark-exchange.test") for each in practices[:2])
    assert told["trading_partner_id"] == info["trading_partner_id"] == "TP000777"
    assert told["represents"] == info["represents"] == expected
    assert "trading_partner_id" not in payload_of(tokens["id_token"])


def test_a_token_carries_fifty_of_them_and_userinfo_all(world, make, ben, open_flow):
    partner = make.trading_partner("TP000778")
    for _ in range(53):
        make.engagement(partner, billed(make))
    make.affiliation(ben, partner, levels=levels("ozark-exchange"))
    flow = open_flow(world.exchange(), login="ben.okafor")
    tokens = flow.tokens()
    assert len(payload_of(tokens["access_token"])["represents"]) == 50
    assert len(flow.userinfo(tokens["access_token"]).json["represents"]) == 53


@pytest.mark.parametrize("registered", [False, True])
def test_a_tin_of_type_ssn_is_told_only_to_those_registered_and_never_in_an_id_token(
    world, make, ben, open_flow, registered, watch
):
    practice = make.practice("123456789", tin_type=TinType.SSN)
    provider = make.provider("300000009", practice=practice, tin="123456789", tin_type="SSN")
    make.affiliation(ben, provider, levels=levels("heartland-one"))
    flow = open_flow(
        world.portal("sees-ssn" if registered else "heartland-one", ssn_tins=registered), login="ben.okafor"
    )
    tokens = flow.tokens(scope=SCOPE)
    told, info, id_token = (
        payload_of(tokens["access_token"]), flow.userinfo(tokens["access_token"]).json, payload_of(tokens["id_token"]),
    )  # fmt: skip
    assert "tin" not in id_token
    if registered:
        assert told["tin"] == info["tin"] == "123456789" and told["tin_type"] == "SSN"
    else:
        watch.secrets.append("123456789")
        assert "tin" not in told and "tin" not in info
        assert told["tin_ref"] == info["tin_ref"] == reference(practice, "heartland-one.test")


@pytest.fixture
def several(world, make, ben):
    """Ben may act for two providers of two practices; one TIN is an SSN."""
    one = make.provider("300000011", tin="984000001", legal_name="OAKES, NINA")
    practice = make.practice("223456789", tin_type=TinType.SSN)
    two = make.provider("300000012", practice=practice, tin="223456789", tin_type="SSN")
    for target in (one, two):
        make.affiliation(ben, target, levels=levels("heartland-one", "heartland-two"))
    return one, two, practice


@pytest.mark.both
@pytest.mark.parametrize("way", ["scope", "claims"])
def test_narrowing_to_a_provider_needs_no_choice(world, several, open_flow, way):
    flow = open_flow(world.portal(), login="ben.okafor")
    asked = {"scope": f"{SCOPE} provider_id:300000012"} if way == "scope" else {
        "scope": SCOPE, "claims": '{"userinfo":{"provider_id":{"value":"300000012"}}}'}  # fmt: skip
    tokens = flow.tokens(**asked)
    assert payload_of(tokens["access_token"])["provider_id"] == "300000012"
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.both
def test_narrowing_to_a_tin_by_digits_or_by_reference(world, several, open_flow):
    flow = open_flow(world.portal(), login="ben.okafor")
    told = payload_of(flow.tokens(scope=f"{SCOPE} tin:984000001")["access_token"])
    assert told["provider_id"] == "300000011"
    by_reference = reference(several[2], "heartland-one.test")
    told = payload_of(flow.tokens(scope=f"{SCOPE} tin:{by_reference}")["access_token"])
    assert told["provider_id"] == "300000012" and told["tin_ref"] == by_reference
    several_values = f'{{"id_token":{{"tin":{{"values":["111111111","{by_reference}"]}}}}}}'
    assert payload_of(flow.tokens(scope=SCOPE, claims=several_values)["access_token"])["provider_id"] == "300000012"


@pytest.mark.parametrize(
    "narrowing",
    ["provider_id:100200300", "provider_id:999999999", "tin:223456789", "tin:981234567", "tin:999999999", "tin:x",
     "provider_id:300000011 tin:111111111"],
)  # fmt: skip
def test_what_is_not_held_is_denied_and_nothing_revealed(world, several, open_flow, narrowing):
    """An SSN by its digits, somebody else's provider, nobody's: one answer."""
    flow = open_flow(world.portal(), login="ben.okafor")
    told = answered(flow.through(flow.authorize(scope=f"{SCOPE} {narrowing}")))
    assert told == {"error": "access_denied", "state": "state-of-the-tests", "iss": told["iss"]}


def test_a_refresh_can_narrow_to_what_the_grant_acts_for_and_no_further(world, several, open_flow):
    flow = open_flow(world.portal(), login="ben.okafor")
    token = flow.tokens(scope=f"{SCOPE} provider_id:300000011")["refresh_token"]
    kept = flow.refresh(token, scope="openid provider_id provider_id:300000011").json
    assert payload_of(kept["access_token"])["provider_id"] == "300000011"
    refused = flow.refresh(kept["refresh_token"], scope="openid provider_id provider_id:300000012")
    assert refused.json["error"] == "invalid_scope"


def choices(page) -> dict[str, str]:
    """Provider ID → key of the choice, as the page offers them."""
    found = re.findall(r'value="([0-9a-f]{32}\.[0-9a-f-]+)"', page.text)
    assert found, page.text[:2000]
    return dict(enumerate(dict.fromkeys(found)))


@pytest.mark.both
def test_several_are_asked_once_and_switching_supersedes_this_sessions_grant_here(world, several, open_flow, make):
    flow = open_flow(world.portal(), login="ben.okafor")
    page = flow.follow(flow.authorize(scope=SCOPE))
    page = flow.follow(
        post_form(flow.browser, page, "login-form", username="ben.okafor", password="kettle-orbit-walnut-42")
    )
    offered = choices(page)
    assert len(offered) == 2
    first = flow.exchange(answered(flow.through(page, choose=offered[0]))["code"]).json
    again = flow.tokens(scope=SCOPE)
    acted = payload_of(first["access_token"])["provider_id"]
    assert payload_of(again["access_token"])["provider_id"] == acted
    names = {provider.provider_id: provider.legal_name for provider in several[:2]}
    here = flow.browser.get("/account/access").text
    assert f"Acting for {names[acted]}" in here and 'href="https://heartland-one.test/switch-provider"' in here
    second_portal = Flow(flow.browser, world.second(), login="ben.okafor")
    elsewhere = second_portal.tokens(scope=f"{SCOPE} provider_id:{acted}")

    page = flow.follow(flow.authorize(scope=SCOPE, prompt="select_account"))
    switched = flow.exchange(
        answered(flow.through(page, choose=next(each for each in choices(page).values() if each != offered[0])))["code"]
    ).json
    assert payload_of(switched["access_token"])["provider_id"] != acted
    assert payload_of(switched["id_token"])["sid"] == payload_of(first["id_token"])["sid"]
    assert payload_of(switched["id_token"])["auth_time"] == payload_of(first["id_token"])["auth_time"]
    assert flow.refresh(first["refresh_token"]).json["error"] == "invalid_grant"
    assert flow.refresh(again["refresh_token"]).json["error"] == "invalid_grant"
    assert flow.refresh(switched["refresh_token"]).status_code == 200
    assert second_portal.refresh(elsewhere["refresh_token"]).status_code == 200
    assert answered(flow.authorize(scope=SCOPE, prompt="none"))["code"]
    live = [grant for grant in make.rows(Grant) if grant.revoked_at is None and grant.client_id == "heartland-one"]
    assert len(live) == 1
    here = flow.browser.get("/account/access").text
    chosen = payload_of(switched["access_token"])["provider_id"]
    assert f"Acting for {names[chosen]}" in here and here.count(f"Acting for {names[acted]}") == 1, "only elsewhere"


def test_whoever_may_act_for_one_alone_is_offered_no_switch(world, open_flow):
    flow = open_flow(world.portal())
    flow.tokens(scope=SCOPE)
    here = flow.browser.get("/account/access").text
    assert "Acting for" not in here and "Switch Provider" not in here


def test_a_plain_visit_leaves_an_offline_grant_of_the_same_target_alone(world, open_flow):
    flow = open_flow(world.portal())
    offline = flow.tokens(scope=f"{SCOPE} offline_access")
    plain = flow.tokens(scope=SCOPE)
    assert flow.refresh(offline["refresh_token"]).status_code == 200
    assert flow.refresh(plain["refresh_token"]).status_code == 200


@pytest.mark.both
def test_an_offline_grant_outlives_the_session_but_not_its_days(world, open_flow, hands):
    flow = open_flow(world.portal())
    offline = flow.tokens(scope=f"{SCOPE} offline_access")
    bound = flow.tokens(scope=SCOPE)
    flow.browser.get(f"/oauth/logout?id_token_hint={bound['id_token']}")
    assert flow.refresh(bound["refresh_token"]).json["error"] == "invalid_grant"
    token = flow.refresh(offline["refresh_token"]).json["refresh_token"]
    for _ in range(6):
        hands.forward(days=13)
        answer = flow.refresh(token)
        assert answer.status_code == 200, answer.text
        token = answer.json["refresh_token"]
    hands.forward(days=13)
    assert flow.refresh(token).json["error"] == "invalid_grant"


def test_an_offline_grant_that_rests_for_a_fortnight_is_over(world, open_flow, hands):
    flow = open_flow(world.portal())
    token = flow.tokens(scope=f"{SCOPE} offline_access")["refresh_token"]
    hands.forward(days=14)
    assert flow.refresh(token).json["error"] == "invalid_grant"


def test_a_first_visit_gives_the_default_levels(world, make, ben, open_flow):
    make.affiliation(ben, make.provider("300000021"))
    flow = open_flow(world.portal(), login="ben.okafor")
    told = payload_of(flow.tokens(scope=SCOPE)["access_token"])
    assert told["entitlements"] == ["claims.inquiry"] and told["affiliation_role"] == "member"


def test_entitlements_are_of_the_asking_portal_only(world, open_flow):
    world.portal()
    two = Flow(open_flow(world.portal()).browser, world.second())
    told = payload_of(two.tokens(scope=SCOPE)["access_token"])
    assert told["entitlements"] == ["claims.inquiry"]


@pytest.mark.both
def test_levels_and_names_are_read_when_a_token_is_minted(world, open_flow):
    flow = open_flow(world.portal())
    tokens = flow.tokens(scope=SCOPE)
    with writing() as tx:
        tx.merge(world.provider).npi = "1999999992"
    assert payload_of(flow.refresh(tokens["refresh_token"]).json["access_token"])["npi"] == "1999999992"
    assert flow.userinfo(tokens["access_token"]).json["npi"] == "1999999992"
