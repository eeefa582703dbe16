"""SECURITY AZ: the authorization endpoint. `watch` asserts G1, G2, G4, G6, G8 after every case."""

import re
from urllib.parse import quote, urlencode, urlsplit

import pytest

from idp.consent.models import Grant
from idp.foundation.artefacts import Artefact, Kind
from idp.sessions.models import Transaction
from tests.attacks.oidc_world import PASSWORD, turn_off
from tests.authenticators.browsing import post_form
from tests.conftest import ISSUER
from tests.oidc.flow import VERIFIER, Flow, answered, challenge_of, payload_of, transaction_of
from tests.oidc.invariants import adds_events, count

pytestmark = pytest.mark.usefixtures("watch")
BASE = "https://heartland-one.test"
REGISTERED = f"{BASE}/callback"


def refused_with_a_page(answer, *, naming: str | None = None) -> None:
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    if naming is not None:
        assert naming in answer.text


def error_of(answer) -> str:
    told = answered(answer)
    assert set(told) <= {"error", "error_description", "state", "iss"}
    assert told["iss"] == ISSUER
    return told["error"]


ADDRESSES = {
    "AZ-01": [
        "https://heartland-one.test.evil/callback", "https://heartland-one.test@evil/callback",
        "https://evil/heartland-one.test/callback", "https://evil#heartland-one.test",
    ],
    "AZ-02": [
        f"{REGISTERED}/../x", f"{REGISTERED}/..;/x", f"{BASE}/callback/%2e%2e/x", f"{BASE}/callback%2f..%2fx",
        f"{BASE}//callback",
    ],
    "AZ-03": [
        "https://HEARTLAND-ONE.test/callback", f"{BASE}/CALLBACK", "https://heartland-one.test:443/callback",
        f"{BASE}/%63allback", f"{REGISTERED}/", "https://heartland-one.test./callback",
        "https://heartlаnd-one.test/callback", "https://xn--heartlnd-one-4fh.test/callback", f"{REGISTERED}?x=1",
    ],
    "AZ-05": [
        "javascript:alert(1)", "data:text/html,x", "vbscript:x", "http://heartland-one.test/callback", "custom.app:/cb",
    ],
    "AZ-07": [
        f"{REGISTERED}\r\nX-Evil: 1", f"{REGISTERED}\x00", f"{REGISTERED}\t", f"{BASE}\\@evil/callback", f"{REGISTERED}\\",
        "https://evil\\@heartland-one.test/callback",
    ],
}  # fmt: skip


@pytest.mark.parametrize("uri", ADDRESSES["AZ-01"])
def test_AZ_01_an_address_that_only_looks_registered(flow, uri):
    refused_with_a_page(flow.authorize(redirect_uri=uri), naming="redirect_uri")


@pytest.mark.parametrize("uri", ADDRESSES["AZ-02"])
def test_AZ_02_dots_and_slashes(flow, uri):
    refused_with_a_page(flow.authorize(redirect_uri=uri), naming="redirect_uri")


@pytest.mark.parametrize("uri", ADDRESSES["AZ-03"])
def test_AZ_03_byte_exact(flow, uri):
    refused_with_a_page(flow.authorize(redirect_uri=uri), naming="redirect_uri")


@pytest.mark.parametrize("mode", [None, "form_post"])
@pytest.mark.parametrize("uri", ADDRESSES["AZ-05"])
def test_AZ_05_other_schemes(flow, uri, mode):
    refused_with_a_page(flow.authorize(redirect_uri=uri, response_mode=mode), naming="redirect_uri")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:51234/callback", "http://127.0.0.1:1/callback"])
