"""SECURITY TK-09…20: how clients prove who they are. `watch` asserts G1, G2, G4, G6, G8 after every case."""

import threading
from base64 import b64encode
from datetime import timedelta

import pytest

from idp.foundation.artefacts import digest_of
from idp.foundation.database import writing
from idp.relying_parties.models import ClientSecret
from tests.attacks.oidc_world import refused
from tests.conftest import ISSUER
from tests.factories.make import CLIENT_SECRET
from tests.oidc.flow import ASSERTION_TYPE, VERIFIER, Registered, new_key
from tests.oidc.invariants import adds_events

pytestmark = pytest.mark.usefixtures("watch")


def token_request(flow, *, headers=None, **form):
    usual = {"grant_type": "authorization_code", "code": "ac_x", "redirect_uri": flow.party.redirect_uri,
             "code_verifier": VERIFIER}  # fmt: skip
    data = {name: value for name, value in (usual | form).items() if value is not None}
    return flow.browser.post("/oauth/token", data=data, headers=headers or {})


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{secret}".encode()).decode()}


def test_TK_09_two_ways_at_once(world, flow):
    partner = world.partner()
    good = basic("heartland-one", CLIENT_SECRET)
    refused(token_request(flow, headers=good, client_secret=CLIENT_SECRET), "invalid_request")
    refused(token_request(flow, headers=good, client_id="heartland-one", client_secret="x"), "invalid_request")
    assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": partner.assertion()}
    refused(token_request(flow, headers=good, **assertion), "invalid_request")
    refused(token_request(flow, client_secret="x", client_id="harborline", **assertion), "invalid_request")


def test_TK_10_basic_of_one_client_and_the_name_of_another(world, flow):
    world.second()
    refused(
        token_request(flow, headers=basic("heartland-one", CLIENT_SECRET), client_id="heartland-two"), "invalid_client"
    )
    key = world.partner()
    refused(
        token_request(
            flow, client_id="heartland-one", client_assertion_type=ASSERTION_TYPE, client_assertion=key.assertion()
        ),
        "invalid_client",
    )


def test_TK_11_only_the_registered_way(world, flow):
    world.public(), world.partner(), world.pairwise()
    refused(token_request(flow, client_id="heartland-one", client_secret=CLIENT_SECRET), "invalid_client")
    refused(token_request(flow, client_id="pocket", client_secret="anything"), "invalid_client")
    refused(token_request(flow, headers=basic("pocket", "anything")), "invalid_client")
    refused(token_request(flow, headers=basic("pocket", "")), "invalid_client")
    refused(token_request(flow, client_id="heartland-one"), "invalid_client")
    refused(token_request(flow, client_id="harborline"), "invalid_client")
    refused(token_request(flow, headers=basic("stranger", CLIENT_SECRET)), "invalid_client")
    refused(token_request(flow), "invalid_client")


@pytest.mark.parametrize("secret", ["a b+c:d%e&f=g", "ends-with-colon:", "50%25", "ñandú"])
def test_TK_12_basic_is_form_encoded_first(make, new_browser, secret):
    make.client("odd", secret=secret, registration={"grant_types": ["client_credentials"]}, partner=True)
    right = Registered("odd", secret=secret)
    answer = right.call(new_browser(), "/oauth/token", {"grant_type": "authorization_code", "code": "ac_x"})
    refused(answer, "unauthorized_client")


@pytest.mark.parametrize(
    "value",
    [
        "Basic ***",
        "Basic",
        "Basic ",
        "Basic YQ==",
        "Basic YTpi YTpi",
        "Digest x",
        "Bearer x",
        "basic",
        "Basic 4pi",
        "Basic " + "A" * 3000,
    ],
)
def test_TK_12_basic_that_cannot_be_read(flow, value):
    refused(token_request(flow, headers={"Authorization": value}), "invalid_client")


@pytest.mark.parametrize(
    "secret", ["é", "\x00", "", "x" * 100_000, "пароль", "\x1b[31m", "%00", "\ud83d".encode("utf-8", "surrogatepass")]
)
def test_TK_13_secrets_no_program_expects(world, flow, secret):
    world.pairwise()
    answer = token_request(flow, client_id="stranger", client_secret=secret)
    assert answer.status_code in {400, 401} and answer.json["error"] in {"invalid_client", "invalid_request"}
    if isinstance(secret, str):
        raw = b"Basic " + b64encode(b"heartland-one:" + secret.encode())
        assert token_request(flow, headers={"Authorization": raw.decode()}).status_code in {401, 431}
    not_utf8 = b"Basic " + b64encode(b"heartland-one:\xff\xfe")
    refused(token_request(flow, headers={"Authorization": not_utf8.decode()}), "invalid_client")


@pytest.mark.both
def test_TK_14_unknown_and_wrong_are_one_answer(world, flow, new_browser):
    world.pairwise()

    def shape(answer):
        headers = {name: value for name, value in answer.headers if name not in {"X-Request-ID", "Date"}}
        return answer.status_code, answer.data, headers

    for known, unknown in (
        ({"client_id": "stranger", "client_secret": "wrong"}, {"client_id": "nobody", "client_secret": "wrong"}),
        ({"client_id": "stranger"}, {"client_id": "nobody"}),
    ):
        assert shape(token_request(flow, **known)) == shape(token_request(flow, **unknown))
    assert shape(token_request(flow, headers=basic("heartland-one", "wrong"))) == shape(
        token_request(flow, headers=basic("nobody", "wrong"))
    )


