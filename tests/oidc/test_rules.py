"""The authorization request as a value: what the rule keeps, drops and refuses."""

from datetime import timedelta

import pytest

from idp.oidc.errors import RequestError
from idp.oidc.rules import ClientTerms, read_request, readable_claims
from idp.oidc.scope_table import ACTING, CLIENT_SCOPES, SCOPES, STANDARD, USERINFO_ONLY, released_by

TERMS = ClientTerms(
    client_id="portal",
    scopes=frozenset({"openid", "profile", "tin", "offline_access"}),
    grant_types=frozenset({"authorization_code", "refresh_token"}),
    resources=frozenset({"https://api.test"}),
)
GOOD = {
    "redirect_uri": "https://portal.test/callback",
    "response_type": "code",
    "scope": "openid profile",
    "code_challenge": "a" * 43,
    "code_challenge_method": "S256",
}


def read(claims=None, *, terms=TERMS, resources=(), **changed):
    parameters = {name: value for name, value in (GOOD | changed).items() if value is not None}
    return read_request(parameters, terms=terms, claims=claims if claims is not None else {}, resources=resources)


def test_a_good_request_is_kept_as_it_was_sent():
    request = read(state="s", nonce="n", prompt="login consent", max_age="0", acr_values="b a", ui_locales="es")
    assert (request.state, request.nonce, request.max_age) == ("s", "n", timedelta(0))
    assert request.prompt == {"login", "consent"} and request.acr_values == ("b", "a") and not request.silent


def test_scopes_are_cut_to_the_registration_and_narrowing_stays():
    request = read(scope="openid email tin tin:980000001 provider_id:7")
    assert str(request.scope) == "openid tin provider_id:7 tin:980000001"
    assert (request.provider_ids, request.tins) == (("7",), ("980000001",))


def test_offline_access_needs_the_refresh_grant():
    without = ClientTerms("portal", TERMS.scopes, frozenset({"authorization_code"}), frozenset())
    assert "offline_access" not in read(scope="openid offline_access", terms=without).scope
    assert "offline_access" in read(scope="openid offline_access").scope


def test_a_default_max_age_stands_where_none_is_asked():
    terms = ClientTerms("portal", TERMS.scopes, TERMS.grant_types, frozenset(), default_max_age=90)
    assert read(terms=terms).max_age == timedelta(seconds=90)
    assert read(terms=terms, max_age="5").max_age == timedelta(seconds=5)


def test_narrowing_by_the_claims_parameter():
    asked = {"userinfo": {"provider_id": {"values": ["1", "2"]}}, "id_token": {"tin": {"value": "980000001"}}}
    request = read(asked)
    assert (request.provider_ids, request.tins) == (("1", "2"), ("980000001",))


def test_scope_and_claims_together_only_narrow():
    asked = {"userinfo": {"provider_id": {"values": ["1", "2"]}}}
    assert read(asked, scope="openid provider_id:2 provider_id:3").provider_ids == ("2",)
    refused = read(asked, scope="openid provider_id:3")
    assert isinstance(refused, RequestError) and refused.reason.value == "invalid_scope"


def test_an_essential_acr_and_an_asked_subject():
    asked = {"id_token": {"acr": {"essential": True, "values": ["aal2", 3]}, "sub": {"value": "somebody"}}}
    request = read(asked)
    assert request.essential_acr == ("aal2",) and request.hinted_subject == "somebody"
    assert read({"id_token": {"acr": {"values": ["aal2"]}}}).essential_acr == ()


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": None}, "invalid_request"), ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"), ({"request": "x"}, "request_not_supported"),
        ({"scope": "profile"}, "invalid_scope"), ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "1.0"}, "invalid_request"), ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"state": "s" * 4097}, "invalid_request"), ({"nonce": "n" * 4097}, "invalid_request"),
    ],
)  # fmt: skip
def test_what_is_refused(changed, error):
    refused = read(**changed)
    assert isinstance(refused, RequestError) and refused.reason.value == error


def test_a_resource_must_be_registered():
    assert read(resources=("https://api.test",)).resource == ("https://api.test",)
    refused = read(resources=("https://other.test",))
    assert isinstance(refused, RequestError) and refused.reason.value == "invalid_target"


@pytest.mark.parametrize(
    "claims", [[], 1, None, {"id_token": 1}, {"userinfo": {"x": []}}, {"id_token": {"x": {"values": 1}}}]
)
def test_claims_of_another_form_are_unreadable(claims):
    assert not readable_claims(claims)


def test_claims_of_the_right_form_with_members_nobody_knows():
    assert readable_claims({"id_token": {"x": None, "y": {"essential": True, "value": 1, "other": {}}}, "purpose": "x"})


def test_the_table_of_scopes():
    assert len(STANDARD["profile"]) == 14
    assert released_by(["openid", "tin", "unknown"]) == {"sub", "tin", "tin_type", "tin_ref"}
    assert CLIENT_SCOPES <= set(ACTING) and set().union(*ACTING.values()) >= USERINFO_ONLY
    assert not set().union(*STANDARD.values()) & set().union(*ACTING.values())
    assert set(SCOPES) == {*STANDARD, *ACTING}