def test_AZ_06_a_native_apps_loopback_may_vary_in_port(world, open_flow, uri):
    answer = open_flow(world.public()).authorize(redirect_uri=uri)
    assert answer.status_code == 303 and answer.location.startswith("/sign-in/")


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost/callback", "http://localhost:80/callback", "http://127.0.0.1.evil/callback",
        "http://localhost:80@evil/callback", "http://127.0.0.1:80@evil/callback",
        "http://[::ffff:127.0.0.1]:80/callback", "http://[::1]:80/callback", "http://127.1:80/callback",
        "http://127.0.0.1:80/other", "http://127.0.0.1:80/callback#x", "http://127.0.0.1:x/callback",
        "https://127.0.0.1:80/callback", "http://0x7f000001:80/callback", "http://127.0.0.1:99999/callback",
    ],
)  # fmt: skip
def test_AZ_06_nothing_else_of_a_native_app_may_vary(world, open_flow, uri):
    refused_with_a_page(open_flow(world.public()).authorize(redirect_uri=uri))


@pytest.mark.parametrize("uri", ADDRESSES["AZ-07"])
def test_AZ_07_control_characters(flow, uri):
    answer = flow.authorize(redirect_uri=uri)
    refused_with_a_page(answer)
    assert "X-Evil" not in answer.headers


def test_AZ_07_a_lone_surrogate_and_a_hundred_kilobytes(flow):
    query = urlencode(flow.parameters(redirect_uri=None))
    refused_with_a_page(flow.browser.get(f"/oauth/authorize?{query}&redirect_uri={BASE}/%ED%A0%80"))
    long = flow.browser.get(f"/oauth/authorize?{query}&redirect_uri={BASE}/{'a' * 100_000}")
    assert long.status_code == 414 and "Location" not in long.headers
    posted = flow.browser.post("/oauth/authorize", data=flow.parameters(redirect_uri=f"{BASE}/{'a' * 100_000}"))
    refused_with_a_page(posted)


def test_AZ_08_no_address_at_all(flow):
    refused_with_a_page(flow.authorize(redirect_uri=None), naming="redirect_uri")


@pytest.mark.parametrize(
    "wrong",
    [{}, {"response_type": "token"}, {"scope": "\x7f"}, {"scope": "openid"}, {"prompt": "none"}, {"request": "x"}],
)
def test_AZ_09_the_address_is_judged_before_any_error_is_sent_to_it(flow, wrong):
    refused_with_a_page(flow.authorize(redirect_uri="https://evil.test/", **wrong))


def test_AZ_09_an_unknown_and_a_disabled_client_get_a_page(flow, make):
    make.client("switched-off")
    turn_off("switched-off")
    for client_id in ("nobody", "switched-off", "", "../x", "é"):
        refused_with_a_page(flow.authorize(client_id=client_id), naming="client_id")
    refused_with_a_page(flow.authorize(client_id=None), naming="client_id")


@pytest.mark.parametrize(
    "name",
    ["client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "prompt", "max_age", "response_mode",
     "code_challenge", "code_challenge_method", "acr_values", "claims", "id_token_hint", "login_hint", "display",
     "ui_locales", "request", "request_uri"],
)  # fmt: skip
@pytest.mark.parametrize("same", [True, False])
def test_AZ_10_each_parameter_twice(flow, name, same):
    usual = flow.parameters()
    first = usual.get(name, "query" if name == "response_mode" else "1")
    pairs = [*usual.items(), *([] if name in usual else [(name, first)]), (name, first if same else "other")]
    refused_with_a_page(flow.browser.get("/oauth/authorize?" + urlencode(pairs)))
    refused_with_a_page(
        flow.browser.post("/oauth/authorize", data=urlencode(pairs), content_type="application/x-www-form-urlencoded")
    )
    assert count(Transaction) == 0


def test_AZ_10_query_and_body_are_never_merged(flow):
    refused_with_a_page(flow.browser.post("/oauth/authorize?prompt=none", data=flow.parameters()))
    refused_with_a_page(flow.authorize(client_id=None, **{"client_id[]": "heartland-one"}), naming="client_id")


@pytest.mark.parametrize("kind", ["portal", "public"])
def test_AZ_11_no_challenge(world, open_flow, kind):
    flow = open_flow(getattr(world, kind)())
    assert error_of(flow.authorize(code_challenge=None)) == "invalid_request"
    assert error_of(flow.authorize(code_challenge=None, code_challenge_method=None)) == "invalid_request"


@pytest.mark.parametrize("method", [None, "plain", "s256", "S512", "", "S256 "])
def test_AZ_13_only_S256(flow, method):
    assert error_of(flow.authorize(code_challenge_method=method)) == "invalid_request"


