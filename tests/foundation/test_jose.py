"""Signing tokens and reading them for a purpose."""

from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import import_key

from idp.foundation import jose, jwk
from idp.foundation.algorithms import Alg
from idp.foundation.jose import Purpose, Reason, SigningKey
from idp.vocabulary.refused import Refused
from tests.foundation.jose_bench import (
    AT,
    CLIENT,
    ISSUER,
    NOW,
    TYPES,
    claims,
    forge,
    members,
    read,
    signing,
    token,
    verifying,
)

OTHER = "https://other.example"


@pytest.mark.parametrize("alg", list(Alg))
def test_what_is_signed_is_read_with_every_algorithm(alg: Alg) -> None:
    text = token(Purpose.ACCESS_TOKEN, alg=alg)
    assert read(text, keys={"k1": verifying(alg)}) == claims(Purpose.ACCESS_TOKEN)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", list(Alg))
def test_another_library_reads_what_we_sign_and_we_read_what_it_signs(alg: Alg) -> None:
    theirs = import_key(jwk.public_members(members(alg)))
    decoded = jwt.decode(token(Purpose.ACCESS_TOKEN, alg=alg), theirs, algorithms=[str(alg)])
    assert decoded.claims == claims(Purpose.ACCESS_TOKEN)
    assert decoded.header == {"alg": str(alg), "typ": "at+jwt", "kid": "k1"}
    header = {"alg": str(alg), "typ": "at+jwt", "kid": "k1"}
    back = jwt.encode(header, claims(Purpose.ACCESS_TOKEN), import_key(members(alg)), algorithms=[str(alg)])
    assert read(back, keys={"k1": verifying(alg)}) == claims(Purpose.ACCESS_TOKEN)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_each_purpose_reads_its_own_token(purpose: Purpose) -> None:
    assert read(token(purpose), purpose) == claims(purpose)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_required_claim_that_is_missing_or_empty_is_noticed(purpose: Purpose) -> None:
    for name in purpose.value.required:
        assert isinstance(read(token(purpose, **{name: None}), purpose), Refused), name
        if name not in ("iat", "exp"):
            assert isinstance(read(token(purpose, **{name: ""}), purpose), Refused), name


def test_the_issuer_is_compared_as_it_is_written() -> None:
    for issuer in (ISSUER + "/", ISSUER.upper(), OTHER, [ISSUER], None, 1):
        assert isinstance(read(token(Purpose.ACCESS_TOKEN, iss=issuer)), Refused)


@pytest.mark.parametrize("said", [OTHER, [OTHER], [], [CLIENT, 1], {"a": CLIENT}, 1, "", CLIENT + "/"])
def test_a_foreign_or_malformed_audience_is_refused(said: Any) -> None:
    assert read(token(Purpose.ACCESS_TOKEN, aud=said)) == Refused(Reason.AUDIENCE)


def test_an_access_token_may_name_several_audiences() -> None:
    text = token(Purpose.ACCESS_TOKEN, aud=[OTHER, CLIENT])
    assert read(text)["aud"] == [OTHER, CLIENT]
    assert read(text, audience=None)["aud"] == [OTHER, CLIENT]
    assert read(text, audience={"https://a.example", OTHER})["aud"] == [OTHER, CLIENT]
    assert read(text, audience="https://a.example") == Refused(Reason.AUDIENCE)


@pytest.mark.parametrize("said", [[ISSUER], [ISSUER, OTHER], ISSUER + "/oauth/par", OTHER])
def test_TK_19_an_assertion_names_one_audience_as_a_string(said: Any) -> None:
    text = token(Purpose.CLIENT_ASSERTION, aud=said)
    allowed = {ISSUER, ISSUER + "/oauth/token"}
    assert read(text, Purpose.CLIENT_ASSERTION, audience=allowed) == Refused(Reason.AUDIENCE)


def test_TK_19_the_token_endpoint_is_taken_where_the_caller_allows_it() -> None:
    text = token(Purpose.CLIENT_ASSERTION, aud=ISSUER + "/oauth/token")
    assert read(text, Purpose.CLIENT_ASSERTION, audience={ISSUER, ISSUER + "/oauth/token"})["sub"] == CLIENT
    assert read(text, Purpose.CLIENT_ASSERTION) == Refused(Reason.AUDIENCE)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"exp": None}, Reason.CLAIMS),
        ({"exp": AT + 365 * 86400}, Reason.CLAIMS),
        ({"exp": AT - 61}, Reason.EXPIRED),
        ({"nbf": AT + 60}, Reason.NOT_YET),
        ({"iat": AT + 61}, Reason.NOT_YET),
        ({"iat": AT - 7200}, Reason.TOO_OLD),
        ({"iss": OTHER}, Reason.ISSUER),
        ({"sub": "somebody"}, Reason.CLAIMS),
        ({"iss": "somebody", "sub": "somebody"}, Reason.ISSUER),
        ({"jti": None}, Reason.CLAIMS),
    ],
)
def test_TK_20_an_assertion_out_of_shape_is_refused(changed: dict[str, Any], reason: Reason) -> None:
    assert read(token(Purpose.CLIENT_ASSERTION, **changed), Purpose.CLIENT_ASSERTION) == Refused(reason)


