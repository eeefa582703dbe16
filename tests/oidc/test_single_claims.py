"""The `claims` parameter (OIDC Core §5.5) within registration and consent (X2), and tokens that keep their own sign-in."""

import json
from typing import Any

from tests.conftest import Hands
from tests.oidc.conftest import World
from tests.oidc.flow import Flow, answered, payload_of

ASKED = json.dumps({"userinfo": {"email": None, "birthdate": None}, "id_token": {"email": {"essential": True}}})


def test_X2_what_a_client_is_not_registered_for_is_not_told_by_the_claims_parameter(client: Any, world: World) -> None:
    partner = world.partner(scope="openid profile provider_id tin")
    flow = Flow(client, partner)
    tokens = flow.tokens(scope="openid provider_id", claims=ASKED)
    assert "email" not in flow.userinfo(tokens["access_token"]).json
    assert "email" not in payload_of(tokens["id_token"])


def test_X2_a_single_claim_is_consented_to_like_its_scope(client: Any, world: World) -> None:
    flow = Flow(client, world.partner())
    plain = flow.tokens(scope="openid provider_id")
    assert "email" not in flow.userinfo(plain["access_token"]).json
    silent = answered(flow.authorize(scope="openid provider_id", claims=ASKED, prompt="none"))
    assert silent["error"] == "consent_required"
    page = flow.follow(flow.authorize(scope="openid provider_id", claims=ASKED))
    assert "Your e-mail address" in page.text
    tokens = flow.tokens(scope="openid provider_id", claims=ASKED)
    assert flow.userinfo(tokens["access_token"]).json["email"] == "rosa.delgado@mail.test"
    assert payload_of(tokens["id_token"])["email"] == "rosa.delgado@mail.test"


def test_TK_30_a_later_sign_in_does_not_change_what_an_earlier_token_says(flow: Flow, hands: Hands) -> None:
    first = flow.tokens(claims=ASKED)
    signed_in = payload_of(first["id_token"])["auth_time"]
    hands.forward(minutes=3)
    later = flow.tokens(prompt="login")
    assert payload_of(later["id_token"])["auth_time"] == signed_in + 180
    again = flow.refresh(first["refresh_token"]).json
    assert payload_of(again["id_token"])["auth_time"] == signed_in
    assert payload_of(again["id_token"])["email"] == "rosa.delgado@mail.test"
