"""Labels as the portals word them, unless a manifest says otherwise, and the sentences of this step."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

LABELS: Final[Mapping[str, LazyString]] = {
    "user_id": _("User ID"),
    "email": _("Email"),
    "confirm_email": _("Confirm Email"),
    "password": _("Password"),
    "confirm_password": _("Confirm Password"),
    "display_name": _("Display Name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "phone": _("Phone Number"),
}
MISSING: Final[Mapping[str, LazyString]] = {
    "user_id": _("Choose a user ID."),
    "email": _("Enter your e-mail address."),
    "confirm_email": _("Enter your e-mail address again."),
    "password": _("Choose a password."),
    "confirm_password": _("Enter the password again."),
    "display_name": _("Enter the name of the provider group or individual provider."),
    "first_name": _("Enter your first name."),
    "last_name": _("Enter your last name."),
    "phone": _("Enter a telephone number."),
}
DIFFERENT_EMAIL = _("The two e-mail addresses differ. Type the same one twice.")
DIFFERENT_PASSWORD = _("The two passwords differ. Type the same one twice.")
TAKEN = _("This user ID is taken. Choose another one.")
AVAILABLE = _("This user ID is available.")


def unmet(rules: list[str]) -> LazyString:
    """Which rules of the list below a password breaks."""
    return _("This password does not meet these rules: %(rules)s.", rules="; ".join(rules))
