"""Clients' keys from their `jwks_uri`, over a real server on loopback."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from idp.foundation import jose, jwk
from idp.foundation.algorithms import Alg
from idp.foundation.jose import Purpose
from idp.foundation.outgoing import Outgoing
from idp.relying_parties.manifest import Manifest, Registration
from idp.relying_parties.remote_keys import ClientKeys
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.refused import Refused
from tests.foundation.jose_bench import CLIENT, ISSUER, NOW, claims, members, signing
from tests.foundation.outside import Outside, answer, drip


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Outside]:
    with Outside(tmp_path) as outside:
        publish(outside, "k1")
        yield outside


@pytest.fixture
def keys(there: Outside) -> ClientKeys:
    return ClientKeys(
        Outgoing(allow=["127.0.0.0/8"], ca_file=there.certificate, resolver=lambda host, port: ["127.0.0.1"])
    )


def publish(there: Outside, *kids: str) -> None:
    document = {"keys": [jwk.public_members(members(Alg.ES256, kid)) for kid in kids]}
    there.behave = answer(json.dumps(document).encode())


def party(**registration: Any) -> RelyingParty:
    shape = Registration(token_endpoint_auth_method="private_key_jwt", **registration)
    manifest = Manifest.model_construct(registration=shape, base_url="https://rp.example")
    return RelyingParty(CLIENT, manifest, epoch=1, enabled=True)


def assertion(kid: str, *, later: timedelta = timedelta()) -> str:
    at = int((NOW + later).timestamp())
    return jose.sign(claims(Purpose.CLIENT_ASSERTION, iat=at, exp=at + 60), key=signing(Alg.ES256, kid), typ="JWT")


def proves(keys: ClientKeys, who: RelyingParty, kid: str, *, later: timedelta = timedelta()) -> bool:
    text = assertion(kid, later=later)
    return not isinstance(keys.verify_assertion(text, party=who, audience=ISSUER, now=NOW + later), Refused)


def test_keys_of_the_manifest_need_no_network(keys: ClientKeys, there: Outside) -> None:
    who = party(jwks={"keys": [jwk.public_members(members(Alg.ES256, "k1"))]})
    assert proves(keys, who, "k1")
    assert not proves(keys, who, "k2")
    assert there.requests == []


def test_a_client_without_keys_proves_nothing(keys: ClientKeys) -> None:
    assert keys.keys_of(party(), now=NOW) == ()
    assert not proves(keys, party(), "k1")


def test_a_set_is_fetched_once_and_kept(keys: ClientKeys, there: Outside) -> None:
    who = party(jwks_uri=there.url("/jwks"))
    assert all(proves(keys, who, "k1") for _ in range(5))
    assert len(there.requests) == 1


def test_PROTOCOL_21_an_unknown_kid_fetches_again_and_finds_the_new_key(keys: ClientKeys, there: Outside) -> None:
    who = party(jwks_uri=there.url("/jwks"))
    assert proves(keys, who, "k1")
    publish(there, "k1", "k2")
    later = timedelta(minutes=2)
    assert proves(keys, who, "k2", later=later)
    assert proves(keys, who, "k1", later=later)
    assert len(there.requests) == 2


def test_DR_15_a_storm_of_unknown_kids_fetches_once_a_minute(keys: ClientKeys, there: Outside) -> None:
    who = party(jwks_uri=there.url("/jwks"))
    for second in range(0, 180, 5):
        assert not proves(keys, who, "evil", later=timedelta(seconds=second))
    assert len(there.requests) == 3


def test_a_key_without_kid_that_was_replaced_is_found_by_its_wrong_signature(keys: ClientKeys, there: Outside) -> None:
    def nameless(kid: str) -> None:
        entry = {name: value for name, value in jwk.public_members(members(Alg.ES256, kid)).items() if name != "kid"}
        there.behave = answer(json.dumps({"keys": [entry]}).encode())

    who = party(jwks_uri=there.url("/jwks"))
    nameless("k1")
    assert proves(keys, who, "k1")
    nameless("k2")
    assert proves(keys, who, "k2", later=timedelta(minutes=2))


def test_R_17_a_server_that_is_down_costs_nothing_for_a_day(keys: ClientKeys, there: Outside) -> None:
    who = party(jwks_uri=there.url("/jwks"))
    assert proves(keys, who, "k1")
    there.behave = answer(b"", status="503 Down")
    assert proves(keys, who, "k1", later=timedelta(hours=23))
    assert not proves(keys, who, "k1", later=timedelta(hours=25))
    publish(there, "k1")
    assert proves(keys, who, "k1", later=timedelta(hours=26))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[]}', b"<html>", b'{"keys":[{"kty":"oct","k":"AA"}]}']
)
def test_DR_15_a_document_without_keys_changes_nothing(keys: ClientKeys, there: Outside, body: bytes) -> None:
    who = party(jwks_uri=there.url("/jwks"))
    assert proves(keys, who, "k1")
    there.behave = answer(body)
    assert proves(keys, who, "k1", later=timedelta(hours=2))


def test_a_failure_is_not_repeated_within_the_minute(keys: ClientKeys, there: Outside) -> None:
    who = party(jwks_uri=there.url("/jwks"))
    there.behave = answer(b"", status="404 Not Found")
    assert not any(proves(keys, who, "k1") for _ in range(5))
    assert len(there.requests) == 1


def test_a_changed_uri_begins_anew(keys: ClientKeys, there: Outside) -> None:
    assert proves(keys, party(jwks_uri=there.url("/old")), "k1")
    publish(there, "k2")
    assert not proves(keys, party(jwks_uri=there.url("/new")), "k1")
    assert proves(keys, party(jwks_uri=there.url("/new")), "k2")


def test_DR_15_a_slow_server_is_cut_and_the_client_refused(there: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Outgoing(allow=["127.0.0.0/8"], ca_file=there.certificate, resolver=lambda host, port: ["127.0.0.1"])
    real = out.get
    monkeypatch.setattr(out, "get", lambda url, **rest: real(url, timeout=timedelta(milliseconds=200), **rest))
    there.behave = drip
    assert not proves(ClientKeys(out), party(jwks_uri=there.url("/jwks")), "k1")
