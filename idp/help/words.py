"""What people read about a message that was not taken."""

from typing import Final

from flask_babel import lazy_gettext as _

NAME: Final = _("Enter your name.")
EMAIL: Final = _("Enter an e-mail address such as name@clinic.example.")
MESSAGE: Final = _("Write what you would like to know.")
TOO_LONG: Final = _("This is longer than 500 characters.")
TOO_MANY: Final = _("There were too many messages lately. Please wait a while, or call the help line.")
