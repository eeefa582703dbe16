"""What can be told and how long we try: pure."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from idp.messaging.rules import (
    DELIVERY_HORIZON,
    NOTICES,
    RETRIES,
    Brand,
    Channel,
    Link,
    Payload,
    Recipient,
    accent_of,
    channel_for,
    check,
    one_line,
    pack,
    retry_at,
    revealed,
    spoken,
    unpack,
)
from idp.vocabulary.secret import Secret
from tests.messaging.letters import BRAND, CONTEXTS, ROSA

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_a_payload_comes_back_as_it_was_packed():
    link = Link(UUID(int=5), timedelta(minutes=30))
    payload = Payload(ROSA, BRAND, {"at": NOON, "who": "José «Ñ»", "ids": [UUID(int=1)], "n": 3}, link)
    assert unpack(pack(payload)) == payload


def test_what_cannot_be_told_fails_where_it_is_enqueued():
    for context in ({"url": object()}, {"url": {1, 2}}):
        with pytest.raises(TypeError):
            pack(Payload(ROSA, BRAND, context))
    with pytest.raises(ValueError, match="no notice"):
        check("no_such_notice", context={}, link=None)
    with pytest.raises(ValueError, match="url"):
        check("password_reset", context={}, link=None)
    with pytest.raises(ValueError, match="url"):
        check("password_changed", context={}, link=Link(UUID(int=1), timedelta(1)))


def test_every_notice_has_a_sample_in_these_tests():
    assert CONTEXTS.keys() == NOTICES.keys()
    for notice, context in CONTEXTS.items():
        check(notice, context=context, link=None)


def test_a_secret_link_is_plain_only_for_sealing():
    context = {"url": Secret("https://x.test/CNRY")}
    assert "CNRY" not in repr(context)
    assert revealed(context) == {"url": "https://x.test/CNRY"}


def test_no_representation_shows_the_addresses():
    assert "practice.test" not in repr(Payload(ROSA, BRAND, {}))
    assert "5555550100" not in repr(ROSA)


def test_mail_goes_first_sms_without_it_and_nobody_is_an_error():
    assert channel_for(ROSA) is Channel.EMAIL
    assert channel_for(Recipient("s", None, "+1555", "en", "UTC", "R")) is Channel.SMS
    with pytest.raises(ValueError, match="address"):
        channel_for(Recipient("s", None, None, "en", "UTC", "R"))


def test_R_14_pauses_grow_are_spread_and_end_within_the_horizon():
    pauses = [retry_at(tries, now=NOON, jitter=0.5) for tries in range(1, len(RETRIES) + 1)]
    assert [at - NOON for at in pauses if at] == list(RETRIES)
    assert sorted(RETRIES) == list(RETRIES)
    assert retry_at(len(RETRIES) + 1, now=NOON, jitter=0.5) is None
    early, late = (retry_at(3, now=NOON, jitter=jitter) for jitter in (0.0, 1.0))
    assert early is not None
    assert late is not None
    assert late - early == RETRIES[2] * 0.2
    assert sum(RETRIES, timedelta()) * 1.1 < DELIVERY_HORIZON


@pytest.mark.parametrize("name", ["a\r\nBcc: evil@x.test", "a\x00b", "a\u2028b", "a\u202eb", "  a \t b  "])
def test_RC_06_what_stands_in_a_header_is_one_line(name: str):
    line = one_line(name)
    assert line.isprintable()
    assert line == " ".join(line.split())
    assert len(one_line("x" * 999)) == 80


@pytest.mark.parametrize(
    "name",
    ["evil.test/login", "https://evil.test", "www.evil.test", "admin@evil.test", "//evil.test", "evil.test:80", "a..b"],
)
def test_AD_16_no_name_can_be_taken_for_a_link(name: str):
    said = spoken(name)
    assert "://" not in said
    assert "@e" not in said
    assert ".t" not in said
    assert ".e" not in said


def test_AD_16_ordinary_names_stay_as_they_are():
    for name in ("Rosa Delgado", "St. Mary's Clinic", "O’Neill & Sons, Inc.", "Núñez-Ávila"):
        assert spoken(name) == name


@pytest.mark.parametrize("accent", ["red;background:url(//x)", "#12345", "#12345G", '#123456"', "#123456\n", ""])
def test_only_a_colour_reaches_a_style(accent: str):
    assert accent_of(Brand(None, "n", "N", accent)) == "#44525E"
    assert accent_of(BRAND) == "#0B6468"
