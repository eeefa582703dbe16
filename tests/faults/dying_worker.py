"""A worker that is killed at the worst moment: the mail server has the message, the database does not know it.

Run as `python dying_worker.py SETTINGS_AS_JSON MOMENT`; `before` dies when the server has been dialled but has nothing.
"""

import json
import os
import signal
import sys
from email.message import EmailMessage
from uuid import UUID

from idp import create_app
from idp.foundation import house
from idp.foundation.outgoing import Outgoing
from idp.messaging.delivery import Delivery
from idp.messaging.email import SmtpTransport
from idp.messaging.rules import Undelivered
from idp.settings import Settings
from idp.worker.service import send_next
from tests.conftest import NOON


class Dying:
    """Real SMTP, then SIGKILL: nothing of this process gets to run any more."""

    def __init__(self, transport: SmtpTransport, moment: str) -> None:
        self.transport, self.moment = transport, moment

    def send(self, message: EmailMessage, *, identity: UUID) -> Undelivered | None:
        if self.moment == "after":
            outcome = self.transport.send(message, identity=identity)
            assert outcome is None, outcome
        os.kill(os.getpid(), signal.SIGKILL)
        return None


def main() -> None:
    settings = Settings(**json.loads(sys.argv[1]))
    with create_app(settings).app_context():
        delivery = Delivery.of(settings, outgoing=house.get(Outgoing))
        assert isinstance(delivery.mail, SmtpTransport)
        send_next(Delivery(Dying(delivery.mail, sys.argv[2]), delivery.sms), read_clock=lambda: NOON)


if __name__ == "__main__":
    main()
