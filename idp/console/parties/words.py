"""The sentences of the pages of relying parties."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.relying_parties.service import Reason

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.UNKNOWN: _("There is no such relying party."),
    Reason.KEEPS_NO_SECRET: _("It proves itself without a secret of ours."),
    Reason.ALREADY_SO: _("It is so already."),
}
SAVED: Final[dict[str, LazyString]] = {
    "disabled": _("It is switched off. Everything issued to it has ended."),
    "enabled": _("It is switched on again. What was issued before stays ended."),
}
