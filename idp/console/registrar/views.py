"""*Registrants* and *requests*: what waits for the payer, with the evidence side by side."""

from uuid import UUID

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.affiliations.deciding.rules import Act
from idp.affiliations.listing import Moment
from idp.affiliations.requests.facts import asked_of
from idp.console.pages import by, page
from idp.console.registrar import entrance, evidence, facts, keeping, service
from idp.console.registrar.blueprint import bp as bp
from idp.console.registrar.forms import DenyForm, RefuseForm, VerifyForm
from idp.console.registrar.keeping_words import ACTS
from idp.console.registrar.rules import Reason
from idp.console.registrar.words import EVIDENCE, KINDS, REASONS, SAVED
from idp.foundation import clock, house, parsing
from idp.foundation.database import reading
from idp.foundation.front_door import route_policy
from idp.foundation.parsing import Form, FormErrors, Schema
from idp.settings import Settings
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay


@bp.get("")
@route_policy(auth="session", staff=StaffMay.DECIDE)
def index() -> ResponseReturnValue:
    """Claims and requests that wait."""
    return _index()


@bp.get("/<uuid:affiliation_id>")
@route_policy(auth="session", staff=StaffMay.DECIDE)
def claim(affiliation_id: UUID) -> ResponseReturnValue:
    """One claim: what was claimed beside what the directory holds."""
    return _claim(affiliation_id)


@bp.post("/<uuid:affiliation_id>/verify")
@route_policy(auth="session", staff=StaffMay.DECIDE, step_up=True)
def verified(affiliation_id: UUID) -> ResponseReturnValue:
    """Make the registrant account manager, once they open their registration mail (E1)."""
    form = _form(VerifyForm)
    refused = service.verify(by(), affiliation_id=affiliation_id, version=form.version, note=form.note)
    return _settled(refused, "verified", lambda: _claim(affiliation_id, refused=refused))


@bp.post("/<uuid:affiliation_id>/refuse")
@route_policy(auth="session", staff=StaffMay.DECIDE)
def refused(affiliation_id: UUID) -> ResponseReturnValue:
    """End the claim, and say why."""
    form = parsing.form(RefuseForm, request.form)
    if isinstance(form, FormErrors):
        if set(form) != {"reason"}:
            abort(400)
        return _claim(affiliation_id, refused=Refused(Reason.NO_REASON)), 422
    outcome = service.refuse(by(), affiliation_id=affiliation_id, version=form.version, reason=form.reason)
    return _settled(outcome, "refused", lambda: _claim(affiliation_id, refused=outcome))


@bp.get("/requests/<uuid:request_id>")
@route_policy(auth="session", staff=StaffMay.DECIDE)
def asked(request_id: UUID) -> ResponseReturnValue:
    """One escalated request."""
    return _asked(request_id)


@bp.post("/requests/<uuid:request_id>/approve")
@route_policy(auth="session", staff=StaffMay.DECIDE, step_up=True)
def approved(request_id: UUID) -> ResponseReturnValue:
    """Say yes with the ticked levels."""
    levels = request.form.getlist("level")
    names = set(request.form) - {"csrf_token", "level", "version"}
    version = request.form.get("version", "")
    if names or len(levels) > 50 or not (version.isascii() and version.isdigit() and len(version) < 10):
        abort(400)
    outcome = service.approve(by(), request_id=request_id, version=int(version), levels=levels)
    return _settled(outcome, "approved", lambda: _asked(request_id, refused=outcome))


@bp.post("/requests/<uuid:request_id>/deny")
@route_policy(auth="session", staff=StaffMay.DECIDE)
def denied(request_id: UUID) -> ResponseReturnValue:
    """Say no, with or without a reason."""
    form = _form(DenyForm)
    outcome = service.deny(by(), request_id=request_id, version=form.version, explanation=form.explanation)
    return _settled(outcome, "denied", lambda: _asked(request_id, refused=outcome))


def _form(schema: type[Schema]) -> Schema:
    form: Form | FormErrors = parsing.form(schema, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    return form  # type: ignore[return-value]


def _settled(refused: Refused | None, done: str, show: object) -> ResponseReturnValue:
    if refused is None:
        return redirect(url_for("console_registrar.index", done=done), 303)
    if refused.reason is Reason.UNKNOWN:
        abort(404)
    status = 409 if refused.reason in {Reason.DECIDED, Reason.EXPIRED, Reason.CHANGED_MEANWHILE} else 422
    return show(), status  # type: ignore[operator]


def _index() -> str:
    now = clock.now()
    with reading() as tx:
        claims, more_claims = facts.claims(tx, after=_after("claims"), now=now)
        requests, more_requests, names = facts.requests(tx, after=_after("requests"), now=now)
    return page(
        "console/registrar/index.html",
        at="registrar",
        saved=SAVED,
        claims=claims,
        more_claims=_key(more_claims),
        requests=requests,
        more_requests=_key(more_requests),
        names=names,
        kinds=KINDS,
    )


def _claim(affiliation_id: UUID, *, refused: Refused | None = None) -> str:
    with reading() as tx:
        found = evidence.claim_page(tx, affiliation_id, now=clock.now())
        who = keeping.person(tx, by(), affiliation_id)
    if found is None:
        abort(404)
    offers = frozenset() if isinstance(who, Refused) else who.offers
    kind, registry = found.held.kind, found.held.registry
    return page(
        "console/registrar/claim.html",
        at="registrar",
        claim=found,
        offers={act: words for act, words in ACTS.items() if act in offers},
        portals=entrance.portals(registry, kind, now=clock.now()) if Act.SET_LEVELS in offers else (),
        domain=evidence.domain_of(found.subject.email),
        kinds=KINDS,
        proofs={kind.value: EVIDENCE[kind] for kind in Evidence},
        today=clock.now().date(),
        problem=_sentence(refused),
    )


def _asked(request_id: UUID, *, refused: Refused | None = None) -> str:
    now = clock.now()
    with reading() as tx:
        row = facts.find_request(tx, request_id)
        place = None
        if row is not None:
            found = asked_of(row, now=now, window=house.get(Settings).access_request_window)
            email = row.email
            place = facts.place_of(
                tx,
                portal=row.portal,
                registry=row.registry_name,
                kind=row.target_kind,
                target_id=row.target_id,
                now=now,
            )
        held = evidence.holds(tx, place.target) if place is not None else None
        managed = facts.is_managed(tx, place, but=None, now=now) if place is not None else False
    if place is None or held is None:
        abort(404)
    return page(
        "console/registrar/request.html",
        at="registrar",
        asked=found,
        email=email,
        held=held,
        managed=managed,
        levels=[level for level in place.party.manifest.levels if not level.manages],
        portal=place.party.manifest.name,
        kinds=KINDS,
        today=now.date(),
        problem=_sentence(refused),
    )


def _after(name: str) -> facts.Key | None:
    return Moment.unpack(request.args.get(name, ""))


def _key(key: facts.Key | None) -> str | None:
    return None if key is None else Moment(*key).pack()


def _sentence(refused: Refused | None) -> object:
    return None if refused is None else REASONS[Reason(refused.reason)]
