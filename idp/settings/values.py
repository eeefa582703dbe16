"""The kinds of value a setting may have, and how text becomes one."""

import re
from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from idp.vocabulary.secret import Secret

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhd])\Z|0\Z", re.ASCII)
_HOST_AND_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})\Z", re.ASCII)
_NAME_AND_PORT: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?\Z", re.ASCII | re.IGNORECASE)
_MAILBOX: Final = re.compile(r"[!-;=?A-~]+@[A-Za-z0-9.-]+\Z", re.ASCII)


class Mode(StrEnum):
    """`demo` is plain http on loopback with invented people; everything else is `production`."""

    DEMO = "demo"
    PRODUCTION = "production"


class WrongSettings(ValueError):
    """The settings cannot be used; `lines` says why, one line for each, never with a value."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.match(str(value).strip())
    if match is None:
        raise ValueError("a whole number with s, m, h or d, such as 30m")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]]) if match[2] else timedelta(0)


def _several(value: object) -> object:
    return tuple(part for part in re.split(r"[,\s]+", value) if part) if isinstance(value, str) else value


def _host_and_port(value: str) -> str:
    match = _HOST_AND_PORT.match(value)
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError("host:port, such as 127.0.0.1:8000")
    return value


def _sender(value: str) -> str:
    name, address = parseaddr(value)
    if not value.isprintable() or not _MAILBOX.match(address) or address not in value or len(name) > 200:
        raise ValueError("a sender such as Credence <no-reply@id.example.org>")
    return value


def _within(shortest: timedelta, longest: timedelta) -> Callable[[timedelta], timedelta]:
    def check(value: timedelta) -> timedelta:
        if not shortest <= value <= longest:
            raise ValueError(f"from {_said(shortest)} to {_said(longest)}")
        return value

    return check


def _said(length: timedelta) -> str:
    unit = next(unit for unit in reversed(_UNITS) if length % timedelta(seconds=_UNITS[unit]) == timedelta(0))
    return f"{length // timedelta(seconds=_UNITS[unit])}{unit}"


def _reachable(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_NAME_AND_PORT.match(each) or _is_network(each) for each in value):
        raise ValueError("host names, each with or without :port, addresses or networks, separated by commas")
    return value


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _secret(value: object) -> Secret | None:
    if value is None or isinstance(value, Secret):
        return value
    if not isinstance(value, str) or len(value) < 8:
        raise ValueError("a secret of at least 8 characters")
    return Secret(value)


_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)
Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_within(_SECOND, 3650 * _DAY))]
CodeLife = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_within(_SECOND, 60 * _SECOND))]
TokenLife = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_within(60 * _SECOND, 3600 * _SECOND))]
LinkLife = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_within(_SECOND, _DAY))]
RefreshLife = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_within(_SECOND, 90 * _DAY))]
"""The protocol's own limits: a setting may shorten what certification and RFC 9700 bound, never lengthen it."""
DurationOrNone = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]
"""Zero switches off what it measures."""
Several = Annotated[tuple[str, ...], BeforeValidator(_several)]
Reachable = Annotated[Several, AfterValidator(_reachable)]
HostAndPort = Annotated[str, AfterValidator(_host_and_port)]
Sender = Annotated[str, AfterValidator(_sender)]
OptionalSecret = Annotated[Secret | None, PlainValidator(_secret), Field(repr=False)]
SecretUrl = Annotated[str, Field(repr=False)]
OptionalSecretUrl = Annotated[str | None, Field(repr=False)]
