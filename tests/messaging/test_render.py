"""Every notice in both languages, as text, HTML and SMS."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from uuid import UUID

import pytest
from flask import Flask
from jinja2 import UndefinedError

from idp.messaging.render import Rendered, render_mail, render_sms
from idp.messaging.rules import NOTICES, Brand, Link, Payload, Recipient
from tests.messaging.letters import BRAND, CONTEXTS, ROSA, URL

LINK = Link(UUID(int=1), timedelta(minutes=30))
LANGUAGES = {"en": "en-US", "es": "es-US"}


def mail(now: datetime, *, notice: str = "password_reset", language: str = "en", **changed: object) -> Rendered:
    payload = Payload(replace(ROSA, locale=LANGUAGES[language]), BRAND, CONTEXTS[notice], LINK)
    return render_mail(replace(payload, **changed), notice=notice, happened_at=now, now=now)  # type: ignore[arg-type]


class Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def read(html: str) -> Words:
    parser = Words()
    parser.feed(html)
    return parser


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notice", NOTICES)
def test_every_notice_says_the_same_in_text_and_html(app: Flask, now: datetime, notice: str, language: str):
    rendered = mail(now, notice=notice, language=language)
    assert rendered.subject.endswith("– Ozark Provider Exchange")
    assert f'<html lang="{language}">' in rendered.html
    html, text = " ".join(read(rendered.html).words), " ".join(rendered.text.split())
    for word in re.findall(r"[\w’']{4,}", text):
        assert word in html, f"{word} is missing in the HTML part"
    assert "1-800-555-0142" in text
    assert "None" not in text
    assert "{{" not in rendered.html


@pytest.mark.parametrize("notice", NOTICES)
def test_every_notice_is_translated(app: Flask, now: datetime, notice: str):
    english, spanish = (mail(now, notice=notice, language=language) for language in LANGUAGES)
    assert english.subject != spanish.subject
    same = {line for line in english.text.splitlines() if line} & set(spanish.text.splitlines())
    wordless = {line for line in same if line.isdigit() or line.startswith("http")}
    assert same - wordless <= {BRAND.name, f"Portal: {BRAND.name}", "--"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notice", NOTICES)
def test_every_notice_fits_a_short_message(app: Flask, now: datetime, notice: str, language: str):
    payload = Payload(replace(ROSA, locale=LANGUAGES[language]), BRAND, CONTEXTS[notice], LINK)
    text = render_sms(payload, notice=notice, happened_at=now, now=now)
    assert "\n" not in text
    assert text.startswith("Ozark Provider Exchange: ")
    assert len(text) <= 320


@pytest.mark.parametrize("notice", NOTICES)
def test_a_mail_runs_nothing_and_loads_nothing(app: Flask, now: datetime, notice: str):
    found = read(mail(now, notice=notice).html)
    assert not {"script", "style", "img", "link", "iframe", "form", "object"} & set(found.tags)
    assert not {name for name in found.attributes if name.startswith("on")} | ({"class"} & found.attributes)
    assert all(link.startswith("https://") for link in found.links)


def test_the_link_stands_under_the_button_and_in_full(app: Flask, now: datetime):
    rendered = mail(now)
    assert read(rendered.html).links.count(URL) == 2
    assert URL in rendered.text.splitlines()
    assert "CNRY" not in repr(rendered)
    assert "CNRY" not in rendered.subject


def test_times_are_in_the_person_s_zone_and_a_link_ends_after_its_sending(app: Flask, now: datetime):
    english, spanish = mail(now, language="en").text, mail(now, language="es").text
    assert "Mar 2, 2026, 4:00 am PST" in english
    assert "until Mar 2, 2026, 4:30 am PST" in english
    assert "2 mar 2026, 4:30 a. m. PST" in spanish.replace("\u202f", " ").replace("\xa0", " ")
    lost = mail(now, recipient=replace(ROSA, zoneinfo="Nowhere/At-All"))
    assert "6:30 am CST" in lost.text


@pytest.mark.parametrize("evil", ['<img src=x onerror="alert(1)">', "</td></table><h1>Pay here</h1>", "{{ 7*7 }}"])
def test_AD_16_names_are_words_in_both_parts(app: Flask, now: datetime, evil: str):
    recipient = replace(ROSA, name=evil)
    plain = read(mail(now, notice="access_ended").html)
    hostile = mail(
        now, notice="access_ended", recipient=recipient, context={**CONTEXTS["access_ended"], "target": evil}
    )
    assert read(hostile.html).tags == plain.tags
    assert read(hostile.html).links == plain.links
    assert "49" not in hostile.text


def test_AD_16_a_name_that_looks_like_an_address_is_no_link(app: Flask, now: datetime):
    rendered = mail(now, recipient=replace(ROSA, name="Claim at https://evil.test/pay now"))
    for part in (rendered.text, rendered.html):
        assert "evil.test" not in part
        assert "https://evil" not in part


def test_RC_06_a_portal_s_name_cannot_break_the_subject(app: Flask, now: datetime):
    brand = Brand("p", "Portal\r\nBcc: evil@x.test", "P", "#0B6468")
    assert "\n" not in mail(now, brand=brand).subject
    assert "\r" not in mail(now, brand=brand).subject


def test_a_missing_word_fails_instead_of_leaving_a_gap(app: Flask, now: datetime):
    with pytest.raises(UndefinedError):
        mail(now, notice="access_ended", context={})


def test_a_person_without_a_name_or_a_known_language_is_greeted_in_english(app: Flask, now: datetime):
    stranger = Recipient("s", "a@b.test", None, "xx", "UTC", "")
    assert "Hello,\n" in mail(now, recipient=stranger).text
