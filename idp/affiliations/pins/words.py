"""What people read when a PIN is not taken."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.affiliations.pins.rules import Reason

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.TOO_MANY: _("Too many attempts. Try again in an hour, or call the help line."),
    Reason.BUSY: _("Too many people are trying at this moment. Please try again in a minute."),
    Reason.NO_MATCH: _(
        "These details do not match our records. Look at your letter again: the PIN tells capital and small letters apart."
    ),
}
