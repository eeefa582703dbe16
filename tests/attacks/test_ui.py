"""SECURITY UI: UserInfo, introspection, revocation. `watch` asserts G1, G2, G4, G6, G8 after every case."""

from datetime import timedelta

import pytest

from idp.consent.models import Grant
from idp.foundation import clock, house, jose
from idp.foundation.database import writing
from idp.foundation.epochs import SystemState
from idp.foundation.jose import Purpose, verify
from idp.keyring.service import Keyring
from idp.vocabulary.refused import Refused
from tests.attacks.oidc_world import disable_person, end_affiliation, turn_off
from tests.conftest import ISSUER
from tests.oidc.flow import Flow, payload_of
from tests.oidc.invariants import adds_events

pytestmark = pytest.mark.usefixtures("watch")


def rejected(answer) -> None:
    assert answer.status_code == 401 and answer.json["error"] == "invalid_token"
    assert answer.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')


def signed(flow, token: str, *, typ: str = "at+jwt", **changed) -> str:
    return jose.sign(payload_of(token) | changed, key=house.get(Keyring).signing("ES256"), typ=typ)


def test_UI_01_only_a_persons_live_access_token_is_one(world, flow, hands):
    code = flow.code()
    tokens = flow.exchange(code).json
    alone = (
        world.partner().call(flow.browser, "/oauth/token", {"grant_type": "client_credentials"}).json["access_token"]
    )
    good = tokens["access_token"]
    assert flow.userinfo(good).status_code == 200
    head, body, signature = good.split(".")
    wrong = [
        tokens["id_token"], tokens["refresh_token"], code, alone, "x", "a.b.c", "ac_x", "at_x", "é", good + "A",
        f"{head}.{body}.", f"{head}.{body}", f"{head}.{body}.{'A' * len(signature)}", "eyJhbGciOiJub25lIn0." + body + ".",
        signed(flow, good, typ="JWT"), signed(flow, good, typ="logout+jwt"), signed(flow, good, iss="https://other.test"),
        signed(flow, good, aud="https://api.test"), signed(flow, good, exp=int(hands.now.timestamp()) - 1),
        signed(flow, good, jti="x"), signed(flow, good, client_id="heartland-two"),
    ]  # fmt: skip
    for token in wrong:
        rejected(flow.userinfo(token))
    hands.forward(minutes=5)
    rejected(flow.userinfo(good))


def test_UI_01_a_revoked_token(flow):
    tokens = flow.tokens()
    flow.party.call(flow.browser, "/oauth/revoke", {"token": tokens["access_token"]})
    rejected(flow.userinfo(tokens["access_token"]))


def test_UI_01_no_token_no_error_code_in_the_challenge(flow):
    token = flow.tokens()["access_token"]
    for answer in (
        flow.browser.get("/oauth/userinfo"),
        flow.browser.get(f"/oauth/userinfo?access_token={token}"),
        flow.browser.post(f"/oauth/userinfo?access_token={token}"),
        flow.browser.get("/oauth/userinfo", headers={"Authorization": f"Basic {token}"}),
        flow.browser.get("/oauth/userinfo", headers={"Authorization": "Bearer "}),
        flow.browser.post("/oauth/userinfo", json={"access_token": token}),
    ):
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"


def test_UI_01_one_token_sent_one_way(flow):
    token = flow.tokens()["access_token"]
    header = {"Authorization": f"bearer {token}"}
    assert flow.browser.get("/oauth/userinfo", headers=header).status_code == 200
    assert flow.browser.post("/oauth/userinfo", data={"access_token": token}).status_code == 200
    assert flow.browser.post("/oauth/userinfo", headers=header).status_code == 200
    assert flow.browser.post("/oauth/userinfo", headers=header, data={"access_token": token}).status_code == 400
    twice = f"access_token={token}&access_token={token}"
    form = "application/x-www-form-urlencoded"
    assert flow.browser.post("/oauth/userinfo", data=twice, content_type=form).status_code == 400


def test_UI_02_a_token_without_openid_lacks_a_scope(flow):
    narrow = flow.refresh(flow.tokens()["refresh_token"], scope="provider_id").json
    assert "id_token" not in narrow
    answer = flow.userinfo(narrow["access_token"])
    assert answer.status_code == 403 and answer.json["error"] == "insufficient_scope"
    assert 'scope="openid"' in answer.headers["WWW-Authenticate"]


def bump(now):
    with writing() as tx:
        tx.get(SystemState, 1).epoch += 1


