"""What registrants are told by mail (A8, A10, C3, X4, SECURITY §1: no secret and no full identifier)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from idp.messaging.render import Rendered, render_mail
from idp.messaging.rules import Link, Payload, Recipient
from tests.messaging.letters import BRAND, CONTEXTS, ROSA, URL

STRANGER = Recipient(None, "somebody@practice.test", None, "en-US", "America/Chicago", "Claim your prize")


def mail(now: datetime, notice: str, *, recipient: Recipient = ROSA, **changed: Any) -> Rendered:
    link = Link(UUID(int=1), timedelta(hours=24)) if notice == "verify_email" else None
    payload = Payload(recipient, BRAND, {**CONTEXTS[notice], **changed}, link)
    return render_mail(payload, notice=notice, happened_at=now, now=now)


def test_C3_the_activation_mail_is_called_activate_account_and_its_one_button_too(app: Flask, now: datetime):
    rendered = mail(now, "verify_email", button="Activate Account")
    assert rendered.subject == "Activate Account"
    assert rendered.html.count(">Activate Account</font></a>") == 1
    assert rendered.text.count(URL) == 1
    assert f"Activate Account:\n{URL}" in rendered.text


def test_A8_a_portal_without_words_of_its_own_asks_to_confirm_the_address(app: Flask, now: datetime):
    rendered = mail(now, "verify_email")
    assert rendered.subject == "Confirm your e-mail address – Ozark Provider Exchange"
    assert "This link works once, until Mar 3, 2026, 4:00 am PST." in rendered.text
    assert "the page that it leads to asks you first" in rendered.text


@pytest.mark.parametrize("notice", ["verify_email", "already_registered"])
def test_AD_16_an_unproven_mailbox_hears_nothing_that_a_stranger_typed(app: Flask, now: datetime, notice: str):
    rendered = mail(now, notice, recipient=STRANGER)
    for part in (rendered.subject, rendered.text, rendered.html):
        assert "prize" not in part


def test_C3_who_is_registered_already_finds_the_way_to_sign_in(app: Flask, now: datetime):
    rendered = mail(now, "already_registered")
    assert "You are registered already" in rendered.subject
    assert "https://portal.test/sign-in" in rendered.text.splitlines()
    assert "https://credence.test/sign-in/forgot-password" in rendered.text.splitlines()


def test_A10_the_confirmation_holds_the_registration_information(app: Flask, now: datetime):
    text = mail(now, "registration_confirmed", pending=False).text
    for line in (
        "Display name: Rosa Delgado",
        "User ID: rosa.delgado",
        "Portal: Ozark Provider Exchange",
        "For: Northlake Clinic (•••204)",
        "Registered: Mar 2, 2026, 4:00 am PST",
    ):
        assert line in text.splitlines()
    assert "not open yet" not in text


def test_A10_who_signs_in_by_mail_address_is_told_so(app: Flask, now: datetime):
    text = mail(now, "registration_confirmed", user_id=None, target=None, number=None).text
    assert "You sign in with: this e-mail address" in text.splitlines()
    assert "User ID" not in text
    assert "For:" not in text
    assert "None" not in text


def test_E0_a_registrant_who_waits_to_be_verified_reads_so(app: Flask, now: datetime):
    assert "Your access is not open yet" in mail(now, "registration_confirmed").text


def test_X4_a_known_person_is_told_what_the_account_opens_now(app: Flask, now: datetime):
    text = mail(now, "welcome").text
    assert "you can act for Northlake Clinic (•••204) at Ozark Provider Exchange" in text
    assert "you have access to Ozark Provider Exchange" in mail(now, "welcome", target=None, number=None).text


@pytest.mark.parametrize("notice", ["registration_confirmed", "welcome"])
def test_AD_16_names_in_these_mails_are_words(app: Flask, now: datetime, notice: str):
    evil = '<a href="https://evil.test">pay</a> www.evil.test'
    plain = mail(now, notice).html
    hostile = mail(now, notice, recipient=replace(ROSA, name=evil), target=evil, **_display(notice, evil))
    assert hostile.html.count("<a ") == plain.count("<a ")
    assert "www.evil.test" not in hostile.html + hostile.text


def _display(notice: str, name: str) -> dict[str, str]:
    return {"display_name": name} if notice == "registration_confirmed" else {}
