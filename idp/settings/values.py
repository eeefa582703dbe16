"""The kinds of value a setting may have, and how text becomes one."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, PlainValidator

from idp.vocabulary.secret import Secret

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhd]?)\Z", re.ASCII)


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
    return timedelta(seconds=int(match[1]) * _UNITS[match[2] or "s"])


def _several(value: object) -> object:
    return tuple(part for part in re.split(r"[,\s]+", value) if part) if isinstance(value, str) else value


def _secret(value: object) -> Secret | None:
    if value is None or isinstance(value, Secret):
        return value
    if not isinstance(value, str) or len(value) < 8:
        raise ValueError("a secret of at least 8 characters")
    return Secret(value)


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0))]
DurationOrNone = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]
"""Zero switches off what it measures."""
Several = Annotated[tuple[str, ...], BeforeValidator(_several)]
OptionalSecret = Annotated[Secret | None, PlainValidator(_secret), Field(repr=False)]
SecretUrl = Annotated[str, Field(repr=False)]
OptionalSecretUrl = Annotated[str | None, Field(repr=False)]
