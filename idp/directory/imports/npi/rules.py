"""A line of NPPES or a FHIR resource becomes an NPI record, or a list of reasons why not."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Protocol

from idp.directory.imports.rules import STATES, Fault
from idp.directory.rules import NATIONAL, begins_as_formula, name_key
from idp.vocabulary.identifiers import Malformed, Npi, Tin, ZipCode

NPI_SYSTEM: Final = "http://hl7.org/fhir/sid/us-npi"
NPI_SYSTEMS: Final = frozenset({NPI_SYSTEM, "urn:oid:2.16.840.1.113883.4.6"})
"""By its FHIR address and by its object identifier in HL7's register."""
WITHHELD: Final = "<UNAVAIL>"
LONGEST_NAME: Final = 200
_AT_HOME: Final = frozenset(
    {"", "US", "USA", "UNITED STATES", "UNITED STATES OF AMERICA", "UM", "PR", "VI", "GU", "AS", "MP"}
)
_US_DAY: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})\Z", re.ASCII)
_ENTITIES: Final = {"1": "individual", "2": "organization"}


class Source(StrEnum):
    """Who says so; of several payers' directories each is a source of its own, `fhir:` with its registry."""

    NPPES = "nppes"
    FHIR = "fhir"

    def of(self, registry: str) -> str:
        return self.value if registry == NATIONAL else f"{self.value}:{registry}"


class Standing(StrEnum):
    """What the source says of the NPI."""

    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    INACTIVE = "inactive"
    """A payer's FHIR directory no longer lists it as active; only NPPES deactivates."""
    LEFT = "left"
    """It was missing from a full file."""


@dataclass(frozen=True, slots=True)
class NpiRow:
    """A valid line."""

    npi: Npi
    entity: str | None
    name: str
    name_key: str
    state: str
    zip_code: str
    status: Standing
    enumerated_on: date | None
    updated_on: date | None
    deactivated_on: date | None
    reactivated_on: date | None

    @property
    def digest(self) -> bytes:
        """Equal for lines that say the same."""
        said = (
            self.npi, self.entity or "", self.name, self.name_key, self.state, self.zip_code, self.status,
            str(self.enumerated_on), str(self.updated_on), str(self.deactivated_on), str(self.reactivated_on),
        )  # fmt: skip
        return hashlib.blake2b("\x1f".join(said).encode(), digest_size=16).digest()


def nppes_row(cells: Sequence[str]) -> NpiRow | tuple[Fault, ...]:
    """A line of NPPES by the columns of `layout.READ`; one with a deactivation date alone is a deactivated NPI.

    Whatever else is wrong with the line of a deactivated NPI, the deactivation is taken and nothing else.
    """
    (
        number, kind, ein, organization, first, middle, last, suffix, state, postal, country, enumerated, updated,
        deactivated, reactivated,
    ) = cells  # fmt: skip
    faults: list[Fault] = []
    npi = _npi(number, faults)
    days = [_us_day(day, faults) for day in (enumerated, updated, deactivated, reactivated)]
    off = days[2] is not None and (not reactivated if days[3] is None else days[3] < days[2])
    entity = _ENTITIES.get(kind)
    if entity is None and (kind or not off):
        faults.append(Fault.ENTITY)
    if ein not in ("", WITHHELD) and not _is_tin(ein):
        faults.append(Fault.TIN)
    parts = (organization,) if entity == "organization" else (first, middle, last, suffix)
    name = _joined(parts)
    _check_name(name, faults, needed=entity is not None, opening="".join(parts).lstrip(" "))
    state, zip_code = _place(state, postal, country, faults)
    if off and faults and npi is not None:
        return NpiRow(npi, None, "", "", "", "", Standing.DEACTIVATED, *days)
    if faults or npi is None:
        return tuple(dict.fromkeys(faults))
    status = Standing.DEACTIVATED if off else Standing.ACTIVE
    return NpiRow(npi, entity, name, name_key(name), state, zip_code, status, *days)


def fhir_row(resource: Mapping[str, Any]) -> NpiRow | tuple[Fault, ...] | None:
    """A FHIR R4 Practitioner or Organization that has an NPI; `None` for resources that are not about one."""
    kind = resource.get("resourceType")
    number = fhir_npi(resource) if kind in ("Practitioner", "Organization") else None
    if number is None:
        return None
    faults: list[Fault] = []
    npi = _npi(number, faults)
    name = _text(resource.get("name")) if kind == "Organization" else _human_name(resource.get("name"))
    _check_name(name, faults, needed=True, opening=name)
    home = next(_objects(resource.get("address")), {})
    state, zip_code = _place(
        _text(home.get("state")), _text(home.get("postalCode")), _text(home.get("country")), faults
    )
    updated = _fhir_day(resource, faults)
    if faults or npi is None:
        return tuple(dict.fromkeys(faults))
    entity = "organization" if kind == "Organization" else "individual"
    status = Standing.INACTIVE if resource.get("active") is False else Standing.ACTIVE
    return NpiRow(npi, entity, name, name_key(name), state, zip_code, status, None, updated, None, None)


