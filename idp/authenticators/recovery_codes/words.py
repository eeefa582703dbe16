"""The sentences of the recovery code page."""

from typing import Final

from flask_babel import lazy_gettext as _

ENTER: Final = _("Enter one of your recovery codes.")
NOT_RIGHT: Final = _("This recovery code is not right, or it was used already.")
