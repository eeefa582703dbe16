"""Encrypted tokens: written by joserfc as a provider would, opened by ours only when they are what was agreed."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwe as theirs
from joserfc.jwk import ECKey, OctKey, RSAKey

from idp.foundation import jwe
from idp.foundation.jose import Reason
from idp.foundation.jwe import Content, DecryptionKey, Opened, Wrap
from idp.vocabulary.refused import Refused

INSIDE = "e30.e30.c2ln"
RSA = {**jwe.generate(Wrap.RSA_OAEP_256), "kid": "rsa"}
CURVE = {**jwe.generate(Wrap.ECDH_ES), "kid": "ec"}
KEYS = (jwe.read_private(RSA), jwe.read_private(CURVE))
ALL = ["RSA-OAEP-256", "RSA-OAEP", "ECDH-ES", "ECDH-ES+A256KW", "A256GCM", "A128CBC-HS256", "dir", "DEF"]
ALL += ["A128GCM", "ECDH-ES+A128KW"]


def key_for(alg: str) -> Any:
    members = RSA if alg.startswith("RSA") else CURVE
    return (RSAKey if members is RSA else ECKey).import_key(jwe.public_members(members))


def encrypted(
    alg: str = "RSA-OAEP-256", enc: str = "A256GCM", *, key: Any = None, inside: Any = INSIDE, **more: Any
) -> str:
    header = {
        name: value for name, value in {"alg": alg, "enc": enc, "cty": "JWT", **more}.items() if value is not None
    }
    registry = theirs.JWERegistry(algorithms=ALL, strict_check_header=False)
    return theirs.encrypt_compact(header, inside, key or key_for(alg), registry=registry)


def opened(token: str, alg: Wrap = Wrap.RSA_OAEP_256, enc: Content = Content.A256GCM) -> Opened | Refused:
    return jwe.decrypt(token, keys=KEYS, alg=alg, enc=enc)


@pytest.mark.parametrize("enc", Content)
@pytest.mark.parametrize("alg", Wrap)
def test_what_was_agreed_is_opened(alg: Wrap, enc: Content) -> None:
    kid = "rsa" if alg is Wrap.RSA_OAEP_256 else "ec"
    for more in ({}, {"kid": kid}, {"typ": "JWT"}, {"cty": "jwt"}):
        assert opened(encrypted(alg, enc, **more), alg, enc) == Opened(INSIDE), more
    replicated = opened(encrypted(alg, enc, iss="https://op.example", aud="us"), alg, enc)
    assert isinstance(replicated, Opened)
    assert jwe.same_claims(replicated, {"iss": "https://op.example", "aud": "us", "sub": "x"})
    assert not jwe.same_claims(replicated, {"iss": "https://evil.example", "aud": "us"})
    assert not jwe.same_claims(replicated, {"aud": "us"})


def with_header(token: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    first, _, rest = token.partition(".")
    header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    changed = base64.urlsafe_b64encode(json.dumps(change(header)).encode()).rstrip(b"=").decode()
    return f"{changed}.{rest}"


def spoiled(token: str, part: int) -> str:
    parts = token.split(".")
    parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
    return ".".join(parts)


OTHER = RSAKey.generate_key(2048)
OFF_CURVE = {"kty": "EC", "crv": "P-256", "x": "AQ" + "A" * 41, "y": "AQ" + "A" * 41}


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        pytest.param(encrypted("RSA-OAEP"), Reason.ALGORITHM, id="RSA-OAEP with SHA-1"),
        pytest.param(
            with_header(encrypted(), lambda header: header | {"alg": "RSA1_5"}), Reason.ALGORITHM, id="KY_09-RSA1_5"
        ),
        pytest.param(encrypted("ECDH-ES"), Reason.ALGORITHM, id="another alg than pinned"),
        pytest.param(encrypted(enc="A128CBC-HS256"), Reason.ALGORITHM, id="another enc than pinned"),
        pytest.param(encrypted(enc="A128GCM"), Reason.ALGORITHM, id="enc of no table"),
        pytest.param(encrypted("dir", key=OctKey.generate_key(256)), Reason.ALGORITHM, id="dir"),
        pytest.param(
            with_header(
                encrypted(), lambda header: header | {"alg": "PBES2-HS256+A128KW", "p2c": 10**9, "p2s": "AAAA"}
            ),
            Reason.ALGORITHM,
            id="KY_09-p2c",
        ),
        pytest.param(encrypted(zip="DEF", inside="A" * 100_000), Reason.HEADER, id="KY_09-zip"),
        pytest.param(with_header(encrypted(), lambda header: header | {"crit": ["exp"]}), Reason.HEADER, id="crit"),
        pytest.param(encrypted(jku="https://evil.example"), Reason.HEADER, id="jku"),
        pytest.param(encrypted(cty=None), Reason.HEADER, id="no cty"),
        pytest.param(encrypted(cty="text/plain"), Reason.HEADER, id="no nested token"),
        pytest.param(encrypted(kid="former"), Reason.UNKNOWN_KEY, id="a key that is gone"),
        pytest.param(encrypted(key=OTHER), Reason.ENCRYPTION, id="another's key"),
        pytest.param(encrypted(inside="ü" * 20), Reason.ENCRYPTION, id="no token inside"),
        pytest.param(encrypted(inside="A" * 16_384), Reason.TOO_LARGE, id="oversized"),
        pytest.param(INSIDE, Reason.MALFORMED, id="plain"),
        pytest.param("a.b.c.d.e", Reason.MALFORMED, id="no header"),
        *(pytest.param(spoiled(encrypted(), part), Reason.ENCRYPTION, id=f"part {part}") for part in (1, 2, 3, 4)),
    ],
)
def test_KY_09_anything_else_opens_nothing(token: str, reason: Reason) -> None:
    assert opened(token) == Refused(reason)


@pytest.mark.parametrize(
    "epk", [None, {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}, {"kty": "OKP", "crv": "X25519", "x": "AA"}]
)
def test_KY_09_a_point_of_another_curve_opens_nothing(epk: dict[str, str] | None) -> None:
    token = with_header(encrypted("ECDH-ES"), lambda header: header | {"epk": epk})
    assert opened(token, Wrap.ECDH_ES) == Refused(Reason.HEADER)


def test_KY_09_a_point_that_is_not_on_the_curve_is_never_multiplied() -> None:
    with pytest.raises(ValueError, match="not on the curve"):
        _ = ECKey.import_key(OFF_CURVE).raw_value
    token = with_header(encrypted("ECDH-ES"), lambda header: header | {"epk": OFF_CURVE})
    assert opened(token, Wrap.ECDH_ES) == Refused(Reason.ENCRYPTION)


def test_an_rsa_token_with_a_point_and_a_key_of_the_other_kind_open_nothing() -> None:
    assert opened(with_header(encrypted(), lambda header: header | {"epk": OFF_CURVE})) == Refused(Reason.HEADER)
    assert jwe.decrypt(
        encrypted(), keys=KEYS[1:], alg=Wrap.RSA_OAEP_256, enc=Content.A256GCM
    ) == Refused(Reason.UNKNOWN_KEY)  # fmt: skip


def test_DI_06_what_is_published_is_public_and_for_encryption_alone() -> None:
    for members in (RSA, CURVE):
        shown = jwe.public_members(members)
        assert shown["use"] == "enc"
        assert not {"d", "p", "q", "dp", "dq", "qi"} & shown.keys()
        assert isinstance(jwe.read_private(members), DecryptionKey)
    assert "alg" not in jwe.public_members(CURVE), "it serves two of them"
