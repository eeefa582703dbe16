"""What every page of a relying party shares: brand, language, headers, the visit, and failures told in words."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, abort, current_app, g, make_response, render_template, request
from werkzeug.exceptions import HTTPException, SecurityError

from clients.relying_party import words
from clients.relying_party.acting import Acting, acting_of
from clients.relying_party.manifest import Manifest
from clients.relying_party.provider import Provider, ProviderRefused, ProviderUnavailable
from clients.relying_party.sign_in import AccessEnded, NotAsked, SignInRefused
from clients.relying_party.tokens import Untrusted
from clients.relying_party.visits import SignedIn, Visit, Visits

log = logging.getLogger(__name__)
look = Blueprint("look", __name__, template_folder="templates", static_folder="static", static_url_path="/look")

REFUSALS = {
    "access_denied": "You, or the provider of your sign-in, said no. Nothing was shared with this portal.",
    "login_required": "You are not signed in yet. Sign in to go on.",
    "interaction_required": "One more step is needed. Sign in to go on.",
    "consent_required": "One more step is needed. Sign in to go on.",
    "account_selection_required": "Choose for whom you act. Sign in to go on.",
    "unmet_authentication_requirements": "This page asks for a stronger sign-in than yours.",
    "temporarily_unavailable": "The sign-in service is busy. Try again in a minute.",
    "server_error": "The sign-in service is busy. Try again in a minute.",
}
NOT_ACCEPTED = "The sign-in service did not accept this portal’s request. Please call the help line."


@dataclass(frozen=True, slots=True)
class Site:
    """What one relying party's process has exactly one of."""

    manifest: Manifest
    provider: Provider
    visits: Visits

    @property
    def cookie(self) -> str:
        """All ports of localhost share one jar, so the name carries whose it is."""
        return f"{self.manifest.client_id}_session"


def site() -> Site:
    found = current_app.extensions["site"]
    assert isinstance(found, Site)
    return found


def create_site(name: str, *, manifest: Manifest, provider: Provider) -> Flask:
    """An app with the shared look, headers and failures; the caller adds its pages."""
    app = Flask(name, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=64 * 1024, TRUSTED_HOSTS=[urlsplit(manifest.base_url).hostname])
    app.jinja_options["autoescape"] = True
    app.extensions["site"] = Site(manifest, provider, Visits(idle=timedelta(minutes=manifest.idle_minutes)))
    app.register_blueprint(look)
    app.before_request(_arrive)
    app.after_request(_headers)
    app.context_processor(_words_and_people)
    _tell_failures(app)
    return app


def now() -> datetime:
    return datetime.now(UTC)


def visit() -> Visit | None:
    """This browser's visit, or none yet."""
    found: Visit | None = g.visit
    return found


def signed_in() -> SignedIn | None:
    return g.visit.signed_in if g.visit else None


def secure() -> bool:
    return site().manifest.base_url.startswith("https:")


def with_visit(response: Response, owner: Visit) -> Response:
    """The cookie that finds `owner` again; opaque, for this site only, unreadable by scripts."""
    response.set_cookie(site().cookie, owner.key, httponly=True, secure=secure(), samesite="Lax", path="/")
    g.visit = owner
    return response


def message(title: str, text: str, *, status: int = 200, again: bool = True, failed: bool = True) -> Response:
    """A page that says one thing, and offers to sign in."""
    page = render_template("look/message.html", title=title, text=text, again=again, failed=failed)
    return make_response(page, status)


@look.get("/brand.css")
def brand() -> Response:
    colours = site().manifest.colours
    rules = ";".join(f"--{name.replace('_', '-')}:{value}" for name, value in colours.items())
    answer = Response(f":root{{{rules}}}", content_type="text/css; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@look.get("/logo.svg")
def logo() -> Response:
    found = site().manifest.logo
    if found is None:
        abort(404)
    answer = Response(found, content_type="image/svg+xml; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@look.get("/healthz")
def healthz() -> Response:
    return Response("ok", content_type="text/plain; charset=utf-8")


def _arrive() -> None:
    name = f"{site().manifest.client_id}_language"
    asked = request.args.get("ui_locales", "") or request.cookies.get(name, "")
    fallback = request.accept_languages.best_match(words.LANGUAGES, default="en")
    g.language = asked if asked in words.LANGUAGES else fallback
    g.visit = site().visits.find(request.cookies.get(site().cookie), now=now())


def _headers(response: Response) -> Response:
    issuer = "{0.scheme}://{0.netloc}".format(urlsplit(site().provider.issuer))
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {issuer}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.setdefault("Cache-Control", "no-store")
    if request.args.get("ui_locales") in words.LANGUAGES:
        name = f"{site().manifest.client_id}_language"
        response.set_cookie(name, g.language, httponly=True, secure=secure(), samesite="Lax", path="/")
    return response


def _words_and_people() -> dict[str, Any]:
    language = g.get("language", "en")
    say = partial(words.say, language=language)
    who = signed_in() if "visit" in g else None
    acting: Acting | None = acting_of(who.claims) if who else None
    return {
        "_": say,
        "local": partial(words.localized, language=language),
        "language": language,
        "manifest": site().manifest,
        "issuer": site().provider.issuer,
        "who": who,
        "acting": acting,
        "acting_name": acting.named(say) if acting else None,
        "visit": g.get("visit"),
    }


def _tell_failures(app: Flask) -> None:
    """Every failure is a page in words; codes and token contents stay out of it, and out of the log."""

    @app.errorhandler(SignInRefused)
    def refused(error: SignInRefused) -> Response:
        return message("You were not signed in", REFUSALS.get(error.code, NOT_ACCEPTED), status=403)

    @app.errorhandler(NotAsked)
    def not_asked(_: NotAsked) -> Response:
        text = "It was started in another browser or too long ago. Start again; nothing is lost."
        return message("This sign-in cannot be finished here", text, status=400)

    @app.errorhandler(Untrusted)
    def untrusted(error: Untrusted) -> Response:
        log.warning("refused an answer: %s", error)
        text = "What came back from the sign-in was not what we asked for, so nobody was signed in."
        return message("We could not trust the answer", text, status=400)

    @app.errorhandler(AccessEnded)
    def ended(_: AccessEnded) -> Response:
        if g.visit is not None:
            site().visits.end(g.visit)
            g.visit = None
        text = (
            "You were signed out elsewhere, or your access to this provider changed. Sign in again to see your access."
        )
        return message("Your access ended", text, status=401)

    @app.errorhandler(ProviderRefused)
    def not_accepted(error: ProviderRefused) -> Response:
        log.warning("the provider refused: %s", error.code)
        return message("You were not signed in", NOT_ACCEPTED, status=502)

    @app.errorhandler(ProviderUnavailable)
    def unavailable(error: ProviderUnavailable) -> Response:
        log.warning("the provider is unavailable: %s", error)
        text = "The sign-in service is busy. Try again in a minute."
        return message("Sign-in is not reachable", text, status=503)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        if isinstance(error, SecurityError):  # a Host that is not ours: no page of ours is made for it
            return Response("Bad request", 400, content_type="text/plain; charset=utf-8")
        title, text = {
            404: ("This page does not exist", "The address may be mistyped, or the page has moved."),
            500: ("Something went wrong on our side", "Nothing you entered was changed. Try again in a minute."),
        }.get(error.code or 500, ("This page cannot be used that way", "Go back to the start page and try from there."))
        return message(title, text, status=error.code or 500, again=False)
