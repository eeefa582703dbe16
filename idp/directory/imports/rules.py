"""A line of a payer's file becomes a row, or a list of reasons why not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from idp.directory.rules import ProviderStatus, ProviderType, begins_as_formula, is_registry_name
from idp.foundation.line_reading import LineReading
from idp.vocabulary.identifiers import Malformed, Npi, ProviderId, Tin, TinType, TradingPartnerId, ZipCode
from idp.vocabulary.secret import Secret

PROVIDER_COLUMNS: Final = (
    "provider_id", "provider_type", "npi", "tin", "tin_type", "group_tin", "legal_name", "first_name", "last_name",
    "zip_codes", "state", "programs", "status", "effective_date", "end_date",
)  # fmt: skip
PARTNER_COLUMNS: Final = (
    "trading_partner_id", "qualifier", "organization_name", "zip_code", "email_domain", "type", "tins_represented",
)  # fmt: skip
LETTER_COLUMNS: Final = ("provider_id", "pin", "issued_on", "expires_on", "used_on")
STATES: Final = frozenset((
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY", "LA", "ME",
    "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA",
    "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY", "DC", "AS", "GU", "MP", "PR", "VI", "FM",
    "MH", "PW", "AA", "AE", "AP",
))  # fmt: skip
PARTNER_KINDS: Final = frozenset({"billing company", "vendor", "clearinghouse"})
FULL_NEEDS_YES: Final = 0.05
"""A full file that ends more than this share of the roster needs `--yes`."""

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_DOMAIN: Final = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}\Z", re.ASCII)
_PIN: Final = re.compile(r"[A-Za-z0-9]{6,16}\Z", re.ASCII)


class Fault(StrEnum):
    """Why a row is refused; the sentence for each stands in `idp.directory.words`."""

    COLUMN_COUNT = "column_count"
    PROVIDER_ID = "provider_id"
    PROVIDER_TYPE = "provider_type"
    NPI = "npi"
    TIN = "tin"
    TIN_TYPE = "tin_type"
    GROUP_TIN = "group_tin"
    GROUP_IN_GROUP = "group_in_group"
    NAME = "name"
    PERSON_NAME = "person_name"
    FORMULA = "formula"
    ZIP = "zip"
    ZIP_COUNT = "zip_count"
    STATE = "state"
    PROGRAMS = "programs"
    STATUS = "status"
    DATE = "date"
    DATE_ORDER = "date_order"
    END_MISSING = "end_missing"
    TRADING_PARTNER_ID = "trading_partner_id"
    QUALIFIER = "qualifier"
    DOMAIN = "domain"
    PARTNER_KIND = "partner_kind"
    TINS = "tins"
    PIN = "pin"
    PROVIDER_UNKNOWN = "provider_unknown"
    LETTER_DIFFERS = "letter_differs"
    ENTITY = "entity"
    US_DATE = "us_date"
    REPEATED = "repeated"
    DELETES = "deletes"


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A valid line of the provider master."""

    provider_id: ProviderId
    provider_type: ProviderType
    npi: Npi
    tin: Tin = field(repr=False)
    tin_type: TinType
    group_tin: Tin | None = field(repr=False)
    legal_name: str
    first_name: str | None
    last_name: str | None
    zip_codes: tuple[str, ...]
    state: str
    programs: str
    status: ProviderStatus
    effective_date: date
    end_date: date | None

    @property
    def practice_tin(self) -> Tin:
        """A provider belongs to its group's practice if it has one, else to its own (MODEL §2)."""
        return self.group_tin or self.tin


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """A valid line of the trading partner roster."""

    trading_partner_id: TradingPartnerId
    qualifier: str
    name: str
    zip_code: str
    email_domain: str | None
    kind: str
    tins: tuple[Tin, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A valid line of the PIN letters; the PIN's case matters (D2)."""

    provider_id: ProviderId
    pin: Secret
    issued_on: date
    expires_on: date
    used_on: date | None


Row = ProviderRow | PartnerRow | LetterRow


class _Reading(LineReading[Fault]):
    """With what several files have."""

    def day(self, column: str) -> date | None:
        return self.take(column, Fault.DATE, _day)

    def day_if_given(self, column: str) -> date | None:
        return self.day(column) if self.cells[column] else None

    def no_formula(self, *columns: str) -> None:
        """Names that a spreadsheet would run stay out, wherever they would be shown later."""
        if any(begins_as_formula(self.cells[column].lstrip(" ")) for column in columns):
            self.blame(Fault.FORMULA)


def provider_row(cells: Mapping[str, str]) -> ProviderRow | tuple[Fault, ...]:
    """A line of the provider master. No TIN range is refused: payers' files hold numbers that are never issued."""
    reading = _Reading(cells)
    identity = reading.take("provider_id", Fault.PROVIDER_ID, ProviderId.parse)
    kind = reading.take("provider_type", Fault.PROVIDER_TYPE, ProviderType)
    npi = reading.take("npi", Fault.NPI, Npi.parse)
    tin = reading.take("tin", Fault.TIN, Tin.parse)
    tin_type = reading.take("tin_type", Fault.TIN_TYPE, TinType)
    group_tin = reading.take("group_tin", Fault.GROUP_TIN, Tin.parse) if cells["group_tin"] else None
    legal_name = reading.take("legal_name", Fault.NAME, lambda text: _name(text, longest=200))
    first, last = _person_names(reading, kind=kind)
    reading.no_formula("legal_name", "first_name", "last_name")
    zips = _zips(reading)
    status = reading.take("status", Fault.STATUS, ProviderStatus)
    begins, ends = reading.day("effective_date"), reading.day_if_given("end_date")
    state = reading.take("state", Fault.STATE, lambda text: _one_of(text, STATES))
    programs = reading.take("programs", Fault.PROGRAMS, lambda text: _one_of(text, {"medicaid", "medicare", "both"}))
    if kind is ProviderType.GROUP and group_tin is not None and group_tin != tin:
        reading.blame(Fault.GROUP_IN_GROUP)
    if begins and ends and ends < begins:
        reading.blame(Fault.DATE_ORDER)
    if status is ProviderStatus.TERMINATED and not cells["end_date"]:
        reading.blame(Fault.END_MISSING)
    if reading.faults or not (identity and kind and npi and tin and tin_type and legal_name and status and begins):
        return tuple(reading.faults)
    return ProviderRow(
        identity, kind, npi, tin, tin_type, group_tin, legal_name, first, last, zips, state or "", programs or "",
        status, begins, ends,
    )  # fmt: skip


def partner_row(cells: Mapping[str, str]) -> PartnerRow | tuple[Fault, ...]:
    """A line of the trading partner roster; `trading_partner_id` is what the portals ask for, not `qualifier` (A2)."""
    reading = _Reading(cells)
    identity = reading.take("trading_partner_id", Fault.TRADING_PARTNER_ID, TradingPartnerId.parse)
    qualifier = reading.take("qualifier", Fault.QUALIFIER, lambda text: _one_of(text, {"ZZ", "30", "01"}))
    name = reading.take("organization_name", Fault.NAME, lambda text: _name(text, longest=200))
    reading.no_formula("organization_name")
    zip_code = reading.take("zip_code", Fault.ZIP, lambda text: str(ZipCode.parse(text)))
    domain = reading.take("email_domain", Fault.DOMAIN, _domain)
    kind = reading.take("type", Fault.PARTNER_KIND, lambda text: _one_of(text, PARTNER_KINDS))
    tins = reading.take("tins_represented", Fault.TINS, _tins)
    if reading.faults or not (identity and qualifier and name and zip_code and kind) or tins is None:
        return tuple(reading.faults)
    return PartnerRow(identity, qualifier, name, zip_code, domain or None, kind, tins)


def letter_row(cells: Mapping[str, str]) -> LetterRow | tuple[Fault, ...]:
    """A line of the PIN letters."""
    reading = _Reading(cells)
    identity = reading.take("provider_id", Fault.PROVIDER_ID, ProviderId.parse)
    pin = reading.take("pin", Fault.PIN, _pin)
    issued, expires = reading.day("issued_on"), reading.day("expires_on")
    used = reading.day_if_given("used_on")
    if issued and expires and (expires < issued or (used and used < issued)):
        reading.blame(Fault.DATE_ORDER)
    if reading.faults or not (identity and issued and expires) or pin is None:
        return tuple(reading.faults)
    return LetterRow(identity, pin, issued, expires, used)


def needs_yes(*, leaving: int, listed: int, nameless: int) -> bool:
    """Whether ending this many of those listed takes a spoken yes; so it does where a refused line may name one of them."""
    return leaving > listed * FULL_NEEDS_YES or nameless > 0


def registry(name: str) -> str:
    """The name of a registry; `ValueError` says what one looks like."""
    if not is_registry_name(name):
        raise ValueError("A registry's name has lower-case letters, digits and hyphens, at most 32.")
    return name


def _person_names(reading: _Reading, *, kind: ProviderType | None) -> tuple[str | None, str | None]:
    if kind is not ProviderType.PRACTITIONER:
        return None, None
    first = reading.take("first_name", Fault.PERSON_NAME, lambda text: _name(text, longest=80) if text else "")
    last = reading.take("last_name", Fault.PERSON_NAME, lambda text: _name(text, longest=80))
    return first or None, last


def _zips(reading: _Reading) -> tuple[str, ...]:
    parts = reading.cells["zip_codes"].split(";")
    zips = reading.take("zip_codes", Fault.ZIP, lambda _text: tuple(str(ZipCode.parse(part)) for part in parts)) or ()
    if len(parts) > 3 or len({code[:5] for code in zips}) != len(zips):
        reading.blame(Fault.ZIP_COUNT)
    return zips


def _tins(text: str) -> tuple[Tin, ...]:
    return tuple(dict.fromkeys(Tin.parse(part) for part in text.split(";"))) if text else ()


def _day(text: str) -> date:
    if not _DAY.match(text):
        raise Malformed("A date is written YYYY-MM-DD.")
    return date.fromisoformat(text)


def _name(text: str, *, longest: int) -> str:
    if not text.strip() or len(text) > longest or not text.isprintable():
        raise Malformed("A name is printable text of limited length.")
    return text.strip()


def _domain(text: str) -> str:
    if text and not _DOMAIN.match(text.lower()):
        raise Malformed("A domain name is expected.")
    return text.lower()


def _pin(text: str) -> Secret:
    if not _PIN.match(text):
        raise Malformed("A PIN has 6 to 16 letters and digits.")
    return Secret(text)


def _one_of(text: str, allowed: set[str] | frozenset[str]) -> str:
    if text not in allowed:
        raise Malformed("Not one of the allowed values.")
    return text
