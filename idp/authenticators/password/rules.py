"""What a password must be, told as a list of unmet rules, and which portals' policies a password satisfies. Pure.

Passwords are judged and verified as typed: no trimming, folding or cutting (SI-16). Every check is linear in the
length of the text (RX-08).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from idp.authenticators.password.blocklist import is_common
from idp.relying_parties.manifest import PasswordPolicy

LONGEST: Final = 128
"""Longest password that can be set (SECURITY ruling 4)."""
LONGEST_TYPED: Final = 512
"""Longest text taken from a form at all; between the two it is just wrong."""
DEFAULT_POLICY: Final = PasswordPolicy()
"""NIST SP 800-63B-4 §3.1.1: 15 characters, a blocklist, no composition."""
SHORTEST_PART: Final = 4
"""Parts of a user name shorter than this may stand in a password."""

_PARTS: Final = re.compile(r"[^a-z0-9]+")


class Unmet(StrEnum):
    """One rule that a password breaks; `words.py` has its sentence."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NEEDS_LOWER = "needs_lower"
    NEEDS_UPPER = "needs_upper"
    NEEDS_DIGIT = "needs_digit"
    NEEDS_SPECIAL = "needs_special"
    NEEDS_DIGIT_OR_SPECIAL = "needs_digit_or_special"
    ONLY_ASCII = "only_ascii"
    SAME_AS_USER_ID = "same_as_user_id"
    PART_OF_USER_NAME = "part_of_user_name"
    COMMON = "common"


class Reason(StrEnum):
    """Why a password ceremony was refused; people see one sentence for all reasons of a sign-in (SI-01)."""

    UNKNOWN_LOGIN = "unknown_login"
    WRONG_PASSWORD = "wrong_password"
    NO_PASSWORD = "no_password"
    DISABLED = "disabled"
    UNVERIFIED = "unverified"
    TEMPORARY_EXPIRED = "temporary_expired"
    CHANGED_MEANWHILE = "changed_meanwhile"
    TOO_MANY = "too_many"
    BUSY = "busy"
    UNMET_POLICY = "unmet_policy"
    SAME_PASSWORD = "same_password"
    DIFFERENT_REPEAT = "different_repeat"
    STEP_NOT_AWAITED = "step_not_awaited"
    DEAD_LINK = "dead_link"


@dataclass(frozen=True, slots=True)
class Person:
    """What a password must not resemble: logins, and words from names, e-mail and portals."""

    user_id: str = ""
    email: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Credential:
    """The stored password as read at one moment; `digest` is PHC text."""

    subject_id: str
    digest: str
    satisfies: tuple[str, ...]
    must_change: bool
    temporary_until: datetime | None
    changed_at: datetime

    def __repr__(self) -> str:
        return f"Credential({self.subject_id})"


def policy_for_setting(*, held: Iterable[PasswordPolicy], own: PasswordPolicy | None = None) -> PasswordPolicy:
    """The policy for a new password (MODEL §4).

    Minima and classes of every portal where an affiliation is held add up, `held`; maxima and allowed characters
    count only in a portal's own ceremony, `own`. Without any portal the default is asked.
    """
    policies = [*held, *([own] if own else [])] or [DEFAULT_POLICY]
    return PasswordPolicy(
        min_length=max(policy.min_length for policy in policies),
        max_length=max(own.max_length if own else LONGEST, *(policy.min_length for policy in policies)),
        lower=any(policy.lower for policy in policies),
        upper=any(policy.upper for policy in policies),
        digit=any(policy.digit for policy in policies),
        special=any(policy.special for policy in policies),
        digit_or_special=any(policy.digit_or_special for policy in policies),
        only_ascii=own.only_ascii if own else False,
        not_user_id=True,
        no_part_of_user_name=any(policy.no_part_of_user_name for policy in policies),
    )


