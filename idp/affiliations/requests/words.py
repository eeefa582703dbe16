"""How a request stands, in one word and one sentence for the person who asked; why one is not taken."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.affiliations.requests.rules import Answer, Reason, Status

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.TOO_MANY: _("Too many requests have been made today. Please try again tomorrow, or call the help line."),
    Reason.INBOX_FULL: _("Too many requests are waiting here already. Please try again in a few days, or call us."),
    Reason.BAD_EMAIL: _("Enter an e-mail address such as name@example.com."),
    Reason.TOO_LONG: _("This is longer than we can keep. Please shorten it."),
    Reason.UNKNOWN_TARGET: _("These details do not match our records."),
    Reason.NOT_IN_FORCE: _("These details do not match our records."),
    Reason.OTHER_TARGET: _("These details do not match our records."),
    Reason.ALREADY_HELD: _("You can act for this provider already. Sign in and choose it."),
    Reason.DEAD_LINK: _("This link has expired."),
    Reason.NOT_PENDING: _("This request has been decided already."),
    Reason.UNKNOWN: _("There is no such request any more."),
    Reason.EXPIRED: _("The five days are over: this request has been denied. The person may ask again."),
    Reason.DECIDED: _("This request has been decided or withdrawn meanwhile."),
    Reason.OWN: _("Nobody decides their own request. Another account manager has to."),
    Reason.CHANGED_MEANWHILE: _("This request has changed since you opened it. Please look at it again."),
}

# The badge (kind and word) and what it means for the person.
STATUS: Final[dict[Status, tuple[str, LazyString, LazyString]]] = {
    Status.PENDING: (
        "warn",
        _("Waiting"),
        _("Those who decide have been told. You get a mail when they have answered."),
    ),
    Status.APPROVED: (
        "ok",
        _("Approved"),
        _("We sent you a mail with a link to complete your registration. It works for seven days."),
    ),
    Status.CLOSED: ("ok", _("Completed"), _("You can act for this provider: sign in at the portal.")),
    Status.WITHDRAWN: ("", _("Withdrawn"), _("You took this request back. You may ask again whenever you like.")),
    Status.DENIED: ("", _("Denied"), _("If you think this is a mistake, ask the account manager, or call us.")),
}
LINKS: Final[dict[Answer, LazyString]] = {
    Answer.EXPIRED: _("The link that we sent you has expired. Ask the account manager to send it again, or ask anew."),
    Answer.GONE: _("The link that we sent you no longer works. Your request is decided anew; you get a mail."),
}
UNANSWERED: Final = _("Nobody answered in time, so the request is denied. You may ask again.")
