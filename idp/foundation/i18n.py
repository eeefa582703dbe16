"""Which language and zone a person reads in, and how moments are written there (LOOK, Words; X6, SE-16).

A request's own wish (`ui_locales`) comes first, then what the person chose in the footer, then their profile, then the
browser. Whoever answers a wish with the footer's switch is believed: the cookie remembers what it overruled.
"""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel import Locale, support
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, current_app, g, has_app_context, has_request_context, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import Babel, Domain, get_locale
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from idp.foundation.front_door import route_policy

LANGUAGES: Final = {"en": "English", "es": "Español"}
DEFAULT: Final = "en"
CATALOGUES: Final = Path(__file__).resolve().parents[1] / "translations"
COOKIE: Final = "lang"
_A_YEAR: Final = 365 * 24 * 3600
_LONGEST_WISH: Final = 200
_MOMENT: Final = {"en": "MMM d, y, h:mm a", "es": "d MMM y, h:mm a"}
_DAY: Final = {"en": "MMM d, y", "es": "d MMM y"}


def attach(app: Flask, *, default_zone: str = "UTC") -> None:
    """Teach the application its languages. Catalogues are read from the `.po` files, so nothing need be compiled."""
    app.extensions["credence_zone"] = ZoneInfo(default_zone)
    babel = Babel(app, default_locale=DEFAULT, locale_selector=_current, default_timezone=default_zone)
    domain = Domain(domain="messages")
    domain.cache.update({(code, "messages"): catalogue(code) for code in LANGUAGES})
    babel.domain_instance = domain
    environment = app.jinja_env
    environment.policies["ext.i18n.trimmed"] = True
    environment.globals.update(
        locale_tag=language,
        text_direction=lambda: Locale.parse(language()).text_direction,
        other_languages=lambda: [pair for pair in LANGUAGES.items() if pair[0] != language()],
        asked_locale=asked_wish,
        language_url=lambda: url_for("language"),
    )
    environment.filters.update(localized=localized, iso=lambda at: at.isoformat(), moment=_moment_here, day=_day_here)
    app.add_url_rule("/language", "language", _choose_language, methods=["POST"])


def catalogue(code: str) -> support.NullTranslations:
    """The translations of one language, straight from its `.po`; English is the source itself."""
    source = CATALOGUES / code / "LC_MESSAGES" / "messages.po"
    if not source.is_file():
        return support.NullTranslations()
    with source.open("rb") as file:
        messages = read_po(file, locale=code)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return support.Translations(compiled)


def wished(wish: str) -> str | None:
    """The first language of a `ui_locales` list (OIDC Core §3.1.2.1) that we speak; anything else is passed over (SE-16)."""
    for tag in wish[:_LONGEST_WISH].split():
        code = tag.partition("-")[0].lower()
        if code in LANGUAGES:
            return code
    return None


def asked_wish() -> str:
    """The language that this page was asked in, which the footer's switch may overrule."""
    return wished(_wish()) or ""


def choose(*, wish: str = "", cookie: str = "", profile: str | None = None, accepted: Sequence[str] = ()) -> str:
    """The language to answer in. `cookie` is `es`, or `es~en` when the person chose it over a wish for English."""
    chosen, _, overruled = cookie.partition("~")
    asked = wished(wish)
    if asked is not None and not (chosen in LANGUAGES and overruled == asked):
        return asked
    if chosen in LANGUAGES:
        return chosen
    return wished((profile or "").replace("_", "-")) or wished(" ".join(accepted)) or DEFAULT


def language() -> str:
    """Code of the language of this page or mail."""
    locale = get_locale() if has_app_context() else None
    return locale.language if locale is not None and locale.language in LANGUAGES else DEFAULT


def localized(text: Any) -> str:
    """A manifest's `Localized` text in this page's language; nothing for `None`."""
    return "" if text is None else str(getattr(text, language()))


def moment_text(at: datetime, *, code: str, zone: tzinfo) -> str:
    """`Nov 26, 2026, 3:10 pm PST`, `26 nov 2026, 3:10 p. m. PST`: with the zone's own abbreviation.

    Plain spaces only: one that does not break would cost an SMS half its length.
    """
    local = at.astimezone(zone)
    words = format_datetime(local, _MOMENT[code], tzinfo=zone, locale=code).replace("\u202f", " ").replace("\xa0", " ")
    if code == "en":
        words = words.replace("AM", "am").replace("PM", "pm")
    return f"{words} {local.tzname() or ''}".strip()


def day_text(at: date, *, code: str, zone: tzinfo) -> str:
    """`Nov 26, 2026`, `26 nov 2026`: a moment's day in `zone`, or the date itself."""
    return format_date(at.astimezone(zone) if isinstance(at, datetime) else at, _DAY[code], locale=code)


def zone() -> tzinfo:
    """The zone that this page writes times in: the person's (`g.zoneinfo`), else the deployment's."""
    deployment: ZoneInfo = current_app.extensions["credence_zone"]
    known = g.get("zoneinfo")
    try:
        return ZoneInfo(known) if known else deployment
    except (KeyError, ValueError, OSError):
        return deployment


def safe_path(target: str) -> str:
    """`target` if it is a path of this site, else `/`: no scheme, host, backslash or control character (SE-10)."""
    parts = urlsplit(target) if target.isprintable() else None
    own = parts is not None and not parts.scheme and not parts.netloc and target.startswith("/")
    return target if own and not target.startswith("//") and "\\" not in target else "/"


def _moment_here(at: datetime) -> str:
    day, time = moment_text(at, code=language(), zone=zone()).rsplit(", ", 1)
    unbroken = time.replace(" ", "\xa0")
    return f"{day}, {unbroken}"


def _day_here(at: date) -> str:
    return day_text(at, code=language(), zone=zone())


def _wish() -> str:
    if not has_request_context():
        return ""
    return as_wish(g.get("ui_locales") or request.args.get("ui_locales", ""))


def as_wish(asked: str | Sequence[str]) -> str:
    """A parked request's wish as one list of tags."""
    return asked if isinstance(asked, str) else " ".join(asked)


def _current() -> str:
    if not has_request_context():
        return DEFAULT
    return choose(
        wish=_wish(),
        cookie=request.cookies.get(COOKIE, ""),
        profile=g.get("locale"),
        accepted=accepted(request.headers.get("Accept-Language", "")),
    )


def accepted(sent: str) -> tuple[str, ...]:
    """The tags of an `Accept-Language`, the most wanted first; browsers send few different ones."""
    return _tags(sent) if len(sent) <= _LONGEST_WISH else _tags.__wrapped__(sent)


@lru_cache(maxsize=512)
def _tags(sent: str) -> tuple[str, ...]:
    return tuple(str(tag) for tag, _ in parse_accept_header(sent, LanguageAccept))


@route_policy(auth="none")
def _choose_language() -> ResponseReturnValue:
    """Remember the language of the footer's switch and go back to the page it stood on."""
    code, overruled = request.form.get("lang", ""), request.form.get("instead_of", "")
    response = redirect(safe_path(request.form.get("return_to", "/")), 303)
    if code in LANGUAGES:
        value = f"{code}~{overruled}" if overruled in LANGUAGES and overruled != code else code
        secure = request.is_secure
        response.set_cookie(COOKIE, value, max_age=_A_YEAR, path="/", secure=secure, httponly=True, samesite="Lax")
    return response
