"""X2: npm's oauth4webapi, unmodified, as a relying party and as the resource server that its tokens are for.

It checks every answer of the protocol against the specifications, the access token against RFC 9068, and wants the signature
of the ID Token verified by the application.
"""

from pathlib import Path

import pytest

from tests.interop.relying_parties import Part, node_sign_in, provider_id, tin
from tests.journeys.demo import Demo

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("journeys")]


@pytest.mark.parametrize(
    ("client_id", "method"),
    [("heartland-selfservice", "client_secret_basic"), ("cascade-mmis", "private_key_jwt")],
)
def test_X2_oauth4webapi_reads_provider_id_and_tin(demo: Demo, oauth4webapi: Path, client_id: str, method: str) -> None:
    told = node_sign_in(Part(demo, client_id, method), oauth4webapi)
    assert told["userinfo"]["provider_id"] == told["claims"]["provider_id"] == provider_id()
    assert told["userinfo"]["tin"] == told["claims"]["tin"] == tin()
    assert told["accessToken"]["client_id"] == client_id
    assert told["accessToken"]["sub"] == told["claims"]["sub"]
    assert told["introspected"]["before"]["sub"] == told["claims"]["sub"]
    assert told["introspected"]["after"] == {"active": False}
    assert told["again"] == "invalid_grant", "a code works once"
