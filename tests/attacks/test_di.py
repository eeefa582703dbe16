"""SECURITY DI: discovery, hosts, proxies."""

import pytest

from tests.conftest import ISSUER

METADATA = "/.well-known/openid-configuration"
SECRET_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


@pytest.mark.parametrize("path", [METADATA, "/oauth/authorize", "/oauth/jwks", "/sign-in", "/oauth/logout", "/"])
@pytest.mark.parametrize(
    "host",
    ["evil.test", "credence.test.evil", "credence.test:8443", "CREDENCE.test.", "", "user@credence.test", "credence.test evil",
     "credence.test,evil.test", "credence.test\tx"],
)  # fmt: skip
def test_DI_01_and_DI_03_another_host_is_refused_everywhere(client, path, host):
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "evil" not in answer.text and "evil" not in str(answer.headers)


FORWARDED = {
    "X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "99", "X-Forwarded-Prefix": "/evil",
    "Forwarded": 'for=1.1.1.1;host=evil.test;proto=http', "X-Original-URL": "/evil", "X-Rewrite-URL": "/evil",
    "X-Host": "evil.test", "X-HTTP-Method-Override": "POST",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(FORWARDED))
def test_DI_02_what_a_stranger_says_of_proxies_is_not_believed(flow, client, name):
    plain = client.get(METADATA)
    told = client.get(METADATA, headers={name: FORWARDED[name]})
    assert told.json == plain.json and told.json["issuer"] == ISSUER
    start = flow.browser.get("/oauth/authorize", query_string=flow.parameters(), headers={name: FORWARDED[name]})
    assert start.status_code == 303 and "evil" not in start.location and "http:" not in start.location


def test_DI_03_an_absolute_target_changes_nothing(client):
    answer = client.get(
        METADATA, environ_overrides={"REQUEST_URI": f"https://evil.test{METADATA}", "RAW_URI": "https://evil.test/"}
    )
    assert answer.json["issuer"] == ISSUER


@pytest.mark.parametrize(
    "path",
    [f"{METADATA}/", "/.well-known/OpenID-configuration", "/.WELL-KNOWN/openid-configuration", f"/x{METADATA}",
     "/.well-known/oauth-authorization-server/x", f"{METADATA}/x", "/.well-known/openid-configuration;x", f"{METADATA}.json"],
)  # fmt: skip
def test_DI_05_the_metadata_stand_at_one_address(client, path):
    assert client.get(path).status_code == 404


def test_DI_05_the_issuer_is_the_address_without_its_suffix(client):
    answer = client.get(METADATA)
    assert answer.mimetype == "application/json"
    assert answer.json["issuer"] == ISSUER
    assert client.get("/.well-known/oauth-authorization-server").json == answer.json


def test_DI_06_only_public_keys_each_with_its_own_name(client):
    keys = client.get("/oauth/jwks").json["keys"]
    assert keys and len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert key["kty"] != "oct" and not SECRET_MEMBERS & set(key) and key["use"] == "sig"
        assert all(
            "=" not in value and "+" not in value and "/" not in value
            for value in key.values()
            if isinstance(value, str)
        )
    assert "RS256" in {key["alg"] for key in keys}


@pytest.mark.parametrize("path", [METADATA, "/oauth/jwks"])
def test_DI_07_what_may_be_cached_reflects_nothing(client, world, path):
    world.public()
    noisy = {"Origin": "https://evil.test", "X-Forwarded-Host": "evil.test", "User-Agent": "CNRY", "Accept-Language": "CNRY",
             "Referer": "https://evil.test", "Cookie": "x=CNRY"}  # fmt: skip
    plain = client.get(path)
    told = client.get(f"{path}?evil=CNRY", headers=noisy)
    assert told.data == plain.data
    assert "CNRY" not in str(told.headers) and "evil" not in str(told.headers)
    assert "Set-Cookie" not in told.headers
    assert told.headers["Cache-Control"].startswith("public") and "Origin" in told.headers["Vary"]


@pytest.mark.parametrize(
    "path",
    ["/.well-known/webfinger?resource=acct:x@y&rel=';DROP", "/.well-known/openid-federation", "/.well-known/security.txt/../../etc",
     "/.well-known/jwks.json", "/.well-known/", "/.well-known/oauth-protected-resource", "/.git/config", "/.env"],
)  # fmt: skip
def test_DI_09_what_is_not_offered_is_not_there(client, path):
    answer = client.get(path)
    assert answer.status_code == 404 and "DROP" not in answer.text


@pytest.mark.parametrize(
    "path", ["/metrics", "/console", "/console/x", "/debug", "/?__debugger__=yes&cmd=resource&f=debugger.js"]
)
@pytest.mark.parametrize("agent", ["", "kube-probe/1.29", "ELB-HealthChecker/2.0", "Googlebot"])
def test_DI_10_nothing_internal_is_public_whoever_asks(client, path, agent):
    client.environ_base["REMOTE_ADDR"] = "203.0.113.7"
    answer = client.get(path, headers={"User-Agent": agent, "X-Forwarded-For": "127.0.0.1"})
    assert answer.status_code in {302, 303, 308, 401, 403, 404}
    assert "Traceback" not in answer.text and "debugger" not in answer.text.lower()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_DI_10_health_says_no_more_than_well_or_not(client, path):
    client.environ_base["REMOTE_ADDR"] = "203.0.113.7"
    answer = client.get(path)
    assert answer.status_code in {200, 404}
    assert set(answer.json or {}) <= {"alive", "ready", "database", "keys", "store", "clock"}
    assert not [word for word in ("sqlite", "postgres", "password", "version", "://") if word in answer.text.lower()]