@pytest.mark.both
def test_TK_15_guessing_is_stopped_for_one_address_and_the_owner_served(flow, new_browser, hands):
    attacker = new_browser()
    attacker.environ_base["REMOTE_ADDR"] = "203.0.113.9"

    def guess(number):
        return attacker.post(
            "/oauth/token", data={"grant_type": "x"}, headers=basic("heartland-one", f"guess-{number}")
        )

    statuses = [guess(number).status_code for number in range(25)]
    assert statuses[:20] == [401] * 20 and set(statuses[20:]) == {429}
    throttled = guess(99)
    assert throttled.json["error"] == "temporarily_unavailable" and int(throttled.headers["Retry-After"]) > 0
    assert "access_token" in flow.tokens()
    hands.forward(hours=2)
    assert guess(100).status_code == 401


def test_TK_16_a_rotated_secret_ends_with_its_overlap(flow, hands, make):
    with writing() as tx:
        tx.add(ClientSecret(client_id="heartland-one", digest=digest_of("CNRY-new"), created_at=hands.now))
        for row in tx.query(ClientSecret).filter_by(client_id="heartland-one"):
            if row.digest == digest_of(CLIENT_SECRET):
                row.expires_at = hands.now + timedelta(hours=24)
        from idp.relying_parties import service as relying_parties

        relying_parties.changed(tx)
    hands.forward(seconds=2)
    new = Registered("heartland-one", secret="CNRY-new")
    for party in (flow.party, new):
        refused(
            party.call(flow.browser, "/oauth/token", {"grant_type": "authorization_code", "code": "ac_x"}),
            "invalid_grant",
        )
    hands.forward(hours=24)
    refused(
        flow.party.call(flow.browser, "/oauth/token", {"grant_type": "authorization_code", "code": "ac_x"}),
        "invalid_client",
    )
    refused(
        new.call(flow.browser, "/oauth/token", {"grant_type": "authorization_code", "code": "ac_x"}), "invalid_grant"
    )


def by_assertion(browser, assertion, **more):
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return browser.post("/oauth/token", data=form | more)


@pytest.mark.both
def test_TK_18_an_assertion_is_good_once_even_at_the_same_moment(world, new_browser, app):
    partner = world.partner()
    assertion = partner.assertion()
    assert by_assertion(new_browser(), assertion).status_code == 200
    refused(by_assertion(new_browser(), assertion), "invalid_client")
    for _ in range(3):
        fresh, results, barrier = partner.assertion(), [], threading.Barrier(6)

        def send(fresh=fresh, results=results, barrier=barrier):
            with app.app_context():
                barrier.wait()
                results.append(by_assertion(new_browser(), fresh).status_code)

        threads = [threading.Thread(target=send) for _ in range(6)]
        [each.start() for each in threads], [each.join() for each in threads]
        assert sorted(results) == [200] + [401] * 5


@pytest.mark.parametrize("audience", [ISSUER, f"{ISSUER}/oauth/token"])
def test_TK_19_the_audience_is_the_issuer_or_the_token_endpoint(world, new_browser, audience):
    assert by_assertion(new_browser(), world.partner().assertion(aud=audience)).status_code == 200


@pytest.mark.parametrize(
    "audience",
    [
        [ISSUER],
        [ISSUER, "https://other.test"],
        f"{ISSUER}/",
        f"{ISSUER}/oauth/par",
        "https://other.test",
        f"{ISSUER}/oauth/introspect",
        "",
        None,
        1,
    ],
)
def test_TK_19_any_other_audience(world, new_browser, audience):
    refused(by_assertion(new_browser(), world.partner().assertion(aud=audience)), "invalid_client")


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": None}, {"exp": +31_536_000}, {"exp": -61}, {"nbf": +60}, {"iat": +120}, {"iss": "heartland-one"},
        {"sub": "heartland-one"}, {"iss": "heartland-one", "sub": "heartland-one"}, {"sub": None}, {"iss": None},
        {"jti": None}, {"jti": 1}, {"jti": ""}, {"iat": "x"}, {"exp": "soon"},
    ],
)  # fmt: skip
def test_TK_20_an_assertion_whose_claims_do_not_fit(world, new_browser, hands, wrong):
    at = int(hands.now.timestamp())
    claims = {
        name: at + value if name in {"exp", "nbf", "iat"} and isinstance(value, int) else value
        for name, value in wrong.items()
    }
    refused(by_assertion(new_browser(), world.partner().assertion(**claims)), "invalid_client")


def test_TK_20_an_assertion_by_a_strangers_key_or_for_another_client(world, new_browser):
    partner = world.partner()
    stranger, _ = new_key()
    refused(
        by_assertion(new_browser(), Registered("harborline", "private_key_jwt", key=stranger).assertion()),
        "invalid_client",
    )
    refused(by_assertion(new_browser(), partner.assertion(), client_id="heartland-one"), "invalid_client")
    refused(by_assertion(new_browser(), partner.assertion(), client_assertion_type="urn:x"), "invalid_client")
    for text in ("", "x", "a.b.c", "é", "." * 50, "a" * 20_000):
        answer = by_assertion(new_browser(), text)
        assert answer.status_code in {400, 401}


@pytest.mark.both
def test_TK_15_a_refused_client_costs_no_more_than_two_writes_and_one_event(world, new_browser):
    partner = world.partner()
    spent = partner.assertion()
    assert by_assertion(new_browser(), spent).status_code == 200
    answer, added = adds_events(lambda: by_assertion(new_browser(), spent))
    refused(answer, "invalid_client")
    assert added == [("client_authentication_refused", "invalid_client")]
