"""A line of a portal's user table becomes a person and an access, or a list of reasons why not. Pure.

Which account a new person becomes is decided here too: `fate`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from idp.authenticators.password import foreign
from idp.directory.rules import name_key
from idp.foundation.line_reading import LineReading
from idp.subjects.rules import Reason as SubjectReason
from idp.subjects.rules import email_key, phone_number, spoken_name, user_id_key
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.identifiers import ProviderId, Tin, TradingPartnerId
from idp.vocabulary.refused import Refused

COLUMNS: Final = (
    "portal", "user_id", "email", "email_proven", "first_name", "last_name", "phone", "password_hash",
    "target_kind", "target_number", "status", "levels", "account_manager", "evidence",
)  # fmt: skip
PERSON_COLUMNS: Final = COLUMNS[:8]
ACCESS_COLUMNS: Final = COLUMNS[8:]


class Fault(StrEnum):
    """Why a line is refused; the sentence for each stands in `words`."""

    COLUMN_COUNT = "column_count"
    PORTAL = "portal"
    USER_ID = "user_id"
    RESERVED_USER_ID = "reserved_user_id"
    EMAIL = "email"
    EMAIL_PROVEN = "email_proven"
    NAME = "name"
    PHONE = "phone"
    UNKNOWN_HASH = "unknown_hash"
    COSTLY_HASH = "costly_hash"
    CHEAP_HASH = "cheap_hash"
    TARGET_KIND = "target_kind"
    TARGET_NUMBER = "target_number"
    TARGET_UNKNOWN = "target_unknown"
    STATUS = "status"
    LEVELS = "levels"
    MANAGER = "manager"
    MANAGER_LEVEL = "manager_level"
    MANAGER_EVIDENCE = "manager_evidence"
    EVIDENCE = "evidence"
    ACCESS_INCOMPLETE = "access_incomplete"
    DUPLICATE = "duplicate"
    PERSON_DIFFERS = "person_differs"
    NO_PROOF = "no_proof"
    OTHER_NAME = "other_name"


@dataclass(frozen=True, slots=True)
class PortalTerms:
    """What a portal's manifest says about access at it."""

    client_id: str
    registry: str
    kinds: frozenset[TargetKind]
    levels: Mapping[str, bool]
    """Key of each level → whether it shows the account-manager mark."""
    accepts_for_manager: Evidence


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody was at one portal."""

    portal: str
    login: str
    """As written: the user ID, or the e-mail address where the portal had no other."""
    key: str
    email: str = field(repr=False)
    email_key: str = field(repr=False)
    email_proven: bool
    first_name: str | None = field(repr=False)
    last_name: str = field(repr=False)
    phone: str | None = field(repr=False)
    password_hash: str | None = field(repr=False)

    @property
    def identity(self) -> tuple[str, str]:
        return self.portal, self.key

    @property
    def named(self) -> str:
        """What names the line in the rejects: the user ID, never an address."""
        return "" if "@" in self.key else self.key


@dataclass(frozen=True, slots=True)
class Access:
    """For whom they might act there, and how."""

    kind: TargetKind
    number: str = field(repr=False)
    status: AffiliationStatus
    levels: tuple[str, ...]
    account_manager: bool
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever has the e-mail address of a new person already."""

    proven: bool
    first_name: str | None
    last_name: str | None


class Fate(StrEnum):
    """Which account a person becomes."""

    NEW = "new"
    JOIN = "join"
    """The same proven mailbox and the same name: the account that is there gets the old login and the access."""
    TAKE_MAILBOX = "take_mailbox"
    """A new account; who only claimed the address loses it (RC-19)."""
    TWIN = "twin"
    """A second account without an address, which its owner merges into the first by its old password."""


