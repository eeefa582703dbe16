"""What the pages of engagements say."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.affiliations.engagements.rules import Reason, Stands

REASONS: Final[Mapping[Reason, tuple[int, LazyString]]] = {
    Reason.UNKNOWN: (404, _("There is no such trading partner.")),
    Reason.CHANGED_MEANWHILE: (409, _("This has changed since you opened the page. Look again, then decide.")),
    Reason.IN_THE_PAST: (422, _("It can begin today or later.")),
    Reason.TOO_FAR_AHEAD: (422, _("It can begin within a year from today.")),
    Reason.ENDS_BEFORE_IT_BEGINS: (422, _("It has to end after it begins, and not before tomorrow.")),
    Reason.NO_SUCH_LEVEL: (400, _("There is no such access level.")),
    Reason.NO_LEVEL: (422, _("Leave at least one access level, or end the engagement.")),
    Reason.NOT_RUNNING: (409, _("It has ended already.")),
    Reason.NOT_IN_FORCE: (409, _("The payer’s records do not list both of you as active. Please call the help line.")),
    Reason.NO_STAFF: (422, _("Choose at least one person, or everybody.")),
}
STANDS: Final[dict[Stands, tuple[str, LazyString]]] = {
    Stands.RUNS: ("ok", _("Works for you")),
    Stands.BEGINS: ("info", _("Begins later")),
    Stands.ENDED: ("", _("Ended")),
}
ENGAGED: Final[Mapping[Stands, tuple[str, LazyString]]] = STANDS | {Stands.RUNS: ("ok", _("Engaged you"))}
"""The same as the trading partner reads it."""
DONE: Final[Mapping[str, LazyString]] = {
    "agreed": _("Saved. It applies by the next request of theirs."),
    "ended": _("Ended. Nobody of theirs acts for this practice any more."),
    "assigned": _("Saved. Whoever is not assigned acts for this practice no more."),
}
NOT_FOUND: Final = _("No active trading partner of this payer has that number.")
DATES: Final = _("Enter the dates.")
