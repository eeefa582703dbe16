"""The sentences of the password pages, each reason worded once."""

from dataclasses import dataclass
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.authenticators.password import rules
from idp.authenticators.password.rules import Reason, Unmet
from idp.relying_parties.manifest import PasswordPolicy, SignIn

_NOT_RIGHT: Final = _(
    "The user ID or password is not right. After five wrong tries you have to wait 15 minutes, or reset your password."
)
_EMAIL_NOT_RIGHT: Final = _(
    "The e-mail or password is not right. After five wrong tries you have to wait 15 minutes, or reset your password."
)
CURRENT_NOT_RIGHT: Final = _(
    "The current password is not right. After five wrong tries you have to wait 15 minutes, or reset your password."
)
MALFORMED: Final = _("This form could not be read. Please try again.")
_ENTER_LOGIN: Final = {
    "user_id": _("Enter your user ID."),
    "email": _("Enter your e-mail."),
    "either": _("Enter your user ID or e-mail."),
}
NO_EMAIL_HERE: Final = "no_email_here"
NOT_THE_EMAIL: Final = _("Enter your user ID, not your e-mail address.")
ENTER_PASSWORD: Final = _("Enter your password.")
ENTER_CURRENT: Final = _("Enter your current password.")
ENTER_NEW: Final = _("Enter a new password.")
ENTER_REPEAT: Final = _("Enter the new password again.")

SETTING: Final[dict[Reason, LazyString]] = {
    Reason.WRONG_PASSWORD: CURRENT_NOT_RIGHT,
    Reason.NO_PASSWORD: CURRENT_NOT_RIGHT,
    Reason.TOO_MANY: CURRENT_NOT_RIGHT,
    Reason.UNKNOWN_LOGIN: CURRENT_NOT_RIGHT,
    Reason.SAME_PASSWORD: _("The new password must differ from the current one."),
    Reason.DIFFERENT_REPEAT: _("The two new passwords differ. Type the same one twice."),
    Reason.CHANGED_MEANWHILE: _("Your password was changed somewhere else just now. Please sign in again."),
    Reason.UNMET_POLICY: _("This password does not meet all rules below."),
}

_RULES: Final[dict[Unmet, LazyString]] = {
    Unmet.NEEDS_LOWER: _("One lower-case letter"),
    Unmet.NEEDS_UPPER: _("One upper-case letter"),
    Unmet.NEEDS_DIGIT: _("One number"),
    Unmet.NEEDS_SPECIAL: _("One special character, such as ! or ?"),
    Unmet.NEEDS_DIGIT_OR_SPECIAL: _("One number or special character"),
    Unmet.ONLY_ASCII: _("Letters, numbers and special characters only"),
    Unmet.SAME_AS_USER_ID: _("Not the same as your user ID"),
    Unmet.PART_OF_USER_NAME: _("No part of your user name or e-mail in it"),
    Unmet.COMMON: _("Not a common password, nor one made of your own names"),
}
_TESTS: Final = {
    Unmet.NEEDS_LOWER: "lower",
    Unmet.NEEDS_UPPER: "upper",
    Unmet.NEEDS_DIGIT: "digit",
    Unmet.NEEDS_SPECIAL: "special",
    Unmet.NEEDS_DIGIT_OR_SPECIAL: "digit-or-special",
    Unmet.ONLY_ASCII: "ascii",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the list beside a new password; `test` lets a script mark it while the person types."""

    text: LazyString | str
    test: str | None = None
    met: bool | None = None


def not_right(asked: SignIn) -> LazyString:
    """The one answer to every refused sign-in: unknown, wrong, locked, disabled, unverified alike (SI-01)."""
    return _EMAIL_NOT_RIGHT if asked.identifier == "email" else _NOT_RIGHT


def enter_login(asked: SignIn) -> LazyString:
    """What to type into the first field, by what the portal asks for."""
    return _ENTER_LOGIN[asked.identifier]


def rule_list(policy: PasswordPolicy, *, broken: tuple[Unmet, ...] | None = None) -> list[Rule]:
    """What a new password must be; with `broken` each rule says whether the last one typed met it."""
    return [
        Rule(_text(rule, policy), _test(rule, policy), None if broken is None else rule not in broken)
        for rule in rules.asked(policy)
    ]


def _text(rule: Unmet, policy: PasswordPolicy) -> LazyString | str:
    if rule is Unmet.TOO_SHORT:
        return _("At least %(count)s characters", count=policy.min_length)
    if rule is Unmet.TOO_LONG:
        return _("At most %(count)s characters", count=policy.max_length)
    return _RULES[rule]


def _test(rule: Unmet, policy: PasswordPolicy) -> str | None:
    return f"length:{policy.min_length}" if rule is Unmet.TOO_SHORT else _TESTS.get(rule)
