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
