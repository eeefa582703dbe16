"""Numbers and names that healthcare gives to things, parsed once and then trusted."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

_DIGITS: Final = re.compile(r"[0-9]+\Z", re.ASCII)
_TIN: Final = re.compile(r"(?:[0-9]{9}|[0-9]{2}-[0-9]{7}|[0-9]{3}-[0-9]{2}-[0-9]{4})\Z", re.ASCII)
_ZIP: Final = re.compile(r"([0-9]{5})(?:-?([0-9]{4}))?\Z", re.ASCII)
_PROVIDER_ID: Final = re.compile(r"(?:[0-9]{6}|[0-9]{9})\Z", re.ASCII)
_PARTNER_ID: Final = re.compile(r"[A-Z0-9]{4,15}\Z", re.ASCII)
_NPI_PREFIX: Final = "80840"


class Malformed(ValueError):
    """Text that is not such a number; the message says what is expected, never what was given."""


class Npi(str):
    """National Provider Identifier: ten digits, the last a Luhn check over `80840` + NPI (45 CFR 162.406)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        if len(text) != 10 or not _DIGITS.match(text):
            raise Malformed("An NPI has 10 digits.")
        if not _luhn(_NPI_PREFIX + text):
            raise Malformed("The NPI's check digit is wrong.")
        return cls(text)


class ProviderId(str):
    """The payer's own number for a provider: six or nine digits, leading zeros kept."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        if not _PROVIDER_ID.match(text):
            raise Malformed("A provider ID has 6 or 9 digits.")
        return cls(text)


class TradingPartnerId(str):
    """The payer's number for a trading partner: 4 to 15 letters and digits, upper case."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        if not _PARTNER_ID.match(text.upper()):
            raise Malformed("A trading partner ID has 4 to 15 letters and digits.")
        return cls(text.upper())


class TinType(StrEnum):
    """Whether a TIN is an employer's number or a person's Social Security number."""

    EIN = "EIN"
    SSN = "SSN"


class Tin(str):
    """Taxpayer Identification Number: nine digits, dashes allowed on the way in.

    It may be a Social Security number, so `repr` shows only the last four digits. No range is
    refused: payers' files hold numbers that no agency ever issues.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        if not _TIN.match(text):
            raise Malformed("A Tax ID has 9 digits.")
        return cls(text.replace("-", ""))

    def masked(self) -> str:
        """`**-***1234`, the only form shown on a page."""
        return f"**-***{self[-4:]}"

    def __repr__(self) -> str:
        return f"Tin({self.masked()})"


@dataclass(frozen=True, slots=True)
class ZipCode:
    """ZIP code: five digits, and four more when they were given."""

    zip5: str
    plus4: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _ZIP.match(text)
        if match is None:
            raise Malformed("A ZIP code has 5 or 9 digits.")
        return cls(match[1], match[2])

    def __str__(self) -> str:
        return f"{self.zip5}-{self.plus4}" if self.plus4 else self.zip5


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
