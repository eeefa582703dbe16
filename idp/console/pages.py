"""What every page of the console begins with: who acts, where they may go, and the notice of what they did last."""

from collections.abc import Mapping

from flask import abort, g, render_template, request

from idp.console.staff.service import By, actor_of
from idp.console.words import PLACES
from idp.foundation import clock, parsing
from idp.foundation.front_door import origin
from idp.foundation.parsing import Form, FormErrors
from idp.sessions import cookies
from idp.sessions.rules import SessionFacts
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.staff import StaffMay


class NoFields(Form):
    """A confirmation: its token and nothing else."""


def myself() -> SubjectFacts:
    """The staff person."""
    subject: SubjectFacts = g.subject
    return subject


def my_session() -> SessionFacts:
    """Their live session."""
    session = cookies.current_session()
    assert session is not None
    return session


def by() -> By:
    """Who acts, from where, now."""
    return By(myself().id, myself().name, origin(), clock.now(), my_session())


def actor() -> str:
    """The actor that the audit names."""
    return actor_of(myself().id)


def may(what: StaffMay) -> bool:
    """Whether this person may do that; pages offer nothing else, and the guard asks again."""
    return what in g.staff_may


def page(template: str, *, at: str, saved: Mapping[str, object] | None = None, **shown: object) -> str:
    """A page within the console's frame."""
    places = [place for place in PLACES if may(place.may)]
    done = saved.get(request.args.get("done", "")) if saved is not None else None
    return render_template(template, at=at, places=places, done=done, may=may, may_do=StaffMay, **shown)


def only_a_button() -> None:
    """A confirmation carries nothing but its token (AD-06)."""
    if isinstance(parsing.form(NoFields, request.form), FormErrors):
        abort(400)
