"""What is answered before Flask is what Flask answers: every request of a table goes both ways, by the bridge itself."""

from urllib.parse import urlencode

import orjson
import pytest
from sqlalchemy import text

from idp.foundation import epochs
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.foundation.short_cuts import KNOWN
from idp.keyring import service as keyring
from idp.oidc import short_cuts, token_endpoint
from idp.relying_parties import service as relying_parties
from tests.oidc.flow import VERIFIER, Flow, Registered, new_key, payload_of
from tests.oidc.invariants import adds_events
from tests.oidc.sides import Sides

FORM = {"content-type": "application/x-www-form-urlencoded"}
ALONE = {"grant_type": "client_credentials"}
BASIC = Registered("app-basic")
POSTING = Registered("app-post", "client_secret_post")


class TokenSides(Sides):
    """Both ways to a token."""

    def token(self, party=BASIC, **form):
        """A token by the short cuts' side."""
        headers, fields = party.proof()
        return self.ask(
            self.short, "POST", "/oauth/token", FORM | _lower(headers), _encoded({**ALONE, **fields, **form})
        )


def _lower(headers):
    return {name.lower(): value for name, value in headers.items()}


def _encoded(form):
    return urlencode(form).encode()


def _comparable(side):
    """The answer without what is new in each: request id, `jti` and the signature over it."""
    (status, headers, body), told = side
    request_ids = [len(value) for name, value in headers if name == "X-Request-ID"]
    headers = [pair for pair in headers if pair[0] != "X-Request-ID"]
    said = orjson.loads(body or b"{}")
    if "access_token" in said:
        claims = payload_of(said["access_token"])
        assert len(claims.pop("jti")) == 22
        said["access_token"] = (said["access_token"].partition(".")[0], list(claims.items()))
    return status, request_ids, headers, list(said.items()), told


@pytest.fixture
def sides(app, settings, make, monkeypatch):
    monkeypatch.setattr(keyring, "SETTLED_BEFORE", -3600.0)  # no test waits, but any may be slow
    alone = {
        "scope": "provider_id tin",
        "grant_types": ["client_credentials"],
        "roles_of": "heartland-one",
        "approved_for": {"registry": "heartland", "provider_ids": ["100200300"], "tins": []},
        "resources": ["https://api.test"],
        "redirect_uris": [],
        "first_party": False,
    }
    key, jwks = new_key()
    for client_id, changed in {
        "app-basic": {},
        "app-post": {"token_endpoint_auth_method": "client_secret_post"},
        "app-opaque": {"access_token": {"format": "opaque"}},
        "app-rsa": {"access_token": {"alg": "RS256"}},
        "app-eddsa": {"access_token": {"alg": "EdDSA"}},
        "app-assertion": {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks},
        "app-code": {"grant_types": ["authorization_code"], "redirect_uris": ["/callback"]},
        "app-nobody": {"approved_for": None},
        "app-off": {},
    }.items():
        make.client(client_id, partner=True, registration=alone | changed)
    with writing() as tx:
        relying_parties.disable(tx, client_id="app-off", now=make.now, actor="test", origin=Origin.local("test"))
    made = TokenSides(app, settings, monkeypatch)
    made.key = key
    made.token()
    made.look()
    return made


