"""See them, add one by signing in there, take one away."""

from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from idp.account.pages import my_session, need_session, only_a_button, saved
from idp.federation import homes, leaving, links, views, words
from idp.federation.links import Linked
from idp.federation.rules import Reason
from idp.foundation import clock, house
from idp.foundation.database import reading, writing
from idp.foundation.front_door import origin, route_policy
from idp.sessions import transactions
from idp.sessions.cookies import browser_digest
from idp.settings import Settings
from idp.sign_in.requests import parked
from idp.sign_in.rules import AuthorizationRequest
from idp.vocabulary.refused import Refused

bp = Blueprint("identities", __name__, url_prefix="/account")
bp.before_request(need_session)


@bp.get("/identities")
@route_policy(auth="session")
def identities() -> ResponseReturnValue:
    """The identities that are linked, and those that could be."""
    return _page()


@bp.post("/identities/<name>/link")
@route_policy(auth="session", bucket="sign_in")
def link(name: str) -> ResponseReturnValue:
    """Sign in there, come back, and confirm it; whoever has not proven themselves lately does so first (FE-12)."""
    only_a_button()
    applied = leaving.offered(name, portal=None)
    if isinstance(applied, Refused):
        abort(404)
    if not _fresh():
        return _step_up()
    by, session = views.by(), my_session()
    with writing() as tx:
        txn = transactions.park(
            tx,
            browser_digest=browser_digest(),
            client_id=None,
            request=parked(AuthorizationRequest(client_id=None, return_to="identities.identities", fresh=True)),
            now=by.now,
            lifetime=house.get(Settings).transaction_lifetime,
        )
    left = leaving.depart(leaving.linking(applied, txn, by=by, subject_id=session.subject_id), by=by)
    return views.refused(left, name=name, txn=None) if isinstance(left, Refused) else views.away(left)


@bp.get("/identities/<uuid:link_id>/remove")
@route_policy(auth="session")
def remove(link_id: UUID) -> ResponseReturnValue:
    """Asks before it is taken away."""
    found = next((each for each in _linked() if each.id == link_id), None)
    if found is None:
        abort(404)
    if not _fresh():
        return _step_up()
    with reading() as tx:
        name = links.name_of(tx, found.connection)
    return render_template("account/identities/remove.html", at="factors", link=found, name=name)


@bp.post("/identities/<uuid:link_id>/remove")
@route_policy(auth="session", bucket="sign_in")
def removed(link_id: UUID) -> ResponseReturnValue:
    """Take it away, unless it is the only way in."""
    only_a_button()
    with writing() as tx:
        refused = links.remove(tx, link_id, session=my_session(), now=clock.now(), origin=origin())
    if refused is None:
        return redirect(url_for("identities.identities", done="identity"), 303)
    if refused.reason is Reason.NOT_FRESH:
        return _step_up()
    if refused.reason is Reason.NOT_LINKED:
        abort(404)
    return _page(refused=refused), 422


def _fresh() -> bool:
    with reading() as tx:
        return links.is_fresh_enough(tx, my_session(), now=clock.now())


def _step_up() -> ResponseReturnValue:
    return redirect(url_for("sign_in.own", to="identities.identities", fresh="1"), 303)


def _linked() -> tuple[Linked, ...]:
    with reading() as tx:
        return links.of(tx, subject_id=my_session().subject_id)


def _page(*, refused: Refused | None = None) -> str:
    linked = _linked()
    with reading() as tx:
        names = {each.connection: links.name_of(tx, each.connection) for each in linked}
        theirs = homes.of_member(tx, subject_id=my_session().subject_id, now=clock.now())
    taken, homely = set(names), {name for name, _ in theirs}
    offered = dict(views.upstream_doors(None)) | dict(theirs)
    return render_template(
        "account/identities/identities.html",
        at="factors",
        linked=linked,
        names=names,
        doors=[(name, each) for name, each in offered.items() if name not in taken],
        homely=homely,
        done=saved(),
        problem=words.REASONS[Reason(refused.reason)] if refused is not None else None,
    )
