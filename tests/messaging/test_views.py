"""The demo's outbox page, and that production has none."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.foundation import house
from idp.foundation.outgoing import Outgoing
from idp.messaging.delivery import Delivery
from idp.settings import Settings
from idp.worker.service import send_next
from tests.messaging.letters import BY_PHONE, URL, owe


@pytest.fixture
def demo(house_app: Callable[..., Flask]) -> Flask:
    return house_app(mode="demo", issuer="http://localhost:8000", smtp_url=None)


def send_all(now: datetime) -> None:
    delivery = Delivery.of(house.get(Settings), outgoing=house.get(Outgoing))
    while send_next(delivery, read_clock=lambda: now):
        pass


def get(app: Flask, path: str) -> object:
    return app.test_client().get(path, base_url="http://localhost:8000")


@pytest.mark.parametrize("path", ["/dev/outbox", f"/dev/outbox/{UUID(int=7)}", f"/dev/outbox/{UUID(int=7)}/html"])
def test_production_has_no_outbox_page(client: FlaskClient, path: str):
    assert client.get(path).status_code == 404


def test_an_empty_outbox_says_what_belongs_there(demo: Flask):
    page = get(demo, "/dev/outbox")
    assert page.status_code == 200  # type: ignore[attr-defined]
    assert "No messages yet" in page.text  # type: ignore[attr-defined]


def test_messages_stand_newest_first_with_their_links(demo: Flask, now: datetime):
    first, second, third = owe(now, notice="password_changed"), owe(now), owe(now, recipient=BY_PHONE)
    send_all(now)
    page = get(demo, "/dev/outbox").text  # type: ignore[attr-defined]
    assert page.index(str(third)) < page.index(str(second)) < page.index(str(first))
    opened = get(demo, f"/dev/outbox/{second}").text  # type: ignore[attr-defined]
    assert f'<a href="{URL}">' in opened
    assert "rosa@practice.test" in opened
    assert get(demo, f"/dev/outbox/{third}/html").status_code == 404  # type: ignore[attr-defined]
    assert get(demo, f"/dev/outbox/{uuid4()}").status_code == 404  # type: ignore[attr-defined]


def test_D9_the_html_part_is_shown_in_a_sandbox_of_its_own(demo: Flask, now: datetime):
    identity = owe(now)
    send_all(now)
    part = get(demo, f"/dev/outbox/{identity}/html")
    policy = part.headers["Content-Security-Policy"]  # type: ignore[attr-defined]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_kept_messages_are_for_the_owner_s_eyes(demo: Flask, now: datetime):
    owe(now)
    send_all(now)
    folder = Path(house.get(Settings).data_dir) / "outbox"
    assert folder.stat().st_mode & 0o077 == 0
    assert [path.stat().st_mode & 0o077 for path in folder.iterdir()] == [0]
