"""The demo's messages: kept as files in the data folder, for the outbox page instead of a mail server."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from idp.messaging.rules import Undelivered

FOLDER: Final = "outbox"
SHOWN: Final = 200
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"']+")


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """One message as its recipient would see it."""

    identity: UUID
    channel: str
    to: str
    sender: str
    subject: str
    at: datetime
    text: str = field(repr=False)
    html: str | None = field(repr=False)

    @property
    def links(self) -> list[str]:
        """The addresses in its text, each once, without the full stop after them."""
        return list(dict.fromkeys(found.rstrip(".,;)") for found in _ADDRESS.findall(self.text)))


@dataclass(frozen=True, slots=True)
class KeepingTransport:
    """Takes mail and SMS and keeps them; a repeat replaces its first copy, as `Message-ID` lets mail programs do."""

    folder: Path

    @classmethod
    def within(cls, data_dir: Path) -> "KeepingTransport":
        """The outbox of a data folder; nobody else may read it."""
        folder = data_dir / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(folder)

    @property
    def sms(self) -> "KeepingSms":
        """The same folder as an SMS gateway."""
        return KeepingSms(self)

    def send(self, message: EmailMessage, *, identity: UUID) -> Undelivered | None:
        fresh = self.folder / f".{identity}.part"
        fresh.write_bytes(message.as_bytes(policy=SMTP))
        fresh.chmod(0o600)
        fresh.replace(self.folder / f"{identity}.eml")
        return None

    def newest(self) -> Iterator[KeptMessage]:
        """The newest messages first: their ids are in the order of their making."""
        for path in sorted(self.folder.glob("*.eml"), reverse=True)[:SHOWN]:
            found = self.find(UUID(path.stem))
            if found is not None:
                yield found

    def find(self, identity: UUID) -> KeptMessage | None:
        """One message."""
        path = self.folder / f"{identity}.eml"
        if not path.is_file():
            return None
        message = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage)
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        return KeptMessage(
            identity,
            "sms" if message.get("X-Channel") == "sms" else "email",
            str(message["To"]),
            str(message["From"]),
            str(message["Subject"]),
            parsedate_to_datetime(str(message["Date"])).astimezone(UTC),
            text.get_content() if text is not None else "",
            html.get_content() if html is not None else None,
        )


@dataclass(frozen=True, slots=True)
class KeepingSms:
    """Keeps short messages beside the mail."""

    kept: KeepingTransport

    def send(self, text: str, *, phone: str, identity: UUID) -> Undelivered | None:
        message = EmailMessage(policy=SMTP)
        message["X-Channel"] = "sms"
        message["From"], message["To"], message["Subject"] = "SMS", phone, "SMS"
        message["Date"] = datetime.fromtimestamp((identity.int >> 80) / 1000, UTC)
        message.set_content(text)
        return self.kept.send(message, identity=identity)
