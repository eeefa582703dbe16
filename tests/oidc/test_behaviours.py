"""The behaviours that new providers most often miss, by their numbers in PROTOCOL.md."""

import inspect
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from idp.foundation.artefacts import Artefact, Kind
from idp.oidc import errors, rules
from idp.oidc.scope_table import STANDARD
from idp.settings import Settings
from tests.authenticators.browsing import post_form
from tests.conftest import ISSUER
from tests.factories.make import PASSWORD
from tests.oidc.flow import Flow, Registered, answered, header_of, new_key, payload_of

pytestmark = pytest.mark.usefixtures("watch")
METADATA = "/.well-known/openid-configuration"
REGISTERED_MEMBERS = {
    "issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "introspection_endpoint",
    "revocation_endpoint", "end_session_endpoint", "scopes_supported", "response_types_supported", "response_modes_supported",
    "grant_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported", "acr_values_supported",
    "claim_types_supported", "claims_supported", "claims_parameter_supported", "request_parameter_supported",
    "request_uri_parameter_supported", "require_request_uri_registration", "authorization_response_iss_parameter_supported",
    "code_challenge_methods_supported", "prompt_values_supported", "ui_locales_supported", "display_values_supported",
    "token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported", "introspection_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint_auth_methods_supported", "revocation_endpoint_auth_signing_alg_values_supported",
    "backchannel_logout_supported", "backchannel_logout_session_supported",
}  # fmt: skip
"""IANA's registry of authorization server metadata, as far as this release has something to say."""


def test_the_metadata(client):
    """PROTOCOL 1."""
    answer = client.get(METADATA)
    metadata = answer.json
    assert answer.mimetype == "application/json" and f"{metadata['issuer']}{METADATA}" == f"{ISSUER}{METADATA}"
    assert set(metadata) == REGISTERED_MEMBERS
    assert all(value.startswith("https://") for name, value in metadata.items() if name.endswith(("_endpoint", "_uri")))
    assert "openid" in metadata["scopes_supported"] and "RS256" in metadata["id_token_signing_alg_values_supported"]
    assert "none" not in metadata["id_token_signing_alg_values_supported"]


def test_every_endpoint_of_the_metadata_is_there(client):
    """PROTOCOL 1: nothing is promised that answers 404."""
    metadata = client.get(METADATA).json
    for name, value in metadata.items():
        if name.endswith(("_endpoint", "jwks_uri")):
            assert client.get(value.removeprefix(ISSUER)).status_code != 404, name


def test_only_the_code_flow_is_promised(client):
    """PROTOCOL 2."""
    metadata = client.get(METADATA).json
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_the_id_token_is_signed_as_registered(world, open_flow, client, alg):
    """PROTOCOL 3 and 4: the algorithm of the registration, a published `kid`."""
    more = {} if alg == "RS256" else {"id_token_signed_response_alg": alg}
    head = header_of(open_flow(world.portal("signed", **more)).tokens()["id_token"])
    published = {key["kid"]: key for key in client.get("/oauth/jwks").json["keys"]}
    assert head["alg"] == alg and published[head["kid"]]["alg"] == alg


@pytest.mark.parametrize("alg", ["ES256", "RS256", "EdDSA"])
def test_the_access_token_is_signed_as_registered(world, open_flow, alg):
    """RFC 9068: `at+jwt`, ES256 unless the client registered otherwise."""
    more = {} if alg == "ES256" else {"access_token": {"alg": alg}}
    head = header_of(open_flow(world.portal("signed", **more)).tokens()["access_token"])
    assert (head["alg"], head["typ"]) == (alg, "at+jwt") and head["kid"]


def test_no_profile_claims_in_the_id_token_unless_asked(flow):
    """PROTOCOL 5."""
    about = {"name", "given_name", "family_name", "email", "email_verified", "preferred_username", "locale"}
    tokens = flow.tokens()
    assert not about & set(payload_of(tokens["id_token"]))
    assert about <= set(flow.userinfo(tokens["access_token"]).json)
    asked = flow.tokens(
        claims='{"id_token":{"email":null,"given_name":{"essential":true}},"userinfo":{"nickname":null}}'
    )
    assert about & set(payload_of(asked["id_token"])) == {"email", "given_name"}


