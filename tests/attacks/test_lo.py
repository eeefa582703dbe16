"""SECURITY LO: sign-out. `watch` asserts G1, G2, G4, G6, G8 after every case."""

from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest

from idp.foundation import clock, house, jose
from idp.foundation.jose import Purpose
from idp.foundation.outgoing import Outgoing
from idp.keyring.service import Keyring
from idp.oidc import logout_delivery
from idp.sessions.models import BrowserSession, LogoutDelivery
from idp.vocabulary.refused import Refused
from idp.worker.service import call_next
from tests.authenticators.browsing import post_form
from tests.conftest import ISSUER
from tests.oidc import listening
from tests.oidc.flow import Flow, answered, header_of, payload_of, transaction_of
from tests.oidc.invariants import adds_events, count
from tests.oidc.listening import Listener

pytestmark = pytest.mark.usefixtures("watch")
BACK = "https://heartland-one.test/signed-out"


def sign_out(flow, **parameters):
    return flow.browser.get("/oauth/logout?" + urlencode(parameters))


def alive(flow) -> bool:
    return "code" in answered(flow.authorize(prompt="none"))


def asks(flow, answer) -> None:
    page = flow.follow(answer)
    assert page.status_code == 200 and 'id="logout-confirm"' in page.text and 'id="logout-form"' in page.text
    assert alive(flow)


def refused(flow, answer, parameter: str) -> None:
    assert answer.status_code == 400 and "Location" not in answer.headers
    assert parameter in answer.text and 'id="error"' in answer.text
    assert alive(flow)


@pytest.mark.both
def test_a_hint_of_this_session_ends_it_at_once_and_leads_back_with_state(flow):
    tokens = flow.tokens()
    answer, added = adds_events(
        lambda: sign_out(flow, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BACK, state="a b&c=<d>")
    )
    assert answer.status_code == 303 and answer.location.startswith(BACK + "?")
    assert answered(answer) == {"state": "a b&c=<d>"}
    assert added == [("signed_out", "ok")]
    assert not alive(flow)
    assert flow.introspect(tokens["access_token"]) == {"active": False}
    assert flow.refresh(tokens["refresh_token"]).status_code == 400
    assert "credence_session=;" in str(answer.headers)


def test_without_state_none_comes_back_and_without_an_address_a_page_says_so(flow):
    tokens = flow.tokens()
    assert sign_out(flow, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BACK).location == BACK
    tokens = flow.tokens()
    page = sign_out(flow, id_token_hint=tokens["id_token"])
    assert page.status_code == 200 and "Signed out" in page.text and not alive(flow)


def test_an_expired_hint_still_speaks_for_its_session(flow, hands):
    tokens = flow.tokens()
    hands.forward(minutes=20)
    assert sign_out(flow, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BACK).location == BACK


def test_LO_02_an_image_signs_nobody_out(flow):
    flow.tokens()
    asks(flow, sign_out(flow))
    asks(flow, sign_out(flow, client_id="heartland-one", post_logout_redirect_uri=BACK))
    assert flow.browser.head("/oauth/logout").status_code == 405
    assert alive(flow)


def test_LO_02_confirmed_it_ends_and_leads_back(flow):
    flow.tokens()
    page = flow.follow(sign_out(flow, client_id="heartland-one", post_logout_redirect_uri=BACK, state="s"))
    answer = post_form(flow.browser, page, "logout-form")
    assert answer.location == f"{BACK}?state=s" and not alive(flow)


def test_LO_03_somebody_elses_hint_asks(world, flow, open_flow, make):
    other = make.subject("ben.okafor")
    make.affiliation(other, world.provider, levels=(("heartland-one", "claims.inquiry"),))
    flow.tokens()
    theirs = open_flow(flow.party, login="ben.okafor").tokens()["id_token"]
    asks(flow, sign_out(flow, id_token_hint=theirs, post_logout_redirect_uri=BACK))
    my_other_browser = open_flow(flow.party).tokens()["id_token"]
    asks(flow, sign_out(flow, id_token_hint=my_other_browser, post_logout_redirect_uri=BACK))


