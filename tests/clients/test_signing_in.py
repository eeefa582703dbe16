"""The code flow at a portal: what it asks, and which answers it believes."""

from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest
from flask.testing import FlaskClient

from tests.clients.conftest import BASE, Clock
from tests.clients.journey import come_back, go_to_sign_in, query_of, sign_in
from tests.clients.lying_provider import LyingProvider, later


def test_X1_signing_in_asks_by_code_pkce_nonce_and_state(portal: FlaskClient, lying: LyingProvider) -> None:
    asked = go_to_sign_in(portal, lying)
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{BASE}/callback"
    assert "provider_id" in asked["scope"].split()
    assert len(asked["nonce"]) >= 43
    assert len(asked["state"]) >= 43
    come_back(portal, lying, asked)
    sent = lying.token_requests[-1]
    challenge = urlsafe_b64encode(sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert challenge == asked["code_challenge"]
    assert lying.token_headers[-1]["Authorization"].startswith("Basic ")
    assert "client_secret" not in sent


def test_X2_me_json_shows_for_whom_the_person_acts(portal: FlaskClient, lying: LyingProvider) -> None:
    assert sign_in(portal, lying).headers["Location"] == f"{BASE}/me"
    me = portal.get("/me.json").get_json()
    assert me["id_token"]["provider_id"] == me["userinfo"]["provider_id"] == "204817"
    assert me["access_token"]["header"]["typ"] == "at+jwt"
    assert me["access_token"]["payload"]["provider_id"] == "204817"
    page = portal.get("/me").text
    assert "Acting for Harbor Point Family Medicine" in page
    assert "**-***0017" in page


def test_me_json_answers_401_when_nobody_is_signed_in(portal: FlaskClient) -> None:
    assert portal.get("/me.json").status_code == 401
    assert portal.get("/me").headers["Location"].startswith("/sign-in?")


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "somebody-elses"},
        {"state": None},
        {"iss": "http://localhost:1"},
        {"iss": None},
        {"code": None},
        {"code": ""},
    ],
)
def test_AZ_an_answer_that_was_not_asked_for_signs_nobody_in(
    portal: FlaskClient, lying: LyingProvider, changed: dict[str, str | None]
) -> None:
    asked = go_to_sign_in(portal, lying)
    assert come_back(portal, lying, asked, **changed).status_code == 400
    assert portal.get("/me.json").status_code == 401
    assert not lying.token_requests


def test_an_answer_works_once(portal: FlaskClient, lying: LyingProvider) -> None:
    asked = go_to_sign_in(portal, lying)
    assert come_back(portal, lying, asked).status_code == 303
    assert come_back(portal, lying, asked).status_code == 400


def test_a_doubled_parameter_is_refused(portal: FlaskClient, lying: LyingProvider) -> None:
    asked = go_to_sign_in(portal, lying)
    doubled = f"/callback?code=a&code=b&state={asked['state']}&iss={lying.issuer}"
    assert portal.get(doubled).status_code == 400
    assert not lying.token_requests


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "other"},
        {"iss": "http://localhost:1"},
        {"aud": "other"},
        {"at_hash": "AAAA"},
        {"sub": None},
        {"exp": 1},
    ],
)
def test_an_id_token_that_lies_signs_nobody_in(
    portal: FlaskClient, lying: LyingProvider, lies: dict[str, object]
) -> None:
    lying.id_token_lies = lies
    assert sign_in(portal, lying).status_code == 400
    assert portal.get("/me.json").status_code == 401


def test_userinfo_of_somebody_else_signs_nobody_in(portal: FlaskClient, lying: LyingProvider) -> None:
    lying.userinfo_lies = {"sub": "subject-2"}
    assert sign_in(portal, lying).status_code == 400
    assert portal.get("/me.json").status_code == 401


def test_a_discovery_document_of_another_issuer_is_not_used(portal: FlaskClient, lying: LyingProvider) -> None:
    lying.metadata_lies = {"issuer": "http://localhost:1"}
    assert portal.get("/sign-in").status_code == 503


