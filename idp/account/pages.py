"""What every page of the account begins with: the person signed in, and the notice of what they did last."""

from flask import abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.account import service, words
from idp.account.forms import NoFields
from idp.foundation import parsing
from idp.foundation.pages import show_person
from idp.foundation.parsing import FormErrors
from idp.sessions import cookies
from idp.sessions.rules import SessionFacts
from idp.subjects.rules import SubjectFacts


def need_session() -> ResponseReturnValue | None:
    """Nobody without a session; who comes by a link signs in and lands on the page they asked for."""
    session = cookies.current_session()
    subject = service.who(session) if session is not None else None
    if subject is None:
        plain = request.method == "GET" and not request.view_args
        return redirect(url_for("sign_in.own", to=request.endpoint if plain else "account.overview"), 303)
    g.subject = subject
    g.locale, g.zoneinfo = subject.locale, subject.zoneinfo
    show_person(subject.name)
    return None


def my_session() -> SessionFacts:
    """The live session of this page."""
    session = cookies.current_session()
    assert session is not None
    return session


def myself() -> SubjectFacts:
    """The person signed in."""
    subject: SubjectFacts = g.subject
    return subject


def only_a_button() -> None:
    """A confirmation carries nothing but its token (AD-06)."""
    if isinstance(parsing.form(NoFields, request.form), FormErrors):
        abort(400)


def saved() -> object:
    """The notice that the page opens with after an act."""
    return words.SAVED.get(request.args.get("done", ""))
