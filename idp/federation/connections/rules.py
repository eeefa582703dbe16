"""What may stand together in a connection; each fault says where and why."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from idp.federation.connections import practices
from idp.federation.connections.manifest import Connection
from idp.federation.upstream_saml import faults as saml
from idp.relying_parties.addresses.rules import wrong_server_address
from idp.relying_parties.faults import Fault, Ground
from idp.relying_parties.manifest import Manifest
from idp.vocabulary.assurance import Acr

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z", re.ASCII)
_DOMAIN: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z", re.ASCII
)
_VISIBLE: Final = re.compile(r"[\x21-\x7E]{1,255}\Z", re.ASCII)


def wrong_name(name: str) -> str | None:
    """Why this cannot name a connection; the name stands in its callback's address."""
    if 2 <= len(name) <= 48 and _NAME.match(name):
        return None
    return "a connection's name is 2 to 48 lower-case letters, digits and single dashes, a letter first"


def faults(connection: Connection, *, texts: Mapping[str, str], ground: Ground, now: datetime) -> Iterator[Fault]:
    """All that is wrong with one connection by itself."""
    for protocol in ("oidc", "saml"):
        here = getattr(connection, protocol) is not None
        if here is not (connection.protocol == protocol):
            yield Fault((protocol,), "stands beside another protocol" if here else "is missing")
    if connection.protocol == "oidc":
        yield from _oidc(connection, ground)
    elif not _VISIBLE.match(connection.issuer):
        yield Fault(("issuer",), "is an entity ID of at most 255 visible ASCII characters")
    if connection.saml is not None and connection.protocol == "saml":
        yield from saml.faults(connection.saml, entity_id=connection.issuer, texts=texts, ground=ground, now=now)
    if not connection.portals:
        yield Fault(("portals",), "is empty: nobody could use it")
    yield from _home(connection)
    yield from _people(connection)
    yield from practices.faults(connection)
    if connection.assurance.local_factor == "spare" and not set(connection.assurance.acr.values()) - {Acr.AAL1}:
        yield Fault(("assurance", "local_factor"), "spares nobody while acr maps nothing above aal1")


def across(connections: Mapping[str, Connection], *, portals: Mapping[str, Manifest]) -> Iterator[tuple[str, Fault]]:
    """What must hold between connections and the portals as applied."""
    taken: dict[tuple[str, str], str] = {}
    yield from practices.across(connections, portals=portals)
    for name, connection in connections.items():
        for position, portal in enumerate(connection.portals):
            if portal not in portals:
                yield name, Fault(("portals", position), f"{portal!r} is not a portal that was applied")
        for portal, ceremony in connection.people.ceremonies.items():
            if portal in portals and ceremony not in portals[portal].enrollment:
                yield name, Fault(("people", "ceremonies", portal), f"{ceremony!r} is not a ceremony of that portal")
        for position, domain in enumerate(connection.home.email_domains):
            for portal in connection.portals:
                other = taken.setdefault((portal, domain), name)
                if other != name:
                    yield name, Fault(("home", "email_domains", position), f"is {other}'s at {portal} already")
                    break


def _oidc(connection: Connection, ground: Ground) -> Iterator[Fault]:
    reason = wrong_server_address(connection.issuer, ground=ground)
    if reason is None and ("?" in connection.issuer or len(connection.issuer) > 255):
        reason = "is an address of at most 255 characters without a query"
    if reason is not None:
        yield Fault(("issuer",), reason)
    if connection.oidc is not None and "openid" not in connection.oidc.scope.split(" "):
        yield Fault(("oidc", "scope"), "lacks openid")
    if connection.oidc is not None and not connection.oidc.id_token_algs:
        yield Fault(("oidc", "id_token_algs"), "is empty: no ID token could be believed")


def _home(connection: Connection) -> Iterator[Fault]:
    seen: set[str] = set()
    for position, domain in enumerate(connection.home.email_domains):
        if not _DOMAIN.match(domain):
            yield Fault(("home", "email_domains", position), "is no domain name in lower case")
        elif domain in seen:
            yield Fault(("home", "email_domains", position), "is listed twice")
        seen.add(domain)
    if not connection.button and not connection.home.email_domains and not connection.home.tins:
        yield Fault(("button",), "is off, and without home.email_domains or home.tins nobody could find it")


def _people(connection: Connection) -> Iterator[Fault]:
    people = connection.people
    if people.mailboxes and not connection.home.email_domains:
        yield Fault(("people", "mailboxes"), "needs home.email_domains: it vouches for those and no others")
    if people.create and not people.mailboxes:
        yield Fault(("people", "create"), "needs mailboxes: an account begins with a proven one")
    for portal in people.ceremonies:
        if portal not in connection.portals:
            yield Fault(("people", "ceremonies", portal), "does not offer this connection")
    if people.ceremonies and not people.create:
        yield Fault(("people", "ceremonies"), "has no use while create is off")
