"""*Access reviews*: who still needs which access, a page of people at a time; what is not ticked ends at the close."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.affiliations.reviews import evidence, facts, service, words
from idp.affiliations.reviews.facts import Key, Moment
from idp.affiliations.reviews.models import AccessReview
from idp.affiliations.reviews.rules import state_at
from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory import service as directory
from idp.foundation import clock, parsing
from idp.foundation.database import reading, see_as, writing
from idp.foundation.downloads import download
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.manage.entrance import enter
from idp.manage.forms import EvidenceForm, NoFields, kept_form
from idp.manage.service import Opened
from idp.vocabulary.refused import Refused

bp = Blueprint("manage_reviews", __name__, url_prefix="/manage")

_PLACE = "/<client_id>/<uuid:target_id>"
_ONE = f"{_PLACE}/reviews/<uuid:review_id>"


@bp.get(f"{_PLACE}/reviews")
@route_policy(auth="session")
def listed(client_id: str, target_id: UUID) -> ResponseReturnValue:
    """The reviews of this target here, the newest first."""
    opened, now, after = enter(client_id, target_id), clock.now(), Moment.unpack(request.args.get("after", ""))
    with reading() as tx:
        see_as(tx, target_id=target_id)
        found, more = facts.of_place(tx, opened.place, after=after)
    return render_template(
        "manage/reviews.html",
        place=opened.place,
        address=_address(opened),
        rows=[(row, state_at(facts.standing_of(row), now=now)) for row in found],
        states=words.STATES,
        more=more.pack() if more else None,
        paged=after is not None,
    )


@bp.get(_ONE)
@route_policy(auth="session")
def one(client_id: str, target_id: UUID, review_id: UUID) -> ResponseReturnValue:
    """A page of its people with their levels as boxes."""
    return _page(enter(client_id, target_id), review_id)


@bp.post(_ONE)
@route_policy(auth="session", bucket="manage")
def say(client_id: str, target_id: UUID, review_id: UUID) -> ResponseReturnValue:
    """Keep what is ticked on this page, and go on to the next."""
    opened = enter(client_id, target_id)
    said = kept_form(request.form, catalogue=opened.place.catalogue)
    if isinstance(said, FormErrors):
        abort(400)
    with writing() as tx:
        outcome = service.say(
            tx,
            review_id,
            said.kept,
            every=said.every,
            acting=opened.acting,
            party=opened.place.party,
            now=clock.now(),
            origin=origin(),
        )
        if isinstance(outcome, Refused):
            tx.rollback()
    if isinstance(outcome, Refused):
        return _refused(opened, review_id, outcome)
    address = _address(opened)
    if said.next:
        return redirect(url_for("manage_reviews.one", review_id=review_id, after=said.next, **address), 303)
    return redirect(url_for("manage_reviews.ask", review_id=review_id, **address), 303)


@bp.get(f"{_ONE}/confirm")
@route_policy(auth="session")
def ask(client_id: str, target_id: UUID, review_id: UUID) -> ResponseReturnValue:
    """What will happen, before it does."""
    opened, now = enter(client_id, target_id), clock.now()
    with reading() as tx:
        row = _found(tx, opened, review_id)
        counts = facts.counts(tx, row)
        inside, kept = facts.own_item(tx, row, subject_id=opened.acting.subject_id)
        others = facts.ask_whom(tx, opened.place, now=now, but=opened.acting.subject_id)
    return render_template(
        "manage/review_confirm.html",
        place=opened.place,
        address=_address(opened),
        review=row,
        state=state_at(facts.standing_of(row), now=now),
        counts=counts,
        own_is_open=inside and not kept and bool(others),
        at_once=service.AT_ONCE,
    )


@bp.post(f"{_ONE}/confirm")
@route_policy(auth="session", bucket="manage")
def confirm(client_id: str, target_id: UUID, review_id: UUID) -> ResponseReturnValue:
    """End the review."""
    opened = enter(client_id, target_id)
    if isinstance(parsing.form(NoFields, request.form), FormErrors):
        abort(400)
    with writing() as tx:
        refused = service.confirm(
            tx, review_id, acting=opened.acting, party=opened.place.party, now=clock.now(), origin=origin()
        )
    if refused is not None:
        return _refused(opened, review_id, refused)
    return redirect(url_for("manage_reviews.one", review_id=review_id, done="confirmed", **_address(opened)), 303)


@bp.post(f"{_ONE}/evidence")
@route_policy(auth="session", bucket="manage")
def taken(client_id: str, target_id: UUID, review_id: UUID) -> ResponseReturnValue:
    """The review as CSV or PDF; that it was taken is audited."""
    opened, now = enter(client_id, target_id), clock.now()
    form = parsing.form(EvidenceForm, request.form)
    if isinstance(form, FormErrors):
        abort(400)
    with reading() as tx:
        row = _found(tx, opened, review_id)
        found = evidence.evidence_of(tx, opened.place, row)
        practice = directory.practice(tx, opened.place.target.practice_id) if opened.place.target.practice_id else None
    with writing() as tx:
        audit.append(
            tx,
            Event.AUDIT_EXPORTED,
            now=now,
            actor=opened.acting.subject_id,
            origin=origin(),
            client_id=opened.place.party.client_id,
            target_kind=row.target_kind,
            target_id=row.target_id,
            details={"what": "review", "review": row.id, "format": form.format},
        )
    tin, name = practice.masked_tin if practice is not None else "", f"review-{row.opened_at.date().isoformat()}"
    if form.format == "csv":
        return download(evidence.as_csv(found, tin=tin), name=f"{name}.csv")
    from idp.affiliations.reviews import sheet  # typefaces and Pillow are for this answer, not for every server

    pdf = sheet.as_pdf(found, tin=tin, place=opened.place, outcomes=words.OUTCOMES)
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"', "Cache-Control": "no-store"}
    return Response(pdf, mimetype="application/pdf", headers=headers)


def _page(opened: Opened, review_id: UUID, *, problem: LazyString | None = None) -> str:
    now, after = clock.now(), Key.unpack(request.args.get("after", ""))
    with reading() as tx:
        row = _found(tx, opened, review_id)
        people, more = facts.page(tx, opened.place, row, after=after, now=now)
        counts = facts.counts(tx, row)
        others = facts.ask_whom(tx, opened.place, now=now, but=opened.acting.subject_id)
    return render_template(
        "manage/review.html",
        place=opened.place,
        address=_address(opened),
        review=row,
        state=state_at(facts.standing_of(row), now=now),
        states=words.STATES,
        people=people,
        counts=counts,
        more=more.pack() if more else "",
        paged=after is not None,
        me=opened.acting.subject_id,
        others=len(others),
        held=opened.actor.levels,
        levels=opened.place.party.manifest.levels,
        problem=problem,
        confirmed=request.args.get("done") == "confirmed",
    )


def _refused(opened: Opened, review_id: UUID, refused: Refused) -> ResponseReturnValue:
    status, sentence = words.REASONS[refused.reason]
    if status == 404:
        abort(404)
    return _page(opened, review_id, problem=sentence), status


def _found(tx: Any, opened: Opened, review_id: UUID) -> AccessReview:
    see_as(tx, target_id=opened.place.target.id)
    row = facts.find(tx, opened.place, review_id)
    if row is None:
        abort(404)
    return row


def _address(opened: Opened) -> dict[str, Any]:
    return {"client_id": opened.place.party.client_id, "target_id": opened.place.target.id}