def _requests(key):
    """Name: (whether Flask is left out, headers, form or body)."""
    basic = _lower(BASIC.proof()[0])
    posted = POSTING.proof()[1]

    def of(client_id, secret=BASIC.secret):
        return _lower(Registered(client_id, secret=secret).proof()[0])

    asserting = Registered("app-assertion", "private_key_jwt", key=key)
    yield from {
        "basic": (True, basic, ALONE),
        "post": (True, {}, ALONE | posted),
        "with its client_id": (True, basic, ALONE | {"client_id": "app-basic"}),
        "a scope": (True, basic, ALONE | {"scope": "provider_id"}),
        "a scope that says nothing": (True, basic, ALONE | {"scope": ""}),
        "EdDSA": (True, of("app-eddsa"), ALONE),
        "every header that changes nothing": (True, basic | _harmless(), ALONE),
        "RSA": (False, of("app-rsa"), ALONE),
        "opaque": (False, of("app-opaque"), ALONE),
        "narrowed": (False, basic, ALONE | {"scope": "provider_id:100200300"}),
        "another client_id": (False, basic, ALONE | {"client_id": "app-post"}),
        "wrong secret": (False, of("app-basic", "wrong"), ALONE),
        "no secret": (False, of("app-basic", ""), ALONE),
        "a secret beyond its length": (False, of("app-basic", "x" * 1025), ALONE),
        "wrong secret, posted": (False, {}, ALONE | posted | {"client_secret": "wrong"}),
        "unknown client": (False, of("app-unknown"), ALONE),
        "wrong method": (False, of("app-post"), ALONE),
        "two methods": (False, basic, ALONE | posted),
        "none": (False, {}, ALONE),
        "no method but its name": (False, {}, ALONE | {"client_id": "app-basic"}),
        "not Basic": (False, {"authorization": "Bearer x"}, ALONE),
        "disabled": (False, of("app-off"), ALONE),
        "not registered for it": (False, of("app-code"), ALONE),
        "approved for nobody": (False, of("app-nobody"), ALONE),
        "unknown scope": (False, basic, ALONE | {"scope": "openid"}),
        "malformed scope": (False, basic, ALONE | {"scope": "provider_id  tin"}),
        "unknown parameter": (False, basic, ALONE | {"more": "x"}),
        "resource": (False, basic, ALONE | {"resource": "https://api.test"}),
        "unregistered resource": (False, basic, ALONE | {"resource": "https://else.test"}),
        "no grant type": (False, basic, {}),
        "unknown grant type": (False, basic, {"grant_type": "password"}),
        "assertion": (False, {}, ALONE | asserting.proof()[1]),
        "duplicate": (False, basic, b"grant_type=client_credentials&grant_type=client_credentials"),
        "not ASCII": (False, basic, b"grant_type=client_credentials&scope=\xc3\xa9"),
        "a control character": (False, basic, b"grant_type=client_credentials&scope=%00"),
        "huge": (False, basic, b"grant_type=client_credentials&scope=" + b"x" * 140_000),
        "many fields": (False, basic, b"grant_type=client_credentials" + b"".join(b"&a%d=" % n for n in range(300))),
        "empty": (False, basic, b""),
        "JSON": (False, basic | {"content-type": "application/json"}, b'{"grant_type":"client_credentials"}'),
        "multipart": (False, basic | {"content-type": "multipart/form-data; boundary=x"}, b"--x--"),
        "with a charset": (False, basic | {"content-type": f"{FORM['content-type']}; charset=utf-8"}, ALONE),
        "from a browser": (False, basic | {"origin": "https://evil.test"}, ALONE),
        "DPoP": (False, basic | {"dpop": "x"}, ALONE),
        "a cookie": (False, basic | {"cookie": "__Host-credence_session=x"}, ALONE),
        "a method put over": (False, basic | {"x-http-method-override": "GET"}, ALONE),
        "an unknown header": (False, basic | {"x-more": "1"}, ALONE),
        "header with an underscore": (False, basic | {"x_more": "1"}, ALONE),
        "two Authorizations": (False, {"authorization": f"{basic['authorization']},x"}, ALONE),
        "another host": (False, basic | {"host": "evil.test"}, ALONE),
        "headers without end": (False, basic | {"user-agent": "x" * 33_000}, ALONE),
        "chunked": (False, basic | {"transfer-encoding": "chunked"}, ALONE),
        "a length that is none": (False, basic | {"content-length": "-1"}, ALONE),
    }.items()  # fmt: skip


