"""Mail against a real SMTP server on loopback, willing and unwilling."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest

from idp.messaging.email import NoMail, SmtpTransport, compose
from idp.messaging.render import Rendered
from idp.messaging.rules import Reason, Undelivered
from tests.messaging.letters import BRAND
from tests.messaging.sinks import Sink, certificate, listening

IDENTITY = UUID(int=77)
RENDERED = Rendered(
    "Choose a new password – Ozark", "Hello José,\n\nhttps://x.test/" + "a" * 120 + "\n", "<p>é</p>", "en"
)


def composed(now: datetime, *, address: str = "rosa@practice.test") -> EmailMessage | Undelivered:
    return compose(
        RENDERED, identity=IDENTITY, address=address, sender="Credence <no-reply@credence.test>", brand=BRAND,
        domain="credence.test", now=now,
    )  # fmt: skip


@pytest.fixture
def message(now: datetime) -> EmailMessage:
    made = composed(now)
    assert isinstance(made, EmailMessage)
    return made


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening(Sink()) as server:
        yield server


def send(url: str, message: EmailMessage, **changed: object) -> Undelivered | None:
    return replace(SmtpTransport.of(url), **changed).send(message, identity=IDENTITY)  # type: ignore[arg-type]


def test_a_mail_arrives_whole(sink: Sink, message: EmailMessage, now: datetime):
    assert send(sink.url, message) is None
    (got,) = sink.taken
    assert sink.recipients == ["rosa@practice.test"]
    assert got["Subject"] == RENDERED.subject
    assert got["From"] == "Ozark Provider Exchange <no-reply@credence.test>"
    assert got["Message-ID"] == f"<{IDENTITY}@credence.test>"
    assert got["Date"].datetime == now
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Content-Language"] == "en"
    assert got.get_content_type() == "multipart/alternative"
    text, html = got.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == RENDERED.text
    assert html.get_content().strip() == RENDERED.html


def test_a_repeat_is_recognized_by_its_message_id(sink: Sink, now: datetime):
    for _ in range(2):
        made = composed(now)
        assert isinstance(made, EmailMessage)
        send(sink.url, made)
    assert len({got["Message-ID"] for got in sink.taken}) == 1


@pytest.mark.parametrize(
    "address",
    [
        "a@x.test,b@x.test", "a@x.test, b@x.test", "a@x.test\r\nBcc: b@x.test", "a@x.test\nb@x.test", "a@x.test b@x.test",
        "", "@", "a", "a@", "<a@x.test>", "Ann <a@x.test>", "a@x.test;b@x.test", "josé@x.test", "a@x.test\x00", "a\t@x.test",
    ],
)  # fmt: skip
def test_RC_06_anything_but_one_plain_address_is_refused(now: datetime, address: str):
    assert composed(now, address=address) == Undelivered(Reason.REJECTED, "not an address")


@pytest.mark.parametrize("answer", ["451 try later", "421 closing", "550 spam", "554 no", "452 full"])
def test_R_14_a_server_that_does_not_take_it_now_is_asked_again(sink: Sink, message: EmailMessage, answer: str):
    sink.answer = answer
    assert send(sink.url, message) == Undelivered(Reason.TRY_LATER, f"smtp {answer[:3]}")
    assert sink.taken == []


@pytest.mark.parametrize(("answer", "reason"), [("550 unknown", Reason.REJECTED), ("450 busy", Reason.TRY_LATER)])
def test_R_14_only_an_unknown_recipient_is_given_up(sink: Sink, message: EmailMessage, answer: str, reason: Reason):
    sink.to_recipient = answer
    outcome = send(sink.url, message)
    assert outcome == Undelivered(reason, f"smtp {answer[:3]} for the recipient")
    assert "rosa" not in outcome.detail


def test_R_14_no_server_is_no_delivery(message: EmailMessage):
    assert send("smtp://127.0.0.1:9", message) == Undelivered(Reason.TRY_LATER, "ConnectionRefusedError")
    assert send("smtp://name.invalid:25", message) == Undelivered(Reason.TRY_LATER, "gaierror")
    assert NoMail().send(message, identity=IDENTITY) == Undelivered(Reason.TRY_LATER, "IDP_SMTP_URL is not set")


def test_R_14_a_server_that_says_nothing_is_not_waited_for_long(message: EmailMessage):
    with socket.create_server(("127.0.0.1", 0)) as hole:
        outcome = send(f"smtp://127.0.0.1:{hole.getsockname()[1]}", message, seconds=0.2)
    assert outcome == Undelivered(Reason.TRY_LATER, "SMTPServerDisconnected")


def test_a_farewell_that_fails_is_no_failure(sink: Sink, message: EmailMessage, monkeypatch: pytest.MonkeyPatch):
    import smtplib

    def rude(self: smtplib.SMTP) -> None:
        raise smtplib.SMTPResponseException(500, b"no")

    monkeypatch.setattr(smtplib.SMTP, "quit", rude)
    assert send(sink.url, message) is None


def test_starttls_is_demanded_where_the_address_says_so(sink: Sink, message: EmailMessage):
    outcome = send(sink.url.replace("smtp:", "smtp+starttls:"), message)
    assert outcome == Undelivered(Reason.TRY_LATER, "SMTPNotSupportedError")
    assert sink.taken == []


@pytest.mark.parametrize("scheme", ["smtp", "smtp+starttls"])
def test_starttls_is_taken_where_it_is_offered(message: EmailMessage, tmp_path: Path, scheme: str):
    context, authority = certificate(tmp_path)
    with listening(Sink(), tls_context=context) as sink:
        transport = SmtpTransport.of(f"{scheme}://localhost:{sink.port}", ca_file=str(authority))
        assert transport.send(message, identity=IDENTITY) is None
        assert sink.tls == [True]


def test_a_certificate_that_nobody_vouches_for_ends_it(message: EmailMessage, tmp_path: Path):
    context, _ = certificate(tmp_path)
    with listening(Sink(), tls_context=context) as sink:
        outcome = send(f"smtp+starttls://localhost:{sink.port}", message)
        assert outcome == Undelivered(Reason.TRY_LATER, "SSLCertVerificationError")
        assert sink.taken == []


def test_a_login_goes_over_tls_and_a_wrong_password_waits(message: EmailMessage, tmp_path: Path):
    context, authority = certificate(tmp_path)
    sink = Sink()
    with listening(sink, tls_context=context, authenticator=sink.authenticate, auth_required=True):
        good = SmtpTransport.of(f"smtp+starttls://me:right%20password@localhost:{sink.port}", ca_file=str(authority))
        bad = SmtpTransport.of(f"smtp+starttls://me:wrong@localhost:{sink.port}", ca_file=str(authority))
        assert good.send(message, identity=IDENTITY) is None
        refused = replace(bad, seconds=0.5).send(message, identity=IDENTITY)
    assert refused is not None
    assert refused.reason is Reason.TRY_LATER
    assert len(sink.taken) == 1
    assert sink.logins[0] == ("me", "right password")
    assert "right password" not in repr(good)


def test_no_password_travels_in_the_clear(sink: Sink, message: EmailMessage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("idp.messaging.email._LOOPBACK", frozenset())
    outcome = send(f"smtp://me:secret@127.0.0.1:{sink.port}", message)
    assert outcome == Undelivered(Reason.TRY_LATER, "SMTPNotSupportedError")
    assert sink.logins == []
