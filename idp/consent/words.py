"""What each scope releases, in words that a person can weigh: the one table of the consent page and *Connected apps*."""

from collections.abc import Iterable
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

SCOPES: Final[dict[str, LazyString]] = {
    "profile": _("Your name, user name, date of birth, gender, picture, website, language and time zone"),
    "email": _("Your e-mail address"),
    "phone": _("Your phone number"),
    "address": _("Your postal address"),
    "provider_id": _("Which provider you act for: name, provider ID and NPI"),
    "tin": _("The Tax ID of the practice you act for"),
    "trading_partner": _("Which trading partner you act for: name and ID, and for which practices"),
    "entitlements": _("What you may do on their behalf: your access levels"),
    "offline_access": _("Keep this access while you are not signed in, until you take it back"),
}


def released(scopes: Iterable[str]) -> list[LazyString]:
    """One line for each scope that says something to a person."""
    return [SCOPES[name] for name in scopes if name in SCOPES]