def asked(policy: PasswordPolicy) -> tuple[Unmet, ...]:
    """The rules to list beside a new password before anything is typed."""
    return tuple(
        unmet
        for unmet, wanted in (
            (Unmet.TOO_SHORT, True),
            (Unmet.TOO_LONG, policy.max_length < LONGEST),
            (Unmet.NEEDS_LOWER, policy.lower),
            (Unmet.NEEDS_UPPER, policy.upper),
            (Unmet.NEEDS_DIGIT, policy.digit),
            (Unmet.NEEDS_SPECIAL, policy.special),
            (Unmet.NEEDS_DIGIT_OR_SPECIAL, policy.digit_or_special and not (policy.digit or policy.special)),
            (Unmet.ONLY_ASCII, policy.only_ascii),
            (Unmet.PART_OF_USER_NAME, policy.no_part_of_user_name),
            (Unmet.SAME_AS_USER_ID, not policy.no_part_of_user_name),
            (Unmet.COMMON, True),
        )
        if wanted
    )


def unmet(plain: str, *, policy: PasswordPolicy, person: Person) -> tuple[Unmet, ...]:
    """Every rule of `policy` and of the blocklist that `plain` breaks; empty means that it may be set."""
    broken = {
        Unmet.TOO_LONG: len(plain) > policy.max_length,
        Unmet.ONLY_ASCII: policy.only_ascii and not all("!" <= character <= "~" for character in plain),
        Unmet.COMMON: is_common(plain[:LONGEST], context=(person.user_id, person.email, *person.words)),
    }
    return (*_unmet_minima(plain, policy=policy, person=person), *(rule for rule, breaks in broken.items() if breaks))


def satisfied_policies(plain: str, *, policies: Mapping[str, PasswordPolicy], person: Person) -> tuple[str, ...]:
    """`client_id` of each portal whose minima and classes a typed password meets (MODEL §4)."""
    return tuple(
        sorted(name for name, policy in policies.items() if not _unmet_minima(plain, policy=policy, person=person))
    )


def must_change(credential: Credential, *, client_id: str | None, policed: Collection[str], typed: bool) -> bool:
    """Whether *change password* comes next: a temporary password, or one typed for a stricter portal just now.

    Entering a stricter portal by single sign-on interrupts nobody: then `typed` is false. `policed` are the portals.
    """
    if credential.must_change:
        return True
    return typed and client_id in policed and client_id not in credential.satisfies


def temporary_has_expired(credential: Credential, *, now: datetime) -> bool:
    """A clerk's first password lives seven days (MODEL §9)."""
    return credential.temporary_until is not None and now >= credential.temporary_until


def _unmet_minima(plain: str, *, policy: PasswordPolicy, person: Person) -> tuple[Unmet, ...]:
    digit = any(character.isdecimal() for character in plain)
    special = any(not character.isalnum() and not character.isspace() for character in plain)
    folded = plain.casefold()
    broken = {
        Unmet.TOO_SHORT: len(plain) < policy.min_length,
        Unmet.NEEDS_LOWER: policy.lower and not any(character.islower() for character in plain),
        Unmet.NEEDS_UPPER: policy.upper and not any(character.isupper() for character in plain),
        Unmet.NEEDS_DIGIT: policy.digit and not digit,
        Unmet.NEEDS_SPECIAL: policy.special and not special,
        Unmet.NEEDS_DIGIT_OR_SPECIAL: policy.digit_or_special and not (digit or special),
        Unmet.SAME_AS_USER_ID: policy.not_user_id and folded in _logins(person),
        Unmet.PART_OF_USER_NAME: policy.no_part_of_user_name and any(part in folded for part in _login_parts(person)),
    }
    return tuple(rule for rule, breaks in broken.items() if breaks)


def _logins(person: Person) -> set[str]:
    return {login.casefold() for login in (person.user_id, person.email) if login}


def _login_parts(person: Person) -> set[str]:
    """Parts of the user name and of the e-mail address before its `@` (C2), four characters or longer."""
    names = (person.user_id, person.email.partition("@")[0])
    return {part for name in names for part in _PARTS.split(name.casefold()) if len(part) >= SHORTEST_PART}
