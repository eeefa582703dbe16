"""SMS against a real HTTP gateway on loopback."""

from uuid import UUID

import pytest
from pytest_httpserver import HTTPServer

from idp.foundation.outgoing import Outgoing
from idp.messaging.rules import Reason, Undelivered
from idp.messaging.sms import GatewayTransport, NoSms
from idp.vocabulary.secret import Secret

IDENTITY = UUID(int=77)


def send(server: HTTPServer, *, token: Secret | None = None) -> Undelivered | None:
    outgoing = Outgoing(demo=True)
    url = server.url_for("/sms").replace("127.0.0.1", "localhost")
    return GatewayTransport(url, token, outgoing).send("Ozark: hello", phone="+15555550100", identity=IDENTITY)


def test_one_post_carries_one_message(httpserver: HTTPServer):
    httpserver.expect_oneshot_request(
        "/sms",
        method="POST",
        json={"id": str(IDENTITY), "to": "+15555550100", "text": "Ozark: hello"},
        headers={"Authorization": "Bearer CNRY-token", "Idempotency-Key": str(IDENTITY)},
    ).respond_with_data("", status=202)
    assert send(httpserver, token=Secret("CNRY-token")) is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [(500, Reason.TRY_LATER), (503, Reason.TRY_LATER), (429, Reason.TRY_LATER), (401, Reason.TRY_LATER),
     (400, Reason.REJECTED), (422, Reason.REJECTED)],
)  # fmt: skip
def test_R_14_only_a_wrong_message_is_given_up(httpserver: HTTPServer, status: int, reason: Reason):
    httpserver.expect_request("/sms").respond_with_data("+15555550100 is bad", status=status)
    assert send(httpserver) == Undelivered(reason, f"gateway {status}")


def test_R_14_a_gateway_that_is_away_is_asked_again():
    gone = GatewayTransport("http://localhost:9/sms", None, Outgoing(demo=True))
    outcome = gone.send("hello", phone="+15555550100", identity=IDENTITY)
    assert isinstance(outcome, Undelivered)
    assert outcome.reason is Reason.TRY_LATER
    assert "5555550100" not in repr(gone) + outcome.detail


def test_without_a_gateway_no_message_waits():
    assert NoSms().send("hello", phone="+1", identity=IDENTITY) == Undelivered(
        Reason.REJECTED, "IDP_SMS_URL is not set"
    )
