"""What a browser sees when its transaction cannot go on; the one place that words it."""

from typing import Final
from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from idp.foundation import error_pages
from idp.foundation.error_pages import Kind
from idp.sessions.rules import Reason
from idp.vocabulary.refused import Refused

_PAGES: Final = {
    Reason.UNKNOWN_TRANSACTION: Kind.EXPIRED_PAGE,
    Reason.EXPIRED_TRANSACTION: Kind.EXPIRED_PAGE,
    Reason.OTHER_BROWSER: Kind.OTHER_BROWSER,
    Reason.FINISHED: Kind.FINISHED,
}


def answer(refused: Refused, *, txn: UUID) -> ResponseReturnValue:
    """A step that is not awaited goes back to the dispatcher; everything else ends on a page that says why."""
    if refused.reason is Reason.NOT_AWAITED:
        return redirect(url_for("sign_in.resume", txn=txn), 303)
    return error_pages.show(_PAGES.get(Reason(refused.reason), Kind.EXPIRED_PAGE))
