"""Where a request from here may go: which URLs, and which addresses their names may turn out to be (SECURITY T28, DR-04)."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

URL_LIMIT: Final = 2048
_PRINTABLE: Final = re.compile(r"[\x21-\x7E]+\Z", re.ASCII)
_NAME: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z", re.ASCII
)
_NUMBER: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z", re.ASCII)
_LOCALHOST: Final = "localhost"
_CLOSED: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "100.64.0.0/10",  # shared by carriers, RFC 6598: neither private nor global to `ipaddress`
        "192.88.99.0/24",  # 6to4 relays
        "64:ff9b::/96",  # NAT64, RFC 6052: any IPv4 address in disguise, and `is_global`
        "64:ff9b:1::/48",
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be tried, taken apart once: what is dialled is what was checked."""

    scheme: str
    host: str
    port: int
    path: str
    literal: Address | None

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an operator opened beyond the public internet: names that may resolve to inside, and networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, entries: Collection[str]) -> Self:
        """Entries are `name`, `name:port`, an address or a network; `ValueError` names a wrong one."""
        hosts, networks = set(), []
        for entry in entries:
            text = entry.strip().lower()
            try:
                networks.append(ipaddress.ip_network(text))
            except ValueError as error:
                name, colon, port = text.partition(":")
                if not _NAME.match(name) or _ends_in_number(name) or (colon and not port.isdecimal()):
                    raise ValueError(f"neither a host name nor a network: {entry!r}") from error
                hosts.add(text)
        return cls(frozenset(hosts), tuple(networks))


def target(url: str, *, demo: bool) -> Target | None:
    """The parsed URL, or `None` for one that nothing here may ever call.

    https only, save `http://localhost` in the demo (ruling 8). No user info, fragment, backslash or blank; no host
    that ends in a number without being a plain address (`127.1`, `0x7f000001`, `2130706433`).
    """
    if len(url) > URL_LIMIT or not _PRINTABLE.match(url) or any(sign in url for sign in "\\#"):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or "%" in host or "@" in parts.netloc or parts.netloc.endswith(":") or port == 0:
        return None
    if parts.scheme == "http" and not (demo and host == _LOCALHOST):
        return None
    literal = _literal(host, bracketed="[" in parts.netloc)
    if literal is None and (not _NAME.match(host) or len(host) > 253 or _ends_in_number(host)):
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path, literal)


def may_dial(address: Address, *, target: Target, allowed: Allowed, demo: bool) -> bool:
    """Whether this very address may be connected to for this target."""
    plain = getattr(address, "ipv4_mapped", None) or address
    if any(plain.version == network.version and plain in network for network in allowed.networks):
        return True
    if target.scheme == "http" or (demo and target.host == _LOCALHOST):
        return bool(plain.is_loopback)
    if not allowed.hosts.isdisjoint({target.host, f"{target.host}:{target.port}"}):
        return not (plain.is_link_local or plain.is_multicast or plain.is_unspecified)
    return address is plain and is_public(plain)


def is_public(address: Address) -> bool:
    """Whether it is an ordinary address of the public internet, and hides no other one inside."""
    if any(address.version == network.version and address in network for network in _CLOSED):
        return False
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _literal(host: str, *, bracketed: bool) -> Address | None:
    try:
        return ipaddress.IPv6Address(host) if bracketed else ipaddress.IPv4Address(host)
    except ValueError:
        return None


def _ends_in_number(host: str) -> bool:
    return bool(_NUMBER.match(host.rpartition(".")[2]))
