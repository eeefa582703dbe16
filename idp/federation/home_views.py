"""*Your organization’s sign-in*: an e-mail address or a practice's Tax ID first, then the right door.

What opens is said by the connections' files and by what was typed; who is known here plays no part in it (EN-06).
"""

from uuid import UUID

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.federation import rules, words
from idp.federation.connections import facts as connections
from idp.federation.forms import OrganizationForm
from idp.federation.views import at_sign_in, bp, go
from idp.foundation import parsing
from idp.foundation.database import reading
from idp.foundation.front_door import route_policy
from idp.foundation.parsing import FormErrors
from idp.relying_parties.rules import RelyingParty
from idp.sessions.parked import Parked, onward


@bp.app_template_global()
def has_domains(party: RelyingParty | None) -> bool:
    """Whether an e-mail address, or a practice's Tax ID, can lead somewhere from here."""
    if party is None:
        return False
    with reading() as tx:
        found = connections.open_at(tx, portal=party.client_id)
    return any(each.home.email_domains or each.home.tins for each in found.values())


@bp.app_template_global()
def serves_practices(party: RelyingParty | None) -> bool:
    """Whether a practice's Tax ID can lead somewhere from here."""
    if party is None:
        return False
    with reading() as tx:
        found = connections.open_at(tx, portal=party.client_id)
    return any(each.home.tins for each in found.values())


@bp.get("/sign-in/<uuid:txn>/organization")
@route_policy(auth="browser")
def organization(txn: UUID) -> ResponseReturnValue:
    """*Your organization’s sign-in*: e-mail first."""
    parked = at_sign_in(txn)
    return onward(txn) if parked is None else _organization_page(parked)


@bp.post("/sign-in/<uuid:txn>/organization")
@route_policy(auth="browser", bucket="sign_in")
def found_organization(txn: UUID) -> ResponseReturnValue:
    """Open the right door; which domains and practices there are is said by the answer, who is behind them by nothing."""
    parked = at_sign_in(txn)
    form = parsing.form(OrganizationForm, request.form)
    if parked is None:
        return onward(txn)
    if isinstance(form, FormErrors):
        abort(400)
    by_practice = serves_practices(parked.party) and not form.email.strip()
    tin = rules.tin_of(form.tin) if by_practice else None
    if tin is None and "@" not in form.email:
        wrong = {"tin": words.NOT_A_TIN} if by_practice and form.tin else {"email": words.NOT_A_MAIL}
        return _organization_page(parked, typed=form, errors=wrong), 422
    with reading() as tx:
        every = connections.every(tx)
    found, portal = (
        {n: each.connection for n, each in every.items() if each.enabled},
        parked.transaction.client_id or "",
    )
    if tin is None:
        name = rules.door_for(found, email=form.email, portal=portal)
    else:
        name = rules.door_for_practice(found, tin=tin, portal=portal)
    if name is None:
        wrong = {"email": words.NO_DOOR} if tin is None else {"tin": words.NO_DOOR_OF_PRACTICE}
        return _organization_page(parked, typed=form, errors=wrong), 422
    return go(parked, every[name], login_hint=form.email)


def _organization_page(
    parked: Parked, *, typed: OrganizationForm | None = None, errors: dict[str, LazyString] | None = None
) -> str:
    """A Tax ID is asked only where it can lead somewhere, and never shown again."""
    return render_template(
        "federation/organization.html",
        txn=parked.transaction.id,
        by_practice=serves_practices(parked.party),
        typed=typed.email if typed is not None else "",
        errors=errors or {},
    )