@pytest.mark.both
@pytest.mark.parametrize("kind", ["portal", "opaque"])
@pytest.mark.parametrize("happening", ["person", "affiliation", "client", "epoch", "provider"])
def test_UI_04_what_ended_is_dead_at_the_next_request(world, open_flow, hands, happening, kind):
    flow = open_flow(getattr(world, kind)())
    observer = open_flow(world.portal("observer", may_introspect=True))
    tokens = flow.tokens()
    if happening == "person":
        disable_person(world, hands.now)
    elif happening == "affiliation":
        end_affiliation(world, hands.now)
    elif happening == "client":
        turn_off(flow.party.client_id)
    elif happening == "epoch":
        bump(hands.now)
    else:
        with writing() as tx:
            tx.merge(world.provider).end_date = hands.now.date()
    rejected(flow.userinfo(tokens["access_token"]))
    assert observer.introspect(tokens["access_token"]) == {"active": False}
    hands.forward(seconds=1)
    answer = flow.refresh(tokens["refresh_token"])
    assert answer.json["error"] == ("invalid_client" if happening == "client" else "invalid_grant")


@pytest.mark.both
def test_UI_04_a_refresh_token_bound_to_a_session_ends_with_its_idleness(flow, hands):
    tokens = flow.tokens()
    hands.forward(minutes=29)
    kept = flow.refresh(tokens["refresh_token"])
    assert kept.status_code == 200
    hands.forward(minutes=29)
    kept = flow.refresh(kept.json["refresh_token"])
    assert kept.status_code == 200
    hands.forward(minutes=30)
    assert flow.refresh(kept.json["refresh_token"]).json["error"] == "invalid_grant"


def test_UI_05_pairwise_names_are_one_per_sector_and_the_same_everywhere(world, open_flow):
    one, two = open_flow(world.pairwise()), open_flow(world.pairwise("stranger-two"))
    first, second = one.tokens(), two.tokens()
    subs = {payload_of(first["id_token"])["sub"], payload_of(first["access_token"])["sub"],
            one.userinfo(first["access_token"]).json["sub"], one.introspect(first["access_token"])["sub"]}  # fmt: skip
    assert len(subs) == 1 and world.person.id not in subs
    assert payload_of(second["id_token"])["sub"] not in subs | {world.person.id}
    public = {payload_of(open_flow(party).tokens()["id_token"])["sub"] for party in (world.portal(), world.second())}
    assert public == {world.person.id}


@pytest.mark.parametrize(
    "path",
    [
        "/oauth/userinfo",
        "/oauth/token",
        "/oauth/introspect",
        "/oauth/revoke",
        "/.well-known/openid-configuration",
        "/account/",
    ],
)
def test_UI_06_no_strangers_origin_reads_an_answer(world, flow, path):
    world.public()
    for origin in (
        "https://evil.test",
        "null",
        "https://heartland-one.test",
        "https://pocket.test.evil",
        "https://pocket.testx",
        "http://pocket.test",
    ):
        for answer in (
            flow.browser.get(path, headers={"Origin": origin}),
            flow.browser.post(path, headers={"Origin": origin}),
            flow.browser.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}),
        ):
            assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


def test_UI_06_a_browser_apps_own_origin_reads_and_never_with_credentials(world, flow):
    world.public()
    origin = {"Origin": "https://pocket.test"}
    for path in (
        "/oauth/token",
        "/oauth/userinfo",
        "/oauth/revoke",
        "/.well-known/openid-configuration",
        "/oauth/jwks",
    ):
        asked = flow.browser.options(path, headers=origin | {"Access-Control-Request-Method": "POST"})
        assert asked.status_code == 204 and asked.headers["Access-Control-Allow-Origin"] == "https://pocket.test"
        assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
        assert "POST" in asked.headers["Access-Control-Allow-Methods"]
        answer = flow.browser.get(path, headers=origin)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://pocket.test"
        assert "Access-Control-Allow-Credentials" not in answer.headers and "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Origin" not in flow.browser.get("/oauth/introspect", headers=origin).headers


@pytest.mark.both
def test_UI_08_scanning_for_tokens_is_stopped_and_live_tokens_are_still_told(flow):
    token = flow.tokens()["access_token"]
    statuses = [
        flow.party.call(flow.browser, "/oauth/introspect", {"token": f"at_{number}"}).status_code
        for number in range(105)
    ]
    assert statuses[:100] == [200] * 100 and set(statuses[100:]) == {429}
    assert flow.introspect(token)["active"]


