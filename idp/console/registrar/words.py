"""The sentences of the registrar's pages; each reason worded once."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.affiliations.deciding.rules import Act
from idp.console.registrar.rules import Reason
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.UNKNOWN: _("There is nothing like that any more."),
    Reason.SELF: _("That is your own. Ask another registrar."),
    Reason.HAS_A_MANAGER: _("An account manager is there now and decides."),
    Reason.CHANGED_MEANWHILE: _("It changed since this page was shown. Look again."),
    Reason.DECIDED: _("It has been decided already."),
    Reason.EXPIRED: _("Five days have passed: the request is denied."),
    Reason.NOT_IN_FORCE: _("The roster does not have it in force today."),
    Reason.NO_REASON: _("Say why."),
    Reason.NO_LEVEL: _("Choose at least one access level."),
    Reason.NO_SUCH_LEVEL: _("That portal has no such access level."),
    Reason.MAILBOX_UNPROVEN: _("Their mailbox is not proven yet."),
    Reason.TOO_MANY: _("Too many mails have been sent. Try again in an hour."),
}
KINDS: Final[dict[TargetKind, LazyString]] = {
    TargetKind.PROVIDER: _("Provider"),
    TargetKind.PRACTICE: _("Practice"),
    TargetKind.TRADING_PARTNER: _("Trading partner"),
}
EVIDENCE: Final[dict[Evidence, LazyString]] = {
    Evidence.SELF: _("their own statement"),
    Evidence.DIRECTORY: _("a match with the payer’s records"),
    Evidence.LETTER: _("a letter from the payer"),
    Evidence.MANAGER: _("an account manager"),
    Evidence.PAYER: _("the payer’s staff"),
}
SAVED: Final[dict[str, LazyString]] = {
    "verified": _("Verified. They have a mail; who was still waiting follows it, and the access opens."),
    "refused": _("Refused. The registrant was told."),
    "approved": _("Approved. An invitation is on its way."),
    "denied": _("Denied. The requester was told."),
    Act.DISABLE.value: _("Disabled. They can no longer act."),
    Act.ENABLE.value: _("Enabled. A registration mail is on its way."),
    Act.REMOVE.value: _("Ended. They can no longer act."),
    Act.MOVE.value: _("Moved. A registration mail is on its way."),
    Act.SEND_REGISTRATION.value: _("A registration mail is on its way; the link before has stopped working."),
    Act.SEND_RESET.value: _("The mail is on its way to the address that we have."),
    Act.SET_LEVELS.value: _("Access saved. It applies now."),
    Act.MARK.value: _("They are account manager now. They were told."),
    Act.UNMARK.value: _("They are no longer account manager. They were told."),
    Act.COMMENT.value: _("Comment added."),
}
