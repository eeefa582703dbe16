"""The sentences of the recovery pages."""

from typing import Final

from flask_babel import lazy_gettext as _

ENTER_LOGIN: Final = _("Enter your user ID or e-mail.")
ENTER_EMAIL: Final = _("Enter your e-mail address.")
RESET_MAILED: Final = _(
    "If there is an account for what you typed, we have sent an e-mail with a link to its stored address. "
    "The link works for 30 minutes."
)
USER_ID_MAILED: Final = _("If there is an account for this address, we have sent an e-mail with the user ID to it.")
PASSWORD_NOT_RIGHT: Final = _("The password is not right. After five wrong tries you have to wait 15 minutes.")
WRONG_ANSWERS: Final = _(
    "The answers are not right. We cannot say which. Did you forget them? Call the help line: they can send you a link without."
)
TOO_MANY_ANSWERS: Final = _("Too many wrong answers. Please wait 15 minutes, or call the help line.")