@pytest.mark.parametrize("ahead", [0, 10, 29])
def test_an_assertion_from_a_clock_a_little_ahead_is_taken(ahead: int) -> None:
    text = token(Purpose.CLIENT_ASSERTION, iat=AT + ahead, nbf=AT + ahead)
    assert read(text, Purpose.CLIENT_ASSERTION)["iat"] == AT + ahead


@pytest.mark.parametrize("typ", ["JWT", "client-authentication+jwt"])
def test_an_assertion_may_name_its_type_or_not(typ: str) -> None:
    text = jose.sign(claims(Purpose.CLIENT_ASSERTION), key=signing(), typ=typ)
    assert read(text, Purpose.CLIENT_ASSERTION)["sub"] == CLIENT
    untyped = forge({"alg": "ES256"}, claims(Purpose.CLIENT_ASSERTION))
    assert read(untyped, Purpose.CLIENT_ASSERTION)["sub"] == CLIENT


def test_clocks_may_be_a_minute_apart_and_no_more() -> None:
    text = token(Purpose.ACCESS_TOKEN)
    assert read(text, now=NOW + timedelta(seconds=359))["sub"] == "s"
    assert read(text, now=NOW + timedelta(seconds=360)) == Refused(Reason.EXPIRED)
    assert read(text, now=NOW - timedelta(seconds=59))["sub"] == "s"
    assert read(text, now=NOW - timedelta(seconds=60)) == Refused(Reason.NOT_YET)


def test_LO_06_a_hint_counts_after_its_expiry_but_not_for_ever() -> None:
    hint = token(Purpose.ID_TOKEN_HINT)
    assert read(hint, Purpose.ID_TOKEN_HINT, now=NOW + timedelta(hours=23))["sub"] == "s"
    assert read(hint, Purpose.ID_TOKEN_HINT, now=NOW + timedelta(days=11)) == Refused(Reason.TOO_OLD)


def test_LO_11_a_logout_token_has_its_event_and_no_nonce() -> None:
    for changed in ({"nonce": "n"}, {"events": {}}, {"events": "x"}, {"events": {"a": {}}}, {"sub": None}):
        assert isinstance(read(token(Purpose.LOGOUT_TOKEN, **changed), Purpose.LOGOUT_TOKEN), Refused)
    by_session = token(Purpose.LOGOUT_TOKEN, sub=None, sid="x")
    assert read(by_session, Purpose.LOGOUT_TOKEN)["sid"] == "x"


def test_a_client_key_without_kid_is_tried_and_one_with_another_kid_is_not() -> None:
    entry = jwk.public_members(members(Alg.ES256))
    nameless = {name: value for name, value in entry.items() if name not in ("kid", "alg", "use")}
    decoys = [jwk.public_members(members(Alg.ES256, "k2")), jwk.public_members(members(Alg.RS256, "k3"))]
    text = token(Purpose.CLIENT_ASSERTION)
    for document in ({"keys": [*decoys, nameless]}, {"keys": [*decoys, entry]}):
        assert read(text, Purpose.CLIENT_ASSERTION, keys=jwk.read_set(document))["sub"] == CLIENT
    assert read(text, Purpose.CLIENT_ASSERTION, keys=jwk.read_set({"keys": decoys})) == Refused(Reason.UNKNOWN_KEY)
    assert read(text, Purpose.CLIENT_ASSERTION, keys=()) == Refused(Reason.UNKNOWN_KEY)


def test_a_signing_key_fits_its_algorithm_and_is_never_printed() -> None:
    for alg in (Alg.ES384, Alg.RS256, Alg.EDDSA):
        with pytest.raises(ValueError, match="does not fit"):
            SigningKey("k1", alg, signing(Alg.ES256).key)
    assert repr(signing()) == "SigningKey(kid='k1', alg=<Alg.ES256: 'ES256'>)"


def test_types_are_those_of_the_specifications() -> None:
    assert TYPES[Purpose.ACCESS_TOKEN] in Purpose.ACCESS_TOKEN.value.types
    assert Purpose.ACCESS_TOKEN.value.types == {"at+jwt"}
    assert Purpose.LOGOUT_TOKEN.value.types == {"logout+jwt"}
