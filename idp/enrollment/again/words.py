"""The sentences of bringing evidence again."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

WAYS: Final[dict[str, LazyString]] = {
    "pin_letter": _("With the PIN of a letter that we sent to the provider"),
    "identify_trading_partner": _("With the details of your trading partner"),
    "associate_provider": _("With the details of your provider"),
    "claim_practice": _("With the details of your practice"),
}
