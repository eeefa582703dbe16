"""What people read about an invitation that does not work."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.affiliations.invitations.rules import Reason

_DEAD: Final = _("This invitation has expired. Ask the account manager to send a new one.")
REASONS: Final[dict[Reason, LazyString]] = {
    Reason.DEAD_LINK: _DEAD,
    Reason.INVITER_GONE: _DEAD,
    Reason.OWN: _("You sent this invitation yourself. Another account manager, or the payer, has to invite you."),
    Reason.NOT_YOURS: _(
        "This invitation was sent to another e-mail address than the one of your account. Sign in with the account that"
        " has that address, or ask the account manager to invite the address that you use."
    ),
    Reason.NOT_IN_FORCE: _("The payer’s records no longer list this provider as active. Please call the help line."),
    Reason.BY_PAYER: _("Disabled by the payer. Please call the help line."),
    Reason.SUSPENDED: _("The payer’s records no longer list this provider as active. Please call the help line."),
    Reason.PERSON_NOT_ACTIVE: _("Your account cannot be used at the moment. Please call the help line."),
    Reason.MAILBOX_UNPROVEN: _("Please confirm your e-mail address first."),
    Reason.BAD_EMAIL: _("Enter an e-mail address such as name@example.com."),
    Reason.TOO_LONG: _("This is longer than we can keep. Please shorten it."),
    Reason.TOO_MANY: _("Too many invitations have been sent. Please try again later."),
    Reason.UNKNOWN: _("There is no such invitation any more."),
    Reason.ALREADY_HELD: _("This person is on your list already."),
}
