"""Mail: one `EmailMessage` for one stored address, sent by SMTP."""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit
from uuid import UUID

from idp.messaging.render import Rendered
from idp.messaging.rules import Brand, Reason, Undelivered, one_line

SECONDS: Final = 10.0
"""Longest wait for one answer of the mail server; a lease outlasts the whole exchange."""
_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class MailTransport(Protocol):
    """Where mail goes: `None` once it was taken, else why not."""

    def send(self, message: EmailMessage, *, identity: UUID) -> Undelivered | None: ...


def compose(
    rendered: Rendered, *, identity: UUID, address: str, sender: str, brand: Brand, domain: str, now: datetime
) -> EmailMessage | Undelivered:
    """The message: text first, HTML beside it; the same `Message-ID` however often it is sent.

    The address must be exactly one plain address; a list, a header or a comma in it is refused (RC-06).
    """
    message = EmailMessage(policy=SMTP)
    try:
        recipient = Address(addr_spec=address)
    except (ValueError, HeaderParseError, IndexError):
        return Undelivered(Reason.REJECTED, "not an address")
    if not address.isascii() or any(char.isspace() for char in address):
        return Undelivered(Reason.REJECTED, "not an address")
    _, plain_sender = parseaddr(sender)
    message["From"] = Address(display_name=one_line(brand.name), addr_spec=plain_sender)
    message["To"] = recipient
    message["Subject"] = rendered.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{identity}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = rendered.language  # last: `set_content` moves such headers into a part
    return message


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """One mail server. Certificates are always checked; a password travels over TLS or loopback only."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    context: ssl.SSLContext = field(repr=False)
    seconds: float = SECONDS

    @classmethod
    def of(cls, url: str, *, ca_file: str | None = None) -> "SmtpTransport":
        """From `smtp://`, `smtp+starttls://` or `smtps://` with `user:password@host:port`."""
        parts = urlsplit(url)
        context = ssl.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(ca_file)
        return cls(
            parts.scheme,
            parts.hostname or "localhost",
            parts.port or _PORTS[parts.scheme],
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
            context,
        )

    def send(self, message: EmailMessage, *, identity: UUID) -> Undelivered | None:
        """Hand the message over; whatever goes wrong after the server took it is no failure."""
        try:
            smtp = self._connect()
        except smtplib.SMTPResponseException as error:
            return Undelivered(Reason.TRY_LATER, f"smtp {error.smtp_code}")
        except (OSError, smtplib.SMTPException) as error:
            return Undelivered(Reason.TRY_LATER, type(error).__name__)
        try:
            return self._hand_over(smtp, message)
        finally:
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()

    def _connect(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self.seconds, context=self.context)
        else:
            smtp = smtplib.SMTP(self.host, self.port, timeout=self.seconds)
        try:
            self._greet(smtp)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _greet(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo()
        safe = self.scheme == "smtps"
        if self.scheme == "smtp+starttls" or (not safe and smtp.has_extn("starttls")):
            smtp.starttls(context=self.context)
            smtp.ehlo()
            safe = True
        if self.user is not None:
            if not safe and self.host not in _LOOPBACK:
                raise smtplib.SMTPNotSupportedError("no TLS, no password")
            smtp.login(self.user, self.password or "")

    @staticmethod
    def _hand_over(smtp: smtplib.SMTP, message: EmailMessage) -> Undelivered | None:
        try:
            smtp.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _ in error.recipients.values()), default=0)
            reason = Reason.REJECTED if 500 <= code < 600 else Reason.TRY_LATER
            return Undelivered(reason, f"smtp {code} for the recipient")
        except smtplib.SMTPResponseException as error:
            return Undelivered(Reason.TRY_LATER, f"smtp {error.smtp_code}")
        except (OSError, smtplib.SMTPException) as error:
            return Undelivered(Reason.TRY_LATER, type(error).__name__)
        return None


@dataclass(frozen=True, slots=True)
class NoMail:
    """Production without a mail server: messages wait, visibly, and die in the end."""

    def send(self, message: EmailMessage, *, identity: UUID) -> Undelivered | None:
        return Undelivered(Reason.TRY_LATER, "IDP_SMTP_URL is not set")
