"""X2: npm's openid-client, unmodified, signs a person in and reads for whom they act.

It checks signatures, `iss`, `nonce`, `state`, `at_hash` and the discovery document by itself, and more strictly than most.
"""

from pathlib import Path

import pytest

from tests.interop.relying_parties import Part, node_sign_in, provider_id, tin
from tests.journeys.demo import Demo

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("journeys")]


@pytest.mark.parametrize(
    ("client_id", "method"),
    [
        ("heartland-selfservice", "client_secret_basic"),
        ("carebridge-provider", "client_secret_post"),
        ("cascade-mmis", "private_key_jwt"),
    ],
)
def test_X2_openid_client_reads_provider_id_and_tin(
    demo: Demo, openid_client: Path, client_id: str, method: str
) -> None:
    told = node_sign_in(Part(demo, client_id, method), openid_client)
    assert told["userinfo"]["provider_id"] == told["claims"]["provider_id"] == provider_id()
    assert told["userinfo"]["tin"] == told["claims"]["tin"] == tin()
    assert told["userinfo"]["sub"] == told["claims"]["sub"]
    assert told["refreshed"]["sub"] == told["claims"]["sub"]
    assert told["refreshed"]["auth_time"] == told["claims"]["auth_time"]
    assert told["again"] == "invalid_grant", "a code works once"