def _harmless():
    return dict.fromkeys(KNOWN - {"host", "authorization", "content-type", "content-length"}, "no-cache")


def test_PERFORMANCE_TK_client_credentials_before_flask_are_those_of_flask(sides):
    for name, (left_out, headers, form) in _requests(sides.key):
        body = form if isinstance(form, bytes) else _encoded(form)
        if name == "assertion":  # its `jti` is used up by whoever sees it first: the answer is compared with itself
            short, _, skipped = sides.both("POST", "/oauth/token", FORM | headers, body)
            assert short[0][0] == 200 and not skipped
            continue
        short, whole, skipped = sides.both("POST", "/oauth/token", FORM | headers, body)
        if name == "opaque":
            short, whole = _without_token(short), _without_token(whole)
        assert _comparable(short) == _comparable(whole), name
        assert skipped is left_out, name
        assert (short[0][0] == 200) or not left_out, name
    for path in ("/oauth/token?grant_type=client_credentials", "/oauth/token/", "/OAUTH/token"):
        _, _, skipped = sides.both("POST", path, FORM | _lower(BASIC.proof()[0]), _encoded(ALONE))
        assert not skipped, path


def _without_token(side):
    (status, headers, body), told = side
    said = orjson.loads(body)
    assert said.pop("access_token").startswith("at_")
    return (status, headers, orjson.dumps(said)), told


def test_TK_what_succeeds_writes_nothing_and_what_fails_is_counted_once(sides):
    _, added = adds_events(sides.token)
    assert added == []
    wrong = Registered("app-basic", secret="wrong")
    answer, added = adds_events(lambda: sides.token(wrong))
    assert answer[0] == 401 and added == [("client_authentication_refused", "invalid_client")]
    codes = [sides.token(wrong)[0] for _ in range(20)]
    assert codes == [401] * 19 + [429]
    assert sides.token()[0] == 200, "its owner is served, as by Flask"


def test_R_13_a_disabled_or_rotated_client_is_obeyed_within_a_second(sides, hands):
    """Another node's change: this process hears of it only by looking."""
    asked = sides.asked_flask
    with writing() as tx:
        tx.execute(
            text("UPDATE client SET enabled = :no, version = version + 1 WHERE client_id = 'app-post'"), {"no": False}
        )
        tx.execute(text("UPDATE client_secret SET digest = :other WHERE client_id = 'app-basic'"), {"other": bytes(32)})
        tx.execute(text("UPDATE client SET version = version + 1 WHERE client_id = 'app-basic'"))
        tx.execute(text("UPDATE clients_version SET version = version + 1"))
    hands.forward(milliseconds=390)
    assert [sides.token(party)[0] for party in (POSTING, BASIC)] == [200, 200] and not sides.looks
    hands.forward(milliseconds=20)
    assert sides.token(POSTING)[0] == 200 and len(sides.looks) == 1, "it goes on, and a thread looks meanwhile"
    sides.look()
    assert [sides.token(party)[0] for party in (POSTING, BASIC)] == [401, 401]
    assert sides.asked_flask == asked + 2


def test_R_13_without_a_look_nothing_is_used_for_longer_than_a_second(sides, hands):
    hands.forward(milliseconds=999)
    asked = sides.asked_flask
    assert sides.token()[0] == 200 and sides.asked_flask == asked
    hands.forward(milliseconds=1)
    assert sides.token()[0] == 200 and sides.asked_flask == asked + 1
    assert sides.token()[0] == 200 and sides.asked_flask == asked + 2, (
        "Flask has looked at the clients, nobody at the epoch"
    )
    sides.look()
    assert sides.token()[0] == 200 and sides.asked_flask == asked + 2
    hands.forward(seconds=-10)
    assert sides.token()[0] == 200 and sides.asked_flask == asked + 3, "a clock that stepped back asks (R-19)"


