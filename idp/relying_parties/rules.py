"""What a relying party is to the endpoints, and which redirects it may ask for."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from idp.relying_parties.manifest import Manifest, Portal, Registration


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """An applied client, parsed once and shared between requests; never changed, only replaced."""

    client_id: str
    manifest: Manifest
    epoch: int
    enabled: bool
    secret_digests: tuple[bytes, ...] = ()
    """SHA-256 of each secret that is valid now."""
    texts: Mapping[str, str] = field(default_factory=dict)
    version: int = 0

    @property
    def registration(self) -> Registration:
        return self.manifest.registration

    @property
    def portal(self) -> Portal | None:
        return self.manifest.portal

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        return tuple(self.absolute(uri) for uri in self.registration.redirect_uris)

    @property
    def sector(self) -> str:
        """Host that pairwise `sub` and `tin_ref` are computed for (OIDC Core §8.1)."""
        source = self.registration.sector_identifier_uri or (self.redirect_uris or (self.manifest.base_url,))[0]
        return urlsplit(source).hostname or self.client_id

    @property
    def confidential(self) -> bool:
        """Whether it can keep a secret and so proves itself at the token endpoint (RFC 6749 §2.1)."""
        return self.registration.token_endpoint_auth_method != "none"

    @property
    def roles_of(self) -> str:
        return self.registration.roles_of or self.client_id

    def text(self, stem: str, *, language: str) -> str | None:
        """A text beside the manifest, `agreement-1` or a help page; in English where the language is not kept."""
        return self.texts.get(f"{stem}.{language}.md") or self.texts.get(f"{stem}.en.md")

    def absolute(self, uri: str) -> str:
        """A URI of the manifest; paths stand on `base_url`."""
        return self.manifest.base_url + uri if uri.startswith("/") else uri

    def allows_redirect(self, uri: str) -> bool:
        """Byte-exact match; a native app's loopback literal may vary in port only (RFC 8252 §7.3, AZ-01…07)."""
        if uri in self.redirect_uris:
            return True
        if self.registration.application_type != "native":
            return False
        return any(_same_but_port(uri, registered) for registered in self.redirect_uris)


def origins_of(parties: Iterable[RelyingParty]) -> frozenset[str]:
    """Origins of the redirect URIs of enabled public clients: whom CORS answers (a browser app has nothing else)."""
    found = set()
    for party in parties:
        if party.confidential or not party.enabled:
            continue
        for uri in party.redirect_uris:
            parts = urlsplit(uri)
            if parts.scheme in ("https", "http"):
                found.add(f"{parts.scheme}://{parts.netloc}")
    return frozenset(found)


def _same_but_port(uri: str, registered: str) -> bool:
    try:
        asked, known = urlsplit(uri), urlsplit(registered)
        port = asked.port
    except ValueError:
        return False
    if known.scheme != "http" or known.hostname is None or not _loopback_literal(known.hostname):
        return False
    host = f"[{known.hostname}]" if ":" in known.hostname else known.hostname
    expected = f"http://{host}:{port}{known.path}" + (f"?{known.query}" if known.query else "")
    return port is not None and uri == expected


def _loopback_literal(host: str) -> bool:
    try:
        return str(ipaddress.ip_address(host)) in {"127.0.0.1", "::1"}
    except ValueError:
        return False