@pytest.mark.parametrize(
    "challenge", ["a" * 42, "a" * 44, "a" * 129, "a" * 42 + "=", "a" * 42 + "+", "a" * 42 + "é", "", "a" * 43 + "\n"]
)
def test_AZ_14_a_challenge_that_is_none(flow, challenge):
    answer = flow.authorize(code_challenge=challenge)
    assert error_of(answer) == "invalid_request"


TYPES = ["token", "id_token", "code token", "code id_token", "none", "CODE", "code code", "", "id_token token"]


@pytest.mark.parametrize("kind", TYPES)
def test_AZ_15_only_the_code_flow(flow, kind):
    assert error_of(flow.authorize(response_type=kind)) in {"unsupported_response_type", "invalid_request"}
    if kind:
        assert error_of(flow.authorize(response_type=kind)) == "unsupported_response_type"
    assert error_of(flow.authorize(response_type=None)) == "invalid_request"


def test_AZ_17_prompt_login_asks_for_the_password_again(flow, hands):
    first = payload_of(flow.tokens()["id_token"])
    hands.forward(seconds=90)
    page = flow.follow(flow.authorize(prompt="login"))
    assert 'name="password"' in page.text
    hands.forward(seconds=10)
    code = answered(flow.through(page))["code"]
    again = payload_of(flow.exchange(code).json["id_token"])
    assert again["auth_time"] == first["auth_time"] + 100
    assert again["sid"] == first["sid"]


def test_AZ_17_the_back_button_does_not_skip_the_password(flow):
    flow.tokens()
    start = flow.authorize(prompt="login")
    txn = transaction_of(start)
    for path in (f"/oauth/authorize/{txn}", f"/sign-in/{txn}", f"/sign-in/{txn}/consent", f"/sign-in/{txn}/choose"):
        page = flow.follow(flow.browser.get(path))
        assert page.status_code == 200 and 'name="password"' in page.text, path
    done = flow.through(flow.browser.get(f"/sign-in/{txn}"))
    assert "code" in answered(done)
    for path in (f"/oauth/authorize/{txn}", f"/sign-in/{txn}", f"/sign-in/{txn}/password"):
        refused_with_a_page(flow.follow(flow.browser.get(path)))


def test_AZ_18_what_is_typed_into_a_later_address_changes_nothing(flow):
    flow.tokens()
    start = flow.authorize(prompt="login", scope="openid")
    txn = transaction_of(start)
    edit = "?prompt=none&max_age=99999&scope=openid+tin&redirect_uri=https://evil.test&state=other&client_id=nobody"
    page = flow.follow(flow.browser.get(f"/oauth/authorize/{txn}{edit}"))
    assert 'name="password"' in page.text
    page = flow.follow(flow.browser.get(f"/sign-in/{txn}{edit}"))
    answer = flow.through(page)
    assert answer.location.startswith(REGISTERED) and answered(answer)["state"] == "state-of-the-tests"
    assert flow.exchange(answered(answer)["code"]).json["scope"] == "openid"


@pytest.mark.parametrize("max_age", ["0", "1"])
def test_AZ_19_max_age_forces_a_real_sign_in_and_auth_time_is_true(flow, hands, max_age):
    flow.tokens()
    hands.forward(seconds=1)
    page = flow.follow(flow.authorize(max_age=max_age))
    assert 'name="password"' in page.text
    hands.forward(seconds=5)
    told = payload_of(flow.exchange(answered(flow.through(page))["code"]).json["id_token"])
    assert told["auth_time"] == int(hands.now.timestamp())
    assert error_of(flow.authorize(max_age="0", prompt="none")) == "login_required"


def test_AZ_19_a_young_session_satisfies_max_age(flow, hands):
    first = payload_of(flow.tokens()["id_token"])
    hands.forward(seconds=30)
    again = payload_of(flow.tokens(max_age="60")["id_token"])
    assert again["auth_time"] == first["auth_time"]
    assert again["iat"] == first["iat"] + 30