def test_R_13_what_this_process_changes_is_obeyed_at_once(sides, now):
    with writing() as tx:
        relying_parties.disable(tx, client_id="app-basic", now=now, actor="test", origin=Origin.local("test"))
    assert sides.token()[0] == 401


def test_D4_a_token_stamped_with_a_former_epoch_is_void_at_its_first_use(sides, hands, now):
    with writing() as tx:
        epochs.bump(tx, now=now)

    def stands(answer):
        token = orjson.loads(answer[2])["access_token"]
        asked = sides.ask(
            sides.short, "POST", "/oauth/introspect", FORM | _lower(BASIC.proof()[0]), _encoded({"token": token})
        )
        return orjson.loads(asked[2])["active"]

    asked = sides.asked_flask
    assert not stands(sides.token())
    hands.forward(milliseconds=400)
    sides.token()
    sides.look()
    assert stands(sides.token()) and sides.asked_flask == asked


def test_R_12_keys_that_must_be_looked_at_are_asked_by_a_thread(sides, monkeypatch):
    monkeypatch.setattr(keyring, "SETTLED_BEFORE", 3600.0)
    for path in ("/oauth/jwks", "/.well-known/openid-configuration"):
        _, _, skipped = sides.both("GET", path)
        assert not skipped
    asked = sides.asked_flask
    assert sides.token()[0] == 200 and sides.asked_flask == asked + 1


