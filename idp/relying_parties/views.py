"""What a relying party shows on our pages: its colours, its logo, its help texts (LOOK, Brands; X7)."""

from functools import lru_cache
from hashlib import sha256
from typing import Final

from flask import Blueprint, Response, abort, g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markdown_it import MarkdownIt
from markupsafe import Markup

from idp.foundation import clock
from idp.foundation.front_door import route_policy
from idp.foundation.i18n import language
from idp.relying_parties import service
from idp.relying_parties.manifest import Brand, Link
from idp.relying_parties.rules import RelyingParty

bp = Blueprint("relying_parties", __name__)

LOGO: Final = "logo.svg"
_LOGO_POLICY: Final = (
    "default-src 'none'; style-src 'none'; script-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
)
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_AN_HOUR: Final = "public, max-age=3600"
_OURS: Final = {
    "reset_password": "recovery.forgot_password",
    "account": "account.overview",
    "change_password": "account.security",
    "people": "manage.start",
    "messages": "messages.messages",
}
"""Endpoints of rooms above, which this one only names."""
_markdown: Final = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
"""No raw HTML, no pictures; links only to http, https and mailto (markdown-it's own rule)."""


@bp.get("/brand/<client_id>.css")
@route_policy(auth="public")
def brand_css(client_id: str) -> ResponseReturnValue:
    """The portal's seven colours as custom properties; credence.css does the rest."""
    css = stylesheet(_known(client_id).manifest.brand)
    return _kept(css, mimetype="text/css")


@bp.get("/brand/<client_id>/logo.svg")
@route_policy(auth="public")
def logo(client_id: str) -> ResponseReturnValue:
    """The portal's logo. It was checked when the manifest was applied, and still may do nothing (DR-05)."""
    drawing = _known(client_id).texts.get(LOGO) or abort(404)
    response = _kept(drawing, mimetype="image/svg+xml")
    response.headers["Content-Security-Policy"] = _LOGO_POLICY
    return response


@bp.get("/help/<client_id>/<page>")
@route_policy(auth="none")
def help_page(client_id: str, page: str) -> ResponseReturnValue:
    """A help text of the portal's manifest, in the reader's language (X7)."""
    party = _known(client_id)
    link = next((link for link in party.manifest.links if link.page == page), None) or abort(404)
    text = text_of(party, page) or abort(404)
    g.party = party
    return render_template("help/page.html", party=party, link=link, text=rendered(text))


@bp.app_template_global()
def brand_url(party: RelyingParty) -> str:
    """Address of the portal's colours, another for other colours."""
    version = _digest(stylesheet(party.manifest.brand))
    return url_for("relying_parties.brand_css", client_id=party.client_id, v=version)


@bp.app_template_global()
def logo_url(party: RelyingParty) -> str:
    """Address of the portal's logo, another for another drawing."""
    return url_for("relying_parties.logo", client_id=party.client_id, v=_digest(party.texts[LOGO]))


@bp.app_template_global()
def link_url(party: RelyingParty, link: Link) -> str:
    """Where a link of the manifest leads: elsewhere, or to a help page of ours."""
    if link.page is not None:
        return url_for("relying_parties.help_page", client_id=party.client_id, page=link.page)
    if link.ceremony is not None:
        return url_for("enrollment.start", client_id=party.client_id, ceremony=link.ceremony)
    if link.ours is not None:
        return url_for(_OURS[link.ours])
    if link.message:
        return url_for("help.message", client_id=party.client_id)
    return party.absolute(link.url or "/")


@lru_cache(maxsize=2048)
def stylesheet(brand: Brand) -> str:
    """The custom properties of one brand."""
    colours = {
        "accent-light": brand.accent_light,
        "accent-dark": brand.accent_dark,
        "soft-light": brand.soft_light,
        "soft-dark": brand.soft_dark,
        "fill-dark": brand.fill_dark,
        "band-light": brand.band_light,
        "band-dark": brand.band_dark,
    }
    return ":root{" + ";".join(f"--{name}:{colour}" for name, colour in colours.items()) + "}\n"


def text_of(party: RelyingParty, name: str) -> str | None:
    """A text beside the manifest in the reader's language, else in English."""
    return text_in(party, name, code=language())


def text_in(party: RelyingParty, name: str, *, code: str) -> str | None:
    """The same in the language of this code."""
    return party.texts.get(f"{name}.{code}.md") or party.texts.get(f"{name}.en.md")


@bp.app_template_filter("markdown")
@lru_cache(maxsize=512)
def rendered(text: str) -> Markup:
    """Markdown as HTML that can hold no script: raw HTML in it is shown as text."""
    return Markup(_markdown.render(text))  # noqa: S704 - the renderer escapes all raw HTML


def _known(client_id: str) -> RelyingParty:
    party = service.find(client_id, now=clock.now())
    if party is None or not party.enabled:
        abort(404)
    return party


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12]


def _kept(text: str, *, mimetype: str) -> Response:
    """A response that browsers keep: for ever under its own version, else an hour; 304 when they have it."""
    version = _digest(text)
    response = make_response(text)
    response.mimetype = mimetype
    response.headers["Cache-Control"] = _FOR_EVER if request.args.get("v") == version else _AN_HOUR
    response.set_etag(version)
    response.make_conditional(request)
    return response