def test_SE_the_visit_gets_a_new_key_at_sign_in(portal: FlaskClient, lying: LyingProvider) -> None:
    asked = go_to_sign_in(portal, lying)
    before = portal.get_cookie("test-portal_session", "localhost")
    come_back(portal, lying, asked)
    after = portal.get_cookie("test-portal_session", "localhost")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert after.http_only
    assert after.same_site == "Lax"
    portal.set_cookie("test-portal_session", before.value, domain="localhost")
    assert portal.get("/me.json").status_code == 401


def test_D10_switching_provider_asks_to_choose_again(portal: FlaskClient, lying: LyingProvider) -> None:
    sign_in(portal, lying)
    lying.userinfo_lies = {"provider_id": "331902", "provider_name": "Marisol Quintero, MD"}
    asked = go_to_sign_in(portal, lying, path="/switch-provider")
    assert asked["prompt"] == "select_account"
    come_back(portal, lying, asked)
    assert "Acting for Marisol Quintero, MD" in portal.get("/me").text


def test_X4_the_top_bar_names_the_trading_partner(portal: FlaskClient, lying: LyingProvider) -> None:
    lying.userinfo_lies = {
        "provider_id": None, "provider_name": None, "npi": None, "tin": None,
        "trading_partner_id": "OHTP204518", "trading_partner_name": "Lantern Billing",
    }  # fmt: skip
    sign_in(portal, lying)
    assert "Acting for Lantern Billing" in portal.get("/me").text


def test_third_party_login_is_taken_from_anywhere_but_ends_here(portal: FlaskClient, lying: LyingProvider) -> None:
    start = {"iss": lying.issuer, "login_hint": "rosa", "target_link_uri": f"{BASE}/claims"}
    asked = query_of(portal.get("/sign-in", query_string=start))
    assert asked["login_hint"] == "rosa"
    lying.nonce = asked["nonce"]
    assert come_back(portal, lying, asked).headers["Location"] == f"{BASE}/claims"
    assert portal.post("/sign-in", data=start).status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "http://localhost:8999@evil.example/",
        "http://localhost:89990/",
        "http://localhost:8999\\@evil.example",
        "javascript:alert(1)",
        "http://localhost:8999/\r\nSet-Cookie: a=b",
        "/claims",
    ],
)
def test_SI_14_a_target_elsewhere_is_refused(portal: FlaskClient, target: str) -> None:
    assert portal.get("/sign-in", query_string={"target_link_uri": target}).status_code == 400


def test_a_path_with_two_slashes_stays_on_this_site(portal: FlaskClient, lying: LyingProvider) -> None:
    asked = query_of(portal.get("/sign-in", query_string={"target_link_uri": f"{BASE}//evil.example"}))
    lying.nonce = asked["nonce"]
    assert come_back(portal, lying, asked).headers["Location"] == f"{BASE}//evil.example"


def test_another_issuer_cannot_start_a_sign_in(portal: FlaskClient) -> None:
    assert portal.get("/sign-in?iss=http://localhost:1").status_code == 400


@pytest.mark.parametrize(
    "code", ["access_denied", "login_required", "interaction_required", "<script>alert(1)</script>"]
)
def test_a_refusal_is_told_in_words(portal: FlaskClient, lying: LyingProvider, code: str) -> None:
    asked = go_to_sign_in(portal, lying)
    page = come_back(portal, lying, asked, code=None, error=code, error_description="<b>boo</b>")
    assert page.status_code == 403
    assert "You were not signed in" in page.text
    assert "<script>" not in page.text
    assert "boo" not in page.text


def test_a_guarded_page_brings_one_back_to_it(portal: FlaskClient, lying: LyingProvider) -> None:
    away = portal.get("/claims").headers["Location"]
    sign_in(portal, lying, path=away)
    page = portal.get("/claims")
    assert page.status_code == 200
    assert "Claim Inquiry" in page.text


def test_a_page_outside_ones_access_says_so(portal: FlaskClient, lying: LyingProvider) -> None:
    sign_in(portal, lying)
    page = portal.get("/task/eligibility")
    assert page.status_code == 403
    assert "Your access does not include this page" in page.text
    assert portal.get("/task/nothing").status_code == 404


