"""EN-18, AD-15, AD-16: what a stranger typed is words in every mail about a request, and no link."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.messaging.render import render_mail
from idp.messaging.rules import Recipient
from idp.messaging.service import Owed
from tests.affiliations.pins.posted import portal
from tests.affiliations.requests.asking import JUNE, submit
from tests.attacks.strings import POLYGLOTS


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs).get("href")))


def sent(make: Any) -> list[Owed]:
    return [messaging.opened(row) for row in sorted(make.rows(OutboxMessage), key=lambda row: row.notice)]


def shapes(owed: list[Owed], now: Any) -> list[tuple[list[tuple[str, str | None]], str]]:
    found = []
    for each in owed:
        rendered = render_mail(each.payload, notice=each.notice, happened_at=now, now=now)
        found.append((Seen(rendered.html).tags, rendered.text))
    return found


@pytest.mark.parametrize("evil", POLYGLOTS)
def test_EN_18_what_a_stranger_typed_is_inert_in_every_mail(make: Any, now: Any, evil: str) -> None:
    party, provider = portal(make), make.provider("100200300")
    make.affiliation(make.subject("lena.ortiz"), provider, account_manager=True)
    plain_one = make.provider("100200301")
    make.affiliation(make.subject("oscar.benitez"), plain_one, account_manager=True)
    typed = replace(JUNE, given_name=evil[:80], position=evil[:80])
    submit(party, provider.id, now=now, requester=typed, reason=evil[:500])
    before = sent(make)
    submit(party, plain_one.id, now=now)
    hostile = shapes(before, now)
    plain = shapes([each for each in sent(make) if each.id not in {one.id for one in before}], now)
    assert len(hostile) == len(plain) == 2
    for (tags, text), (expected, _) in zip(hostile, plain, strict=True):
        assert [tag for tag, _ in tags] == [tag for tag, _ in expected]
        assert all(href is None or href.startswith("https://credence.test/") for _, href in tags)
        assert "evil.test" not in text


def test_EN_18_the_reason_is_read_on_the_page_and_in_no_mail(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    make.affiliation(make.subject("lena.ortiz"), provider, account_manager=True)
    submit(party, provider.id, now=now, reason="CNRY call me at https://evil.test")
    assert all("CNRY" not in str(each.payload.context) for each in sent(make))


def test_A10_no_mail_names_a_full_number(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    submit(party, provider.id, now=now)
    for each in sent(make):
        rendered = render_mail(each.payload, notice=each.notice, happened_at=now, now=now)
        assert "100200300" not in rendered.text + rendered.html


def test_AD_16_a_stranger_s_name_greets_nobody(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    submit(party, provider.id, now=now, requester=replace(JUNE, given_name="Win a prize now"))
    (received,) = [each for each in sent(make) if each.notice == "access_request_received"]
    assert isinstance(received.payload.recipient, Recipient)
    rendered = render_mail(received.payload, notice=received.notice, happened_at=now, now=now)
    assert "prize" not in rendered.text + rendered.html