def test_RX_02_on_the_loop_nothing_is_read_or_written(sides, monkeypatch):
    """Whoever opened a connection there would make everybody wait for it."""
    from idp.foundation import database

    def opened(*_, **__):
        raise AssertionError("the loop asks the database")

    monkeypatch.setattr(database.db.engine.pool, "connect", opened)
    assert sides.token()[0] == 200
    for path in ("/oauth/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
        assert sides.ask(sides.short, "GET", path, {}, b"")[0] == 200


def test_UI_discovery_keys_userinfo_and_introspection_before_flask(sides, world, new_browser):
    flow = Flow(new_browser(), world.portal())
    token = flow.tokens()["access_token"]
    basic = FORM | _lower(flow.party.proof()[0])
    bearer = {"authorization": f"Bearer {token}"}
    for left_out, method, path, headers, body in (
        (True, "GET", "/oauth/jwks", {}, b""),
        (True, "GET", "/oauth/jwks", _harmless(), b""),
        (True, "GET", "/.well-known/openid-configuration", {}, b""),
        (True, "GET", "/.well-known/oauth-authorization-server", {}, b""),
        (False, "HEAD", "/oauth/jwks", {}, b""),
        (False, "GET", "/oauth/jwks?x=1", {}, b""),
        (False, "GET", "/oauth/jwks", {"origin": "https://evil.test"}, b""),
        (False, "GET", "/oauth/jwks", {"host": "evil.test"}, b""),
        (False, "POST", "/oauth/jwks", {}, b""),
        (True, "GET", "/oauth/userinfo", bearer, b""),
        (True, "GET", "/oauth/userinfo", bearer | _harmless(), b""),
        (True, "GET", "/oauth/userinfo", {}, b""),
        (True, "GET", "/oauth/userinfo", {"authorization": "Bearer x"}, b""),
        (True, "GET", "/oauth/userinfo", {"authorization": "Basic x"}, b""),
        (False, "GET", f"/oauth/userinfo?access_token={token}", {}, b""),
        (False, "GET", "/oauth/userinfo", bearer | {"dpop": "x"}, b""),
        (False, "POST", "/oauth/userinfo", FORM, _encoded({"access_token": token})),
        (True, "POST", "/oauth/introspect", basic, _encoded({"token": token})),
        (True, "POST", "/oauth/introspect", basic, _encoded({"token": token, "token_type_hint": "access_token"})),
        (True, "POST", "/oauth/introspect", basic, _encoded({"token": "x"})),
        (True, "POST", "/oauth/introspect", basic, _encoded({"more": "x"})),
        (True, "POST", "/oauth/introspect", FORM, _encoded({"token": token})),
        (True, "POST", "/oauth/introspect", FORM | {"authorization": "Basic eA=="}, _encoded({"token": token})),
        (False, "POST", "/oauth/introspect", basic, b"token=x&token=y"),
        (False, "POST", "/oauth/introspect", basic | {"content-type": "text/plain"}, b"token=x"),
    ):  # fmt: skip
        short, whole, skipped = sides.both(method, path, headers, body)
        assert _comparable(short) == _comparable(whole), (method, path, headers)
        assert skipped is left_out, (method, path, headers)


def _told_of(answer):
    """A token answer without what is new in each: what its tokens claim, but `jti`, times and what hangs on them."""
    status, headers, body = answer
    said = orjson.loads(body)
    for name in {"access_token", "id_token"} & said.keys():
        claims = payload_of(said[name])
        said[name] = {k: v for k, v in claims.items() if k not in {"jti", "iat", "exp", "at_hash"}} | {"all": [*claims]}
    if "refresh_token" in said:
        said["refresh_token"] = len(said["refresh_token"])
    return status, [pair for pair in headers if pair[0] not in {"X-Request-ID", "Content-Length"}], [*said.items()]


def test_TK_codes_and_refresh_tokens_before_flask_are_those_of_flask(sides, world, new_browser, make):
    """Each act on a code or family of its own; status, headers, claims, audit and what the operator is told are alike."""
    flow = Flow(new_browser(), world.portal())
    proof, other = _lower(flow.party.proof()[0]), _lower(BASIC.proof()[0])
    secret = {"client_id": flow.party.client_id, "client_secret": flow.party.secret}
    usual = {"grant_type": "authorization_code", "redirect_uri": flow.party.redirect_uri, "code_verifier": VERIFIER}
    wrong = _lower(Registered(flow.party.client_id, secret="wrong").proof()[0])

    def refreshing(token=None):
        return {"grant_type": "refresh_token", "refresh_token": token or flow.tokens()["refresh_token"]}

    for name, left_out, headers, form in (
        ("a code", True, proof, lambda: usual | {"code": flow.code()}),
        ("wrong verifier", True, proof, lambda: usual | {"code": flow.code(), "code_verifier": "x" * 43}),
        ("another address", True, proof, lambda: usual | {"code": flow.code(), "redirect_uri": "https://x.test"}),
        ("another client's", True, other, lambda: usual | {"code": flow.code()}),
        ("replayed", True, proof, lambda: usual | {"code": _used(flow)}),
        ("unknown", True, proof, lambda: usual | {"code": "ac_x"}),
        ("none", True, proof, lambda: usual),
        ("a wrong secret", True, wrong, lambda: usual | {"code": "ac_x"}),
        ("two methods", True, proof, lambda: usual | secret | {"code": "ac_x"}),
        ("no proof", True, {}, lambda: usual | {"code": "ac_x"}),
        ("a resource", True, proof, lambda: usual | {"code": flow.code(), "resource": "https://else.test"}),
        ("refresh", True, proof, refreshing),
        ("refreshed before", True, proof, lambda: refreshing(_turned(flow))),
        ("narrowed", True, proof, lambda: refreshing() | {"scope": "openid"}),
        ("another's family", True, other, refreshing),
        ("no family", True, proof, lambda: refreshing("rt_x")),
        ("DPoP", False, proof | {"dpop": "x"}, lambda: usual | {"code": flow.code()}),
        ("a cookie", False, proof | {"cookie": "x=y"}, lambda: usual | {"code": flow.code()}),
        ("from a browser", False, proof | {"origin": "https://x.test"}, lambda: usual | {"code": "ac_x"}),
        ("unknown grant type", False, proof, lambda: usual | {"grant_type": "password"}),
    ):  # fmt: skip
        seen = []
        for bridge in (sides.short, sides.whole):
            body, asked = _encoded(form()), sides.asked_flask
            sides.told[:] = []
            answer, added = adds_events(lambda: sides.ask(bridge, "POST", "/oauth/token", FORM | headers, body))  # noqa: B023
            seen.append((_told_of(answer), added, list(sides.told)))
            if bridge is sides.short:
                assert (sides.asked_flask == asked) is left_out, name
        assert seen[0] == seen[1], name
        assert (seen[0][0][0] == 200) == (name in {"a code", "refresh", "narrowed", "DPoP", "a cookie"}), (
            name,
            seen[0],
        )


def _used(flow):
    code = flow.code()
    flow.exchange(code)
    return code


def _turned(flow):
    token = flow.tokens()["refresh_token"]
    flow.refresh(token)
    return token


def test_UI_08_misses_are_counted_on_both_ways_together(sides):
    headers = FORM | _lower(BASIC.proof()[0])
    limit = token_endpoint.SCANNING.limit
    for bridge in (sides.short, sides.whole) * (limit // 2):
        assert sides.ask(bridge, "POST", "/oauth/introspect", headers, b"token=x")[0] == 200
    short, whole, _ = sides.both("POST", "/oauth/introspect", headers, b"token=x")
    assert short[0][0] == 429 and _comparable(short) == _comparable(whole)


def test_R_09_what_fails_before_flask_is_answered_by_flask(sides, monkeypatch):
    from sqlalchemy.exc import OperationalError

    tries = []

    def away(*_, **__):
        tries.append(1)
        raise OperationalError("SELECT", {}, Exception("locked"))

    monkeypatch.setattr(short_cuts.info, "userinfo", away)
    status, headers, body = sides.ask(sides.short, "GET", "/oauth/userinfo", {"authorization": "Bearer x"}, b"")
    assert (status, orjson.loads(body)["error"]) == (503, "temporarily_unavailable")
    assert dict(headers)["Retry-After"] == "2" and sides.asked_flask > 0
    assert len(tries) == 1, "nobody waits twice for a database that is away"


def test_RX_02_a_form_that_takes_long_to_read_is_read_by_a_thread(sides, monkeypatch):
    body = _encoded(ALONE)
    for longest, at_once in ((len(body), True), (len(body) - 1, False)):
        monkeypatch.setattr("idp.oidc.short_cuts.LONGEST", longest)
        short, whole, skipped = sides.both("POST", "/oauth/token", FORM | _lower(BASIC.proof()[0]), body)
        assert _comparable(short) == _comparable(whole) and short[0][0] == 200
        assert skipped is at_once


def test_ruling_21_the_line_of_a_request_says_which_client_proved_itself_by_which_grant(sides, world, new_browser):
    flow = Flow(new_browser(), world.portal())
    tokens = flow.tokens()
    portal, app = flow.party.client_id, {"client_id": "app-basic", "grant_type": "client_credentials"}
    basic, wrong = (FORM | _lower(party.proof()[0]) for party in (flow.party, Registered("app-basic", secret="wrong")))
    told = {"client_id": portal}
    refreshing = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for path, headers, form, said in (
        ("token", FORM | _lower(BASIC.proof()[0]), ALONE, app),
        ("token", wrong, ALONE, {}),
        ("token", basic, refreshing, told | {"grant_type": "refresh_token"}),
        ("token", basic, {"grant_type": "password"}, told),
        ("introspect", basic, {"token": tokens["access_token"]}, told),
        ("introspect", wrong, {"token": tokens["access_token"]}, {}),
        ("revoke", basic, {"token": "x"}, told),
    ):
        for bridge in (sides.short, sides.whole):
            sides.told.clear()
            sides.ask(bridge, "POST", f"/oauth/{path}", headers, _encoded(form))
            (line,) = (line for line in sides.told if "address" in line)
            assert {key: line[key] for key in ("client_id", "grant_type") if key in line} == said, (path, form)
