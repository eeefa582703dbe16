"""Which addresses a manifest may hold (RFC 9700 §2.1, RFC 8252 §7, OIDC Registration §2; SECURITY AZ-01…07, DR-03, DR-04)."""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from idp.foundation.destinations import Allowed, may_dial, target
from idp.relying_parties.faults import Ground

MAX_LENGTH: Final = 2048
_VISIBLE: Final = re.compile(r"[!#$%&'()+,\-./0-9:;=?@A-Z\[\]_a-z~]+\Z", re.ASCII)
"""Printable ASCII of RFC 3986, without `*`: nobody registers a pattern."""
_HOST: Final = re.compile(
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\Z", re.ASCII
)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+\Z", re.ASCII)
"""A native app's own scheme is a reversed domain name, so it has a dot (RFC 8252 §7.1)."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def wrong_page(uri: str, *, ground: Ground) -> str | None:
    """Why a person's browser may not be sent to `uri`, or `None`: https, or http on loopback in the demo."""
    parts = _split(uri)
    if isinstance(parts, str):
        return parts
    if parts.scheme not in ("https", "http"):
        return "must be an https address"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user name or password"
    host = parts.hostname or ""
    if not host:
        return "names no host"
    if parts.scheme == "http":
        if host not in _LOOPBACK:
            return "must be https"
        return None if ground.loopback else "must be https: plain http to loopback is for the demo"
    return _wrong_host(host)


def wrong_base(uri: str, *, ground: Ground) -> str | None:
    """Why `uri` cannot carry the manifest's paths."""
    reason = wrong_page(uri, ground=ground)
    if reason is not None:
        return reason
    if uri.endswith("/") or "?" in uri:
        return "must end with its host, port or path, without a slash or query"
    return None


def wrong_web_redirect(uri: str, *, ground: Ground) -> str | None:
    """Why a web application may not be answered at `uri`."""
    reason = wrong_page(uri, ground=ground)
    if reason is not None:
        return reason
    return None if urlsplit(uri).path else "needs a path, if only /"


def wrong_native_redirect(uri: str) -> str | None:
    """Why a native application may not: a claimed https address, its own dotted scheme, or a loopback literal (AZ-06)."""
    parts = _split(uri)
    if isinstance(parts, str):
        return parts
    if parts.scheme == "https":
        return wrong_web_redirect(uri, ground=Ground())
    if parts.scheme == "http":
        if parts.netloc.rpartition("@")[0] or (parts.hostname or "") not in {"127.0.0.1", "::1"}:
            return "over http a native app is answered at the loopback literals 127.0.0.1 and [::1] only"
        return None if parts.path else "needs a path, if only /"
    if not _SCHEME.match(parts.scheme):
        return "a native app's own scheme is a reversed domain name, such as com.example.app"
    return None


def wrong_server_address(uri: str, *, ground: Ground) -> str | None:
    """Why this server would refuse to call `uri`: anything but https to a public host (DR-04).

    Names are looked up and checked again when the call is made; here literals that can only be internal are refused.
    """
    reason = wrong_page(uri, ground=ground)
    if reason is not None:
        return reason
    place = target(uri, demo=ground.loopback)
    if place is None:
        return "is no address that this server calls"
    allowed = Allowed.parse(ground.outgoing_allow)
    if place.literal is not None:
        may = may_dial(place.literal, target=place, allowed=allowed, demo=ground.loopback)
        return None if may else "names an address that is not public"
    opened = bool(allowed.networks) or not allowed.hosts.isdisjoint({place.host, f"{place.host}:{place.port}"})
    if opened or (ground.loopback and place.host == "localhost"):
        return None
    inside = "." not in place.host or place.host.endswith((".localhost", ".local", ".internal"))
    return "names a host that is not public" if inside else None


def _split(uri: str) -> SplitResult | str:
    if not uri or len(uri) > MAX_LENGTH or not _VISIBLE.match(uri):
        return "must be a plain ASCII address without blanks, quotes, backslashes or *"
    if "#" in uri:
        return "must not have a fragment"
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return "is not an address"
    if not parts.scheme:
        return "must be absolute, or a path that begins with /"
    if parts.scheme != uri[: len(parts.scheme)] or parts.netloc != parts.netloc.lower():
        return "must have scheme and host in lower case: comparison is exact"
    if any(segment in (".", "..") for segment in re.sub("%2e", ".", parts.path, flags=re.IGNORECASE).split("/")):
        return "must not have . or .. in its path"
    return parts


def _wrong_host(host: str) -> str | None:
    if _address(host) is not None:
        return None
    if not _HOST.match(host) or re.fullmatch(r"(?:0x[0-9a-f]*|[0-9]+)", host.rpartition(".")[2], re.ASCII):
        return "does not name a host"
    return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
