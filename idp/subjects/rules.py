"""Who a person is to us: canonical keys, account states, and the standard claims about them. Pure."""

import hashlib
import re
import secrets
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from idp.vocabulary.refused import Refused

SUBJECT_ID_LENGTH: Final = 26
LOGIN_MAX: Final = 254
"""Longest text that is looked up as user ID or e-mail; anything longer is nobody's (RFC 5321 §4.5.3.1.3)."""
EVERYWHERE: Final = ""
"""In place of a portal: a login that is good at every one."""
PHONE_MAX: Final = 32
OPEN_AGAIN_FOR: Final = timedelta(days=15)
"""How long a closed account can be opened again: the 14 days of the mailed link, and the day that its mail may take."""
NAME_MAX: Final = 80
NOBODY: Final = "?"
"""First character of a key that no account can have."""

_BASE32: Final = string.ascii_lowercase + "234567"
_USER_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{1,62})[a-z0-9]\Z", re.ASCII)
_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+\Z", re.ASCII)
_RESERVED: Final = frozenset(
    {
        "admin", "administrator", "root", "system", "staff", "support", "help", "helpdesk", "security", "credence",
        "console", "account", "manager", "registrar", "auditor", "operator", "postmaster", "hostmaster", "webmaster",
        "abuse", "noreply", "null", "none", "undefined", "anonymous", "nobody", "everyone", "test", "demo", "api",
        "oauth", "openid", "signin", "login", "logout", "payer", "official",
    }
)  # fmt: skip
_LOOK_ALIKE: Final = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "i": "l"})


class Status(StrEnum):
    """State of the account (MODEL §6)."""

    UNVERIFIED = "unverified"
    ACTIVE = "active"
    DISABLED = "disabled"


class Reason(StrEnum):
    """Why a person's row was not made or not changed."""

    BAD_USER_ID = "bad_user_id"
    RESERVED_USER_ID = "reserved_user_id"
    BAD_EMAIL = "bad_email"
    BAD_PHONE = "bad_phone"
    BAD_NAME = "bad_name"
    TAKEN = "taken"
    UNKNOWN = "unknown"
    UNCHANGED = "unchanged"
    NO_LOGIN = "no_login"


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """A person as read at one moment; `phone_sealed` needs the vault."""

    id: str
    status: Status
    epoch: int
    version: int
    user_id: str | None
    email: str | None
    email_verified_at: datetime | None
    given_name: str | None
    family_name: str | None
    display_name: str | None
    locale: str | None
    zoneinfo: str | None
    updated_at: datetime
    created_at: datetime
    last_sign_in_at: datetime | None = None
    merged_into: str | None = None
    closed_at: datetime | None = None
    wiped_at: datetime | None = None
    phone_sealed: bytes | None = field(default=None, repr=False)
    phone_verified_at: datetime | None = None
    profile: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """What pages and mails call the person."""
        full = " ".join(part for part in (self.given_name, self.family_name) if part)
        return self.display_name or full or self.user_id or ""


@dataclass(frozen=True, slots=True)
class NewSubject:
    """What `idp.subjects.service.create` takes; keys are made from it, never given."""

    user_id: str | None = None
    email: str | None = None
    email_proven: bool = False
    """The mailbox was proven, or an administrator answers for it; without it the account is unverified."""
    email_claimed: bool = True
    """`False`: somebody else typed it. It is kept for the mail alone, and nobody's until it is proven (RC-19)."""
    phone: str | None = field(default=None, repr=False)
    given_name: str | None = None
    family_name: str | None = None
    display_name: str | None = None
    locale: str | None = None
    zoneinfo: str | None = None
    profile: Mapping[str, Any] = field(default_factory=dict, repr=False)
    comes_with_legacy_login: bool = False
    """An old login of a portal is added in the same transaction; there may be no other."""


def can_open_again(subject: SubjectFacts, *, now: datetime) -> bool:
    """Whether a closed account is still its owner's to open, swept or not (DESIGN §4.8)."""
    return subject.closed_at is not None and subject.wiped_at is None and now < subject.closed_at + OPEN_AGAIN_FOR


