"""X2: npm's openid-client, unmodified, signs a person in and reads for whom they act.

It checks signatures, `iss`, `nonce`, `state`, `at_hash` and the discovery document by itself, and more strictly than most.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import NODE, environment
from tests.interop.scripted_browser import ScriptedBrowser
from tests.journeys.demo import Demo, code_of, people

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("journeys")]
SCOPE = "openid profile provider_id tin entitlements"


def sign_in(demo: Demo, peer: Path, *, client_id: str, method: str) -> dict[str, Any]:
    """What the peer was told, after a scripted browser signed the first demo person in for it."""
    rosa = next(person for person in people() if person["user_id"] == "rosa.delgado")
    kind = "jwk" if method == "private_key_jwt" else "secret"
    told = environment(
        ISSUER=demo.issuer,
        CLIENT_ID=client_id,
        METHOD=method,
        CREDENTIALS=str(demo.data_dir / f"clients/{client_id}.{kind}"),
        REDIRECT_URI=f"{demo.portal(client_id)}/callback",
        SCOPE=SCOPE,
    )
    with subprocess.Popen(
        [str(NODE / "node"), "sign_in.mjs"],
        cwd=peer,
        env=told,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        assert line, process.stderr.read()[-3000:]
        login = rosa["email"] if client_id == "carebridge-provider" else rosa["user_id"]
        with ScriptedBrowser(login=login, password=rosa["password"], code=lambda: code_of(demo, rosa)) as browser:
            back = browser.go(json.loads(line)["url"], until=told["REDIRECT_URI"])
        answer, complaint = process.communicate(back + "\n", timeout=30)
        assert process.returncode == 0, complaint[-3000:]
        found: dict[str, Any] = json.loads(answer)
        return found


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
    rosa = next(person for person in people() if person["user_id"] == "rosa.delgado")
    provider_id = next(row["id"] for row in rosa["affiliations"] if row["kind"] == "provider")
    told = sign_in(demo, openid_client, client_id=client_id, method=method)
    assert told["userinfo"]["provider_id"] == told["claims"]["provider_id"] == provider_id
    assert told["userinfo"]["tin"] == told["claims"]["tin"]
    assert told["userinfo"]["sub"] == told["claims"]["sub"]
    assert told["refreshed"]["sub"] == told["claims"]["sub"]
    assert told["refreshed"]["auth_time"] == told["claims"]["auth_time"]
    assert told["again"] == "invalid_grant", "a code works once"
