"""The sentences of the pages of a new address or telephone."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.account.contact.rules import Reason

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.BAD_EMAIL: _("Enter an e-mail address, like name@example.com."),
    Reason.SAME_EMAIL: _("That is your e-mail address already."),
    Reason.TOO_MANY: _("That was tried too often by now. Please wait an hour."),
    Reason.ADDRESS_IN_USE: _("That address cannot be used: another account has it, or had it until lately."),
    Reason.DEAD_LINK: _("It was used, it expired, or something about your account changed since. Please start again."),
    Reason.NOT_SIGNED_IN: _("Sign in first, in this browser. Then open the link in the e-mail once more."),
    Reason.OTHER_ACCOUNT: _(
        "This link belongs to another account than the one in which you are signed in here. If you did not ask for it, "
        "close this page: nothing has changed."
    ),
    Reason.BAD_PHONE: _("Enter a mobile number that can receive text messages, like (417) 555-0142."),
    Reason.PHONE_ELSEWHERE: _("We can text numbers in the United States and its territories only."),
    Reason.SAME_PHONE: _("That is your telephone number already."),
    Reason.WRONG_CODE: _("That code is not right. Look at the newest message, and type its six digits."),
}
ENTER_CODE: Final = _("Type the six digits of the text message.")
