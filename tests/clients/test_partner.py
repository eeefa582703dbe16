"""The partner: tokens by consent and by its own key, and the API that checks them by itself."""

from typing import Any

from flask.testing import FlaskClient

from clients.relying_party.tokens import peek
from tests.clients.journey import come_back, go_to_sign_in, query_of
from tests.clients.lying_provider import LyingProvider

API = "http://localhost:8999/api"


def ask(partner: FlaskClient, token: str | None, *, provider_id: str = "204817") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return partner.get("/api/claims", query_string={"provider_id": provider_id}, headers=headers)


def test_X3_the_api_answers_for_the_provider_of_the_token(partner: FlaskClient, lying: LyingProvider) -> None:
    answer = ask(partner, lying.access_token(audience=API))
    assert answer.status_code == 200
    assert answer.get_json()["provider_id"] == "204817"
    assert len(answer.get_json()["claims"]) == 3


def test_UI_14_the_api_refuses_other_tokens(partner: FlaskClient, lying: LyingProvider) -> None:
    for token in (
        lying.access_token(audience="http://localhost:1/api"),
        lying.access_token(audience=lying.issuer),
        lying.access_token(audience=API, typ="JWT"),
        lying.access_token(audience=API, iss="http://localhost:1"),
        lying.access_token(audience=API, exp=1),
        lying.id_token(aud=API),
        lying.logout_token(aud=API),
        "junk",
    ):
        answer = ask(partner, token)
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_X3_another_provider_or_scope_is_forbidden(partner: FlaskClient, lying: LyingProvider) -> None:
    for token, provider_id in (
        (lying.access_token(audience=API), "331902"),
        (lying.access_token(audience=API, provider_id=None), "204817"),
        (lying.access_token(audience=API, provider_id=["204817"]), "204817"),
        (lying.access_token(audience=API, scope="openid"), "204817"),
        (lying.access_token(audience=API, scope=None), "204817"),
    ):
        answer = ask(partner, token, provider_id=provider_id)
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_without_a_token_the_api_only_says_what_it_wants(partner: FlaskClient, lying: LyingProvider) -> None:
    answer = ask(partner, None)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="claims"'
    assert ask(partner, lying.access_token(audience=API), provider_id='"x').status_code == 400


def test_a_token_in_the_query_is_not_read(partner: FlaskClient, lying: LyingProvider) -> None:
    token = lying.access_token(audience=API)
    assert partner.get(f"/api/claims?provider_id=204817&access_token={token}").status_code == 401


def test_X3_connecting_asks_for_the_resource_and_for_being_away(partner: FlaskClient) -> None:
    asked = query_of(partner.get("/connect"))
    assert asked["resource"] == API
    assert set(asked["scope"].split()) >= {"openid", "provider_id", "tin", "entitlements", "offline_access"}


def test_TK_19_the_assertion_is_for_the_issuer_and_says_it_once(partner: FlaskClient, lying: LyingProvider) -> None:
    partner.get("/by-itself?provider_id=999")
    sent = lying.token_requests[-1]
    assert sent["grant_type"] == "client_credentials"
    assert sent["resource"] == API
    assert "provider_id:999" in sent["scope"].split()
    assert "client_secret" not in sent
    header, payload = _peek(sent["client_assertion"])
    assert header["alg"] == "ES256"
    assert header["kid"] == "p1"
    assert payload["iss"] == payload["sub"] == "test-portal"
    assert payload["aud"] == lying.issuer
    assert payload["exp"] - payload["iat"] <= 3600
    assert payload["jti"]


def test_X1_the_partner_hears_of_a_sign_out_too(partner: FlaskClient, lying: LyingProvider) -> None:
    asked = go_to_sign_in(partner, lying, path="/connect")
    assert come_back(partner, lying, asked).status_code == 303
    assert partner.get("/me.json").status_code == 200
    assert partner.post("/backchannel-logout", data={"logout_token": lying.logout_token()}).status_code == 200
    assert partner.get("/me.json").status_code == 401


def _peek(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    shown = peek(token)
    assert shown is not None
    return shown["header"], shown["payload"]
