"""What people read about a review."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.affiliations.deciding.rules import Reason as ActReason
from idp.affiliations.reviews.rules import Outcome, Reason, State

STATES: Final[dict[State, LazyString]] = {
    State.OPEN: _("Open"),
    State.CONFIRMED: _("Confirmed"),
    State.LAPSED: _("Not confirmed in time"),
}
OUTCOMES: Final[dict[str, LazyString]] = {
    Outcome.KEPT.value: _("Kept"),
    Outcome.CHANGED.value: _("Narrowed"),
    Outcome.ENDED.value: _("Ended"),
    Outcome.GONE.value: _("Had ended before"),
    Outcome.LAST_MANAGER.value: _("Left, since somebody must manage the others"),
}
REASONS: Final[dict[object, tuple[int, LazyString]]] = {
    Reason.UNKNOWN: (404, _("This person is not in the review any more.")),
    Reason.OVER: (409, _("The review is over; nothing was changed.")),
    Reason.SELF: (403, _("Another account manager must say what of your own access is kept.")),
    Reason.SELF_OPEN: (
        409,
        _("Your own access is not kept yet. Ask another account manager to tick it, or it ends with the review."),
    ),
    Reason.NOT_HELD: (403, _("You cannot take away a level that you do not hold yourself.")),
    Reason.NO_SUCH_LEVEL: (409, _("The access of one of these people was changed meanwhile. Look again.")),
    ActReason.NOT_A_MANAGER: (403, _("You are not an account manager here any more.")),
}
