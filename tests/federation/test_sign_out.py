"""Signing out in both places, whichever begins."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.audit.models import AuditEvent
from idp.federation.upstream_oidc.providers import providers
from idp.foundation import jose
from idp.sessions.models import BrowserSession
from tests.authenticators.browsing import follow, post_form, signed_in
from tests.federation.conftest import World, address_of
from tests.federation.upstream import new_key


def send(browser: FlaskClient, token: str, name: str = "saint-anne") -> TestResponse:
    return browser.post(f"/federation/{name}/logout", data={"logout_token": token})


def live(world: World) -> int:
    return sum(row.ended_at is None for row in world.make.rows(BrowserSession))


def told(world: World) -> list[tuple[str, str]]:
    events = [event for event in world.make.rows(AuditEvent) if event.type == "upstream_refused"]
    return [(event.outcome, event.details["wrong"]) for event in events]


@pytest.mark.both
def test_a_sign_out_there_ends_what_rests_on_it_and_nothing_else(
    world: World, client: FlaskClient, new_browser: Any
) -> None:
    world.link(world.rosa)
    world.sign_in(client)
    world.upstream.claims["sid"] = "up-session-2"
    world.sign_in(new_browser())
    signed_in(new_browser(), "rosa.delgado")
    assert live(world) == 3
    done = send(new_browser(), world.upstream.logout_token(sid="up-session-1"))
    assert (done.status_code, live(world)) == (200, 2)
    assert follow(client, client.get("/account/")).request.path != "/account/"
    everywhere = send(new_browser(), world.upstream.logout_token(sid=None))
    assert (everywhere.status_code, live(world)) == (200, 1)
    ended = {row.ended_reason for row in world.make.rows(BrowserSession) if row.ended_at is not None}
    assert ended == {"upstream"}


def test_FE_16_a_message_that_is_none_of_this_provider_ends_nothing(
    world: World, client: FlaskClient, new_browser: Any
) -> None:
    world.link(world.rosa)
    world.sign_in(client)
    upstream, foreign = world.upstream, new_key("up-1")[0]
    genuine = upstream.logout_token()

    def b64(data: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    claims = json.loads(base64.urlsafe_b64decode(genuine.split(".")[1] + "=="))
    wrong = [
        upstream.logout_token(aud="another"),
        upstream.logout_token(iss="https://evil.example"),
        upstream.logout_token(nonce="n"),
        upstream.logout_token(events={}),
        upstream.logout_token(events=None),
        upstream.logout_token(sub=None, sid=None),
        upstream.logout_token(jti=None),
        upstream.logout_token(iat=claims["iat"] - 3600),
        f"{b64({'alg': 'none', 'typ': 'logout+jwt'})}.{b64(claims)}.",
        f"{b64({'alg': 'HS256', 'typ': 'logout+jwt', 'kid': 'up-1'})}.{b64(claims)}.{'A' * 43}",
        jose.sign(claims, key=foreign, typ="logout+jwt"),
        jose.sign(claims, key=upstream.key, typ="at+jwt"),
        "",
    ]
    for token in wrong:
        assert send(new_browser(), token).status_code == 400, token
    assert send(new_browser(), genuine, "nobody").status_code == 400
    assert told(world) == []
    mixed = upstream.logout_token(sub="somebody-else", jti="one-message")
    assert [send(new_browser(), mixed).status_code for _ in range(2)] == [400, 400]
    assert told(world) == [("bad_subject", "subject")] * 2
    assert live(world) == 1
    unknown = upstream.logout_token(sub="somebody-else", sid="somewhere-else", jti="one-message")
    assert (send(new_browser(), unknown).status_code, live(world)) == (200, 1)
    assert send(new_browser(), genuine).status_code == 200
    assert live(world) == 0
    assert send(new_browser(), genuine).status_code == 400


def test_a_sign_out_here_goes_on_there_and_comes_back_where_it_was_kept(world: World, client: FlaskClient) -> None:
    world.link(world.rosa)
    world.sign_in(client)
    away = post_form(client, follow(client, client.get("/oauth/logout")), "logout-form")
    assert live(world) == 0
    there = urlsplit(address_of(away))
    sent = {name: values[0] for name, values in parse_qs(there.query).items()}
    assert (there.hostname, there.path, sent["client_id"]) == ("id.saintanne.example", "/end", "credence")
    assert sent["id_token_hint"].count(".") == 2
    assert sent["post_logout_redirect_uri"] == "https://credence.test/federation/saint-anne/signed-out"
    back = client.get(f"/federation/saint-anne/signed-out?state={sent['state']}&onward=https://evil.example")
    assert back.status_code == 200
    assert "signed out" in back.text.lower()
    assert client.get("/federation/saint-anne/signed-out?state=x").status_code == 200


def test_R_17_a_provider_that_is_down_keeps_nobody_signed_in_here(world: World, client: FlaskClient) -> None:
    world.link(world.rosa)
    world.sign_in(client)
    providers().forget()
    world.upstream.down = True
    page = post_form(client, follow(client, client.get("/oauth/logout")), "logout-form")
    assert page.status_code == 200
    assert live(world) == 0
