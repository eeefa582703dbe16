"""The sentences of a recovery."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.authenticators.lost_factors.rules import Reason, Starter

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.NOT_ACTIVE: _("This account is not active, so nothing was started."),
    Reason.NO_MAILBOX: _("No e-mail address of this account is proven, so nothing was started. Call the help line."),
    Reason.NOTHING_HELD: _("There is nothing to recover: no way to sign in is set up beside the password."),
    Reason.UNDER_WAY: _("A recovery is under way already."),
    Reason.TOO_MANY: _("This was asked for too often. Please wait, or call the help line."),
    Reason.NOT_UNDER_WAY: _("No recovery is under way."),
    Reason.STILL_WAITING: _("The waiting time is not over yet."),
    Reason.DEAD_LINK: _("This link no longer works."),
    Reason.NO_NOTE: _("Write down what you have seen, or why."),
    Reason.SAME_PERSON: _("You started this recovery. Somebody else confirms it."),
    Reason.SELF: _("Nobody confirms their own recovery."),
    Reason.NO_EVIDENCE: _("The evidence is not complete yet."),
}
STARTERS: Final[dict[Starter, LazyString]] = {
    Starter.PERSON: _("The person"),
    Starter.MANAGER: _("An account manager"),
    Starter.HELP_DESK: _("The help desk"),
    Starter.ADMINISTRATOR: _("An administrator"),
}
LINK_MAILED: Final = _(
    "We have sent the link to your stored address. It works for a day, in the browser that opens it."
)
"""After *Send me the link*."""