def test_auth_time_is_the_sign_ins_through_sso_and_refresh(world, flow, hands):
    """PROTOCOL 6."""
    signed_in_at = int(hands.now.timestamp())
    first = flow.tokens()
    hands.forward(minutes=3)
    other = Flow(flow.browser, world.second()).tokens(max_age="600")
    again = flow.refresh(first["refresh_token"]).json
    assert {payload_of(each["id_token"])["auth_time"] for each in (first, other, again)} == {signed_in_at}


def test_a_default_max_age_of_the_registration_is_kept(world, open_flow, hands):
    """PROTOCOL 7: OIDC Registration's `default_max_age`."""
    flow = open_flow(world.portal("watchful", default_max_age=60))
    flow.tokens()
    hands.forward(seconds=61)
    assert answered(flow.authorize(prompt="none"))["error"] == "login_required"
    assert "code" in answered(flow.authorize(prompt="none", max_age="3600"))


def test_prompt_none_in_every_situation(world, flow, open_flow, make, hands):
    """PROTOCOL 8: four errors and no page."""
    silently = lambda it, **more: answered(it.authorize(prompt="none", **more)).get("error", "code")  # noqa: E731
    assert silently(flow) == "login_required"
    flow.tokens()
    assert silently(flow) == "code"
    stranger = Flow(flow.browser, world.pairwise())
    assert silently(stranger) == "consent_required"
    assert silently(flow, scope="openid provider_id:999999999") == "interaction_required"
    exchange = Flow(flow.browser, world.exchange())
    assert silently(exchange) == "interaction_required"
    make.affiliation(world.person, make.provider("100200301"), levels=(("heartland-two", "claims.inquiry"),))
    second = Flow(flow.browser, world.second())
    assert silently(second) == "account_selection_required"
    assert silently(flow) == "code"
    hands.forward(minutes=31)
    assert silently(flow) == "login_required"


def test_errors_keep_state_and_iss_and_add_nothing(flow):
    """PROTOCOL 9."""
    told = answered(flow.authorize(prompt="none", state="a=b&c"))
    assert told == {"error": "login_required", "state": "a=b&c", "iss": ISSUER}
    assert "state" not in answered(flow.authorize(prompt="none", state=None))


def test_a_redirect_uri_may_have_a_query_and_it_is_kept(world, open_flow):
    """PROTOCOL 10."""
    flow = open_flow(world.portal("queried", redirect_uris=["/callback?tenant=a", "/callback"]))
    flow.party.redirect_uri = "https://queried.test/callback?tenant=a"
    answer = flow.through(flow.authorize())
    assert answer.location.startswith("https://queried.test/callback?tenant=a&code=")
    assert flow.exchange(answered(answer)["code"]).status_code == 200
    assert flow.authorize(redirect_uri="https://queried.test/callback?tenant=b").status_code == 400


def test_a_bad_redirect_uri_gets_a_page_that_says_so(flow):
    """PROTOCOL 10."""
    page = flow.authorize(redirect_uri="https://evil.test/")
    assert page.status_code == 400 and 'id="error"' in page.text and "redirect_uri" in page.text
    assert "evil" not in page.text


def test_nonce_is_optional_and_echoed_exactly(flow):
    """PROTOCOL 11."""
    assert "nonce" not in payload_of(flow.tokens(nonce=None)["id_token"])
    assert payload_of(flow.tokens(nonce='ö "<&')["id_token"])["nonce"] == 'ö "<&'