def new_subject_id() -> str:
    """26 random base32 characters: 130 bits that say nothing about the person (MODEL §2)."""
    return "".join(secrets.choice(_BASE32) for _ in range(SUBJECT_ID_LENGTH))


def user_id_key(text: str) -> str | Refused:
    """The one canonical form of a user ID, or why nobody may have it (EN-14).

    NFKC and case folding make twins equal; what is left must be 3 to 64 of `a-z 0-9 . _ -`, so no look-alike
    letter of another script and no `@` passes. Reserved words are refused in their look-alike spellings too.
    """
    key = unicodedata.normalize("NFKC", text[: LOGIN_MAX + 1]).casefold()
    if not _USER_ID.match(key):
        return Refused(Reason.BAD_USER_ID)
    if _skeleton(key) in _RESERVED_SKELETONS:
        return Refused(Reason.RESERVED_USER_ID)
    return key


def email_key(text: str) -> str | Refused:
    """The one canonical form of an e-mail address, or a refusal (EN-08, EN-09, RC-06, RC-07).

    Only what is ASCII as typed, with one `@`, an unquoted local part and a domain name without punycode labels:
    full-width, Kelvin, Cyrillic and zero-width twins, literals, comments and encoded words all fall out.
    """
    if len(text) > LOGIN_MAX or not text.isascii() or text.count("@") != 1:
        return Refused(Reason.BAD_EMAIL)
    local, _, domain = text.partition("@")
    if (
        not _LOCAL_PART.match(local)
        or "=?" in local
        or any(part.startswith("xn--") for part in domain.lower().split("."))
    ):
        return Refused(Reason.BAD_EMAIL)
    try:
        parsed = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        return Refused(Reason.BAD_EMAIL)
    return f"{parsed.local_part}@{parsed.ascii_domain}".lower() if parsed.ascii_domain else Refused(Reason.BAD_EMAIL)


def phone_number(text: str, *, region: str = "US") -> str | Refused:
    """A telephone number in E.164, as it is kept; without a country code it is one of `region`."""
    if len(text) > PHONE_MAX or not text.isascii():
        return Refused(Reason.BAD_PHONE)
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return Refused(Reason.BAD_PHONE)
    if not phonenumbers.is_possible_number(parsed) or parsed.extension:
        return Refused(Reason.BAD_PHONE)
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def spoken_name(text: str, *, limit: int = NAME_MAX) -> str | Refused:
    """A name as it is kept: one line, visible characters, no blanks around it; what it says is the person's business."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if not line or len(line) > limit or not line.isprintable():
        return Refused(Reason.BAD_NAME)
    return line


def login_key(text: str) -> str:
    """The key to look a typed user ID or e-mail up by; never raises, never refuses.

    All spellings of one login give one key, hence one counter (SI-06). What cannot be anybody's login becomes a
    digest, so that a password typed into the wrong field is stored nowhere (AU-07).
    """
    if len(text) <= LOGIN_MAX:
        typed = unicodedata.normalize("NFKC", text).strip().rstrip(".")
        key = email_key(typed) if "@" in typed else user_id_key(typed)
        if isinstance(key, str):
            return key
    return NOBODY + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def account_key(subject: SubjectFacts | None, *, login: str) -> str:
    """Whose attempts are counted: the person's id, or the login that nobody has, which never reads as an id."""
    return subject.id if subject is not None else f"{NOBODY}{login}"


def may_be_somebody(key: str) -> bool:
    """Whether a login key has the form of a user ID or an e-mail address."""
    return not key.startswith(NOBODY)


def status_after_creation(new: NewSubject) -> Status:
    """An account without a proven mailbox can do nothing but prove one (MODEL §6)."""
    return Status.ACTIVE if new.email_proven else Status.UNVERIFIED


def _skeleton(key: str) -> str:
    return key.translate(_LOOK_ALIKE).replace("rn", "m").replace("vv", "w").translate(str.maketrans("", "", "._-"))


_RESERVED_SKELETONS: Final = frozenset(_skeleton(word) for word in _RESERVED)
