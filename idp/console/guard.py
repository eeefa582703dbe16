"""The one guard of the console: session, role, strong factor, no pause of 15 minutes, step-up; asked at every request.

What a route asks for stands in its policy; nothing here knows single pages.
"""

from flask import g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.factors import facts as factors
from idp.authenticators.factors.rules import is_fresh, kinds_of, to_prove, working
from idp.console.staff import facts, rules
from idp.console.staff.rules import Reason
from idp.console.staff.service import actor_of
from idp.console.staff.words import REASONS
from idp.foundation import clock, house
from idp.foundation.database import reading, writing
from idp.foundation.front_door import RoutePolicy, origin, policy_of
from idp.foundation.pages import show_person
from idp.sessions import cookies
from idp.sessions.rules import SessionFacts
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffMay

PLACE = "/console"
_HOME = "console.index"
_PROVABLE = frozenset({Reason.AWAY, Reason.NOT_PROVEN, Reason.NOT_FRESH})
"""What the person can mend on the spot."""


def ask() -> ResponseReturnValue | None:
    """Let nobody into the console whom the route's policy does not let in."""
    policy = policy_of(request.endpoint)
    rule = request.url_rule.rule if request.url_rule is not None else ""
    inside = rule == PLACE or rule.startswith(f"{PLACE}/")
    if policy is None or policy.staff is None:
        if inside:
            raise RuntimeError(f"route {request.endpoint} of the console does not say what its caller may do")
        return None
    session = cookies.current_session()
    if session is None:
        return redirect(url_for("sign_in.own", to=_wanted()), 303)
    return _enter(policy, policy.staff, session)


def _enter(policy: RoutePolicy, wanted: StaffMay, session: SessionFacts) -> ResponseReturnValue | None:
    now = clock.now()
    with reading() as tx:
        subject = subjects.by_id(tx, subject_id=session.subject_id)
        roles = facts.roles_of(tx, subject_id=session.subject_id)
        held = factors.held(tx, subject_id=session.subject_id) if roles else ()
    assert subject is not None, "a live session has a person"
    g.subject, g.staff_may = subject, rules.allowed(roles)
    g.locale, g.zoneinfo = subject.locale, subject.zoneinfo
    show_person(subject.name)
    away = house.get(Settings).session_idle_staff
    refused = rules.may_enter(wanted, roles=roles, session=session, held=kinds_of(working(held)), away=away, now=now)
    if refused is None and policy.step_up:
        refused = rules.may_do_the_dangerous(session=session, now=now)
    if refused is None:
        return None
    # A recovery code counts as fresh there, and for nothing here: sent there, the person would come back as they are.
    stale = session.is_back(away=away, now=now) or not is_fresh(session, held=to_prove(held), now=now)
    if refused.reason in _PROVABLE and stale:
        to = f"{request.blueprint}.index" if refused.reason is Reason.NOT_FRESH else _wanted()
        return redirect(url_for("sign_in.own", to=to, fresh="1"), 303)
    return _turned_away(session, refused)


def _turned_away(session: SessionFacts, refused: Refused) -> ResponseReturnValue:
    """The page that says why; what somebody tried to change is audited."""
    if request.method == "POST":
        with writing() as tx:
            audit.append(
                tx,
                Event.CONSOLE_REFUSED,
                now=clock.now(),
                actor=actor_of(session.subject_id),
                origin=origin(),
                outcome=refused.reason.value,
                subject_id=session.subject_id,
                details={"route": request.endpoint},
            )
    page = render_template(
        "console/turned_away.html",
        reason=refused.reason.value,
        problem=REASONS.get(refused.reason),  # type: ignore[call-overload]
    )
    return make_response(page, 403)


def _wanted() -> str:
    """The page asked for, where it can be named without its address; else the console's first."""
    plain = request.method == "GET" and not request.view_args
    return str(request.endpoint) if plain else _HOME