def test_the_sensitive_page_demands_a_fresh_sign_in(portal: FlaskClient, lying: LyingProvider, clock: Clock) -> None:
    sign_in(portal, lying)
    assert portal.get("/sensitive").headers["Location"] == "/sign-in/again"
    asked = go_to_sign_in(portal, lying, path="/sign-in/again")
    assert asked["prompt"] == "login"
    assert asked["max_age"] == "0"
    assert come_back(portal, lying, asked).headers["Location"] == f"{BASE}/sensitive"
    assert portal.get("/sensitive").status_code == 200
    clock.now = later(clock.now, minutes=6)
    assert portal.get("/sensitive").headers["Location"] == "/sign-in/again"


def test_RFC_9470_payments_ask_for_a_second_step_of_the_last_quarter_of_an_hour(
    portal: FlaskClient, lying: LyingProvider, clock: Clock
) -> None:
    assert portal.get("/payments.json").get_json() == {"error": "signed_out"}
    lying.id_token_lies = {"acr": "aal1"}
    sign_in(portal, lying)
    answer = portal.get("/payments.json")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer error="insufficient_user_authentication"')
    assert 'acr_values="aal2", max_age="900"' in answer.headers["WWW-Authenticate"]
    assert portal.get("/payments").headers["Location"] == "/sign-in/stronger"
    asked = go_to_sign_in(portal, lying, path="/sign-in/stronger")
    assert (asked["acr_values"], asked["max_age"]) == ("aal2", "900")
    assert come_back(portal, lying, asked).headers["Location"] == f"{BASE}/payments/now"
    told = portal.get("/payments/now")
    assert told.status_code == 403, "a provider that has nothing stronger says so, and nobody is sent around"
    assert "A second step is needed here" in told.text
    lying.id_token_lies = {"acr": "aal2"}
    come_back(portal, lying, go_to_sign_in(portal, lying, path="/sign-in/stronger"))
    assert portal.get("/payments/now").headers["Location"] == "/payments"
    assert portal.get("/payments").status_code == 200
    assert portal.get("/payments.json").get_json() == {"account_ends_in": "4410"}
    clock.now = later(clock.now, minutes=15)
    assert portal.get("/payments").headers["Location"] == "/sign-in/stronger"
    assert portal.get("/payments.json").status_code == 401


def test_an_old_sign_in_does_not_pass_for_a_fresh_one(portal: FlaskClient, lying: LyingProvider, clock: Clock) -> None:
    asked = go_to_sign_in(portal, lying, path="/sign-in/again")
    lying.id_token_lies = {"auth_time": int(clock.now.timestamp()) - 60}
    assert come_back(portal, lying, asked).status_code == 400


def test_an_expired_access_token_is_refreshed_once_it_is_needed(
    portal: FlaskClient, lying: LyingProvider, clock: Clock
) -> None:
    sign_in(portal, lying)
    portal.get("/claims")
    assert len(lying.token_requests) == 1
    clock.now = later(clock.now, minutes=6)
    lying.id_token_lies = {"nonce": None}
    assert portal.get("/claims").status_code == 200
    assert lying.token_requests[-1]["grant_type"] == "refresh_token"
    assert lying.token_requests[-1]["refresh_token"] == "refresh-1"


def test_ended_access_ends_the_visit(portal: FlaskClient, lying: LyingProvider, clock: Clock) -> None:
    sign_in(portal, lying)
    clock.now = later(clock.now, minutes=6)
    lying.token_error = "invalid_grant"
    page = portal.get("/me")
    assert page.status_code == 401
    assert "Your access ended" in page.text
    assert portal.get("/me.json").status_code == 401


def test_a_refresh_that_changes_the_person_is_not_believed(
    portal: FlaskClient, lying: LyingProvider, clock: Clock
) -> None:
    sign_in(portal, lying)
    clock.now = later(clock.now, minutes=6)
    lying.id_token_lies = {"sub": "subject-2"}
    assert portal.get("/me").status_code == 400


def test_a_visit_ends_when_it_is_idle_too_long(portal: FlaskClient, lying: LyingProvider, clock: Clock) -> None:
    sign_in(portal, lying)
    clock.now = later(clock.now, minutes=31)
    assert portal.get("/me.json").status_code == 401
