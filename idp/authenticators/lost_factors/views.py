"""*I have none of these*: from the second-factor page to the mailed links; the evidence is the enrollment's to ask (RC-22)."""

import re
from typing import Annotated, Final
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from pydantic import Field

from idp.authenticators.factors import asking
from idp.authenticators.factors.asking import Asked
from idp.authenticators.factors.forms import NoFields
from idp.authenticators.lost_factors import facts, finishing, service
from idp.authenticators.lost_factors.rules import Reason, Starter, standing
from idp.authenticators.lost_factors.service import By
from idp.authenticators.lost_factors.words import LINK_MAILED, REASONS
from idp.authenticators.recovery.forms import TOKEN_PATTERN
from idp.foundation import clock, error_pages, house, parsing
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import Form, FormErrors
from idp.relying_parties import service as relying_parties
from idp.sessions import cookies
from idp.sessions import parked as parked_pages
from idp.sessions.parked import onward
from idp.settings import Settings
from idp.vocabulary.refused import Refused

bp = Blueprint("lost_factors", __name__)
_TOKEN: Final = re.compile(TOKEN_PATTERN, re.ASCII)


class LinkForm(Form):
    """The link's secret."""

    token: Annotated[str, Field(pattern=TOKEN_PATTERN, max_length=43, repr=False)]


@bp.get("/sign-in/<uuid:txn>/second-factor/none")
@route_policy(auth="browser")
def none_left(txn: UUID) -> ResponseReturnValue:
    """What recovery takes and how long, or how far it has come; shown after a right password only."""
    asked = _asked(txn)
    return onward(txn) if asked is None else _page(asked)


@bp.post("/sign-in/<uuid:txn>/second-factor/none")
@route_policy(auth="browser", bucket="recovery")
def start(txn: UUID) -> ResponseReturnValue:
    """Start the waiting; whoever typed the password is told no more than the stored address is."""
    _only_a_button()
    asked = _asked(txn)
    if asked is None:
        return onward(txn)
    by = By(Starter.PERSON, asked.subject.id, clock.now(), origin(), asked.parked.transaction.client_id)
    with writing() as tx:
        outcome = service.start(tx, subject_id=asked.subject.id, by=by)
    if isinstance(outcome, Refused):
        return _page(asked, problem=REASONS[Reason(outcome.reason)]), 422
    return redirect(url_for("lost_factors.none_left", txn=txn), 303)


@bp.post("/sign-in/<uuid:txn>/second-factor/none/link")
@route_policy(auth="browser", bucket="recovery")
def link_again(txn: UUID) -> ResponseReturnValue:
    """*Send me the link*: once the wait is over."""
    _only_a_button()
    asked = _asked(txn)
    if asked is None:
        return onward(txn)
    with writing() as tx:
        refused = service.mail_link(tx, subject_id=asked.subject.id, now=clock.now())
    if refused is not None:
        return _page(asked, problem=REASONS[refused]), 422
    return _page(asked, done=LINK_MAILED)


@bp.get("/sign-in/lost-factors/stop")
@route_policy(auth="none")
def stop() -> ResponseReturnValue:
    """Says what the button does; opening the link does nothing (RC-09)."""
    token = _token_asked()
    if token is None:
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    if not finishing.stop_is_good(token, now=clock.now()):
        return error_pages.show(error_pages.Kind.EXPIRED_LINK)
    return render_template("authenticators/lost_factors/stop.html", token=token)


@bp.post("/sign-in/lost-factors/stop")
@route_policy(auth="none", bucket="recovery")
def stopped() -> ResponseReturnValue:
    """Nothing is removed; whoever started it knew the password, so a new one is advised."""
    form = _link_form()
    with writing() as tx:
        outcome = service.stop(tx, token=form.token, now=clock.now(), origin=origin())
    if isinstance(outcome, Refused):
        return error_pages.show(error_pages.Kind.EXPIRED_LINK)
    return render_template("authenticators/lost_factors/stopped.html")


@bp.get("/sign-in/lost-factors/link")
@route_policy(auth="none")
def link() -> ResponseReturnValue:
    """Asks whether to go on in this browser; opening the link does nothing (RC-09)."""
    token = _token_asked()
    if token is None:
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    recovery = finishing.look_at_link(token, now=clock.now())
    if isinstance(recovery, Refused):
        return error_pages.show(error_pages.Kind.EXPIRED_LINK)
    parked_pages.brand(relying_parties.find(recovery.client_id) if recovery.client_id else None)
    return render_template("authenticators/lost_factors/link.html", token=token)


@bp.post("/sign-in/lost-factors/link")
@route_policy(auth="none", bucket="recovery")
def link_used() -> ResponseReturnValue:
    """The mailbox is proven; the evidence comes next."""
    form = _link_form()
    outcome = finishing.use_link(form.token, browser_digest=cookies.browser_digest(), now=clock.now(), origin=origin())
    if isinstance(outcome, Refused):
        return error_pages.show(error_pages.Kind.EXPIRED_LINK)
    return redirect(url_for("enrollment_again.evidence"), 303)


def _asked(txn: UUID) -> Asked | None:
    """Whoever typed the right password just now: a live session lost nothing that a recovery is for."""
    asked = asking.asked(txn)
    return asked if asked is not None and asked.parked.transaction.pending is not None else None


def _page(asked: Asked, *, problem: LazyString | None = None, done: LazyString | None = None) -> str:
    now = clock.now()
    with reading() as tx:
        recovery = facts.under_way(tx, subject_id=asked.subject.id, now=now)
    return render_template(
        "authenticators/lost_factors/none.html",
        txn=asked.txn,
        recovery=recovery,
        state=standing(recovery, now=now).value if recovery is not None else None,
        hours=max(1, round(house.get(Settings).factor_recovery_wait.total_seconds() / 3600)),
        problem=problem,
        done=done,
    )


def _token_asked() -> str | None:
    token = request.args.get("token", "")
    return token if _TOKEN.match(token) else None


def _link_form() -> LinkForm:
    form = parsing.form(LinkForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    return form


def _only_a_button() -> None:
    if isinstance(parsing.form(NoFields, request.form), FormErrors):
        abort(400)