def test_LO_04_a_hint_of_one_client_and_the_name_of_another(world, flow):
    tokens = flow.tokens()
    world.second()
    refused(flow, sign_out(flow, id_token_hint=tokens["id_token"], client_id="heartland-two"), "client_id")
    refused(flow, sign_out(flow, client_id="nobody"), "client_id")


@pytest.mark.parametrize(
    "uri",
    ["https://evil.test/", f"{BACK}/", f"{BACK}?x=1", "https://heartland-one.test/callback", "//evil.test", "javascript:x", "",
     "https://heartland-two.test/signed-out", f"{BACK}\r\nX-Evil: 1"],
)  # fmt: skip
def test_PROTOCOL_24_a_bad_address_leads_nowhere_and_ends_nothing(world, flow, uri):
    world.second()
    tokens = flow.tokens()
    refused(
        flow, sign_out(flow, id_token_hint=tokens["id_token"], post_logout_redirect_uri=uri), "post_logout_redirect_uri"
    )
    refused(flow, sign_out(flow, post_logout_redirect_uri=uri), "post_logout_redirect_uri")


def test_LO_06_what_is_no_id_token_of_ours_is_no_hint(flow):
    tokens = flow.tokens()
    claims = payload_of(tokens["id_token"])
    ours = house.get(Keyring).signing("RS256")
    fresh = jose.sign(
        {"iss": ISSUER, "aud": "heartland-one", "jti": "x", "events": {}, **claims}, key=ours, typ="logout+jwt"
    )
    head, body, _ = tokens["id_token"].split(".")
    wrong = [
        tokens["access_token"], fresh, jose.sign(claims | {"iss": "https://other.test"}, key=ours, typ="JWT"),
        jose.sign(claims | {"aud": ["heartland-one"]}, key=ours, typ="JWT"), f"{head}.{body}.", "eyJhbGciOiJub25lIn0." + body + ".",
        "x", "", jose.sign(claims | {"iat": claims["iat"] - 2 * 86400}, key=ours, typ="JWT"),
    ]  # fmt: skip
    for hint in wrong:
        refused(flow, sign_out(flow, id_token_hint=hint, post_logout_redirect_uri=BACK), "id_token_hint")


def test_LO_06_duplicates_and_posted_queries_are_unreadable(flow):
    flow.tokens()
    assert flow.browser.get("/oauth/logout?state=a&state=b").status_code == 400
    assert flow.browser.post("/oauth/logout?state=a", data={}).status_code == 400
    assert flow.browser.post("/oauth/logout", json={}).status_code == 400
    assert alive(flow)


@pytest.mark.both
def test_LO_07_the_confirmation_wants_its_own_forms_token(flow, open_flow):
    flow.tokens()
    page = flow.follow(sign_out(flow))
    path = urlsplit(page.request.url).path
    other = open_flow(flow.party)
    other.tokens()
    for data, headers in (
        ({}, {"Origin": ISSUER}), ({"csrf_token": "x"}, {"Origin": ISSUER}), ({}, {"Origin": "https://evil.test"}),
    ):  # fmt: skip
        assert flow.browser.post(path, data=data, headers=headers).status_code == 403
    foreign = post_form(other.browser, other.follow(sign_out(other)), "logout-form")
    assert foreign.status_code == 200 and alive(flow)
    assert other.browser.get(path).status_code == 403


def test_LO_07_a_sign_out_request_is_no_authorization_request(flow):
    flow.tokens()
    page = flow.follow(sign_out(flow, client_id="heartland-one", post_logout_redirect_uri=BACK))
    txn = urlsplit(page.request.url).path.rsplit("/", 1)[-1]
    for path in (f"/oauth/authorize/{txn}", f"/sign-in/{txn}"):
        answer = flow.follow(flow.browser.get(path))
        assert "code=" not in answer.headers.get("Location", "") and answer.status_code in {200, 400}
    start = transaction_of(flow.authorize(prompt="login"))
    assert flow.browser.get(f"/oauth/logout/{start}").status_code in {303, 400}


def test_LO_08_state_is_escaped_and_unchanged(flow):
    flow.tokens()
    state = "<script>alert(1)</script>\"'"
    page = flow.follow(sign_out(flow, client_id="heartland-one", post_logout_redirect_uri=BACK, state=state))
    assert "<script>alert" not in page.text
    assert answered(post_form(flow.browser, page, "logout-form"))["state"] == state


