"""The sentences of the help desk; each reason worded once."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.console.help_desk.rules import Asked, Reason

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.UNKNOWN_PERSON: _("Nobody has that user ID or e-mail address."),
    Reason.NO_REASON: _("Say why."),
    Reason.SELF: _("That is you. Ask a colleague."),
    Reason.TOO_MANY: _("You have looked up very many people within an hour. Go on later."),
    Reason.CLOSED: _("That case was open for half an hour and is closed. Open it anew."),
    Reason.NOT_CHECKED: _("Check the caller first."),
    Reason.CHECKED_OUT: _("Three tries were not enough. Ask the caller to use Forgot password."),
    Reason.WRONG_ANSWERS: _("That is not enough: two answers have to be right, and none wrong."),
    Reason.IS_STAFF: _("That is a colleague. Only an administrator shuts out staff."),
    Reason.UNCHANGED: _("Nothing was changed: the account is in another state meanwhile."),
    Reason.NO_MAIL: _(
        "Nothing was mailed: the account has no proven mailbox or no password, is not active, or had five mails within an hour."
    ),
    Reason.NOT_STARTED: _(
        "Nothing was started: nothing is set up beside the password, the mailbox is not proven, a recovery is under way, or three were begun within a week."
    ),
}
ASKED: Final[dict[Asked, LazyString]] = {
    Asked.EMAIL: _("E-mail address of the account"),
    Asked.PHONE: _("Last four digits of their telephone"),
    Asked.NUMBER: _("Provider ID or trading partner ID they act for"),
    Asked.TAX_ID: _("Last four digits of a Tax ID they act for"),
}
SAVED: Final[dict[str, LazyString]] = {
    "checked": _("The caller is credible. You can start recovery now."),
    "mailed": _("A mail is on its way to the stored address."),
    "recovering": _("The recovery was started. The person is told at their stored address."),
    "disabled": _("The account is disabled. Every session and token has ended."),
    "enabled": _("The account is enabled again."),
}