@pytest.mark.both
@pytest.mark.parametrize("kind", ["portal", "opaque"])
def test_UI_09_revoked_is_inactive_at_once(world, open_flow, kind):
    flow = open_flow(getattr(world, kind)())
    tokens = flow.tokens()
    assert flow.introspect(tokens["access_token"])["active"]
    answer, added = adds_events(
        lambda: flow.party.call(flow.browser, "/oauth/revoke", {"token": tokens["access_token"]})
    )
    assert answer.status_code == 200 and added == [("token_revoked", "ok")]
    assert flow.introspect(tokens["access_token"]) == {"active": False}
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.both
def test_UI_10_nobody_revokes_what_is_not_theirs(world, flow):
    tokens = flow.tokens()
    other = Flow(flow.browser, world.second())
    unknown = other.party.call(flow.browser, "/oauth/revoke", {"token": "rt_unknown"})
    for token in (tokens["access_token"], tokens["refresh_token"]):
        answer, added = adds_events(
            lambda token=token: other.party.call(flow.browser, "/oauth/revoke", {"token": token})
        )
        assert (answer.status_code, answer.data) == (unknown.status_code, unknown.data) and added == []
    assert flow.introspect(tokens["access_token"])["active"]
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


def test_UI_10_nobody_reads_what_is_not_theirs(world, flow):
    token = flow.tokens()["access_token"]
    assert Flow(flow.browser, world.second()).introspect(token) == {"active": False}
    refused = world.public().call(flow.browser, "/oauth/introspect", {"token": token})
    assert refused.status_code == 401 and refused.json["error"] == "invalid_client"
    assert flow.browser.post("/oauth/introspect", data={"token": token}).status_code == 401
    assert flow.party.call(flow.browser, "/oauth/introspect", {}).json["error"] == "invalid_request"


def test_UI_10_asking_for_a_resource_does_not_make_a_client_that_resource(world, open_flow):
    one = open_flow(world.portal("asks-one", resources=["https://api.test"]))
    two = open_flow(
        world.portal("asks-two", resources=["https://api.test"], access_token={"audience": "https://api.test"})
    )
    api = open_flow(world.portal("the-api", may_introspect=True))
    token = one.tokens(resource="https://api.test")["access_token"]
    assert payload_of(token)["aud"] == ["https://api.test", ISSUER]
    assert two.introspect(token) == {"active": False}
    assert api.introspect(token)["active"]


@pytest.mark.both
@pytest.mark.parametrize("kind", ["portal", "opaque"])
def test_UI_12_revoking_a_refresh_token_takes_its_access_tokens_along(world, open_flow, make, kind):
    flow = open_flow(getattr(world, kind)())
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json
    flow.party.call(
        flow.browser, "/oauth/revoke", {"token": second["refresh_token"], "token_type_hint": "access_token"}
    )
    for token in (first["access_token"], second["access_token"], second["refresh_token"]):
        assert flow.introspect(token) == {"active": False}
    assert flow.refresh(second["refresh_token"]).json["error"] == "invalid_grant"
    assert [grant.revoked_reason for grant in make.rows(Grant)] == ["revoked_by_client"]


def test_UI_13_a_public_client_revokes_its_own_by_its_name_only(world, flow, open_flow):
    pocket = open_flow(world.public())
    tokens = pocket.tokens(scope="openid offline_access")
    others = flow.tokens()
    revoke = lambda **form: pocket.browser.post("/oauth/revoke", data=form)  # noqa: E731
    assert revoke(token=tokens["refresh_token"]).status_code == 401
    assert revoke(token=tokens["refresh_token"], client_id="heartland-one").status_code == 401
    assert revoke(token=others["refresh_token"], client_id="pocket").status_code == 200
    assert flow.introspect(others["access_token"])["active"]
    assert pocket.refresh(tokens["refresh_token"]).status_code == 200
    again = pocket.tokens(scope="openid offline_access")
    assert revoke(token=again["refresh_token"], client_id="pocket").status_code == 200
    assert pocket.userinfo(again["access_token"]).status_code == 401


def test_UI_14_a_token_says_what_it_is_and_for_whom(world, open_flow):
    flow = open_flow(world.portal("asks-one", resources=["https://api.test"]))
    tokens = flow.tokens(resource="https://api.test")
    keys = house.get(Keyring).verification_keys()

    def judge(token, audience):
        return verify(token, purpose=Purpose.ACCESS_TOKEN, keys=keys, issuer=ISSUER, audience=audience, now=clock.now())

    assert not isinstance(judge(tokens["access_token"], "https://api.test"), Refused)
    assert isinstance(judge(tokens["access_token"], "https://other.test"), Refused)
    assert isinstance(judge(tokens["id_token"], "asks-one"), Refused)
    assert flow.authorize(resource="https://other.test").location.split("error=")[1].startswith("invalid_target")
    elsewhere = flow.exchange(flow.code(), resource="https://other.test")
    assert elsewhere.json["error"] == "invalid_target"


def test_tokens_live_their_minutes(flow, hands):
    token = flow.tokens()["access_token"]
    hands.forward(minutes=4, seconds=59)
    assert flow.introspect(token)["active"]
    hands.forward(seconds=1)
    assert flow.introspect(token) == {"active": False}
    assert timedelta(minutes=5) == timedelta(seconds=payload_of(token)["exp"] - payload_of(token)["iat"])
