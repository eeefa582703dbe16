"""Each kind of token passes its own check and no other (UI-14, LO-11, KY-01…KY-17)."""

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from clients.relying_party.tokens import (
    BACKCHANNEL_EVENT,
    Untrusted,
    check_access_token,
    check_fresh,
    check_id_token,
    check_logout_token,
    peek,
)
from tests.clients.lying_provider import at_hash, sign

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ISSUER, CLIENT, API = "http://localhost:8000", "portal", "http://localhost:8006/api"
RSA = RSAKey.generate_key(2048, {"kid": "r1"})
EC = ECKey.generate_key("P-256", {"kid": "e1"})
KEYS = KeySet([RSA, EC])
T = int(NOON.timestamp())
COMMON = {"iss": ISSUER, "iat": T, "exp": T + 300}
ID = COMMON | {"aud": CLIENT, "sub": "s", "nonce": "n", "auth_time": T}
ACCESS = COMMON | {"aud": API, "sub": "s", "client_id": CLIENT, "jti": "j", "scope": "openid"}
LOGOUT = COMMON | {"aud": CLIENT, "sid": "x", "jti": "j", "events": {BACKCHANNEL_EVENT: {}}}


def id_token(**changed: Any) -> str:
    return sign(_claims(ID, changed), key=RSA, typ="JWT")


def access_token(**changed: Any) -> str:
    return sign(_claims(ACCESS, changed), key=EC, typ="at+jwt", alg="ES256")


def logout_token(**changed: Any) -> str:
    return sign(_claims(LOGOUT, changed), key=RSA, typ="logout+jwt")


def read_id(token: str, **more: Any) -> Any:
    return check_id_token(token, keys=KEYS, issuer=ISSUER, client_id=CLIENT, now=NOON, nonce="n", **more)


def read_access(token: str) -> Any:
    return check_access_token(token, keys=KEYS, issuer=ISSUER, audience=API, now=NOON)


def read_logout(token: str) -> Any:
    return check_logout_token(token, keys=KEYS, issuer=ISSUER, client_id=CLIENT, now=NOON)


READERS = {"id": read_id, "access": read_access, "logout": read_logout}
MAKERS = {"id": id_token, "access": access_token, "logout": logout_token}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("reader", READERS)
def test_KY_08_a_token_passes_only_its_own_check(kind: str, reader: str) -> None:
    if kind == reader:
        assert READERS[reader](MAKERS[kind]())["iss"] == ISSUER
    else:
        with pytest.raises(Untrusted):
            READERS[reader](MAKERS[kind]())


@pytest.mark.parametrize("typ", ["JWT", "at+jwt"])
def test_LO_11_a_logout_tokens_claims_under_another_type_are_refused(typ: str) -> None:
    with pytest.raises(Untrusted):
        read_logout(sign(LOGOUT, key=RSA, typ=typ))
    with pytest.raises(Untrusted):
        read_id(sign(LOGOUT | {"sub": "s", "nonce": "n"}, key=RSA, typ="JWT"))


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "n"},
        {"events": None},
        {"events": {}},
        {"events": {BACKCHANNEL_EVENT: "yes"}},
        {"events": [BACKCHANNEL_EVENT]},
        {"jti": None},
        {"sid": None},
        {"aud": "somebody"},
        {"aud": None},
        {"iss": "http://localhost:9000"},
        {"exp": T - 3600},
        {"exp": None},
        {"iat": T - 7200},
    ],
)
def test_LO_11_a_logout_token_of_the_wrong_shape_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Untrusted):
        read_logout(logout_token(**changed))


@pytest.mark.parametrize(
    "changed", [{"aud": "http://localhost:9999/api"}, {"aud": CLIENT}, {"client_id": None}, {"jti": None}]
)
def test_UI_14_an_access_token_for_another_api_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Untrusted):
        read_access(access_token(**changed))


