"""Ringing a phone through a push service of the test's own that opens what it is sent (RFC 8030, RFC 8291)."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import orjson
import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.authenticators.push import delivery, subscribing
from idp.authenticators.push.models import PushDelivery, PushPhone
from idp.authenticators.webauthn import base64url
from idp.foundation import house, web_push
from idp.foundation.outgoing import Outgoing
from idp.keyring import resealing
from idp.keyring.service import Keyring
from idp.sessions.models import BrowserSession
from idp.vocabulary.assurance import Factor
from idp.worker.ringing import ring_next
from tests.authenticators.receiving import Inbox
from tests.authenticators.second_factors import code_of, type_code
from tests.authenticators.software_phone import SoftwarePhone, connected
from tests.conftest import Hands
from tests.factories import Make
from tests.sign_in.visiting import come, send, step_of, walk

pytestmark = pytest.mark.both


class Service(HTTPServer):
    """A push service: keeps what it got, answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 201
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.server_port}/push/rosa"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def loopback(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the demo may call: this machine."""
    monkeypatch.setitem(app.extensions["credence"], Outgoing, Outgoing(demo=True))


@pytest.fixture
def rosa(make: Make) -> Any:
    make.client("ozark-secure")
    return make.subject("rosa.delgado", locale="en")


@pytest.fixture
def phone(make: Make, rosa: Any) -> SoftwarePhone:
    return connected(make, rosa)


def subscribe(
    client: FlaskClient,
    phone: SoftwarePhone,
    hands: Hands,
    inbox: Inbox,
    address: str,
    changed: dict[str, Any] | None = None,
) -> int:
    said = {"endpoint": address, "key": phone.look(client, hands.now)["ring"]} | inbox.keys | (changed or {})
    return phone.call(client, "subscription", hands.now, **said).status_code


def rung(hands: Hands) -> int:
    return ring_next(delivery.deliver, read_clock=lambda: hands.now)


@pytest.mark.usefixtures("loopback")
def test_a_phone_is_rung_with_words_that_only_it_can_read(
    client: FlaskClient, make: Make, hands: Hands, phone: SoftwarePhone, service: Service
) -> None:
    inbox = Inbox()
    assert subscribe(client, phone, hands, inbox, service.address) == 200
    (row,) = make.rows(PushPhone)
    assert service.address.encode() not in row.subscription_sealed
    assert phone.look(client, hands.now)["ring"] is None, "it is subscribed to the key in force"
    send(client, come(client), "send-form")
    assert (rung(hands), rung(hands)) == (1, 0)
    ((headers, body),) = service.got
    told = orjson.loads(inbox.open(body))
    assert told["title"] == "Is it you who signs in?" and "approve or deny" in told["body"]
    assert "Rosa" not in str(told) and "rosa" not in str(told)
    assert (headers["content-encoding"], headers["urgency"], headers["ttl"]) == ("aes128gcm", "high", "120")
    assert f"k={web_push.public_key(house.get(Keyring).push_key())}" in headers["authorization"]  # type: ignore[arg-type]
    (owed,) = make.rows(PushDelivery)
    assert owed.outcome == "delivered"


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize("status", [404, 410])
def test_who_is_gone_at_the_push_service_is_rung_no_more(
    client: FlaskClient, make: Make, hands: Hands, phone: SoftwarePhone, service: Service, status: int
) -> None:
    service.status = status
    subscribe(client, phone, hands, Inbox(), service.address)
    send(client, come(client), "send-form")
    rung(hands)
    (row,), (owed,) = make.rows(PushPhone), make.rows(PushDelivery)
    assert (row.subscription_sealed, row.push_kid, owed.outcome, owed.last_error) == (None, None, "dead", "gone")
    assert phone.look(client, hands.now)["request"] is not None, "the open app still answers"


@pytest.mark.usefixtures("loopback")
def test_a_push_service_that_is_down_is_tried_until_the_request_is_over(
    client: FlaskClient, make: Make, hands: Hands, phone: SoftwarePhone, service: Service
) -> None:
    service.status = 503
    subscribe(client, phone, hands, Inbox(), service.address)
    send(client, come(client), "send-form")
    assert (rung(hands), rung(hands)) == (1, 0)
    hands.forward(seconds=6)
    assert rung(hands) == 1
    hands.forward(seconds=115)
    assert rung(hands) == 1
    assert (len(service.got), make.rows(PushDelivery)[0].outcome) == (2, "dead")
    assert make.rows(PushPhone)[0].subscription_sealed is not None


@pytest.mark.usefixtures("loopback")
def test_R_16_without_the_push_service_the_other_ways_stand_open_and_none_is_skipped(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, phone: SoftwarePhone, service: Service
) -> None:
    make.affiliation(rosa, make.provider(registry_name="ozark"), levels=(("ozark-secure", "admin"),))
    _, secret = make.totp(rosa)
    service.status = 503
    subscribe(client, phone, hands, Inbox(), service.address)
    page = come(client)
    txn = page.request.path.rsplit("/second-factor", 1)[0]
    send(client, client.get(f"{txn}/second-factor/{Factor.PUSH}"), "send-form")
    assert rung(hands) == 1
    assert make.rows(PushDelivery)[0].outcome is None, "it is asked again later"
    assert step_of(walk(client, client.get(f"{txn}/resume"))) != "code"
    assert make.rows(BrowserSession) == []
    assert f"{txn}/second-factor/{Factor.TOTP}" in client.get(f"{txn}/second-factor/ways").text
    app = client.get(f"{txn}/second-factor/{Factor.TOTP}")
    assert step_of(type_code(client, app, code_of(secret, make.now))) == "code"


@pytest.mark.parametrize(
    "changed",
    [
        {"endpoint": "http://localhost:9/x"},
        {"endpoint": "https://127.0.0.1/x"},
        {"endpoint": "https://169.254.169.254/latest"},
        {"endpoint": "https://10.0.0.1/x"},
        {"endpoint": "ftp://push.example.net/x"},
        {"endpoint": "https://push.example.net/" + "x" * 2048},
        {"endpoint": None},
        {"p256dh": base64url.encode(b"\4" + bytes(64))},
        {"auth": "AAAA"},
        {"key": "BAAA"},
    ],
    ids=str,
)
def test_a_subscription_leads_to_the_public_internet_by_https_or_is_not_kept(
    client: FlaskClient, make: Make, hands: Hands, phone: SoftwarePhone, changed: dict[str, Any]
) -> None:
    assert subscribe(client, phone, hands, Inbox(), "https://push.example.net/x", changed) == 401
    assert make.rows(PushPhone)[0].subscription_sealed is None


def test_ST_05_a_subscription_moved_to_another_phone_does_not_open_and_is_resealed(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, phone: SoftwarePhone
) -> None:
    assert subscribe(client, phone, hands, Inbox(), "https://push.example.net/x") == 200
    (row,) = make.rows(PushPhone)
    ringing = subscribing.ringing(row)
    assert ringing is not None and ringing.receiver.endpoint == "https://push.example.net/x"
    assert "push_phone.subscription" in resealing.reseal()