def test_unknown_parameters_and_hints_fail_nothing(flow):
    """PROTOCOL 12."""
    more = {"display": "touch", "ui_locales": "xx ../../x de", "claims_locales": "fr", "login_hint": "nobody@x", "foo": "bar",
            "registration": "{}", "dpop_jkt": "x", "acr_values": "bronze aal1"}  # fmt: skip
    tokens = flow.tokens(**more)
    assert payload_of(tokens["id_token"])["acr"] == "aal1"
    assert answered(flow.authorize(display="popup", prompt="none"))["code"]


def test_the_login_hint_is_typed_already(flow):
    """PROTOCOL 12."""
    page = flow.follow(flow.authorize(login_hint="rosa.delgado"))
    assert 'value="rosa.delgado"' in page.text


def test_authorize_by_post_and_userinfo_by_post(flow):
    """PROTOCOL 13."""
    posted = flow.browser.post("/oauth/authorize", data=flow.parameters())
    code = answered(flow.through(posted))["code"]
    token = flow.exchange(code).json["access_token"]
    by_get = flow.userinfo(token).json
    assert flow.browser.post("/oauth/userinfo", data={"access_token": token}).json == by_get
    assert flow.browser.post("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"}).json == by_get


def test_types_at_userinfo_and_nothing_empty(world, make, open_flow):
    """PROTOCOL 14 and 15: scope `profile` gives all fourteen where the person has them."""
    profile = {
        "middle_name": "M", "nickname": "Ro", "profile": "https://people.test/rosa", "picture": "https://people.test/rosa.png",
        "website": "https://rosa.test", "gender": "female", "birthdate": "1980-02-03",
        "address": {"street_address": "1 Elm", "locality": "Springfield", "postal_code": "65801"},
    }  # fmt: skip
    person = make.subject("ana.ruiz", display_name="Ana M. Ruiz", profile=profile)
    make.affiliation(person, world.provider, levels=(("heartland-one", "claims.inquiry"),))
    flow = open_flow(world.portal(), login="ana.ruiz")
    told = flow.userinfo(flow.tokens(scope="openid profile email phone address")["access_token"]).json
    assert told["email_verified"] is True and type(told["updated_at"]) is int
    assert all(value not in (None, "", [], {}) for value in told.values())
    assert set(STANDARD["profile"]) <= set(told)
    assert isinstance(told["address"], dict) and re.fullmatch(r"\d{4}-\d\d-\d\d", told["birthdate"])
    minimal = flow.userinfo(flow.tokens(scope="openid")["access_token"])
    assert set(minimal.json) == {"sub"}


