"""The sentences of the closing pages."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.account.closing.rules import Reason

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.NOT_TYPED: _("Type it exactly as it stands above the field."),
    Reason.LAST_MANAGER: _("Somebody else must be an account manager first. See below."),
    Reason.STAFF: _("You serve the payer here. Have your roles taken first, by two administrators."),
    Reason.DEAD_LINK: _("It was used, or the 14 days are over."),
}
