"""What a hostile or broken provider, browser or network answers: every one of it ends on a page, and nobody is in."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.audit.models import AuditEvent
from idp.federation.upstream_oidc.rules import Wrong, metadata_of
from idp.foundation import clock, jose
from idp.foundation.algorithms import Alg
from idp.relying_parties.faults import Ground
from idp.sessions.models import BrowserSession
from tests.authenticators.browsing import follow, open_sign_in, post_form
from tests.factories.make import PASSWORD
from tests.federation.conftest import World
from tests.federation.upstream import ISSUER, Upstream, left_half, new_key

Spoil = Callable[[dict[str, Any]], dict[str, Any]]


def put(**changed: Any) -> Spoil:
    return lambda claims: claims | changed


def ago(seconds: int, *names: str) -> Spoil:
    return lambda claims: claims | {name: claims[name] - seconds for name in names}


def wrong_of(world: World) -> str:
    told = [event for event in world.make.rows(AuditEvent) if event.type == "upstream_refused"]
    assert len(told) == 1
    return str(told[0].details["wrong"])


def nobody_is_in(world: World) -> bool:
    return world.make.rows(BrowserSession) == []


@pytest.mark.parametrize(
    ("spoil", "wrong"),
    [
        pytest.param(put(aud="another"), Wrong.AUDIENCE, id="FE_03-wrong_aud"),
        pytest.param(put(aud=["credence", "another"]), Wrong.AUDIENCE, id="FE_03-array_aud_without_azp"),
        pytest.param(put(aud=["credence"], azp="another"), Wrong.AUDIENCE, id="FE_03-wrong_azp"),
        pytest.param(put(iss="https://evil.example"), Wrong.ISSUER, id="FE_03-wrong_iss"),
        pytest.param(ago(7200, "iat", "exp"), Wrong.EXPIRED, id="FE_03-expired"),
        pytest.param(put(nbf=4102444800), Wrong.EXPIRED, id="FE_03-nbf"),
        pytest.param(ago(200, "iat"), Wrong.STALE, id="FE_03-made_before_we_asked"),
        pytest.param(put(nonce="another"), Wrong.NONCE, id="FE_03-wrong_nonce"),
        pytest.param(put(nonce=None), Wrong.NONCE, id="FE_03-missing_nonce"),
        pytest.param(put(sub=None), Wrong.SIGNATURE, id="FE_03-no_sub"),
        pytest.param(put(at_hash="AAAA"), Wrong.HASH, id="FE_08-at_hash"),
        pytest.param(put(c_hash="AAAA"), Wrong.HASH, id="FE_08-c_hash"),
        pytest.param(put(at_hash=7), Wrong.HASH, id="FE_08-at_hash_number"),
        pytest.param(put(sub="x" * 256), Wrong.SUBJECT, id="FE_03-long_sub"),
    ],
)
def test_FE_03_FE_08_an_id_token_that_proves_less_lets_nobody_in(
    world: World, client: FlaskClient, spoil: Spoil, wrong: Wrong
) -> None:
    world.link(world.rosa)
    world.upstream.spoil = spoil
    landed = world.come_back(client, world.leave(client))
    assert landed.status_code == 422
    assert "Nothing was changed" in landed.text
    assert (wrong_of(world), nobody_is_in(world)) == (wrong.value, True)


def b64(data: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def test_FE_03_none_hmac_foreign_keys_and_keys_in_headers_prove_nothing(world: World, client: FlaskClient) -> None:
    world.link(world.rosa)
    foreign, public = new_key("up-1")
    unlisted, listed = new_key("eddsa", Alg.EDDSA)
    world.upstream.published.append(listed)
    forgeries: list[Callable[[dict[str, Any]], str]] = [
        lambda claims: f"{b64({'alg': 'none'})}.{b64(claims)}.",
        lambda claims: f"{b64({'alg': 'HS256', 'kid': 'up-1'})}.{b64(claims)}.{'A' * 43}",
        lambda claims: f"{b64({'alg': 'ES256', 'jwk': public})}.{b64(claims)}.{'A' * 86}",
        lambda claims: jose.sign(claims, key=foreign, typ="JWT"),
        lambda claims: jose.sign(claims, key=unlisted, typ="JWT"),
        lambda claims: jose.sign(claims, key=world.upstream.key, typ="logout+jwt"),
        lambda claims: "a.b.c.d.e",
    ]
    for forge in forgeries:
        world.upstream.write = forge
        assert world.come_back(client, world.leave(client)).status_code == 422
    assert nobody_is_in(world)


def test_FE_04_state_is_needed_known_good_once_and_of_this_browser(
    world: World, client: FlaskClient, new_browser: Any
) -> None:
    world.link(world.rosa)
    url = world.leave(client)
    answer = world.upstream.authorize(url)
    assert new_browser().get(answer).status_code == 400
    other = new_browser()
    world.leave(other)
    assert other.get(answer).status_code == 400
    assert world.come_back(client, url, state=None).status_code == 400
    assert world.come_back(client, url, state="A" * 43).status_code == 400
    assert client.get(f"{answer}&state=again").status_code == 400
    assert nobody_is_in(world)
    assert client.get(answer).status_code == 200
    assert client.get(answer).status_code == 400
    assert len(world.make.rows(BrowserSession)) == 1


def test_FE_04_an_answer_an_hour_late_is_none(world: World, client: FlaskClient, hands: Any) -> None:
    world.link(world.rosa)
    answer = world.upstream.authorize(world.leave(client))
    hands.forward(minutes=31)
    assert client.get(answer).status_code == 400


def test_FE_05_mix_up_is_refused_by_callback_and_by_iss(world: World, client: FlaskClient) -> None:
    world.connect("other", issuer="https://id.evil.example")
    world.link(world.rosa)
    url = world.leave(client)
    answer = world.upstream.authorize(url)
    assert client.get(answer.replace("/saint-anne/", "/other/")).status_code == 400
    assert world.come_back(client, url, iss="https://id.evil.example").status_code == 400
    assert world.come_back(client, world.leave(client), iss=None).status_code == 400
    assert nobody_is_in(world)


GROUND = Ground()


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"issuer": "https://id.saintanne.example/"}, Wrong.ISSUER),
        ({"issuer": "https://evil.example"}, Wrong.ISSUER),
        ({"token_endpoint": "http://id.saintanne.example/token"}, Wrong.ENDPOINT),
        ({"token_endpoint": "https://169.254.169.254/token"}, Wrong.ENDPOINT),
        ({"jwks_uri": "https://[::1]/keys"}, Wrong.ENDPOINT),
        ({"jwks_uri": None}, Wrong.ENDPOINT),
        ({"authorization_endpoint": "javascript:alert(1)"}, Wrong.ENDPOINT),
        ({"userinfo_endpoint": "https://10.0.0.1/userinfo"}, Wrong.ENDPOINT),
        ({"end_session_endpoint": "http://id.saintanne.example/end"}, Wrong.ENDPOINT),
        ({"response_types_supported": ["id_token"]}, Wrong.NO_CODE),
        ({"code_challenge_methods_supported": ["plain"]}, Wrong.NO_PKCE),
        ({"token_endpoint_auth_methods_supported": ["none"]}, Wrong.METHOD),
    ],
)
def test_FE_07_a_document_that_does_not_fit_closes_the_connection(
    world: World, client: FlaskClient, changed: dict[str, Any], wrong: Wrong
) -> None:
    document = world.upstream.document | changed
    assert metadata_of(document, issuer=ISSUER, method="private_key_jwt", ground=GROUND) is wrong
    world.upstream.document = document
    page = post_form(client, open_sign_in(client), "with-form-saint-anne")
    assert page.status_code == 503
    assert "refresh" not in page.text


def test_FE_08_hashes_go_by_the_tokens_algorithm(world: World, client: FlaskClient) -> None:
    world.link(world.rosa)
    world.upstream.spoil = lambda claims: claims | {"at_hash": left_half("x", "sha512")}
    assert world.come_back(client, world.leave(client)).status_code == 422
    world.upstream.spoil = lambda claims: claims | {"at_hash": None, "c_hash": None}
    assert world.come_back(client, world.leave(client)).status_code == 200


def test_FE_09_userinfo_about_somebody_else_is_refused(world: World, client: FlaskClient) -> None:
    world.connect("asks", oidc={"client_id": "credence", "userinfo": True})
    world.link(world.rosa, name="asks")
    world.upstream.userinfo = {"sub": "somebody-else", "email": "maria@saintanne.example"}
    assert world.come_back(client, world.leave(client, "asks")).status_code == 422
    world.upstream.userinfo = {"email": "maria@saintanne.example"}
    assert world.come_back(client, world.leave(client, "asks")).status_code == 422
    assert nobody_is_in(world)
    world.upstream.userinfo = {"sub": "up-248289"}
    assert world.come_back(client, world.leave(client, "asks")).status_code == 200


def test_FE_15_upstreams_own_words_are_never_shown(world: World, client: FlaskClient) -> None:
    words = "<script>alert(1)</script>"
    landed = world.come_back(client, world.leave(client), code=None, error="access_denied", error_description=words)
    assert landed.status_code == 422
    assert "alert(1)" not in landed.text
    assert "cancelled or refused" in landed.text
    assert 'id="back-to-sign-in"' in landed.text


def test_a_sign_in_anew_is_asked_there_and_an_older_one_is_no_answer(
    world: World, client: FlaskClient, hands: Any
) -> None:
    world.link(world.rosa)
    world.sign_in(client)
    hands.forward(minutes=20)
    page = follow(client, client.get("/sign-in?to=account.overview&fresh=1"))
    url = world.leave(client, page=page)
    assert "prompt=login" in url
    assert "max_age=0" in url
    world.upstream.spoil = lambda claims: claims | {"auth_time": claims["auth_time"] - 1200}
    assert world.come_back(client, url).status_code == 422
    world.upstream.spoil = lambda claims: claims | {"auth_time": None}
    assert (
        world.come_back(client, world.leave(client, page=follow(client, client.get(page.request.path)))).status_code
        == 422
    )
    world.upstream.spoil = lambda claims: claims
    again = world.leave(client, page=follow(client, client.get(page.request.path)))
    assert follow(client, world.come_back(client, again)).request.path == "/account/"


def test_the_session_says_when_the_person_really_signed_in(world: World, client: FlaskClient) -> None:
    world.link(world.rosa)
    world.upstream.spoil = ago(3600, "auth_time")
    world.sign_in(client)
    session = world.make.rows(BrowserSession)[0]
    assert session.auth_time == clock.now() - timedelta(hours=1)


def test_R_17_a_provider_that_is_down_costs_local_people_nothing(world: World, client: FlaskClient, hands: Any) -> None:
    world.link(world.rosa)
    world.upstream.down = True
    page = post_form(client, open_sign_in(client), "with-form-saint-anne")
    assert page.status_code == 503
    assert "does not answer at the moment" in page.text
    asked = world.upstream.hits.count("/.well-known/openid-configuration")
    post_form(client, open_sign_in(client), "with-form-saint-anne")
    assert world.upstream.hits.count("/.well-known/openid-configuration") == asked == 1
    local = post_form(client, open_sign_in(client), "login-form", username="rosa.delgado", password=PASSWORD)
    assert local.status_code == 303


def test_R_17_what_was_fetched_stays_usable_for_a_day_and_new_keys_are_found_once_a_minute(
    world: World, client: FlaskClient, new_browser: Any, hands: Any
) -> None:
    world.link(world.rosa)
    world.sign_in(client)
    fetched = world.upstream.hits.count("/keys")
    world.upstream.rotate()
    hands.forward(minutes=2)
    world.sign_in(new_browser())
    assert world.upstream.hits.count("/keys") == fetched + 1
    foreign, _public = new_key("up-9")
    world.upstream.write = lambda claims: jose.sign(claims, key=foreign, typ="JWT")
    for _ in range(3):
        browser = new_browser()
        assert world.come_back(browser, world.leave(browser)).status_code == 422
    assert world.upstream.hits.count("/keys") <= fetched + 2
    world.upstream.write = None
    hands.forward(hours=5)
    flaky = new_browser()
    url = _with_document_away(world.upstream, lambda: world.leave(flaky))
    assert world.come_back(flaky, url).status_code == 200


def test_R_17_a_provider_that_gives_no_tokens_in_time_lets_nobody_in_and_may_be_tried_again(
    world: World, client: FlaskClient
) -> None:
    world.link(world.rosa)
    url = world.leave(client)
    world.upstream.lost.add("/token")
    late = world.come_back(client, url)
    assert late.status_code == 503
    assert "does not answer at the moment" in late.text
    assert (wrong_of(world), nobody_is_in(world)) == (Wrong.UNREACHABLE.value, True)
    world.upstream.lost.clear()
    assert world.sign_in(client).request.path == "/account/"


def test_R_17_keys_that_cannot_be_fetched_stay_usable_for_a_day_and_no_longer(
    world: World, client: FlaskClient, new_browser: Any, hands: Any
) -> None:
    world.link(world.rosa)
    world.sign_in(client)
    fetched = world.upstream.hits.count("/keys")
    world.upstream.lost.add("/keys")
    hands.forward(hours=23)
    assert world.sign_in(new_browser()).request.path == "/account/"
    assert world.upstream.hits.count("/keys") == fetched + 1
    hands.forward(hours=2)
    late = new_browser()
    assert world.come_back(late, world.leave(late)).status_code == 503
    world.upstream.lost.clear()
    hands.forward(minutes=2)
    assert world.sign_in(new_browser()).request.path == "/account/"
    world.upstream.lost.add("/.well-known/openid-configuration")
    hands.forward(hours=25)
    gone = post_form(new := new_browser(), open_sign_in(new), "with-form-saint-anne")
    assert gone.status_code == 503


def _with_document_away(upstream: Upstream, act: Callable[[], str]) -> str:
    upstream.down = True
    try:
        return act()
    finally:
        upstream.down = False
