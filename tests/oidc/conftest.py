"""The clients, the person and the flow that the tests of the protocol share (`tests/oidc/flow.py` does the driving).

`world`   on demand: `world.portal()`, `world.second()`, `world.partner()`, `world.public()`, `world.opaque()`,
          `world.pairwise()`, `world.exchange()` register a client (once) and return how it proves itself;
          `world.person` is `rosa.delgado` with a password; `world.provider` is the record that she may act for.
`flow`    Rosa's browser at the portal.
`watch`   the invariants G1, G2, G4, G6, G8 over everything that the test's browsers received: asserted at the end.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.oidc.flow import Flow, Registered, new_key
from tests.oidc.invariants import Watch

LEVELS = ("claims.inquiry",)
SCOPE = "openid profile email phone address provider_id tin trading_partner entitlements offline_access"


class World:
    """Rows made on first use."""

    def __init__(self, make: Any) -> None:
        self.make = make
        self.person = make.subject("rosa.delgado")
        self.provider = make.provider("100200300", tin="981234567")
        self.affiliation = make.affiliation(
            self.person, self.provider, portal="heartland-one", levels=(("heartland-one", "claims.inquiry"),)
        )
        self._made: dict[str, Registered] = {}

    def _client(self, client_id: str, registered: Registered, **changed: Any) -> Registered:
        if client_id not in self._made:
            registration = {"scope": SCOPE} | changed.pop("registration", {})
            self.make.client(client_id, registration=registration, **changed)
            self._made[client_id] = registered
        return self._made[client_id]

    def portal(
        self, client_id: str = "heartland-one", *, acting_for: tuple[str, ...] = ("provider", "practice"), **more: Any
    ) -> Registered:
        """A first-party portal of registry `heartland`; keywords change its registration."""
        method = more.get("token_endpoint_auth_method", "client_secret_basic")
        return self._client(
            client_id,
            Registered(client_id, method),
            registration={"id_token_claims": ["provider_id", "npi", "tin", "provider_type", "provider_name"]} | more,
            portal={"registry": "heartland", "acting_for": list(acting_for), "default_levels": list(LEVELS)},
        )

    def second(self) -> Registered:
        """Another portal of the same registry."""
        return self.portal("heartland-two")

    def opaque(self, **more: Any) -> Registered:
        """A portal whose access tokens are opaque."""
        return self.portal("heartland-opaque", access_token={"format": "opaque"}, **more)

    def exchange(self) -> Registered:
        """A portal that acts for trading partners, in registry `ozark`."""
        return self._client(
            "ozark-exchange",
            Registered("ozark-exchange", scope="openid trading_partner tin entitlements"),
            portal={"registry": "ozark", "acting_for": ["trading_partner"], "default_levels": list(LEVELS)},
        )

    def partner(self, **more: Any) -> Registered:
        """A third-party app: consent, `private_key_jwt`, client credentials for one provider and one practice."""
        if "harborline" not in self._made:
            self.portal()
            key, jwks = new_key()
            usual = {
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks": jwks,
                "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
                "roles_of": "heartland-one",
                "approved_for": {"registry": "heartland", "provider_ids": ["100200300"], "tins": ["987654321"]},
                "subject_type": "pairwise",
            }
            registered = Registered("harborline", "private_key_jwt", key=key, scope="openid profile")
            self._client("harborline", registered, partner=True, registration=usual | more)
        return self._made["harborline"]

    def public(self) -> Registered:
        """A native app without a secret: a loopback redirect and an https one."""
        return self._client(
            "pocket",
            Registered("pocket", "none", scope="openid profile", redirect_uri="http://127.0.0.1:51234/callback"),
            partner=True,
            registration={
                "token_endpoint_auth_method": "none",
                "application_type": "native",
                "redirect_uris": ["http://127.0.0.1/callback", "https://pocket.test/callback"],
            },
        )

    def pairwise(self, client_id: str = "stranger", **more: Any) -> Registered:
        """A third party that knows people by a name of its own."""
        return self._client(
            client_id,
            Registered(client_id, "client_secret_post", scope="openid profile"),
            partner=True,
            registration={"token_endpoint_auth_method": "client_secret_post", "subject_type": "pairwise"} | more,
        )


@pytest.fixture
def world(make: Any) -> World:
    return World(make)


@pytest.fixture
def flow(client: Any, world: World) -> Flow:
    return Flow(client, world.portal())


@pytest.fixture
def open_flow(new_browser: Callable[[], Any]) -> Callable[..., Flow]:
    """`open_flow(party)`: another browser."""
    return lambda party, **options: Flow(new_browser(), party, **options)


@pytest.fixture
def watch(app: Any, caplog: pytest.LogCaptureFixture) -> Iterator[Watch]:
    watching = Watch(app, caplog)
    with watching:
        yield watching
