"""Signing out at a portal: here, everywhere, and by the provider's word."""

import re

import pytest
from flask.testing import FlaskClient

from tests.clients.conftest import BASE
from tests.clients.journey import query_of, sign_in
from tests.clients.lying_provider import LyingProvider


def test_X1_signing_out_asks_where(portal: FlaskClient, lying: LyingProvider) -> None:
    sign_in(portal, lying)
    page = portal.get("/sign-out").text
    assert "This portal only" in page
    assert "Everywhere" in page
    assert portal.get("/me.json").status_code == 200


def test_X1_here_ends_this_portal_and_its_grant(portal: FlaskClient, lying: LyingProvider) -> None:
    sign_in(portal, lying)
    assert portal.get("/sign-out?scope=here").headers["Location"] == "/signed-out"
    assert lying.revoked == ["refresh-1"]
    assert portal.get("/me.json").status_code == 401
    assert "Signed out" in portal.get("/signed-out").text


def test_X1_everywhere_goes_to_the_provider_and_comes_back(portal: FlaskClient, lying: LyingProvider) -> None:
    sign_in(portal, lying)
    asked = query_of(portal.get("/sign-out?scope=everywhere"))
    assert asked["id_token_hint"].count(".") == 2
    assert asked["post_logout_redirect_uri"] == f"{BASE}/signed-out"
    assert portal.get("/me.json").status_code == 401
    assert "signed out everywhere" in portal.get(f"/signed-out?state={asked['state']}").text
    assert "signed out everywhere" not in portal.get("/signed-out?state=guessed").text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_LO_02_another_sites_link_signs_nobody_out(portal: FlaskClient, lying: LyingProvider, site: str) -> None:
    sign_in(portal, lying)
    page = portal.get("/sign-out?scope=everywhere", headers={"Sec-Fetch-Site": site})
    assert page.status_code == 200
    assert portal.get("/me.json").status_code == 200


def test_LO_07_the_form_takes_its_own_token(portal: FlaskClient, lying: LyingProvider) -> None:
    sign_in(portal, lying)
    assert portal.post("/sign-out", data={"scope": "here", "csrf": "é"}).status_code == 403
    assert portal.get("/me.json").status_code == 200
    csrf = re.search(r'name="csrf" value="([^"]+)"', portal.get("/sign-out").text)
    assert csrf is not None
    assert portal.post("/sign-out", data={"scope": "here", "csrf": csrf[1]}).status_code == 303
    assert portal.get("/me.json").status_code == 401


def test_LO_09_a_copied_cookie_is_dead_after_signing_out(portal: FlaskClient, lying: LyingProvider) -> None:
    sign_in(portal, lying)
    copied = portal.get_cookie("test-portal_session", "localhost")
    assert copied is not None
    portal.get("/sign-out?scope=here")
    portal.set_cookie("test-portal_session", copied.value, domain="localhost")
    assert portal.get("/me.json").status_code == 401


@pytest.mark.parametrize("who", [{"sid": "session-1"}, {"sid": None, "sub": "subject-1"}, {"sub": "subject-1"}])
def test_X1_back_channel_logout_ends_that_session(
    portal: FlaskClient, lying: LyingProvider, who: dict[str, str | None]
) -> None:
    sign_in(portal, lying)
    answer = portal.post("/backchannel-logout", data={"logout_token": lying.logout_token(**who)})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert portal.get("/me.json").status_code == 401


@pytest.mark.parametrize("who", [{"sid": "session-2"}, {"sid": None, "sub": "subject-2"}, {"sub": "subject-2"}])
def test_back_channel_logout_leaves_others_alone(
    portal: FlaskClient, lying: LyingProvider, who: dict[str, str | None]
) -> None:
    sign_in(portal, lying)
    assert portal.post("/backchannel-logout", data={"logout_token": lying.logout_token(**who)}).status_code == 200
    assert portal.get("/me.json").status_code == 200


def test_LO_11_a_logout_token_works_once(portal: FlaskClient, lying: LyingProvider) -> None:
    token = lying.logout_token()
    assert portal.post("/backchannel-logout", data={"logout_token": token}).status_code == 200
    assert portal.post("/backchannel-logout", data={"logout_token": token}).status_code == 400


def test_LO_11_only_a_logout_token_signs_anybody_out(portal: FlaskClient, lying: LyingProvider) -> None:
    sign_in(portal, lying)
    for token in (
        lying.id_token(),
        lying.access_token(audience="test-portal"),
        lying.logout_token(typ="JWT"),
        lying.logout_token(nonce="n"),
        lying.logout_token(aud="other"),
        lying.logout_token(events={}),
        "junk",
        "",
    ):
        assert portal.post("/backchannel-logout", data={"logout_token": token}).status_code == 400
    assert portal.post("/backchannel-logout").status_code == 400
    assert portal.post("/backchannel-logout", query_string={"logout_token": lying.logout_token()}).status_code == 400
    assert portal.get("/me.json").status_code == 200
