"""SECURITY TK: the token endpoint. `watch` asserts G1, G2, G4, G6, G8 after every case."""

from datetime import timedelta
from uuid import UUID

import pytest

from idp.consent.models import Grant
from idp.foundation.artefacts import Artefact, Kind, issue
from idp.foundation.database import writing
from idp.messaging.models import OutboxMessage
from idp.relying_parties.registration.rules import wrong_client_id
from tests.attacks.oidc_world import disable_person, end_affiliation, refused, turn_off
from tests.conftest import ISSUER
from tests.oidc.flow import VERIFIER, Flow, payload_of
from tests.oidc.invariants import adds_events, count

pytestmark = pytest.mark.usefixtures("watch")
FORM = "application/x-www-form-urlencoded"


@pytest.mark.both
@pytest.mark.parametrize("later", [0, 1, 30, 3600])
def test_TK_01_a_code_used_twice_ends_what_it_gave(flow, hands, later):
    code = flow.code()
    tokens = flow.exchange(code).json
    assert flow.introspect(tokens["access_token"])["active"]
    hands.forward(seconds=later)
    again, added = adds_events(lambda: flow.exchange(code))
    refused(again, "invalid_grant")
    assert added == [("code_replayed", "revoked")]
    assert flow.introspect(tokens["access_token"]) == {"active": False}
    assert flow.userinfo(tokens["access_token"]).status_code == 401
    refused(flow.refresh(tokens["refresh_token"]), "invalid_grant")


@pytest.mark.both
def test_TK_02_a_code_in_another_clients_hands_stays_its_owners(world, flow):
    code = flow.code()
    thief = Flow(flow.browser, world.second())
    refused(thief.exchange(code, redirect_uri=flow.party.redirect_uri), "invalid_grant")
    tokens = flow.exchange(code)
    assert tokens.status_code == 200
    refused(thief.exchange(code, redirect_uri=flow.party.redirect_uri), "invalid_grant")
    assert flow.introspect(tokens.json["access_token"])["active"]


WRONG_EXCHANGES = [
    {"redirect_uri": "https://heartland-one.test/other"}, {"redirect_uri": None}, {"redirect_uri": ""},
    {"code_verifier": "x" * 43}, {"code_verifier": "short"}, {"code_verifier": None}, {"code_verifier": "é" * 43},
    {"code_verifier": VERIFIER + "\n"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_EXCHANGES)
def test_TK_03_a_wrong_address_or_verifier_burns_the_code(flow, wrong):
    code = flow.code()
    answer, added = adds_events(lambda: flow.exchange(code, **wrong))
    refused(answer, "invalid_grant")
    assert added == [("code_redeemed", "invalid_grant")]
    refused(flow.exchange(code), "invalid_grant")


def test_TK_04_a_stolen_code_is_of_no_use_to_another_session_of_its_client(flow, open_flow):
    stolen = flow.code()
    attacker = open_flow(flow.party)
    refused(
        attacker.exchange(stolen, code_verifier="the-attackers-own-verifier-0123456789-0123456789"), "invalid_grant"
    )
    assert count(Artefact, Artefact.kind == Kind.REFRESH.value) == 0


@pytest.mark.both
@pytest.mark.parametrize("happening", ["person", "affiliation", "client"])
def test_TK_06_what_ended_between_code_and_exchange(world, flow, hands, happening):
    code = flow.code()
    if happening == "person":
        disable_person(world, hands.now)
    elif happening == "affiliation":
        end_affiliation(world, hands.now)
    else:
        turn_off("heartland-one")
        hands.forward(seconds=1)
    refused(flow.exchange(code), "invalid_client" if happening == "client" else "invalid_grant")


def test_TK_07_a_secret_of_another_kind_is_no_code(flow, hands):
    tokens = flow.tokens()
    with writing() as tx:
        made = [
            issue(tx, kind=kind, now=hands.now, lifetime=timedelta(hours=1), subject_id=None, bound_to=bound)[
                0
            ].reveal()
            for kind in (Kind.PASSWORD_RESET, Kind.EMAIL_PROOF, Kind.ASSERTION_JTI)
            for bound in (None, "heartland-one")
        ]
    values = [tokens["refresh_token"], tokens["access_token"], tokens["id_token"], *made]
    for value in (*values, *(f"ac_{each}" for each in values)):
        refused(flow.exchange(value), "invalid_grant")
    for value in made:
        refused(flow.refresh(value), "invalid_grant")
        refused(flow.refresh(f"rt_{value}"), "invalid_grant")
        assert flow.introspect(f"at_{value}") == {"active": False}


def test_TK_08_a_code_or_token_that_is_almost_right(world, flow, open_flow):
    code = flow.code()
    for wrong in (code[:-1], code + "=", code + "A", code.swapcase(), code[3:], code[:20], " " + code, code + "\n", ""):
        answer = flow.exchange(wrong)
        assert answer.status_code == 400 and answer.json["error"] in {"invalid_grant", "invalid_request"}
    assert flow.exchange(code).status_code == 200
    other = open_flow(world.opaque())
    token = other.tokens()["access_token"]
    for wrong in (token[:-1], token + "=", token + "A", token.swapcase(), token[3:]):
        assert other.userinfo(wrong).status_code == 401
        assert other.introspect(wrong) == {"active": False}
    assert other.introspect(token)["active"]


def test_TK_21_nothing_is_read_from_the_address(flow, watch):
    code = flow.code()
    watch.secrets.append("CNRY-in-the-address")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": flow.party.redirect_uri,
        "code_verifier": VERIFIER,
    }
    for query in ("client_secret=CNRY-in-the-address", f"code={code}", "grant_type=authorization_code", "x"):
        refused(flow.party.call(flow.browser, f"/oauth/token?{query}", form), "invalid_request")
    assert flow.exchange(code).status_code == 200


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
def test_TK_22_only_a_form_by_post_each_name_once(flow, path):
    headers, _ = flow.party.proof()
    twice = "grant_type=authorization_code&code=a&code=b&token=a"
    refused(flow.browser.post(path, data=twice, content_type=FORM, headers=headers), "invalid_request")
    same = "grant_type=authorization_code&grant_type=authorization_code&token=a&token=a"
    refused(flow.browser.post(path, data=same, content_type=FORM, headers=headers), "invalid_request")
    got = flow.browser.get(path, headers=headers)
    assert got.status_code == 405 and got.json["error"] == "invalid_request" and "POST" in got.headers["Allow"]
    for method in ("put", "delete", "patch"):
        assert getattr(flow.browser, method)(path, headers=headers).status_code == 405
    for content_type, body in (
        ("application/json", "{}"),
        ("text/plain", "token=a"),
        ("multipart/form-data; boundary=x", "--x--"),
    ):
        answer = flow.browser.post(path, data=body, content_type=content_type, headers=headers)
        refused(answer, "invalid_request", 415)


