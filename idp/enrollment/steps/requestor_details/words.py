"""Labels as the portal words them (B4), and what is said beside a field."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

LABELS: Final[Mapping[str, LazyString]] = {
    "first_name": _("First Name"),
    "last_name": _("Last Name"),
    "position": _("Position/Title"),
    "email": _("Email"),
    "confirm_email": _("Confirm Email"),
    "phone": _("Phone Number"),
    "extension": _("Extension"),
    "reason": _("Reason for requesting access"),
}
MISSING: Final[Mapping[str, LazyString]] = {
    "first_name": _("Enter your first name."),
    "last_name": _("Enter your last name."),
    "position": _("Enter your position or title."),
    "email": _("Enter your e-mail address."),
    "confirm_email": _("Enter your e-mail address again."),
    "phone": _("Enter a telephone number."),
    "reason": _("Say why you need access."),
}
DIFFERENT_EMAIL: Final = _("The two e-mail addresses differ. Type the same one twice.")
BAD_EXTENSION: Final = _("An extension has digits only.")
TOO_LONG: Final = _("Use at most 500 characters.")
