"""What the ceremonies' pages show; nothing is decided here."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.enrollment import rules
from idp.enrollment.ceremonies import ceremony_of, is_again
from idp.enrollment.claims import BROUGHT
from idp.enrollment.completing import ACTIVE, landing
from idp.enrollment.place import Place, Visit
from idp.enrollment.rules import Page, Use
from idp.enrollment.runs import Run
from idp.enrollment.service import Again
from idp.enrollment.step import Step
from idp.foundation import clock, error_pages, i18n, parsing
from idp.foundation.database import reading
from idp.foundation.front_door import origin
from idp.foundation.pages import allow_form_to, show_person
from idp.relying_parties import service as relying_parties
from idp.relying_parties.manifest import Ceremony
from idp.relying_parties.rules import RelyingParty
from idp.sessions import cookies
from idp.sessions import parked as parked_pages


def portal(client_id: str) -> RelyingParty:
    """The portal of an address; 404 for what is none, or is switched off."""
    party = relying_parties.find(client_id, now=clock.now())
    if party is None or not party.enabled or party.portal is None:
        abort(404)
    return party


def visit(client_id: str, ceremony: str, run: UUID | None = None) -> Visit:
    """This request to a ceremony, its page branded as the portal's."""
    party = portal(client_id)
    if ceremony_of(party.manifest, ceremony) is None or (run is None and is_again(ceremony)):
        abort(404)
    parked_pages.brand(party)
    allow_form_to(party.absolute(party.registration.initiate_login_uri or "/"))
    return Visit(
        party=party,
        ceremony=ceremony,
        browser_digest=cookies.browser_digest(),
        session=cookies.current_session(),
        origin=origin(),
        now=clock.now(),
        locale=i18n.language(),
        zoneinfo=str(i18n.zone()),
        run_id=run,
    )


def address(visit: Visit, page: Page) -> str:
    """Where a page of a run stands; the first one of a ceremony that has not begun is the ceremony's own."""
    client_id, ceremony = visit.party.client_id, visit.ceremony
    if visit.run_id is None:
        return url_for("enrollment.start", client_id=client_id, ceremony=ceremony)
    return url_for("enrollment.show", client_id=client_id, ceremony=ceremony, run=visit.run_id, slug=page.slug)


def page(
    place: Place, page: Page, *, again: Again | None = None, done: LazyString | None = None,
    problem: LazyString | None = None,
) -> str:  # fmt: skip
    """One page with the steps that this person is asked."""
    _name_the_person(place)
    ceremony = place.visit.declared
    back = rules.before(place.pages, page, done=place.done)
    while back is not None and not place.asked(back):
        back = rules.before(place.pages, back, done=place.done)
    return render_template(
        "enrollment/page.html",
        party=place.visit.party,
        ceremony=ceremony,
        ceremony_name=place.visit.ceremony,
        page=page,
        pages=[each for each in place.pages if each.numbered],
        passed=[each for each in place.pages if all(name in place.done for name in each.names)],
        progress=rules.progress(place.pages, page),
        parts=_parts(place, page, again),
        run_id=place.visit.run_id,
        action=address(place.visit, page),
        back_url=address(place.visit, back) if back is not None and place.run is not None else None,
        errors=dict(again.errors) if again is not None else {},
        problem=again.problem if again is not None else problem,
        done=done,
        brought=_brought(place),
        identity_first=place.signed_in is not None and place.subject is None and offers_sign_in(page),
    )


def _brought(place: Place) -> list[Mapping[str, Any]]:
    """What an upstream provider has proven, and who it is: shown on every page of the run, since nothing asks it."""
    kept = place.run.kept if place.run is not None else {}
    found = [kept[name] for name in sorted(place.brought)]
    return [{"by": each[BROUGHT]["names"].get(i18n.language()) or "", **each["told"]} for each in found]


