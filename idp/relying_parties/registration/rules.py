"""What may stand together in `[registration]`; each fault says where and why."""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from idp.relying_parties.addresses.rules import (
    wrong_base,
    wrong_native_redirect,
    wrong_page,
    wrong_server_address,
    wrong_web_redirect,
)
from idp.relying_parties.faults import Fault, Ground
from idp.relying_parties.manifest import Manifest, Registration
from idp.relying_parties.registration.keys import wrong_keys
from idp.vocabulary.identifiers import Malformed, ProviderId, Tin

SCOPES: Final = frozenset(
    {
        "openid",
        "profile",
        "email",
        "phone",
        "address",
        "offline_access",
        "provider_id",
        "tin",
        "trading_partner",
        "entitlements",
    }
)
SCOPE_OF_CLAIM: Final[Mapping[str, str]] = {
    "provider_id": "provider_id",
    "npi": "provider_id",
    "provider_type": "provider_id",
    "provider_name": "provider_id",
    "tin": "tin",
    "trading_partner_id": "trading_partner",
}
"""Scope that releases each claim an ID token may carry (DESIGN §6)."""
REGISTRY: Final = re.compile(r"[a-z][a-z0-9-]{0,31}\Z", re.ASCII)
_CLIENT_ID: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z", re.ASCII)
_SUBJECT: Final = re.compile(r"[a-z2-7]{26}\Z", re.ASCII)
_SECRET_METHODS: Final = ("client_secret_basic", "client_secret_post")


def wrong_client_id(client_id: str) -> str | None:
    """Why this cannot name a client; it never has the form of a subject, so that no `sub` is two things (TK-24)."""
    if not 3 <= len(client_id) <= 48 or not _CLIENT_ID.match(client_id):
        return "a client ID is 3 to 48 lower-case letters, digits and single dashes, a letter first"
    if _SUBJECT.match(client_id):
        return "a client ID must not look like a subject (26 characters of base32)"
    return None


def faults(manifest: Manifest, *, ground: Ground) -> Iterator[Fault]:
    """All that is wrong with a registration."""
    base = wrong_base(manifest.base_url, ground=ground)
    if base is not None:
        yield Fault(("base_url",), base)
        return
    registration = manifest.registration
    yield from _redirects(manifest, ground)
    yield from _pages(manifest, ground)
    yield from _authentication(manifest, ground)
    yield from _algorithms(registration, ground)
    yield from _grants(registration)
    yield from _scopes(manifest)
    yield from _subject(manifest, ground)
    yield from _partner(manifest)


def _redirects(manifest: Manifest, ground: Ground) -> Iterator[Fault]:
    registration = manifest.registration
    native = registration.application_type == "native"
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        seen = set()
        for position, given in enumerate(getattr(registration, name)):
            uri = _absolute(manifest, given)
            reason = wrong_native_redirect(uri) if native else wrong_web_redirect(uri, ground=ground)
            if reason is None and uri in seen:
                reason = "is listed twice"
            seen.add(uri)
            if reason is not None:
                yield Fault(("registration", name, position), reason)
    code = "authorization_code" in registration.grant_types
    if code and not registration.redirect_uris:
        yield Fault(("registration", "redirect_uris"), "at least one is needed for authorization_code")
    if registration.redirect_uris and not code:
        yield Fault(("registration", "redirect_uris"), "has no use without authorization_code")


def _pages(manifest: Manifest, ground: Ground) -> Iterator[Fault]:
    for name in ("initiate_login_uri", "client_uri", "policy_uri", "tos_uri"):
        given = getattr(manifest.registration, name)
        reason = None if given is None else wrong_page(_absolute(manifest, given), ground=ground)
        if reason is not None:
            yield Fault(("registration", name), reason)
    switch = manifest.portal.switch_uri if manifest.portal is not None else None
    reason = None if switch is None else wrong_page(_absolute(manifest, switch), ground=ground)
    if reason is not None:
        yield Fault(("portal", "switch_uri"), reason)
    called = manifest.registration.backchannel_logout_uri
    reason = None if called is None else wrong_server_address(_absolute(manifest, called), ground=ground)
    if reason is not None:
        yield Fault(("registration", "backchannel_logout_uri"), reason)
    for position, resource in enumerate(manifest.registration.resources):
        reason = wrong_page(resource, ground=ground)
        if reason is not None:
            yield Fault(("registration", "resources", position), reason)
    audience = manifest.registration.access_token.audience
    if audience is not None and (reason := wrong_page(audience, ground=ground)) is not None:
        yield Fault(("registration", "access_token", "audience"), reason)


