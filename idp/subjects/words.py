"""The sentences of this room, one for each reason."""

from typing import Final

from flask_babel import lazy_gettext as _

from idp.subjects.rules import Reason

REASONS: Final = {
    Reason.BAD_USER_ID: _("A user ID has 3 to 64 letters, digits, dots, dashes or underscores."),
    Reason.RESERVED_USER_ID: _("This user ID is reserved. Choose another one."),
    Reason.BAD_EMAIL: _("Enter an e-mail address such as name@clinic.example."),
    Reason.BAD_PHONE: _("Enter a telephone number such as 555-555-0142."),
    Reason.BAD_NAME: _("Enter a name of at most 80 characters, on one line."),
    Reason.TAKEN: _("This user ID or e-mail address belongs to another account."),
    Reason.UNKNOWN: _("There is no such account."),
    Reason.UNCHANGED: _("The account is in that state already."),
    Reason.NO_LOGIN: _("An account needs a user ID or an e-mail address."),
}
