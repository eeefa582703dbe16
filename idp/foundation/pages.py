"""HTML plumbing: strict templates, static files by content hash, and the Content-Security-Policy of every response.

Templates escape everything and fail on an unknown name (SECURITY D9, SE-07, SE-15); only mail's text parts (`.txt`) are
not HTML. What every page shows has a default here, so that a view passes only what it knows better.
"""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Response, g, has_app_context, request, url_for
from jinja2 import StrictUndefined
from markupsafe import Markup

from idp.foundation import csrf_tokens, masks, written
from idp.foundation.mail_style import mail_styles

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates"
STATIC: Final = Path(__file__).resolve().parents[1] / "static"
CLOSED_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For what is not a page: nothing may load, run or be posted."""
_PAGE_POLICY: Final = (
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
_A_YEAR: Final = "public, max-age=31536000, immutable"
_SHORT: Final = "public, max-age=300"
_WEB_ORIGIN: Final = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\Z", re.ASCII)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*\Z", re.ASCII)


def attach(app: Flask) -> None:
    """Make the application's templates strict and its responses closed. Call before anything renders."""
    app.template_folder = str(TEMPLATES)
    app.jinja_options = {
        **app.jinja_options,
        "undefined": StrictUndefined,
        "autoescape": lambda name: name is None or not name.endswith(".txt"),
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    environment = app.jinja_env
    environment.globals.pop("config", None)
    environment.globals.update(static_url=static_url, csrf_field=csrf_field, here=here)
    environment.filters.update(mask_email=masks.email, mask_phone=masks.phone, mask_tail=masks.tail, mask_tin=masks.tin)
    environment.filters.update(mail_styles=mail_styles, telephone=written.telephone, unbroken=written.unbroken)
    app.context_processor(_defaults)
    app.after_request(_close)


def allow_form_to(uri: str) -> None:
    """Let this page's form end at `uri`'s origin: a transaction's forms redirect to the portal (SECURITY ruling 14).

    A native app's own scheme is allowed as such; what has no safe form in the header adds nothing.
    """
    allowed = form_target(uri)
    if allowed is not None:
        g.form_targets = (*g.get("form_targets", ()), allowed)


def form_target(uri: str) -> str | None:
    """What `uri`'s origin is called in the header."""
    parts = urlsplit(uri)
    origin = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme in {"http", "https"}:
        return origin if _WEB_ORIGIN.match(origin) else None
    return f"{parts.scheme}:" if _SCHEME.match(parts.scheme) else None


def show_person(name: str | None) -> None:
    """Put the signed-in person's name into the top bar of this response's page."""
    g.person_name = name


def content_security_policy() -> str:
    """This response's policy as a page (SE-07): no inline code or style, forms go home or to the allowed origins."""
    return page_policy(g.get("form_targets", ()))


def page_policy(form_targets: tuple[str, ...]) -> str:
    """The policy of a page whose forms may end at these origins too."""
    targets = dict.fromkeys(("'self'", *form_targets))
    return "; ".join((*_PAGE_POLICY, f"form-action {' '.join(targets)}"))


def static_url(name: str) -> str:
    """Address of a static file that may be kept for ever: a changed file has another address."""
    return url_for("static", filename=name, v=file_version(name))


@cache
def file_version(name: str) -> str:
    """First hex digits of a static file's SHA-256."""
    return sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def csrf_field() -> Markup:
    """The hidden token of a POST form."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(csrf_tokens.of_this_page())


def here() -> str:
    """Path of the page shown, to come back to; an error page's query is left out (SE-18)."""
    if g.get("is_error_page") or not request.query_string:
        return request.path
    return request.full_path


def _defaults() -> dict[str, Any]:
    names = ("party", "person_name", "not_you_url")
    shown = {name: g.get(name) for name in names} if has_app_context() else {}
    return {
        "party": None,
        "person_name": None,
        "not_you_url": None,
        "errors": {},
        "problem": None,
        **shown,
    }


def _close(response: Response) -> Response:
    if request.endpoint == "static":
        fresh = response.status_code in {200, 304} and request.args.get("v") == _version_of_request()
        response.headers["Cache-Control"] = _A_YEAR if fresh else _SHORT
    if "Content-Security-Policy" not in response.headers:
        html = response.mimetype == "text/html"
        response.headers["Content-Security-Policy"] = content_security_policy() if html else CLOSED_POLICY
    return response


def _version_of_request() -> str | None:
    name = str((request.view_args or {}).get("filename", ""))
    return file_version(name) if (STATIC / name).is_file() else None