@pytest.mark.parametrize(
    ("name", "code"), [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")]
)
def test_request_objects_are_refused_by_the_exact_code(flow, client, name, code):
    """PROTOCOL 16."""
    assert answered(flow.authorize(**{name: "https://x.test/r"}))["error"] == code
    metadata = client.get(METADATA).json
    assert metadata["request_parameter_supported"] is False and metadata["request_uri_parameter_supported"] is False


def test_an_operator_sets_how_long_access_tokens_live_where_no_client_does(flow, app, monkeypatch):
    shorter = app.extensions["credence"][Settings].model_copy(update={"access_token_lifetime": timedelta(minutes=2)})
    monkeypatch.setitem(app.extensions["credence"], Settings, shorter)
    answer = flow.exchange(flow.code()).json
    told = payload_of(answer["access_token"])
    assert answer["expires_in"] == told["exp"] - told["iat"] == 120


def test_the_token_answer(flow, hands):
    """PROTOCOL 18."""
    answer = flow.exchange(flow.code())
    assert answer.headers["Cache-Control"] == "no-store" and answer.mimetype == "application/json"
    assert answer.json["token_type"] == "Bearer" and answer.json["expires_in"] == 300
    first = payload_of(answer.json["id_token"])
    hands.forward(seconds=10)
    again = payload_of(flow.refresh(answer.json["refresh_token"]).json["id_token"])
    assert again["iat"] == first["iat"] + 10
    assert all(again[name] == first[name] for name in ("iss", "sub", "aud", "azp"))


def test_every_error_description_is_plain_ascii():
    """PROTOCOL 19."""
    described = [value.description for value in vars(errors).values() if isinstance(value, errors.OAuthError)]
    described += re.findall(r'RequestError\([A-Z_.a-z]+, "([^"]+)"\)', inspect.getsource(rules))
    assert len(described) > 20
    assert all(each.isascii() and each.isprintable() and not set('"\\') & set(each) for each in described)


def test_client_keys_may_lack_a_kid(world, open_flow):
    """PROTOCOL 20 and 21: a key set without `kid` verifies."""
    key, jwks = new_key()
    jwks["keys"][0].pop("kid")
    world._client(
        "kidless", Registered("kidless", "private_key_jwt", key=key, scope="openid"), partner=True,
        registration={"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks},
    )  # fmt: skip
    assert open_flow(Registered("kidless", "private_key_jwt", key=key, scope="openid")).tokens()["id_token"]


def test_assertions_by_either_audience_at_every_endpoint(world, new_browser):
    """PROTOCOL 22."""
    partner = world.partner()
    for path in ("/oauth/introspect", "/oauth/revoke"):
        for audience in (ISSUER, f"{ISSUER}/oauth/token"):
            _, form = partner.proof(aud=audience)
            assert new_browser().post(path, data={"token": "x", **form}).status_code == 200


def test_codes_and_tokens_are_long_and_codes_short_lived(flow, hands, make):
    """PROTOCOL 23: at least 128 bits; 60 s."""
    code = flow.code()
    assert len(code.removeprefix("ac_")) >= 43
    (row,) = [row for row in make.rows(Artefact) if row.kind == Kind.AUTHORIZATION_CODE.value]
    assert row.expires_at - row.created_at <= timedelta(seconds=60)
    hands.forward(seconds=60)
    assert flow.exchange(code).json["error"] == "invalid_grant"
    assert len({flow.code() for _ in range(5)}) == 5


def test_a_portal_starts_a_sign_in_from_what_a_third_party_sends(world, flow):
    """Third-party-initiated login (OIDC Core §4): `login_hint` and `target_link_uri` come back as ordinary parameters."""
    initiate = {"iss": ISSUER, "login_hint": "rosa.delgado", "target_link_uri": "https://heartland-one.test/claims"}
    page = flow.follow(flow.authorize(**{name: value for name, value in initiate.items() if name == "login_hint"}))
    assert 'value="rosa.delgado"' in page.text
    assert "code" in answered(flow.through(flow.authorize(**initiate)))


def test_pages_can_be_driven_by_their_ids(world, open_flow):
    """PROTOCOL: ids, autocomplete, `main`."""
    flow = open_flow(world.pairwise(policy_uri="/privacy", tos_uri="/terms"))
    page = flow.follow(flow.authorize())
    assert all(f'id="{name}"' in page.text for name in ("login-form", "username", "password", "login-submit"))
    assert (
        "<main" in page.text and 'autocomplete="username' in page.text and 'autocomplete="current-password' in page.text
    )
    assert "client-policy" in page.text and "client-tos" in page.text
    consent = flow.follow(post_form(flow.browser, page, "login-form", username="rosa.delgado", password=PASSWORD))
    assert all(f'id="{name}"' in consent.text for name in ("consent-allow", "consent-deny"))


def test_at_most_two_writes_in_the_longest_request(world, open_flow):
    """DESIGN §4.4: the browser of the tests raises on a third (`write_budget`)."""
    flow = open_flow(world.partner())
    tokens = flow.tokens(scope="openid offline_access provider_id")
    assert flow.refresh(tokens["refresh_token"]).status_code == 200
    assert flow.introspect("rt_x") == {"active": False}
    assert flow.party.call(flow.browser, "/oauth/revoke", {"token": tokens["access_token"]}).status_code == 200


def test_a_query_with_an_ampersand_too_many_is_read(flow):
    """Unknown or empty pairs fail no request (PROTOCOL 12)."""
    assert flow.browser.get("/oauth/authorize?&" + urlencode(flow.parameters()) + "&&").status_code == 303