@pytest.mark.parametrize(
    "grant_type",
    ["password", "implicit", "urn:ietf:params:oauth:grant-type:token-exchange", "CLIENT_CREDENTIALS", "x", "",
     "urn:ietf:params:oauth:grant-type:device_code", "authorization_code refresh_token"],
)  # fmt: skip
def test_TK_23_grant_types_that_are_not_there(flow, grant_type):
    refused(flow.party.call(flow.browser, "/oauth/token", {"grant_type": grant_type}), "unsupported_grant_type")


def test_TK_23_grant_types_that_a_client_did_not_register(world, flow):
    refused(flow.party.call(flow.browser, "/oauth/token", {"grant_type": "client_credentials"}), "unauthorized_client")
    refused(flow.party.call(flow.browser, "/oauth/token", {"code": "x"}), "invalid_request")


@pytest.mark.parametrize(
    "scope",
    [
        "openid",
        "profile",
        "openid provider_id",
        "entitlements",
        "offline_access",
        "admin",
        "tin:111111111",
        "provider_id:999999999",
        "provider_id:100200300 provider_id:999999999",
        "tin trading_partner",
        '"',
    ],
)
def test_TK_24_an_app_alone_gets_no_persons_scope_and_nothing_it_is_not_approved_for(world, new_browser, scope):
    refused(
        world.partner().call(new_browser(), "/oauth/token", {"grant_type": "client_credentials", "scope": scope}),
        "invalid_scope",
    )


def test_TK_24_the_names_of_apps_and_people_never_meet(world, new_browser):
    answer = world.partner().call(new_browser(), "/oauth/token", {"grant_type": "client_credentials"})
    assert payload_of(answer.json["access_token"])["sub"] == "harborline"
    assert "id_token" not in answer.json and "refresh_token" not in answer.json
    assert wrong_client_id(world.person.id) is not None


@pytest.mark.both
def test_TK_26_a_used_refresh_token_ends_the_whole_family_and_its_owner_is_told(flow, make):
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json
    again, added = adds_events(lambda: flow.refresh(first["refresh_token"]))
    refused(again, "invalid_grant")
    assert added == [("refresh_replayed", "revoked")]
    refused(flow.refresh(second["refresh_token"]), "invalid_grant")
    for token in (first["access_token"], second["access_token"]):
        assert flow.introspect(token) == {"active": False}
    assert [row.notice for row in make.rows(OutboxMessage)] == ["refresh_reused"]