@pytest.mark.parametrize("max_age", ["-1", "1e99", "x", "", "1.5", " 1", "٣", "9" * 20])
def test_AZ_19_a_max_age_that_is_none(flow, max_age):
    assert error_of(flow.authorize(max_age=max_age)) == "invalid_request"


@pytest.mark.parametrize("prompt", ["none login", "none consent", "unknown", "NONE", "login,consent", "create"])
def test_AZ_21_prompts_that_contradict_or_are_unknown(flow, prompt):
    assert error_of(flow.authorize(prompt=prompt)) == "invalid_request"


def test_AZ_22_acr_is_never_above_what_was_done(flow):
    told = payload_of(flow.tokens(acr_values="aal3 aal2 phrh")["id_token"])
    assert told["acr"] == "aal1" and told["amr"] == ["pwd"]
    essential = '{"id_token":{"acr":{"essential":true,"values":["aal2","aal3"]}}}'
    assert error_of(flow.authorize(claims=essential)) == "unmet_authentication_requirements"
    assert error_of(flow.authorize(claims=essential, prompt="none")) == "interaction_required"
    held = '{"id_token":{"acr":{"essential":true,"value":"aal1"}}}'
    assert payload_of(flow.tokens(claims=held)["id_token"])["acr"] == "aal1"
    assert payload_of(flow.tokens(acr_values="bronze aal1")["id_token"])["acr"] == "aal1"


def test_AZ_22_an_essential_acr_is_refused_after_the_sign_in(flow):
    essential = '{"id_token":{"acr":{"essential":true,"value":"aal2"}}}'
    assert error_of(flow.through(flow.authorize(claims=essential))) == "unmet_authentication_requirements"
    assert count(Grant) == 0


def test_AZ_23_a_hint_of_somebody_else(world, flow, open_flow, make):
    other = make.subject("ben.okafor")
    make.affiliation(other, world.provider, levels=(("heartland-one", "claims.inquiry"),))
    hint = open_flow(flow.party, login="ben.okafor").tokens()["id_token"]
    mine = flow.tokens()["id_token"]
    assert error_of(flow.authorize(id_token_hint=hint, prompt="none")) == "login_required"
    assert "code" in answered(flow.authorize(id_token_hint=mine, prompt="none"))
    page = flow.follow(flow.authorize(id_token_hint=hint))
    assert 'name="password"' in page.text
    assert error_of(flow.through(page)) == "login_required"


def test_AZ_23_a_hint_works_for_a_client_that_knows_people_by_other_names(world, open_flow, new_browser):
    party = world.pairwise()
    flow = open_flow(party)
    hint = flow.tokens()["id_token"]
    assert "code" in answered(flow.authorize(id_token_hint=hint, prompt="none"))
    elsewhere = Flow(new_browser(), party)
    assert "code" in answered(elsewhere.through(elsewhere.authorize(id_token_hint=hint)))


@pytest.mark.parametrize("hint", ["x", "a.b.c", "", "é"])
def test_AZ_23_a_hint_that_is_none_fails_no_request(flow, hint):
    flow.tokens()
    assert "code" in answered(flow.authorize(id_token_hint=hint))


@pytest.mark.parametrize("request_object", ["eyJhbGciOiJub25lIn0.e30.", "x", "", "a" * 3000])
def test_AZ_25_request_objects_are_refused_by_their_own_code(flow, request_object):
    assert error_of(flow.authorize(request=request_object)) == "request_not_supported"
    assert error_of(flow.authorize(request=request_object, prompt="none")) == "request_not_supported"


def test_AZ_26_a_request_object_never_changes_the_request(flow):
    inside = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwudGVzdCIsInN0YXRlIjoiaW5zaWRlIn0."
    answer = flow.authorize(request=inside)
    assert answer.location.startswith(REGISTERED) and answered(answer)["state"] == "state-of-the-tests"
    assert error_of(flow.authorize(request_uri="https://evil.test/r")) == "request_uri_not_supported"


