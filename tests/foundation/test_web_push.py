"""A push message as RFC 8291 §5 has it, VAPID as RFC 8292 has it, and what is no receiver."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from idp.authenticators.webauthn import base64url
from idp.foundation import jose, web_push
from idp.foundation.algorithms import Alg
from idp.foundation.jose import SigningKey
from idp.foundation.web_push import Receiver
from tests.conftest import NOON

P256DH = base64url.decode("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
AUTH = base64url.decode("BTBZMqHH6r4Tts7J_aSIgg")
SENT = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_RFC_8291_comes_out_as_printed() -> None:
    private = int.from_bytes(base64url.decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    sealed = web_push.seal(
        b"When I grow up, I want to be a watermelon",
        receiver=Receiver("https://push.example.net/push/x", P256DH, AUTH),
        salt=base64url.decode("DGv6ra1nlYgDCS1FRnbzlw"),
        ours=ec.derive_private_key(private, ec.SECP256R1()),
    )
    assert base64url.encode(sealed) == SENT


def test_no_two_messages_share_a_key_or_salt() -> None:
    receiver = Receiver("https://push.example.net/push/x", P256DH, AUTH)
    first, second = (web_push.seal(b"the same", receiver=receiver) for _ in range(2))
    assert first[:16] != second[:16] and first[21:86] != second[21:86]
    with pytest.raises(ValueError, match="too long"):
        web_push.seal(bytes(web_push.LONGEST + 1), receiver=receiver)


@pytest.mark.parametrize(
    ("p256dh", "auth", "is_one"),
    [
        (P256DH, AUTH, True),
        (P256DH[:-1] + b"\0", AUTH, False),
        (b"\0" * 65, AUTH, False),
        (b"\0", AUTH, False),
        (b"", AUTH, False),
        (P256DH, AUTH[:-1], False),
    ],
)
def test_a_receiver_has_a_point_of_the_curve_and_128_bits(p256dh: bytes, auth: bytes, is_one: bool) -> None:
    assert web_push.is_receiver(p256dh=p256dh, auth=auth) is is_one


def test_RFC_8292_the_push_service_is_told_who_sends_and_until_when() -> None:
    key = SigningKey("push-1", Alg.ES256, ec.generate_private_key(ec.SECP256R1()))
    said = web_push.authorization("https://push.example.net:8443/p/x?y", key=key, contact="https://idp.test", now=NOON)
    scheme, token, named = said.replace(",", "").split(" ")
    assert (scheme, token[:2], named) == ("vapid", "t=", f"k={web_push.public_key(key)}")
    header, claims, _signature = (base64url.decode(part) for part in token[2:].split("."))
    assert b'"alg":"ES256"' in header and b'"typ":"JWT"' in header
    told = jose._parse(claims)
    assert told == {
        "aud": "https://push.example.net:8443",
        "exp": int((NOON + web_push.VAPID_LIFE).timestamp()),
        "sub": "https://idp.test",
    }
    assert len(base64url.decode(named[2:])) == 65
