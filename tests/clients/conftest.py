"""A portal and a partner in this process, and a provider at the network edge that can be made to lie."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey
from pytest_httpserver import HTTPServer

from clients.partner.app import create_app as create_partner
from clients.portal.app import create_app as create_portal
from clients.relying_party import manifest as manifests
from clients.relying_party.manifest import Manifest
from clients.relying_party.provider import Credentials, Provider
from tests.clients.lying_provider import LyingProvider

BASE = "http://localhost:8999"


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    for module in (
        "portal.guard",
        "portal.pages",
        "portal.signing_in",
        "portal.signing_out",
        "relying_party.backchannel",
        "relying_party.site",
    ):
        monkeypatch.setattr(f"clients.{module}.now", found)
    for module in ("api", "connect"):
        monkeypatch.setattr(f"clients.partner.{module}.now", found)
    return found


@pytest.fixture
def lying(httpserver: HTTPServer, clock: Clock) -> LyingProvider:
    return LyingProvider(httpserver, client_id="test-portal", clock=clock)


@pytest.fixture
def manifest() -> Manifest:
    return manifests.read("test-portal", path=Path(__file__).with_name("portal.toml"))


@pytest.fixture
def provider(lying: LyingProvider, manifest: Manifest) -> Provider:
    return Provider(lying.issuer, manifest=manifest, credentials=Credentials("client_secret_basic", secret="s3cret"))


@pytest.fixture
def portal(manifest: Manifest, provider: Provider) -> FlaskClient:
    app = create_portal(manifest, provider=provider)
    app.testing = True
    return _browser(app)


@pytest.fixture
def partner(lying: LyingProvider, manifest: Manifest) -> FlaskClient:
    key = ECKey.generate_key("P-256", {"kid": "p1"})
    provider = Provider(lying.issuer, manifest=manifest, credentials=Credentials("private_key_jwt", key=key))
    app = create_partner(manifest, provider=provider)
    app.testing = True
    return _browser(app)


def _browser(app: Any) -> FlaskClient:
    client: FlaskClient = app.test_client()
    client.environ_base["HTTP_HOST"] = "localhost:8999"
    return client
