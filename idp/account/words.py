"""The sentences of the account pages."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.account.rules import Reason
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.UNKNOWN: _("There is nothing of yours at this address."),
    Reason.BAD_LANGUAGE: _("Choose one of the languages in the list."),
    Reason.BAD_NAME: _("Enter a first and a last name, or a name to be shown."),
    Reason.NAME_LOCKED: _("Your name was confirmed for the access that you have, so it cannot be changed here."),
    Reason.BAD_ZONE: _("Choose one of the time zones in the list."),
}
SAVED: Final[dict[str, LazyString]] = {
    "password": _("Your new password is saved. You are signed out in all other browsers."),
    "email": _("Your new e-mail address is saved. The former one has a mail about it."),
    "phone": _("Your new telephone number is saved. You have a mail about it."),
    "name": _("Your name is saved."),
    "language": _("Your language and time zone are saved."),
    "session": _("That session has ended."),
    "sessions": _("You are signed out in all other browsers."),
    "factor": _("It is removed, and you have a mail about it. Remembered devices were forgotten."),
    "factor-name": _("The new name is saved."),
    "identity": _("That identity is unlinked, and you have a mail about it."),
    "device": _("That browser is forgotten. It is asked for the second step again."),
    "devices": _("All browsers are forgotten. Each is asked for the second step again."),
    "merged": _("The two accounts are one now."),
    "app": _("The app’s access has been taken back. It applies now."),
}
"""What the next page opens with; the address names one of these and nothing else."""
KINDS: Final[dict[TargetKind, LazyString]] = {
    TargetKind.PROVIDER: _("Provider"),
    TargetKind.PRACTICE: _("Practice"),
    TargetKind.TRADING_PARTNER: _("Trading partner"),
}
EVIDENCE: Final[dict[Evidence, LazyString]] = {
    Evidence.SELF: _("your own statement"),
    Evidence.DIRECTORY: _("a match with the payer’s records"),
    Evidence.LETTER: _("a letter from the payer"),
    Evidence.MANAGER: _("an account manager"),
    Evidence.PAYER: _("the payer’s staff"),
}
LANGUAGES: Final = {"en": "English", "es": "Español"}