@pytest.mark.both
def test_LO_09_a_copied_cookie_is_dead_at_the_server(flow, new_browser):
    tokens = flow.tokens()
    copied = new_browser()
    for name in ("__Host-credence_session", "__Host-credence_browser"):
        copied.set_cookie(name, _value(flow, name), domain="credence.test")
    thief = Flow(copied, flow.party)
    assert alive(thief)
    sign_out(flow, id_token_hint=tokens["id_token"])
    assert not alive(thief)
    back = copied.get("/account/")
    assert back.status_code == 303 and back.headers["Cache-Control"] == "no-store"


def _value(flow, name: str) -> str:
    cookie = flow.browser.get_cookie(name, domain="credence.test")
    assert cookie is not None
    return cookie.value


@pytest.mark.both
def test_a_posted_sign_out_comes_back_by_get_and_puts_no_token_into_an_address(flow, new_browser, hands):
    tokens = flow.tokens()
    hands.forward(minutes=2)
    form = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": BACK,
        "state": "s",
        "_scheme": "javascript",
    }
    cookieless = new_browser().post("/oauth/logout", data=form, headers={"Origin": "https://heartland-one.test"})
    assert cookieless.status_code == 303 and tokens["id_token"] not in cookieless.location
    assert "Set-Cookie" not in cookieless.headers
    answer = flow.browser.get(cookieless.location)
    assert answer.location == f"{BACK}?state=s" and not alive(flow)


def test_a_posted_sign_out_of_somebody_else_asks(flow, new_browser, hands):
    flow.tokens()
    hands.forward(minutes=2)
    cookieless = new_browser().post("/oauth/logout", data={"client_id": "heartland-one"})
    page = flow.browser.get(cookieless.location)
    assert 'id="logout-confirm"' in page.text and alive(flow)
    assert new_browser().get(cookieless.location).status_code == 403


def test_a_posted_authorization_request_waits_for_its_browser(flow, new_browser, hands):
    flow.tokens()
    hands.forward(minutes=2)
    cookieless = new_browser().post("/oauth/authorize", data=flow.parameters())
    assert cookieless.status_code == 303 and "Set-Cookie" not in cookieless.headers
    assert "code" in answered(flow.browser.get(cookieless.location))
    assert new_browser().get(cookieless.location).status_code == 403
    silent = new_browser().post("/oauth/authorize", data=flow.parameters(prompt="none"))
    assert answered(new_browser().get(silent.location))["error"] == "login_required"


@pytest.fixture
def listener(app, monkeypatch):
    """Back-channel calls may go to http on loopback, as in demo mode; whatever else `Outgoing` guards it guards."""
    there = Listener()
    monkeypatch.setitem(app.extensions["credence"], Outgoing, Outgoing(demo=True))
    yield there
    there.close()


def signed_out_at(world, open_flow, listener) -> Flow:
    flow = open_flow(world.portal("listens", backchannel_logout_uri=listener.url))
    tokens = flow.tokens()
    flow.tokens_of_the_test = tokens
    assert (
        sign_out(
            flow, id_token_hint=tokens["id_token"], post_logout_redirect_uri="https://listens.test/signed-out"
        ).status_code
        == 303
    )
    return flow


def deliver(hands) -> int:
    return call_next(logout_delivery.deliver, read_clock=lambda: hands.now)


