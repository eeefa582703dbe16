"""How we prove to a provider that it is us, as each connection says (RFC 7523)."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.federation.upstream_oidc.rules import Wrong, metadata_of
from idp.foundation import house
from idp.keyring.rules import Use
from idp.keyring.service import Keyring
from idp.relying_parties.faults import Ground
from tests.authenticators.browsing import open_sign_in, post_form
from tests.federation.conftest import World
from tests.federation.upstream import ISSUER

NAMED = "token_endpoint_auth_signing_alg_values_supported"


@pytest.mark.parametrize(
    ("assertion", "wants", "lands"),
    [
        ({"alg": "RS256", "audience": "token_endpoint"}, f"{ISSUER}/token", "/account/"),
        ({"alg": "RS256"}, ISSUER, "/account/"),
        ({"alg": "RS256"}, f"{ISSUER}/token", "/federation/other/callback"),
    ],
)
def test_an_assertion_is_signed_and_addressed_as_the_connection_says(
    world: World, client: FlaskClient, assertion: dict[str, Any], wants: str, lands: str
) -> None:
    world.connect("other", oidc={"client_id": "credence", "assertion": assertion})
    world.link(world.rosa, name="other")
    world.upstream.document[NAMED], world.upstream.wants = ["RS256"], wants
    assert world.sign_in(client, "other").request.path == lands


def test_an_algorithm_that_a_provider_does_not_name_closes_the_connection(world: World, client: FlaskClient) -> None:
    world.upstream.document[NAMED] = ["RS256"]
    assert post_form(client, open_sign_in(client), "with-form-saint-anne").status_code == 503
    asked: dict[str, Any] = {"issuer": ISSUER, "ground": Ground(loopback=False, outgoing_allow=())}
    document = world.upstream.document
    assert metadata_of(document, method="private_key_jwt", alg="ES256", **asked) is Wrong.ASSERTION_ALG
    assert not isinstance(metadata_of(document, method="client_secret_basic", alg="ES256", **asked), Wrong)


def test_both_federation_keys_are_published(world: World, client: FlaskClient) -> None:
    ours = house.get(Keyring).upstream(Use.FEDERATION)
    assert ours is not None
    assert (ours.key.alg, sorted(ours.keys)) == ("ES256", ["ES256", "RS256"])
    published = {key["kid"]: key["kty"] for key in client.get("/federation/jwks").json["keys"]}  # type: ignore[index]
    assert {published[key.kid] for key in ours.keys.values()} == {"EC", "RSA"}