def _parts(place: Place, page: Page, again: Again | None) -> list[dict[str, Any]]:
    """For each step's template: its options, what was typed, and what it shows."""
    with reading() as tx:
        return [
            {
                "step": use.name,
                "template": step.template,
                "options": use.options,
                "values": _values(step, place, use, again),
                "label": _labels(use),
                "signed_in": place.signed_in,
                "subject": place.subject,
                "more": {
                    **step.shown(tx, place.at(use, query=_query())),
                    **(again.show.get(use.name, {}) if again is not None else {}),
                },
            }
            for use, step in place.asked(page)
        ]


def _labels(use: Use) -> Callable[[str, object], str]:
    """A field's label: as the portal words it, else the step's own."""
    own = use.options.labels

    def label(field: str, usual: object) -> str:
        return i18n.localized(own[field]) if field in own else str(usual)

    return label


def _values(step: Step, place: Place, use: Use, again: Again | None) -> Mapping[str, str]:
    """What stands in the fields: what was just sent, else what was typed before; never a secret."""
    if again is None:
        return place.at(use).typed
    sent = parsing.single_values(request.form) or {}
    return {name: value for name, value in sent.items() if name not in step.secrets}


def _query() -> Mapping[str, str]:
    return {name: value for name, value in request.args.items() if parsing.acceptable(value) and len(value) <= 200}


def confirmation(visit: Visit, ended: Run) -> str:
    """What came of it, and what happens next."""
    last = next((use for page in visit.pages for use in page.uses if use.name == "confirmation"), None)
    return render_template(
        "enrollment/done.html",
        party=visit.party,
        ceremony=visit.declared,
        options=last.options if last is not None else None,
        outcome=ended.outcome,
        told=ended.kept.get("told", {}),
        portal_url=landing(visit.party),
        home_url=f"{visit.party.manifest.base_url}/",
    )


def lands_at_once(visit: Visit, ended: Run) -> bool:
    """Whether the portal comes next without a page between."""
    confirms = any(use.name == "confirmation" for page in visit.pages for use in page.uses)
    return not confirms and ended.outcome in {ACTIVE, "strengthened"}


def other_person(place: Place) -> ResponseReturnValue:
    """Somebody else is signed in here: the enrollment waits for its own person."""
    _name_the_person(place)
    return render_template(
        "enrollment/other_person.html",
        party=place.visit.party,
        signed_in=place.signed_in,
        restart_url=url_for(
            "enrollment.leave",
            client_id=place.visit.party.client_id,
            ceremony=place.visit.ceremony,
            run=place.visit.run_id,
        ),
    ), 409


def finish(place: Place) -> str:
    """For whom it is, and one button: all that this portal asks of this person is known."""
    _name_the_person(place)
    visit, kept = place.visit, place.run.kept if place.run is not None else {}
    return render_template(
        "enrollment/finish.html",
        party=visit.party,
        ceremony=visit.declared,
        ceremony_name=visit.ceremony,
        run_id=visit.run_id,
        person=place.signed_in,
        brought=_brought(place),
        told=next((answers["told"] for answers in kept.values() if answers.get("told")), {}),
    )


def stuck(place: Place) -> ResponseReturnValue:
    """Everything was proven, and the end of it refused: begin anew, with what the help line says."""
    return render_template(
        "enrollment/stuck.html",
        party=place.visit.party,
        restart_url=url_for(
            "enrollment.leave",
            client_id=place.visit.party.client_id,
            ceremony=place.visit.ceremony,
            run=place.visit.run_id,
        ),
    ), 409


def unknown(visit: Visit) -> ResponseReturnValue:
    """No such enrollment in this browser: expired, begun elsewhere, or never there; all look alike."""
    return error_pages.show(error_pages.Kind.EXPIRED_PAGE)


def offers_sign_in(page: Page) -> bool:
    """Whether a page has the button *I have an account already*."""
    return "create_account" in page.names


def offers_availability(ceremony: Ceremony) -> bool:
    """Whether some page of it has *Check Availability*."""
    return bool(ceremony.options.get("create_account", {}).get("check_availability"))


def _name_the_person(place: Place) -> None:
    if place.signed_in is not None and not is_again(place.visit.ceremony):
        show_person(place.signed_in.name)
        g.zoneinfo = place.signed_in.zoneinfo