def person_row(cells: Mapping[str, str], *, portals: Mapping[str, PortalTerms]) -> Person | tuple[Fault, ...]:
    """Who a line is about."""
    reading = LineReading[Fault](cells)
    portal, email = cells["portal"], cells["email"]
    if portal not in portals:
        reading.blame(Fault.PORTAL)
    mail_key = email_key(email)
    if isinstance(mail_key, Refused):
        reading.blame(Fault.EMAIL)
    login = cells["user_id"] or email
    key = mail_key if login.casefold() == email.casefold() else user_id_key(login)
    if isinstance(key, Refused) and key is not mail_key:
        reserved = key.reason is SubjectReason.RESERVED_USER_ID
        reading.blame(Fault.RESERVED_USER_ID if reserved else Fault.USER_ID)
    proven = reading.take("email_proven", Fault.EMAIL_PROVEN, _yes)
    first = reading.take("first_name", Fault.NAME, lambda text: _name(text) if text else None)
    last = reading.take("last_name", Fault.NAME, _name)
    phone = reading.take("phone", Fault.PHONE, lambda text: _phone(text) if text else None)
    old_hash = cells["password_hash"] or None
    read = foreign.read(old_hash) if old_hash else None
    if isinstance(read, Refused):
        reading.blame(Fault(read.reason.value))
    if reading.faults or isinstance(mail_key, Refused) or isinstance(key, Refused) or last is None:
        return tuple(reading.faults)
    return Person(portal, login, key, email, mail_key, bool(proven), first, last, phone, old_hash)


def access_row(cells: Mapping[str, str], *, terms: PortalTerms) -> Access | tuple[Fault, ...] | None:
    """What a line says of access; `None` where it says nothing."""
    given = [column for column in ACCESS_COLUMNS if cells[column]]
    if not given:
        return None
    if not {"target_kind", "target_number", "status", "account_manager", "evidence"} <= set(given):
        return (Fault.ACCESS_INCOMPLETE,)
    reading = LineReading[Fault](cells)
    kind = reading.take("target_kind", Fault.TARGET_KIND, TargetKind)
    if kind is not None and kind not in terms.kinds:
        reading.blame(Fault.TARGET_KIND)
    number = reading.take("target_number", Fault.TARGET_NUMBER, _NUMBERS[kind]) if kind is not None else None
    status = reading.take("status", Fault.STATUS, _status)
    manager = reading.take("account_manager", Fault.MANAGER, _yes)
    evidence = reading.take("evidence", Fault.EVIDENCE, Evidence)
    levels = tuple(dict.fromkeys(filter(None, cells["levels"].split(";"))))
    if any(level not in terms.levels for level in levels):
        reading.blame(Fault.LEVELS)
    if not manager and any(terms.levels.get(level) for level in levels):
        reading.blame(Fault.MANAGER_LEVEL)
    if manager and evidence is not None and not evidence.suffices(terms.accepts_for_manager):
        reading.blame(Fault.MANAGER_EVIDENCE)
    if reading.faults or kind is None or number is None or status is None or evidence is None:
        return tuple(reading.faults)
    return Access(kind, number, status, levels, bool(manager), evidence)


def fate(person: Person, *, holder: Holder | None, answered: bool) -> Fate | Fault:
    """Which account a person becomes who is not known by their old login yet.

    `answered`: an administrator answers for the mailboxes that the file marks as proven; without it they prove
    nothing (RC-17). Who has neither a proven mailbox nor a password could never sign in, and is refused.
    """
    proven = person.email_proven and answered
    if not proven and person.password_hash is None:
        return Fault.NO_PROOF
    if holder is None:
        return Fate.NEW
    if not proven:
        return Fate.TWIN
    if not holder.proven:
        return Fate.TAKE_MAILBOX
    return Fate.JOIN if _same_name(person, holder) else Fault.OTHER_NAME


def _same_name(person: Person, holder: Holder) -> bool:
    """The family name, and the first of the given names, however they are written."""
    mine = name_key(person.last_name), name_key(person.first_name or "").partition(" ")[0]
    theirs = name_key(holder.last_name or ""), name_key(holder.first_name or "").partition(" ")[0]
    return all(mine) and mine == theirs


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("yes or no")
    return text == "yes"


def _name(text: str) -> str:
    name = spoken_name(text)
    if isinstance(name, Refused):
        raise ValueError("a name")
    return name


def _phone(text: str) -> str:
    number = phone_number(text)
    if isinstance(number, Refused):
        raise ValueError("a telephone number")
    return number


def _status(text: str) -> AffiliationStatus:
    status = AffiliationStatus(text)
    if status in (AffiliationStatus.ENDED, AffiliationStatus.SUSPENDED):
        raise ValueError("a status that is stored and not final")
    return status


_NUMBERS: Final[Mapping[TargetKind, Callable[[str], str]]] = {
    TargetKind.PROVIDER: ProviderId.parse,
    TargetKind.PRACTICE: Tin.parse,
    TargetKind.TRADING_PARTNER: TradingPartnerId.parse,
}
