"""The one way out: every request that Credence makes to somebody else's server passes here (SECURITY D8, DR-04, LO-10).

A name is resolved once, every address it has must be allowed, and that very address is dialled, so nothing can
change in between. No redirects, no proxies from the environment, no cookies, no compression; a deadline for the whole
exchange and a limit on the answer's size.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import httpcore2

from idp.foundation.destinations import Address, Allowed, Target, may_dial, target
from idp.vocabulary.refused import Refused

_WRITE_AT_ONCE: Final = 4096
_AGENT: Final = "Credence"


class Reason(StrEnum):
    """Why there is no answer."""

    NOT_ALLOWED = "not_allowed"
    UNRESOLVED = "unresolved"
    REDIRECTED = "redirected"
    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    UNREACHABLE = "unreachable"
    GARBLED = "garbled"


@dataclass(frozen=True, slots=True)
class _Limits:
    method: str
    accept: str
    seconds: float
    max_bytes: int


class Purpose(Enum):
    """What a request is for; there is no other."""

    JWKS_URI = _Limits("GET", "application/jwk-set+json, application/json", 5.0, 65_536)
    SECTOR_IDENTIFIER = _Limits("GET", "application/json", 5.0, 65_536)
    BACKCHANNEL_LOGOUT = _Limits("POST", "*/*", 5.0, 4_096)
    UPSTREAM_METADATA = _Limits("GET", "application/json", 5.0, 131_072)
    UPSTREAM_TOKEN = _Limits("POST", "application/json", 10.0, 131_072)
    UPSTREAM_USERINFO = _Limits("GET", "application/json", 5.0, 32_768)
    WEB_PUSH = _Limits("POST", "*/*", 10.0, 4_096)
    SMS_GATEWAY = _Limits("POST", "application/json", 10.0, 16_384)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whatever its status, unless it was a redirect; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


Resolver = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a name, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Outgoing:
    """The client; one an application, safe to share between threads."""

    def __init__(
        self,
        *,
        allow: Collection[str] = (),
        ca_file: Path | str | None = None,
        demo: bool = False,
        resolver: Resolver = resolve,
    ) -> None:
        self._allowed = Allowed.parse(allow)
        self._demo = demo
        self._resolver = resolver
        self._resolving = ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolve")
        self._tls = httpcore2.default_ssl_context()
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        if ca_file is not None:
            self._tls.load_verify_locations(cafile=str(ca_file))

    def may_call(self, url: str) -> bool:
        """Whether the URL could be called as written; its name is not resolved. For checks at registration."""
        place = target(url, demo=self._demo)
        if place is None:
            return False
        return place.literal is None or self._may_dial(place, place.literal)

    def get(
        self,
        url: str,
        *,
        purpose: Purpose,
        headers: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
        max_bytes: int | None = None,
    ) -> Reply | Refused:
        """Fetch a document."""
        sent = dict(headers or {})
        return self._exchange(
            url, method="GET", purpose=purpose, timeout=timeout, max_bytes=max_bytes, headers=sent, body=b""
        )

    def post(
        self,
        url: str,
        *,
        purpose: Purpose,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
        max_bytes: int | None = None,
    ) -> Reply | Refused:
        """Send a body, with its `Content-Type` among the headers, or a form."""
        if (body is None) == (form is None):
            raise ValueError("a post has a body or a form")
        sent = dict(headers or {})
        if form is not None:
            body = urlencode(form).encode("ascii")
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        return self._exchange(
            url, method="POST", purpose=purpose, timeout=timeout, max_bytes=max_bytes, headers=sent, body=body or b""
        )

    def _exchange(
        self,
        url: str,
        *,
        method: str,
        purpose: Purpose,
        timeout: timedelta | None,
        max_bytes: int | None,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Reply | Refused:
        limits = purpose.value
        if limits.method != method:
            raise ValueError(f"{purpose.name} is a {limits.method}")
        deadline = time.monotonic() + (limits.seconds if timeout is None else timeout.total_seconds())
        place = target(url, demo=self._demo)
        if place is None:
            return Refused(Reason.NOT_ALLOWED)
        addresses = self._addresses(place, deadline)
        if isinstance(addresses, Refused):
            return addresses
        request = httpcore2.Request(
            method,
            httpcore2.URL(scheme=place.scheme, host=place.host, port=place.port, target=place.path),
            headers=_headers(place, {"Accept": limits.accept} | dict(headers), body if method == "POST" else None),
            content=body,
        )
        backend = _Dialler(addresses, deadline)
        try:
            with httpcore2.ConnectionPool(ssl_context=self._tls, network_backend=backend, max_connections=1) as pool:
                return _read(pool, request, limit=limits.max_bytes if max_bytes is None else max_bytes)
        except httpcore2.TimeoutException:
            return Refused(Reason.TOO_SLOW)
        except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol):
            return Refused(Reason.GARBLED)
        except (httpcore2.NetworkError, OSError):
            return Refused(Reason.TOO_SLOW if time.monotonic() >= deadline else Reason.UNREACHABLE)

    def _addresses(self, place: Target, deadline: float) -> Sequence[Address] | Refused:
        """All addresses of the target; a single one that is not allowed spoils them all."""
        if place.literal is not None:
            found: Sequence[Address] = [place.literal]
        else:
            asked = self._resolving.submit(self._resolver, place.host, place.port)
            try:
                found = [_address(text) for text in asked.result(max(0.0, deadline - time.monotonic()))]
            except TookTooLong:
                asked.cancel()
                return Refused(Reason.TOO_SLOW)
            except (OSError, ValueError):
                return Refused(Reason.UNRESOLVED)
        if not found:
            return Refused(Reason.UNRESOLVED)
        return found if all(self._may_dial(place, address) for address in found) else Refused(Reason.NOT_ALLOWED)

    def _may_dial(self, place: Target, address: Address) -> bool:
        return may_dial(address, target=place, allowed=self._allowed, demo=self._demo)


class _Dialler(httpcore2.NetworkBackend):
    """Dials the addresses that were checked, and no name; every wait ends at the deadline."""

    def __init__(self, addresses: Sequence[Address], deadline: float) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        failed: Exception | None = None
        for address in self._addresses:
            try:
                stream = self._sockets.connect_tcp(
                    str(address), port, timeout=_left(self._deadline), socket_options=socket_options
                )
                return _Stream(stream, self._deadline)
            except httpcore2.ConnectError as error:
                failed = error
        raise failed or httpcore2.ConnectError("no address")


class _Stream(httpcore2.NetworkStream):
    """A connection whose every read and write ends at the deadline of the whole exchange (a peer of 1 byte/s too)."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _WRITE_AT_ONCE):
            self._stream.write(buffer[start : start + _WRITE_AT_ONCE], _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the deadline has passed")
    return left


def _address(text: str) -> Address:
    return ipaddress.ip_address(text)


def _headers(place: Target, extra: Mapping[str, str], body: bytes | None) -> list[tuple[str, str]]:
    headers = {"Host": place.authority, "User-Agent": _AGENT, "Accept-Encoding": "identity", "Connection": "close"}
    headers |= extra
    if body is not None:
        headers["Content-Length"] = str(len(body))
    return list(headers.items())


def _read(pool: httpcore2.ConnectionPool, request: httpcore2.Request, *, limit: int) -> Reply | Refused:
    response = pool.handle_request(request)
    try:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        if 300 <= response.status < 400:
            return Refused(Reason.REDIRECTED)
        if headers.get("content-encoding", "identity") != "identity":
            return Refused(Reason.GARBLED)
        body = bytearray()
        for chunk in response.iter_stream():
            body += chunk
            if len(body) > limit:
                return Refused(Reason.TOO_LARGE)
        return Reply(response.status, headers, bytes(body))
    finally:
        response.close()
