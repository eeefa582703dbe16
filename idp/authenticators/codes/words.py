"""The sentences of the pages of sent codes."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.authenticators.codes.rules import Reason

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.NO_NUMBER: _("Enter a mobile number with its area code, such as 417 555 0100."),
    Reason.ELSEWHERE: _("We send text messages to numbers in the United States only."),
    Reason.TOO_MANY_SENT: _("We have sent several codes already. Use another way, or ask again in an hour."),
    Reason.NO_MAILBOX: _("Your account has no confirmed e-mail address to send a code to."),
}
ENTER_PHONE: Final = _("Enter your mobile number.")
