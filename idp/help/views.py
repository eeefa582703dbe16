"""*Send Message* (X7): a page of the portal's help that mails its support."""

from collections.abc import Iterator, Mapping

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString

from idp.foundation import clock, error_pages, parsing
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.help import service, words
from idp.help.forms import MessageForm
from idp.help.rules import LENGTH, address_of, measured
from idp.help.service import Message
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import cookies
from idp.sessions import parked as parked_pages
from idp.subjects.rules import email_key, spoken_name
from idp.vocabulary.refused import Refused

bp = Blueprint("help", __name__)

_MISSING: Mapping[str, LazyString] = {"name": words.NAME, "email": words.EMAIL, "message": words.MESSAGE}


@bp.get("/help/<client_id>/message")
@route_policy(auth="none")
def message(client_id: str) -> ResponseReturnValue:
    """Three fields, and how much may be written."""
    return _page(_portal(client_id)[0])


@bp.post("/help/<client_id>/message")
@route_policy(auth="none", bucket="recovery")
def send(client_id: str) -> ResponseReturnValue:
    """Owe the message to the portal's support."""
    party, to = _portal(client_id)
    form = parsing.form(MessageForm, request.form)
    errors = _unread(form) if isinstance(form, FormErrors) else dict(_wrong(form))
    if errors is None:
        return error_pages.show(error_pages.Kind.BAD_REQUEST)
    if errors or isinstance(form, FormErrors):
        return _page(party, errors=errors), 422
    session = cookies.current_session()
    written = Message(
        name=form.name.strip(),
        email=form.email.strip(),
        text=measured(form.message),
        subject_id=session.subject_id if session is not None else None,
    )
    refused = service.send(party, written, to=to, origin=origin(), now=clock.now())
    if refused is not None:
        return _page(party, problem=words.TOO_MANY), 422
    return redirect(url_for("help.sent", client_id=client_id), 303)


@bp.get("/help/<client_id>/message/sent")
@route_policy(auth="none")
def sent(client_id: str) -> ResponseReturnValue:
    """Thanks; nothing of the message is shown again."""
    party, _ = _portal(client_id)
    return render_template("help/sent.html", party=party, link=_link(party))


def _portal(client_id: str) -> tuple[RelyingParty, str]:
    party = relying_parties.find(client_id, now=clock.now())
    to = address_of(party) if party is not None else None
    if party is None or to is None:
        abort(404)
    parked_pages.brand(party)
    return party, to


def _page(
    party: RelyingParty, *, errors: Mapping[str, LazyString] | None = None, problem: LazyString | None = None
) -> str:
    return render_template(
        "help/message.html",
        party=party,
        link=_link(party),
        values=parsing.single_values(request.form) or {},
        errors=errors or {},
        problem=problem,
        longest=LENGTH,
    )


def _link(party: RelyingParty) -> object:
    return next(link for link in party.manifest.links if link.message)


def _unread(form: FormErrors) -> dict[str, LazyString] | None:
    """Sentences beside the fields; `None` for what no page sends."""
    if set(form) - set(_MISSING):
        return None
    return {
        name: words.TOO_LONG if (name, problem) == ("message", "string_too_long") else _MISSING[name]
        for name, problem in form.items()
    }


def _wrong(form: MessageForm) -> Iterator[tuple[str, LazyString]]:
    if isinstance(spoken_name(form.name.strip()), Refused):
        yield "name", words.NAME
    if isinstance(email_key(form.email.strip()), Refused):
        yield "email", words.EMAIL
    text = measured(form.message)
    if not text or len(text) > LENGTH:
        yield "message", words.TOO_LONG if text else words.MESSAGE
