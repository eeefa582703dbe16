"""ID tokens that a provider encrypts to us: opened only as their connection says, then judged like any other."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from idp.audit.models import AuditEvent
from idp.federation.upstream_oidc.rules import Wrong
from idp.foundation import jose
from idp.foundation.jwe import Content, Wrap
from idp.keyring import rotation
from idp.keyring.rules import Use
from idp.keyring.service import Keyring
from idp.sessions.models import BrowserSession
from tests.authenticators.browsing import follow, post_form
from tests.factories.keys import MADE
from tests.federation.conftest import World, address_of
from tests.federation.test_sign_out import live, send

REGISTRY = jwe.JWERegistry(algorithms=[*Wrap, *Content, "DEF"], strict_check_header=False)


def published(client: FlaskClient, kty: str) -> dict[str, Any]:
    keys = [key for key in client.get("/federation/jwks").get_json()["keys"] if key["use"] == "enc"]
    return next(key for key in keys if key["kty"] == kty)


def encrypt(client: FlaskClient, token: str, *, alg: str = "RSA-OAEP-256", enc: str = "A256GCM", **more: Any) -> str:
    kind: type[RSAKey | ECKey] = RSAKey if alg.startswith("RSA") else ECKey
    key = kind.import_key(published(client, "RSA" if kind is RSAKey else "EC"))
    header = {"alg": alg, "enc": enc, "cty": "JWT", "kid": key.kid, **more}
    return jwe.encrypt_compact(header, token, key, registry=REGISTRY)


def connect(world: World, alg: str = "RSA-OAEP-256", enc: str = "A256GCM") -> None:
    world.connect("sealed", oidc={"client_id": "credence", "encryption": {"alg": alg, "enc": enc}})
    world.link(world.rosa, name="sealed")


def signed(world: World, claims: dict[str, Any]) -> str:
    return jose.sign(claims, key=world.upstream.key, typ="JWT")


@pytest.mark.parametrize(
    ("alg", "enc"), [("RSA-OAEP-256", "A128CBC-HS256"), ("ECDH-ES", "A256GCM"), ("ECDH-ES+A256KW", "A256GCM")]
)
def test_an_encrypted_id_token_signs_in_and_its_inside_is_the_hint_at_sign_out(
    world: World, client: FlaskClient, alg: str, enc: str
) -> None:
    connect(world, alg, enc)
    world.upstream.write = lambda claims: encrypt(
        client, signed(world, claims), alg=alg, enc=enc, iss=world.upstream.issuer
    )
    assert world.sign_in(client, "sealed").request.path == "/account/"
    away = address_of(post_form(client, follow(client, client.get("/oauth/logout")), "logout-form"))
    assert away.partition("id_token_hint=")[2].partition("&")[0].count(".") == 2, "RP-Initiated Logout §2"


SEALED: list[Any] = [
    pytest.param(lambda world, client: lambda claims: signed(world, claims), Wrong.ENCRYPTION, id="plain"),
    pytest.param(
        lambda world, client: lambda claims: encrypt(client, signed(world, claims), enc="A128CBC-HS256"),
        Wrong.ENCRYPTION,
        id="another_enc",
    ),
    pytest.param(
        lambda world, client: lambda claims: encrypt(client, signed(world, claims), alg="ECDH-ES"),
        Wrong.ENCRYPTION,
        id="another_alg",
    ),
    pytest.param(
        lambda world, client: lambda claims: encrypt(client, signed(world, claims), zip="DEF"),
        Wrong.ENCRYPTION,
        id="zip",
    ),
    pytest.param(
        lambda world, client: lambda claims: encrypt(client, signed(world, claims), iss="https://evil.example"),
        Wrong.ENCRYPTION,
        id="header_says_another_iss",
    ),
    pytest.param(
        lambda world, client: lambda claims: encrypt(client, json.dumps(claims)), Wrong.SIGNATURE, id="unsigned_inside"
    ),
    pytest.param(
        lambda world, client: lambda claims: encrypt(client, encrypt(client, signed(world, claims))),
        Wrong.SIGNATURE,
        id="encrypted_twice",
    ),
    pytest.param(
        lambda world, client: lambda claims: encrypt(client, signed(world, claims | {"nonce": "other"})),
        Wrong.NONCE,
        id="inside_is_judged",
    ),
]


@pytest.mark.parametrize(("write", "wrong"), SEALED)
def test_KY_09_FE_03_a_connection_that_encrypts_takes_nothing_else(
    world: World, client: FlaskClient, write: Callable[..., Callable[[dict[str, Any]], str]], wrong: Wrong
) -> None:
    connect(world)
    world.upstream.write = write(world, client)
    assert world.come_back(client, world.leave(client, "sealed")).status_code == 422
    told = [event.details["wrong"] for event in world.make.rows(AuditEvent) if event.type == "upstream_refused"]
    assert (told, world.make.rows(BrowserSession)) == ([wrong.value], [])


def test_KY_09_a_connection_that_names_no_encryption_opens_none(world: World, client: FlaskClient) -> None:
    world.link(world.rosa)
    world.upstream.write = lambda claims: encrypt(client, signed(world, claims))
    assert world.come_back(client, world.leave(client)).status_code == 422
    assert world.make.rows(BrowserSession) == []


def test_FE_16_a_sign_out_message_may_come_encrypted_and_proves_itself_all_the_same(
    world: World, client: FlaskClient, new_browser: Any
) -> None:
    connect(world)
    world.upstream.write = lambda claims: encrypt(client, signed(world, claims))
    world.sign_in(client, "sealed")
    outside = new_browser()
    forged = encrypt(outside, world.upstream.logout_token(aud="another"))
    lying = encrypt(outside, world.upstream.logout_token(), iss="https://evil.example")
    assert [send(outside, token, "sealed").status_code for token in (forged, lying)] == [400, 400]
    assert live(world) == 1
    assert send(outside, encrypt(outside, world.upstream.logout_token()), "sealed").status_code == 200
    assert live(world) == 0


def test_KY_08_a_rotation_moves_providers_on_and_what_they_still_encrypt_to_the_old_key_opens_for_a_day(
    tmp_path: Path,
) -> None:
    folder, later = tmp_path / "keys", MADE + timedelta(hours=1)
    rotation.create(folder, now=MADE)

    def ring(at: datetime) -> Keyring:
        return Keyring.open(folder, production=False, read_clock=lambda: at)

    before = ring(later)
    shown = {str(key["kid"]) for key in before.encryption_jwks()}
    assert shown == {key.kid for key in before.decryption_keys()}
    assert shown.isdisjoint(before.verification_keys())
    assert isinstance(rotation.rotate(folder, now=later, use=Use.ENCRYPTION), rotation.Rotated)
    after = ring(later)
    now_shown = {str(key["kid"]) for key in after.encryption_jwks()}
    assert len(now_shown) == 2
    assert now_shown.isdisjoint(shown)
    assert shown | now_shown == {key.kid for key in after.decryption_keys()}
    assert now_shown == {key.kid for key in ring(later + timedelta(hours=26)).decryption_keys()}
