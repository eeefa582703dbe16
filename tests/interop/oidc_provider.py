"""npm's oidc-provider beside the demo as a hospital's own provider, and its connections applied there."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.interop.connecting import apply
from tests.interop.hospital_person import LOGIN, PASSWORD
from tests.interop.npm import NODE, environment
from tests.interop.relying_parties import served
from tests.journeys.demo import Demo

SUBJECT = "hospital|4711"
EMAIL = f"{LOGIN}@saint-luke.example"
_SECRET = "what the hospital gave us: +&=%"
_CONNECTION = """
name = {{ en = "{title}", es = "{title}" }}
protocol = "oidc"
issuer = "{issuer}"
portals = ["{portal}"]

[assurance]
local_factor = "spare"
acr = {{ "urn:hospital:one" = "aal1", "urn:hospital:two" = "aal2" }}
amr = {{ pwd = "pwd", otp = "otp", mfa = "mfa" }}

[oidc]
client_id = "{name}"
client_authentication = "{method}"
id_token_algs = ["{alg}"]
{encryption}
"""


@dataclass(frozen=True, slots=True)
class Way:
    """One registration of ours there: how we prove ourselves, and how its ID tokens come."""

    name: str
    method: str
    alg: str
    wrap: str | None = None
    content: str | None = None

    @property
    def title(self) -> str:
        return self.name.replace("-", " ").title()

    def client(self, credence: str) -> dict[str, Any]:
        """As the provider registers it."""
        ours = f"{credence}/federation/{self.name}"
        found: dict[str, Any] = {
            "client_id": self.name,
            "redirect_uris": [f"{ours}/callback"],
            "post_logout_redirect_uris": [f"{ours}/signed-out"],
            "backchannel_logout_uri": f"{ours}/logout",
            "backchannel_logout_session_required": True,
            "token_endpoint_auth_method": self.method,
            "id_token_signed_response_alg": self.alg,
            "response_types": ["code"],
            "grant_types": ["authorization_code"],
        }
        if self.method == "private_key_jwt":
            found["token_endpoint_auth_signing_alg"] = "ES256"
        else:
            found["client_secret"] = _SECRET
        if self.method == "private_key_jwt" or self.wrap:
            found["jwks_uri"] = f"{credence}/federation/jwks"
        if self.wrap:
            found |= {"id_token_encrypted_response_alg": self.wrap, "id_token_encrypted_response_enc": self.content}
        return found

    def connection(self, issuer: str, portal: str) -> str:
        """As our file says it."""
        encryption = f'encryption = {{ alg = "{self.wrap}", enc = "{self.content}" }}' if self.wrap else ""
        return _CONNECTION.format(
            title=self.title, issuer=issuer, portal=portal, name=self.name, method=self.method, alg=self.alg,
            encryption=encryption,
        )  # fmt: skip


WAYS = (
    Way("saint-luke", "private_key_jwt", "RS256", "RSA-OAEP-256", "A256GCM"),
    Way("saint-john", "client_secret_basic", "ES256", "ECDH-ES+A256KW", "A128CBC-HS256"),
    Way("saint-paul", "client_secret_post", "EdDSA"),
)


@dataclass(frozen=True, slots=True)
class Hospital:
    """The provider as one of its connections sees it."""

    demo: Demo
    name: str
    issuer: str
    written: Path

    @property
    def log(self) -> str:
        return self.written.read_text("utf-8", "replace")[-3000:]

    @property
    def asked(self) -> dict[str, Any]:
        """The parameters of the request that last led to its sign-in page."""
        found: list[dict[str, Any]] = httpx2.get(f"{self.issuer}/asked", timeout=10, trust_env=False).json()
        return found[-1]


def new_keys(generation: int) -> list[dict[str, Any]]:
    """One of each algorithm; the first of an algorithm signs."""
    made = {
        "RS256": RSAKey.generate_key(2048),
        "ES256": ECKey.generate_key("P-256"),
        "EdDSA": OKPKey.generate_key("Ed25519"),
    }
    return [
        {**key.as_dict(private=True), "kid": f"{alg}-{generation}", "alg": alg, "use": "sig"}
        for alg, key in made.items()
    ]


@contextmanager
def running(
    demo: Demo, peer: Path, folder: Path, *, port: int, keys: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Hospital]]:
    """The provider until the block ends, by the name of each connection."""
    told = environment(
        PORT=str(port),
        CREDENCE=demo.issuer,
        CLIENTS=json.dumps([way.client(demo.issuer) for way in WAYS]),
        JWKS=json.dumps({"keys": list(keys)}),
        LOGIN=LOGIN,
        PASSWORD=PASSWORD,
        SUBJECT=SUBJECT,
        EMAIL=EMAIL,
        NO_PROXY="*",
    )
    log, issuer = folder / "oidc-provider.log", f"http://localhost:{port}"
    with served([str(NODE / "node"), str(peer / "provider.mjs")], port=port, told=told, log=log):
        yield {way.name: Hospital(demo, way.name, issuer, log) for way in WAYS}


def connect(demo: Demo, folder: Path, *, issuer: str, portal: str) -> None:
    """All connections to it, and our secret where one is used."""
    clients = folder / "connections"
    clients.mkdir()
    for way in WAYS:
        (clients / f"{way.name}.toml").write_text(way.connection(issuer, portal), "utf-8")
    apply(demo, clients, secrets={way.name: _SECRET for way in WAYS if way.method != "private_key_jwt"})
