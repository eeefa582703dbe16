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
    Reason.BAD_ZONE: _("Choose one of the time zones in the list."),
}
SAVED: Final[dict[str, LazyString]] = {
    "password": _("Your new password is saved. You are signed out in all other browsers."),
    "language": _("Your language and time zone are saved."),
    "session": _("That session has ended."),
    "sessions": _("You are signed out in all other browsers."),
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
SCOPES: Final[dict[str, LazyString]] = {
    "openid": _("That it is you who signs in"),
    "profile": _("Your name, language and time zone"),
    "email": _("Your e-mail address"),
    "phone": _("Your telephone number"),
    "address": _("Your postal address"),
    "offline_access": _("Access while you are not signed in"),
    "provider_id": _("The provider you act for: provider ID, NPI, name"),
    "tin": _("The Tax ID of the practice you act for"),
    "trading_partner": _("The trading partner you act for"),
    "entitlements": _("Your access levels"),
}
LANGUAGES: Final = {"en": "English", "es": "Español"}
