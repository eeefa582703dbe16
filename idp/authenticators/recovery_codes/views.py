"""The page that takes a recovery code in the place of a factor."""

from typing import Final
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from idp.authenticators.factors import asking, words
from idp.authenticators.factors.asking import Asked
from idp.authenticators.factors.forms import CodeForm
from idp.authenticators.factors.rules import Reason
from idp.authenticators.factors.views import answer
from idp.authenticators.recovery_codes import service
from idp.authenticators.recovery_codes.words import ENTER, NOT_RIGHT
from idp.foundation import parsing
from idp.foundation.front_door import route_policy
from idp.foundation.parsing import FormErrors
from idp.sessions.parked import onward
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused

bp = Blueprint("recovery_codes", __name__)
_NOTHING: Final = FormErrors()


@bp.get("/sign-in/<uuid:txn>/second-factor/recovery")
@route_policy(auth="browser")
def challenge(txn: UUID) -> ResponseReturnValue:
    """Asks for one of the printed codes."""
    asked = asking.asked(txn)
    return onward(txn) if asked is None or Factor.RECOVERY not in asked.accepts else _page(asked)


@bp.post("/sign-in/<uuid:txn>/second-factor/recovery")
@route_policy(auth="browser", bucket="sign_in")
def verify(txn: UUID) -> ResponseReturnValue:
    """Try the code; a right one is used up."""
    asked = asking.asked(txn)
    if asked is None or Factor.RECOVERY not in asked.accepts:
        return onward(txn)
    form = parsing.form(CodeForm, request.form)
    if isinstance(form, FormErrors):
        return _page(asked, wrong=form), 400 if "" in form else 422
    outcome = service.prove(asking.attempt(txn), typed=form.code)
    return answer(txn, outcome, page=lambda refused: _page(asked, refused=refused))


def _page(asked: Asked, *, wrong: FormErrors = _NOTHING, refused: Refused | None = None) -> str:
    errors, problem = {}, words.MALFORMED if "" in wrong else None
    if wrong and "" not in wrong:
        errors = {"code": ENTER}
    elif refused is not None:
        wrong_code = refused.reason is Reason.WRONG_CODE
        errors = {"code": NOT_RIGHT if wrong_code else words.REASONS[refused.reason]}  # type: ignore[index]
    return render_template(
        "authenticators/recovery_codes/challenge.html",
        txn=asked.txn,
        others=asked.others(Factor.RECOVERY),
        errors=errors,
        problem=problem,
    )