def _authentication(manifest: Manifest, ground: Ground) -> Iterator[Fault]:
    registration = manifest.registration
    method = registration.token_endpoint_auth_method
    if registration.jwks is not None and registration.jwks_uri is not None:
        yield Fault(("registration", "jwks_uri"), "stands beside jwks; give one of them")
    if method == "private_key_jwt":
        if registration.jwks is None and registration.jwks_uri is None:
            yield Fault(("registration", "token_endpoint_auth_method"), "private_key_jwt needs jwks or jwks_uri")
    elif registration.jwks is not None or registration.jwks_uri is not None:
        name = "jwks" if registration.jwks is not None else "jwks_uri"
        yield Fault(("registration", name), "has no use without private_key_jwt")
    if registration.jwks is not None and (reason := wrong_keys(registration.jwks)) is not None:
        yield Fault(("registration", "jwks"), reason)
    if registration.jwks_uri is not None:
        reason = wrong_server_address(_absolute(manifest, registration.jwks_uri), ground=ground)
        if reason is not None:
            yield Fault(("registration", "jwks_uri"), reason)
    if method == "none":
        for name in ("may_introspect", "ssn_tins"):
            if getattr(registration, name):
                yield Fault(("registration", name), "is for clients that prove who they are")


def _algorithms(registration: Registration, ground: Ground) -> Iterator[Fault]:
    """A client whose algorithm nobody here can sign with would fail at its first token."""
    if ground.algs is None:
        return
    for path, alg in (
        (("registration", "id_token_signed_response_alg"), registration.id_token_signed_response_alg),
        (("registration", "access_token", "alg"), registration.access_token.alg),
    ):
        if alg not in ground.algs:
            yield Fault(path, f"no active key signs {alg}; make one: idp keys create")


def _grants(registration: Registration) -> Iterator[Fault]:
    grants = registration.grant_types
    where = ("registration", "grant_types")
    if not grants:
        yield Fault(where, "names no grant")
    if len(set(grants)) != len(grants):
        yield Fault(where, "names a grant twice")
    if "refresh_token" in grants and "authorization_code" not in grants:
        yield Fault(where, "refresh_token has no use without authorization_code")
    if "client_credentials" in grants:
        if registration.token_endpoint_auth_method == "none":
            yield Fault(where, "client_credentials needs a client that proves who it is")
        if registration.approved_for is None:
            yield Fault(where, "client_credentials needs [registration.approved_for]")
    elif registration.approved_for is not None:
        yield Fault(("registration", "approved_for"), "has no use without client_credentials")


def _scopes(manifest: Manifest) -> Iterator[Fault]:
    registration = manifest.registration
    where = ("registration", "scope")
    scopes = registration.scope.split(" ")
    for scope in scopes:
        if scope not in SCOPES:
            yield Fault(where, f"knows no scope {scope!r}; there are: {' '.join(sorted(SCOPES))}")
    if len(set(scopes)) != len(scopes):
        yield Fault(where, "names a scope twice")
    if "authorization_code" in registration.grant_types and "openid" not in scopes:
        yield Fault(where, "must have openid")
    if "offline_access" in scopes and "refresh_token" not in registration.grant_types:
        yield Fault(where, "offline_access needs the grant refresh_token")
    for position, claim in enumerate(registration.id_token_claims):
        if SCOPE_OF_CLAIM[claim] not in scopes:
            reason = f"{claim} is released by the scope {SCOPE_OF_CLAIM[claim]}, which is not registered"
            yield Fault(("registration", "id_token_claims", position), reason)


def _subject(manifest: Manifest, ground: Ground) -> Iterator[Fault]:
    """OIDC Core §8.1; MODEL §1: first-party portals share one `sub`."""
    registration = manifest.registration
    sector = registration.sector_identifier_uri
    if registration.subject_type == "public":
        if sector is not None:
            yield Fault(("registration", "sector_identifier_uri"), "has no use with public subjects")
        return
    if registration.first_party:
        yield Fault(("registration", "subject_type"), "first-party clients share one subject: public")
    hosts = {urlsplit(_absolute(manifest, uri)).hostname for uri in registration.redirect_uris}
    if sector is None and len(hosts) > 1:
        reason = "pairwise subjects over redirect URIs of several hosts need sector_identifier_uri"
        yield Fault(("registration", "subject_type"), reason)
    wrong = None if sector is None else wrong_server_address(sector, ground=ground)
    if wrong is not None:
        yield Fault(("registration", "sector_identifier_uri"), wrong)


def _partner(manifest: Manifest) -> Iterator[Fault]:
    approved = manifest.registration.approved_for
    if approved is None:
        return
    where = ("registration", "approved_for")
    if not REGISTRY.match(approved.registry):
        yield Fault((*where, "registry"), "is not the name of a registry")
    if not approved.provider_ids and not approved.tins:
        yield Fault(where, "names neither a provider ID nor a TIN")
    for position, given in enumerate(approved.provider_ids):
        try:
            ProviderId.parse(given)
        except Malformed as error:
            yield Fault((*where, "provider_ids", position), str(error))
    for position, given in enumerate(approved.tins):
        try:
            Tin.parse(given)
        except Malformed as error:
            yield Fault((*where, "tins", position), str(error))


def _absolute(manifest: Manifest, uri: str) -> str:
    return manifest.base_url + uri if uri.startswith("/") else uri


def keeps_secret(registration: Registration) -> bool:
    """Whether the client proves itself by a secret that we make."""
    return registration.token_endpoint_auth_method in _SECRET_METHODS