def fhir_npi(resource: Mapping[str, Any]) -> str | None:
    """The NPI that a resource names, right or wrong; empty where its identifiers cannot be read, so that it may name any.

    One that stands there by itself, outside of a list, is no less read.
    """
    said = resource.get("identifier")
    every = said if isinstance(said, list) else [] if said is None else [said]
    for each in _objects(every):
        if _text(each.get("system")) in NPI_SYSTEMS:
            return _text(each.get("value"))
    return None if all(_is_identifier(each) for each in every) else ""


class Known(Protocol):
    """The days of a record that is there."""

    @property
    def updated_on(self) -> date | None: ...
    @property
    def deactivated_on(self) -> date | None: ...
    @property
    def reactivated_on(self) -> date | None: ...


def is_older(row: NpiRow, known: Known) -> bool:
    """Whether a line is behind what is known already: an old file must not undo a newer one.

    A deactivation is taken however old it is, unless a later reactivation is known: otherwise it would fail open.
    """
    if row.status is Standing.DEACTIVATED:
        off, back = row.deactivated_on, known.reactivated_on
        return off is not None and back is not None and off < back
    until = _last(known.updated_on, known.deactivated_on, known.reactivated_on)
    told = _last(row.updated_on, row.deactivated_on, row.reactivated_on)
    return until is not None and (told is None or told < until)


def _last(*days: date | None) -> date | None:
    return max((day for day in days if day is not None), default=None)


def _npi(number: str, faults: list[Fault]) -> Npi | None:
    try:
        return Npi.parse(number)
    except Malformed:
        faults.append(Fault.NPI)
        return None


def _is_tin(text: str) -> bool:
    try:
        Tin.parse(text)
    except Malformed:
        return False
    return True


def _check_name(name: str, faults: list[Fault], *, needed: bool, opening: str) -> None:
    """`opening` is how the cell begins, before a tab is taken from it."""
    if (needed and not name) or len(name) > LONGEST_NAME or not name.isprintable():
        faults.append(Fault.NAME)
    if begins_as_formula(opening):
        faults.append(Fault.FORMULA)


def _place(state: str, postal: str, country: str, faults: list[Fault]) -> tuple[str, str]:
    """State and ZIP code of a place in the United States; elsewhere neither means anything here."""
    if country.upper() not in _AT_HOME:
        return "", ""
    if state and state not in STATES:
        faults.append(Fault.STATE)
    return state, _zip(postal, faults)


def _zip(postal: str, faults: list[Fault]) -> str:
    try:
        return _zip_text(postal) if postal else ""
    except Malformed:
        faults.append(Fault.ZIP)
        return ""


@lru_cache(maxsize=65536)
def _zip_text(postal: str) -> str:
    return str(ZipCode.parse(postal))


def _us_day(text: str, faults: list[Fault]) -> date | None:
    try:
        return _us_date(text) if text else None
    except ValueError:
        faults.append(Fault.US_DATE)
        return None


@lru_cache(maxsize=16384)
def _us_date(text: str) -> date:
    match = _US_DAY.match(text)
    if match is None:
        raise Malformed("A date is written MM/DD/YYYY.")
    return date(int(match[3]), int(match[1]), int(match[2]))


def _joined(parts: Sequence[str]) -> str:
    return " ".join(part.strip() for part in parts if part.strip())


def _human_name(names: object) -> str:
    every = list(_objects(names))
    name = next((each for each in every if each.get("use") == "official"), every[0] if every else {})
    given = name.get("given")
    parts = [_text(part) for part in given] if isinstance(given, list) else []
    suffix = name.get("suffix")
    said = _joined([*parts, _text(name.get("family")), *(map(_text, suffix) if isinstance(suffix, list) else ())])
    return said or _text(name.get("text"))


def _fhir_day(resource: Mapping[str, Any], faults: list[Fault]) -> date | None:
    meta = resource.get("meta")
    told = _text(meta.get("lastUpdated")) if isinstance(meta, dict) else ""
    try:
        return date.fromisoformat(told[:10]) if told else None
    except ValueError:
        faults.append(Fault.DATE)
        return None


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def _is_identifier(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("system"), str | None)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
