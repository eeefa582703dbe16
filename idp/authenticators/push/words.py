"""The sentences of the pages about approvals, each reason worded once."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.authenticators.push.rules import Outcome, Reason

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.UNKNOWN_PHONE: _("None of your phones can be asked. Use another way."),
    Reason.NOT_ASKED: _("Nothing was sent to your phone yet."),
    Reason.WAITING: _("Your phone has not answered yet."),
    Reason.WAITING_ELSEWHERE: _(
        "Your phone is being asked about another sign-in. Answer that one first, or wait two minutes."
    ),
    Reason.STOPPED: _(
        "Three requests in a row were not approved, so we leave your phone in peace for an hour. Use another way."
    ),
    Reason.NOT_APPROVED: _("The request was not approved on your phone."),
    Reason.UNANSWERED: _("Your phone did not answer in time."),
    Reason.NO_PHONE_YET: _("No phone has brought the code yet. Scan it, or type it on your phone."),
    Reason.TAKEN: _("This phone is connected already."),
}
FIRST_NAME: Final = _("Phone")
"""For a phone that does not tell what it is."""
OUTCOMES: Final[dict[Outcome, LazyString]] = {
    Outcome.APPROVED: _("Approved. Go on at your computer."),
    Outcome.DENIED: _("Denied. Nobody was signed in."),
    Outcome.DISOWNED: _(
        "Everything is signed out, and your password no longer works. We mailed you a link to choose a new one."
    ),
    Outcome.WRONG_NUMBER: _("That was not the number. The request is over; ask for a new one at your computer."),
}
CALLS: Final[dict[Reason, LazyString]] = {
    Reason.BAD_CODE: _("This code does not work, or no longer. Get a new one on the other screen."),
    Reason.NOT_WAITING: _("This request is over. Ask for a new one at your computer."),
}
"""What a phone is told."""
PICTURE: Final = _("QR code for your phone")
