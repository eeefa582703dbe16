"""Sending one owed message, outside any transaction: render, hand over, say how it ended."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from jinja2 import TemplateError

from idp.foundation import house
from idp.foundation.outgoing import Outgoing
from idp.messaging.email import MailTransport, NoMail, SmtpTransport, compose
from idp.messaging.kept import KeepingTransport
from idp.messaging.render import render_mail, render_sms
from idp.messaging.rules import Channel, Reason, Undelivered
from idp.messaging.service import Owed
from idp.messaging.sms import GatewayTransport, NoSms, SmsTransport
from idp.settings import Settings

_log = logging.getLogger(__name__)


class Mailroom(Protocol):
    """What the worker needs: one try to deliver one message."""

    def deliver(self, owed: Owed, *, now: datetime) -> Undelivered | None: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """The transports of one application."""

    mail: MailTransport
    sms: SmsTransport

    @classmethod
    def of(cls, settings: Settings, *, outgoing: Outgoing) -> "Delivery":
        """As the settings say; the demo without a server or gateway keeps messages for its outbox page."""
        ca_file = str(settings.outgoing_ca_file) if settings.outgoing_ca_file else None
        kept = KeepingTransport.within(settings.data_dir) if settings.demo else None
        mail: MailTransport = kept or NoMail()
        sms: SmsTransport = kept.sms if kept else NoSms()
        if settings.smtp_url is not None:
            mail = SmtpTransport.of(settings.smtp_url, ca_file=ca_file)
        if settings.sms_url is not None:
            sms = GatewayTransport(settings.sms_url, settings.sms_token, outgoing)
        return cls(mail, sms)

    def deliver(self, owed: Owed, *, now: datetime) -> Undelivered | None:
        """One try. A template that cannot be rendered is our fault: tried again, so that a fix still delivers it."""
        try:
            return self._send(owed, now=now)
        except TemplateError as error:
            _log.error("a notice cannot be rendered", extra={"notice": owed.notice, "reason": type(error).__name__})
            return Undelivered(Reason.TRY_LATER, f"template {type(error).__name__}")

    def _send(self, owed: Owed, *, now: datetime) -> Undelivered | None:
        payload = owed.payload
        if owed.channel == Channel.SMS:
            text = render_sms(payload, notice=owed.notice, happened_at=owed.created_at, now=now)
            return self.sms.send(text, phone=payload.recipient.phone or "", identity=owed.id)
        settings = house.get(Settings)
        rendered = render_mail(payload, notice=owed.notice, happened_at=owed.created_at, now=now)
        message = compose(
            rendered,
            identity=owed.id,
            address=payload.recipient.email or "",
            sender=settings.smtp_from,
            brand=payload.brand,
            domain=urlsplit(settings.issuer).hostname or "localhost",
            now=now,
        )
        if isinstance(message, Undelivered):
            return message
        return self.mail.send(message, identity=owed.id)
