"""The demo's relying parties: which port each one has, and the credentials that are made for it."""

import json
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from idp.foundation import jwk
from idp.foundation.algorithms import Alg
from idp.foundation.origin import Origin
from idp.manifests import service as manifests
from idp.manifests.service import Unfit
from idp.vocabulary.secret import Secret

PORTS: Final[Mapping[str, int]] = {
    "ozark-exchange": 1,
    "heartland-selfservice": 2,
    "carebridge-provider": 3,
    "cascade-mmis": 4,
    "ozark-secure": 5,
    "harborline-analytics": 6,
}
"""Distance from PORT_BASE, where the provider itself listens."""
PARTNER: Final = "harborline-analytics"


class CannotApply(ValueError):
    """The manifests are not fit to be applied; one line for each reason."""


@dataclass(frozen=True, slots=True)
class DemoClient:
    """One relying party of the demo and the file with its credentials, which only its process is given."""

    client_id: str
    name: str
    port: int
    base_url: str
    by_key: bool
    file: Path
    registered: Mapping[str, Any] | None = field(default=None, repr=False)
    """The public key set, where it proves itself by a key."""
    secret: Secret | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {"PORTAL_CLIENT_KEY_FILE" if self.by_key else "PORTAL_CLIENT_SECRET_FILE": str(self.file)}


def prepare(folder: Path, *, credentials: Path, port_base: int) -> tuple[DemoClient, ...]:
    """Every demo client with its credentials, made where there are none yet (mode 0600)."""
    credentials.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tuple(
        _prepare(folder, client_id, credentials, port_base + distance) for client_id, distance in PORTS.items()
    )


def apply(folder: Path, clients: tuple[DemoClient, ...], *, now: datetime) -> None:
    """Register them all; a second time changes nothing."""
    outcome = manifests.apply(
        folder,
        now=now,
        origin=Origin.local("demo"),
        base_urls={client.client_id: client.base_url for client in clients},
        jwks={client.client_id: client.registered for client in clients if client.registered is not None},
        secrets={client.client_id: client.secret for client in clients if client.secret is not None},
    )
    if isinstance(outcome, Unfit):
        raise CannotApply("\n".join(str(violation) for violation in outcome.violations))


def _prepare(folder: Path, client_id: str, credentials: Path, port: int) -> DemoClient:
    manifest = tomllib.loads((folder / f"{client_id}.toml").read_text(encoding="utf-8"))
    by_key = manifest["registration"]["token_endpoint_auth_method"] == "private_key_jwt"
    file = credentials / f"{client_id}.{'jwk' if by_key else 'secret'}"
    if not file.exists():
        _write(file, _new_key(client_id) if by_key else secrets.token_urlsafe(32))
    content = file.read_text(encoding="utf-8").strip()
    return DemoClient(
        client_id=client_id,
        name=manifest["name"],
        port=port,
        base_url=f"http://localhost:{port}",
        by_key=by_key,
        file=file,
        registered={"keys": [jwk.public_members(json.loads(content))]} if by_key else None,
        secret=None if by_key else Secret(content),
    )


def _new_key(client_id: str) -> str:
    members = jwk.generate(Alg.ES256)
    return json.dumps({**members, "kid": f"demo-{client_id}-{secrets.token_hex(4)}", "alg": "ES256", "use": "sig"})


def _write(file: Path, content: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(content + "\n")