def test_TK_26_a_refresh_token_belongs_to_its_client(world, flow):
    tokens = flow.tokens()
    other = Flow(flow.browser, world.second())
    refused(other.refresh(tokens["refresh_token"]), "invalid_grant")
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.both
def test_TK_27_within_the_grace_the_same_successor_is_answered_again(world, open_flow, hands):
    flow = open_flow(world.portal("graceful", refresh_grace_seconds=10))
    first = flow.tokens()["refresh_token"]
    second = flow.refresh(first).json["refresh_token"]
    hands.forward(seconds=9)
    assert flow.refresh(first).json["refresh_token"] == second
    third = flow.refresh(second).json["refresh_token"]
    assert third != second
    refused(flow.refresh(first), "invalid_grant")
    refused(flow.refresh(third), "invalid_grant")


def test_TK_27_after_the_grace_it_is_a_replay(world, open_flow, hands):
    flow = open_flow(world.portal("graceful", refresh_grace_seconds=10))
    first = flow.tokens()["refresh_token"]
    second = flow.refresh(first).json["refresh_token"]
    hands.forward(seconds=10)
    refused(flow.refresh(first), "invalid_grant")
    refused(flow.refresh(second), "invalid_grant")


def test_TK_28_never_wider_than_granted(flow):
    token = flow.tokens(scope="openid profile provider_id")["refresh_token"]
    refused(flow.refresh(token, scope="openid profile provider_id tin"), "invalid_scope")
    refused(flow.refresh(token, scope="openid provider_id:999999999"), "invalid_scope")
    narrow = flow.refresh(token, scope="openid").json
    assert narrow["scope"] == "openid" and "provider_id" not in payload_of(narrow["access_token"])
    wide = flow.refresh(narrow["refresh_token"]).json
    assert wide["scope"] == "openid profile provider_id"
    refused(flow.refresh(wide["refresh_token"], scope="openid email"), "invalid_scope")
    refused(flow.refresh(wide["refresh_token"], scope="\\"), "invalid_scope")


def test_TK_30_the_id_token_of_a_refresh_is_about_the_same_sign_in(flow, hands):
    first = flow.tokens()
    hands.forward(minutes=4)
    old, new = (payload_of(each["id_token"]) for each in (first, flow.refresh(first["refresh_token"]).json))
    assert all(old[name] == new[name] for name in ("iss", "sub", "aud", "azp", "auth_time", "sid", "acr", "amr"))
    assert new["iat"] == old["iat"] + 240 and "nonce" not in new


def test_TK_31_answers_are_kept_by_nobody_and_errors_repeat_nothing(flow):
    answer = flow.exchange(flow.code())
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Pragma"] == "no-cache"
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    for form in (
        {"grant_type": "authorization_code", "code": "ac_CNRY"},
        {"grant_type": "CNRY"},
        {"grant_type": "refresh_token", "refresh_token": "CNRY"},
    ):
        assert "CNRY" not in flow.party.call(flow.browser, "/oauth/token", form).text


def test_TK_32_there_is_no_device_flow(client):
    assert client.post("/oauth/device", data={"client_id": "x"}).status_code == 404


def test_TK_34_a_code_speaks_of_the_person_it_was_made_for(world, flow, make):
    other = make.subject("ben.okafor")
    make.affiliation(other, world.provider, levels=(("heartland-one", "claims.inquiry"),))
    code = flow.code()
    as_ben = Flow(flow.browser, flow.party, login="ben.okafor")
    bens = as_ben.tokens(prompt="login")
    assert payload_of(bens["id_token"])["sub"] == other.id
    answer = flow.exchange(code)
    if answer.status_code == 200:
        assert payload_of(answer.json["id_token"])["sub"] == world.person.id
    assert flow.introspect(bens["access_token"])["sub"] == other.id


def test_TK_35_nothing_in_a_profile_becomes_a_protocol_claim(world, flow, make):
    from idp.oidc.claims import _ABOUT_A_PERSON

    reserved = {
        "iss",
        "aud",
        "exp",
        "iat",
        "sub",
        "acr",
        "amr",
        "auth_time",
        "azp",
        "nonce",
        "sid",
        "tin",
        "provider_id",
        "entitlements",
        "client_id",
        "scope",
        "jti",
    }
    assert not reserved & _ABOUT_A_PERSON
    asked = '{"id_token":{"iss":{"value":"evil"},"aud":{"value":"evil"},"sub":null,"tin":null,"amr":{"value":"mfa"},"nickname":null}}'
    told = payload_of(flow.tokens(claims=asked)["id_token"])
    assert told["iss"] == ISSUER and told["aud"] == "heartland-one" and told["amr"] == ["pwd"]


def test_G10_every_token_leads_to_a_live_grant(flow, make):
    tokens = flow.tokens()
    (grant,) = make.rows(Grant)
    from idp.oidc.tokens import grant_of_jti

    assert grant_of_jti(payload_of(tokens["access_token"])["jti"]) == grant.id
    assert isinstance(grant.id, UUID)
