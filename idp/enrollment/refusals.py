"""What people read when the end of a ceremony refuses: no access, no request, no account; whichever step was last."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.affiliations.registering.rules import Reason as Registering
from idp.affiliations.requests.rules import Reason as Asking
from idp.subjects.rules import Reason as OfAccount
from idp.subjects.words import REASONS
from idp.vocabulary.refused import Refused

_NOT_HERE: Final = _("This cannot be done here now. Please call the help line.")
_UNUSABLE: Final = _(
    "You have access to this provider already, but it cannot be used now. Ask its account manager, or call the help line."
)
_SENTENCES: Final[Mapping[str, LazyString]] = {
    Asking.TOO_MANY: _("There were too many requests lately. Please try again tomorrow, or call the help line."),
    Asking.INBOX_FULL: _(
        "This provider has more requests than its account managers can answer. Please call the help line."
    ),
    Asking.BAD_EMAIL: _("Enter an e-mail address such as name@clinic.example."),
    Asking.NOT_IN_FORCE: _("This provider is no longer on the payer's roster. Please call the help line."),
    Asking.ALREADY_HELD: _("You have access to this provider already. Sign in to use it."),
    Registering.STALE_PROOF: _("The payer's file has changed since. Please begin again."),
    Registering.DISABLED: _UNUSABLE,
    Registering.SUSPENDED: _UNUSABLE,
    Registering.UNFINISHED: _UNUSABLE,
}


def sentence_for(refused: Refused) -> LazyString:
    """One sentence for every reason; those that only a forged page meets share one."""
    if isinstance(refused.reason, OfAccount):
        return REASONS[refused.reason]
    return _SENTENCES.get(refused.reason, _NOT_HERE)
