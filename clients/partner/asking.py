"""How the partner asks its API: with a person's token, or with its own, narrowed to one provider."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx2

from clients.partner.api import PATH
from clients.relying_party.manifest import Manifest
from clients.relying_party.provider import Provider, ProviderUnavailable, Tokens

CONNECT_SCOPE = "openid profile provider_id tin entitlements offline_access"


def resource_of(manifest: Manifest) -> str:
    """The API's resource identifier (RFC 8707), as registered: what its tokens carry in `aud`."""
    resources = manifest.registration.get("resources") or [PATH.rsplit("/", 1)[0]]
    return manifest.url(resources[0])


def own_token(provider: Provider, *, manifest: Manifest, provider_id: str, now: datetime) -> Tokens:
    """A token for one provider that the partner is approved for; the provider refuses any other."""
    scope = f"provider_id tin provider_id:{provider_id}"
    return provider.by_itself(scope=scope, resource=resource_of(manifest), now=now)


def ask_api(manifest: Manifest, *, access_token: str, provider_id: str) -> tuple[int, Mapping[str, Any]]:
    """Status and answer of the protected API."""
    try:
        answer = httpx2.get(
            manifest.url(PATH),
            params={"provider_id": provider_id},
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=5,
            trust_env=False,
        )
        return answer.status_code, answer.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise ProviderUnavailable(type(error).__name__) from error
