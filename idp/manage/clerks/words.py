"""What *Clerk Maintenance* says (D6–D8)."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.affiliations.clerks.rules import Reason

LABELS: Final[Mapping[str, LazyString]] = {
    "user_id": _("User Name"),
    "first_name": _("First Name"),
    "last_name": _("Last Name"),
    "phone": _("Phone Number"),
    "email": _("E-mail"),
    "confirm_email": _("Confirm E-mail"),
    "password": _("Password"),
    "confirm_password": _("Confirm Password"),
}
REASONS: Final[Mapping[Reason, tuple[int, LazyString]]] = {
    Reason.UNKNOWN: (404, _("Nobody fits. Check the user name and the last name, or add a new user.")),
    Reason.ALREADY_HELD: (422, _("This person is on your list already.")),
    Reason.TOO_MANY: (429, _("That was often enough for now. Please try again in an hour.")),
    Reason.NOTHING_TYPED: (422, _("Type at least two letters of a name.")),
    Reason.NO_MAILBOX: (
        422,
        _("This person has not confirmed an e-mail address yet. They do that first, in their account."),
    ),
}
PICK_ONE: Final = _("Pick a person first.")
MOVED: Final = {
    "assign": _("Moved to Assigned Roles. Nothing is saved until you submit."),
    "assign_all": _("Moved to Assigned Roles. Nothing is saved until you submit."),
    "take": _("Moved to Available Roles. Nothing is saved until you submit."),
    "take_all": _("Moved to Available Roles. Nothing is saved until you submit."),
}
NOTHING_MOVED: Final = _("Tick the roles to move first.")
ADDED: Final[Mapping[str, LazyString]] = {
    "new": _(
        "Clerk added. A mail with a link is on its way to them; give them the user name and the temporary password"
        " yourself. With both they confirm their mailbox and choose their own password."
    ),
    "existing": _("Clerk added. They are asked to accept when they next sign in, and have a mail about it."),
}
