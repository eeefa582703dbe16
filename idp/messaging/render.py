"""A payload in its recipient's language and zone: subject, text and HTML that say the same.

Runs in the worker, in an application context and outside any request and transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import current_app
from flask_babel import force_locale
from jinja2 import StrictUndefined

from idp.foundation import house, i18n
from idp.messaging.rules import NOTICES, Payload, accent_of, one_line, spoken
from idp.settings import Settings

SUBJECT_LIMIT: Final = 120


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a person will read; its secrets keep it out of every `repr`."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str


def render_mail(payload: Payload, *, notice: str, happened_at: datetime, now: datetime) -> Rendered:
    """The mail; a link's end is reckoned from `now`, the moment of sending (ruling 22)."""
    language = i18n.choose(profile=payload.recipient.locale)
    words = _words(payload, notice=notice, language=language, happened_at=happened_at, now=now)
    with force_locale(language):
        text, subject = _render(f"notices/{notice}.txt", words, block="subject")
        html, _ = _render(f"notices/{notice}.html", words | {"subject": subject})
    return Rendered(one_line(subject, limit=SUBJECT_LIMIT), _tidy(text), html, language)


def render_sms(payload: Payload, *, notice: str, happened_at: datetime, now: datetime) -> str:
    """The short message: one line, no link text but the address itself."""
    language = i18n.choose(profile=payload.recipient.locale)
    words = _words(payload, notice=notice, language=language, happened_at=happened_at, now=now)
    with force_locale(language):
        text, _ = _render(f"notices/{notice}.sms.txt", words)
    return " ".join(text.split())


def _words(payload: Payload, *, notice: str, language: str, happened_at: datetime, now: datetime) -> dict[str, Any]:
    settings = house.get(Settings)
    zone = _zone(payload.recipient.zoneinfo, default=settings.default_zone)

    def moment(at: datetime) -> str:
        return i18n.moment_text(at, code=language, zone=zone)

    return {
        "url": None,
        **payload.context,
        "name": spoken(payload.recipient.name) if NOTICES[notice].greets else "",
        "portal": one_line(payload.brand.name),
        "brand": payload.brand,
        "accent": accent_of(payload.brand),
        "language": language,
        "happened_at": happened_at,
        "expires_at": now + payload.link.lifetime if payload.link else None,
        "forgot_password_url": f"{settings.issuer}/sign-in/forgot-password",
        "moment": moment,
        "spoken": spoken,
    }


def _render(template: str, words: Mapping[str, Any], *, block: str | None = None) -> tuple[str, str]:
    """The whole template, and one of its blocks by itself; a missing word fails instead of leaving a gap."""
    environment = current_app.jinja_env.overlay(undefined=StrictUndefined, cache_size=-1)
    found = environment.get_template(template)
    context = found.new_context(dict(words))
    part = "".join(found.blocks[block](context)) if block else ""
    return found.render(words), part


def _zone(name: str, *, default: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(default)


def _tidy(text: str) -> str:
    """No blanks at line ends, no runs of empty lines."""
    lines: list[str] = []
    for line in (raw.rstrip() for raw in text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"