CLAIMS = [
    "{", "[]", '"x"', "1", "null", '{"id_token":[]}', '{"id_token":{"acr":"x"}}', '{"userinfo":{"name":1}}',
    '{"id_token":{"acr":{"essential":"yes"}}}', '{"id_token":{"acr":{"values":{}}}}', '{"id_token":{"acr":{"values":[{}]}}}',
    '{"id_token":{"sub":{"value":{}}}}', '{"id_token":{},"id_token":{}}', "[" * 2000 + "]" * 2000, '{"id_token":NaN}',
]  # fmt: skip


@pytest.mark.parametrize("claims", CLAIMS)
def test_AZ_27_claims_of_the_wrong_type(flow, claims):
    assert error_of(flow.authorize(claims=claims)) == "invalid_request"


def test_AZ_29_and_AZ_30_there_is_no_pushed_request(client, flow):
    for path in ("/oauth/par", "/oauth/device", "/oauth/register", "/oauth/bc-authorize"):
        assert client.get(path).status_code == 404
        assert client.post(path, data={}).status_code == 404
    metadata = client.get("/.well-known/openid-configuration").json
    absent = {"pushed_authorization_request_endpoint", "device_authorization_endpoint", "registration_endpoint",
              "dpop_signing_alg_values_supported", "backchannel_authentication_endpoint"}  # fmt: skip
    assert not absent & set(metadata)
    uri = "urn:ietf:params:oauth:request_uri:CNRY"
    answer = flow.authorize(request_uri=uri)
    assert error_of(answer) == "request_uri_not_supported" and "CNRY" not in answer.location


def test_AZ_31_scopes_that_nobody_registered_are_dropped(flow):
    assert flow.tokens(scope="openid admin provider_id system/*.read")["scope"] == "openid provider_id"


@pytest.mark.parametrize(
    "scope", ["openid  tin", "openid\ttin", 'openid "', "openid \\", "openid é", " openid", "tin", None]
)
def test_AZ_31_a_scope_that_is_none(flow, scope):
    assert error_of(flow.authorize(scope=scope)) == "invalid_scope"


def test_AZ_31_ten_thousand_scopes(flow):
    assert flow.authorize(scope="openid " + " ".join(f"s{n}" for n in range(10_000))).status_code == 414
    assert error_of(flow.authorize(scope="openid " + " ".join(f"s{n}" for n in range(1000)))) == "invalid_scope"


def test_AZ_31_offline_access_needs_consent_or_it_is_not_given(world, open_flow):
    flow = open_flow(world.pairwise())
    page = flow.follow(flow.authorize(scope="openid offline_access"))
    page = flow.follow(post_form(flow.browser, page, "login-form", username="rosa.delgado", password=PASSWORD))
    assert 'id="consent-allow"' in page.text
    denied = post_form(flow.browser, page, "consent-form", answer="deny")
    assert error_of(flow.follow(denied)) == "access_denied"
    assert count(Grant) == 0
    registered_without = open_flow(world.portal("no-refresh", grant_types=["authorization_code"]))
    tokens = registered_without.tokens(scope="openid offline_access")
    assert "refresh_token" not in tokens and tokens["scope"] == "openid"


def consent_page(flow):
    page = flow.follow(flow.authorize())
    page = flow.follow(post_form(flow.browser, page, "login-form", username="rosa.delgado", password=PASSWORD))
    assert 'id="consent-allow"' in page.text
    return page


@pytest.mark.parametrize("extra", [{"scope": "openid email"}, {"client_id": "heartland-one"}, {"txn": "x"}])
def test_AZ_33_the_consent_form_takes_nothing_but_the_answer(world, open_flow, extra):
    flow = open_flow(world.pairwise())
    page = consent_page(flow)
    answer = flow.follow(post_form(flow.browser, page, "consent-form", answer="allow", **extra))
    assert answer.status_code == 200 and 'id="consent-allow"' in answer.text
    code = answered(flow.through(answer))["code"]
    assert flow.exchange(code).json["scope"] == "openid profile"