@pytest.mark.both
def test_LO_11_a_logout_token_has_its_strict_shape_and_is_nothing_else(world, open_flow, listener, hands):
    flow = signed_out_at(world, open_flow, listener)
    assert deliver(hands) == 1
    ((path, form),) = listener.got
    assert path == "/backchannel-logout" and set(form) == {"logout_token"}
    token = form["logout_token"][0]
    told, id_claims = payload_of(token), payload_of(flow.tokens_of_the_test["id_token"])
    assert header_of(token)["typ"] == "logout+jwt" and header_of(token)["alg"] == "RS256" and header_of(token)["kid"]
    assert set(told) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti", "events"}
    assert told["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert all(told[name] == id_claims[name] for name in ("iss", "aud", "sub", "sid"))
    assert told["exp"] - told["iat"] == 120
    keys = house.get(Keyring).verification_keys()
    judge = {"keys": keys, "issuer": ISSUER, "audience": None, "now": clock.now()}
    assert not isinstance(jose.verify(token, purpose=Purpose.LOGOUT_TOKEN, **judge), Refused)
    for other in (Purpose.ID_TOKEN_HINT, Purpose.ACCESS_TOKEN):
        assert isinstance(jose.verify(token, purpose=other, **judge), Refused)
    assert isinstance(jose.verify(flow.tokens_of_the_test["id_token"], purpose=Purpose.LOGOUT_TOKEN, **judge), Refused)
    assert flow.userinfo(token).status_code == 401
    assert flow.follow(sign_out(flow, id_token_hint=token)).status_code == 400


@pytest.mark.parametrize("behaviour", [listening.redirect_inside, listening.pour, listening.fail])
def test_LO_10_a_badly_behaved_portal_holds_up_nothing(world, open_flow, listener, hands, make, behaviour):
    listener.behave = behaviour
    flow = signed_out_at(world, open_flow, listener)
    assert not alive(flow)
    assert deliver(hands) == 1
    assert [path for path, _ in listener.got] == ["/backchannel-logout"]
    (row,) = make.rows(LogoutDelivery)
    assert row.outcome is None and row.last_error and row.attempts == 1


def test_LO_10_one_byte_at_a_time_is_cut_off(world, open_flow, listener, hands, make, monkeypatch):
    monkeypatch.setattr(logout_delivery, "TIMEOUT", timedelta(seconds=0.3))
    listener.behave = listening.drip
    signed_out_at(world, open_flow, listener)
    assert deliver(hands) == 1
    (row,) = make.rows(LogoutDelivery)
    assert row.outcome is None and row.last_error


@pytest.mark.parametrize(
    "uri",
    [
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest",
        "https://[::1]/x",
        "http://evil.test/x",
        "https://10.0.0.1/x",
    ],
)
def test_LO_10_an_internal_address_is_never_called(world, open_flow, hands, make, uri):
    flow = open_flow(world.portal("listens", backchannel_logout_uri=uri))
    tokens = flow.tokens()
    sign_out(flow, id_token_hint=tokens["id_token"])
    assert not alive(flow)
    assert deliver(hands) == 1
    (row,) = make.rows(LogoutDelivery)
    assert row.outcome is None and row.last_error


@pytest.mark.both
def test_LO_12_a_portal_that_is_down_is_called_again_with_a_new_token(world, open_flow, listener, hands, make):
    listener.behave = listening.fail
    signed_out_at(world, open_flow, listener)
    assert deliver(hands) == 1
    assert deliver(hands) == 0
    listener.behave = listening.accept
    hands.forward(hours=1)
    assert deliver(hands) == 1
    first, second = (payload_of(form["logout_token"][0]) for _, form in listener.got)
    assert first["jti"] != second["jti"] and second["iat"] > first["iat"] and first["sid"] == second["sid"]
    (row,) = make.rows(LogoutDelivery)
    assert row.outcome == "delivered"


def test_LO_12_the_calls_are_bounded_and_a_dead_one_is_seen(world, open_flow, listener, hands, make):
    listener.behave = listening.fail
    signed_out_at(world, open_flow, listener)
    for _ in range(30):
        deliver(hands)
        hands.forward(hours=12)
    (row,) = make.rows(LogoutDelivery)
    assert row.outcome == "dead" and len(listener.got) < 15
    from tests.oidc.invariants import events

    assert [name for name, _ in events()].count("logout_undeliverable") == 1


@pytest.mark.both
def test_every_portal_of_the_session_is_told_and_no_other(world, open_flow, make):
    first, second = open_flow(world.portal()), None
    tokens = first.tokens()
    second = Flow(first.browser, world.second())
    second.tokens()
    elsewhere = open_flow(world.portal())
    elsewhere.tokens()
    sign_out(first, id_token_hint=tokens["id_token"])
    owed = make.rows(LogoutDelivery)
    assert sorted(row.client_id for row in owed) == ["heartland-one", "heartland-two"]
    assert len({row.sid for row in owed}) == 2
    assert alive(elsewhere)
    assert count(BrowserSession, BrowserSession.ended_at.is_(None)) == 1