def test_UI_14_one_audience_among_several_is_enough_for_an_api() -> None:
    assert read_access(access_token(aud=[ISSUER, API]))["jti"] == "j"


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"nonce": 7},
        {"sub": ""},
        {"sub": 7},
        {"aud": ["portal", "other"]},
        {"azp": "other"},
        {"exp": T - 60},
        {"exp": 1e99},
        {"exp": str(T + 300)},
        {"exp": T + 0.5},
        {"exp": -1},
        {"iat": T + 3600},
        {"iat": True},
        {"nbf": T + 3600},
        {"iss": ISSUER + "/"},
    ],
)
def test_KY_16_an_id_token_with_a_wrong_claim_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Untrusted):
        read_id(id_token(**changed))


def test_an_id_token_is_bound_to_its_access_token() -> None:
    assert read_id(id_token(at_hash=at_hash("abc")), access_token="abc")
    with pytest.raises(Untrusted):
        read_id(id_token(at_hash=at_hash("abc")), access_token="abd")


def test_a_refreshed_id_token_may_lack_the_nonce_but_not_change_it() -> None:
    assert read_id(id_token(nonce=None), nonce_may_be_absent=True)
    with pytest.raises(Untrusted):
        read_id(id_token(nonce="other"), nonce_may_be_absent=True)


def test_KY_01_none_and_unknown_algorithms_are_refused() -> None:
    _, payload, _ = id_token().split(".")
    for header in ("eyJhbGciOiJub25lIiwia2lkIjoicjEifQ", "eyJhbGciOiJuT25FIiwia2lkIjoicjEifQ"):
        with pytest.raises(Untrusted):
            read_id(f"{header}.{payload}.")


def test_KY_02_a_public_key_used_as_a_secret_is_refused() -> None:
    signed = f"{_part({'alg': 'HS256', 'kid': 'r1', 'typ': 'JWT'})}.{_part(ID)}"
    mac = hmac.digest(RSA.as_pem(private=False), signed.encode(), "sha256")
    with pytest.raises(Untrusted):
        read_id(f"{signed}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}")


def test_KY_04_a_key_that_the_token_brings_along_is_not_used() -> None:
    own = RSAKey.generate_key(2048, {"kid": "r1"})
    forged = sign(ID, key=own, typ="JWT", jwk=own.as_dict(private=False), jku="http://localhost:1/jwks")
    with pytest.raises(Untrusted):
        read_id(forged)


@pytest.mark.parametrize("kid", ["../../dev/null", "' OR 1=1--", "k" * 20_000, "nobody", ""])
def test_KY_05_a_strange_kid_is_refused_not_searched_for(kid: str) -> None:
    own = RSAKey.generate_key(2048, {"kid": "x"})
    forged = jwt.encode({"alg": "RS256", "kid": kid, "typ": "JWT"}, ID, own, algorithms=["RS256"])
    with pytest.raises(Untrusted):
        read_id(forged)


@pytest.mark.parametrize("junk", ["", "a.b", "a.b.c", "a.b.c.d.e", "…", "é.é.é", "." * 6, "x" * 1_000_000])
def test_KY_13_junk_is_refused_quietly(junk: str) -> None:
    for reader in READERS.values():
        with pytest.raises(Untrusted):
            reader(junk)


def test_an_old_sign_in_is_not_a_fresh_one() -> None:
    check_fresh({"auth_time": T}, asked_at=NOON)
    for stale in ({"auth_time": T - 60}, {}, {"auth_time": "now"}):
        with pytest.raises(Untrusted):
            check_fresh(stale, asked_at=NOON)


def test_an_opaque_access_token_shows_nothing() -> None:
    assert peek("opaque") is None
    assert peek("a.b.c") is None
    shown = peek(access_token())
    assert shown is not None
    assert shown["header"]["typ"] == "at+jwt"
    assert shown["payload"]["aud"] == API


def test_times_are_read_with_a_little_patience() -> None:
    late = NOON + timedelta(seconds=320)
    assert check_id_token(id_token(), keys=KEYS, issuer=ISSUER, client_id=CLIENT, now=late, nonce="n")


def _claims(truth: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**truth, **changed}.items() if value is not None}


def _part(value: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