def test_AZ_33_another_browser_cannot_answer_for_this_one(world, open_flow):
    mine, other = open_flow(world.pairwise()), open_flow(world.pairwise())
    page, theirs = consent_page(mine), consent_page(other)
    path = urlsplit(page.request.url).path
    token = re.search(r'name="csrf_token" value="([^"]+)"', theirs.text)[1]
    answer = other.browser.post(path, data={"csrf_token": token, "answer": "allow"}, headers={"Origin": ISSUER})
    ended = other.follow(answer)
    assert ended.status_code == 403 and "Location" not in ended.headers
    forged = other.browser.post(path, data={"answer": "allow"}, headers={"Origin": "https://evil.test"})
    assert forged.status_code == 403
    assert count(Artefact, Artefact.kind == Kind.AUTHORIZATION_CODE.value) == 0
    assert "code" in answered(mine.through(page))


def test_AZ_34_nobody_frames_or_pre_presses_the_consent(world, open_flow):
    page = consent_page(open_flow(world.pairwise()))
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    button = re.search(r"<button[^>]*consent-allow[^>]*>", page.text)[0]
    assert "autofocus" not in button


def test_AZ_35_two_tabs_keep_their_own_requests(world, open_flow):
    flow = open_flow(world.portal())
    other = Flow(flow.browser, world.second())
    first = flow.follow(flow.authorize(state="tab-one"))
    second = other.follow(other.authorize(state="tab-two"))
    done = flow.through(first)
    assert done.location.startswith(REGISTERED) and answered(done)["state"] == "tab-one"
    after = other.through(other.browser.get(urlsplit(second.request.url).path))
    assert after.location.startswith("https://heartland-two.test/callback") and answered(after)["state"] == "tab-two"


def test_AZ_35_a_page_sent_to_a_victim_opens_in_no_other_browser(flow, open_flow):
    path = urlsplit(flow.follow(flow.authorize()).request.url).path
    victim = open_flow(flow.party)
    victim.tokens()
    refused_elsewhere = victim.follow(victim.browser.get(path))
    assert refused_elsewhere.status_code == 403 and "Location" not in refused_elsewhere.headers


def test_AZ_37_nobody_registers_a_client_by_itself(client):
    assert client.post("/oauth/register", json={"redirect_uris": ["https://evil.test"]}).status_code == 404


def test_AZ_38_iss_stands_in_every_answer_and_equals_the_metadata(flow, client):
    issuer = client.get("/.well-known/openid-configuration").json["issuer"]
    assert answered(flow.authorize(prompt="none"))["iss"] == issuer
    flow.code()
    assert answered(flow.authorize(prompt="none"))["iss"] == issuer
    assert answered(flow.authorize(response_mode="form_post"))["iss"] == issuer


@pytest.mark.parametrize(
    "state",
    ["s" * 4096, "ü ☃ \U0001f600", "<script>alert(1)</script>", "a+b c%20d&e=f#g", "x\r\nSet-Cookie: a=b", "", "0"],
)
def test_AZ_39_state_comes_back_byte_for_byte(flow, state):
    answer = flow.authorize(state=state, prompt="none")
    assert answered(answer)["state"] == state
    assert "Set-Cookie: a" not in str(answer.headers)
    done = flow.through(flow.authorize(state=state, nonce=state or None))
    assert answered(done)["state"] == state
    told = payload_of(flow.exchange(answered(done)["code"]).json["id_token"])
    assert told.get("nonce") == (state or None)


def test_AZ_39_more_than_four_kilobytes_is_refused_with_the_state(flow):
    answer = flow.authorize(state="s" * 5000)
    assert error_of(answer) == "invalid_request"


def test_every_refusal_leaves_one_event(flow):
    for wrong, outcome in (
        ({"prompt": "none"}, "login_required"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "tin"}, "invalid_scope"),
    ):
        _, added = adds_events(lambda wrong=wrong: flow.authorize(**wrong))
        assert added == [("authorization_refused", outcome)]


def test_a_head_request_asks_nothing_and_makes_nothing(flow):
    flow.tokens()
    before = count(Artefact)
    query = urlencode(flow.parameters())
    assert flow.browser.head(f"/oauth/authorize?{query}").status_code == 405
    assert count(Artefact) == before


def test_a_verifier_belongs_to_its_challenge():
    assert challenge_of(VERIFIER) != challenge_of(quote(VERIFIER) + "x")
