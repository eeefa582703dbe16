# ruff: noqa: F811 - fixtures are imported, and asked for by name
"""What ends a remembered browser, what a payer may set, and how one is found among ten thousand (C5, MF-21, RC-11)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, event, insert, text
from sqlalchemy.pool import NullPool

from idp.audit.models import AuditEvent
from idp.authenticators.remembered_devices import service as devices
from idp.authenticators.remembered_devices.models import RememberedDevice
from idp.cli import ground
from idp.foundation import house
from idp.foundation.artefacts import digest_of
from idp.foundation.database import db, new_id, reading, writing
from idp.foundation.origin import Origin
from idp.settings import Settings
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.vocabulary.secret import Secret
from tests.attacks.test_rc import NEW, links, use
from tests.attacks.test_rc import ask as forgot
from tests.authenticators.browsing import press
from tests.authenticators.second_factors import code_of
from tests.authenticators.test_remembered_devices import DEVICE, leave, remember, rosa  # noqa: F401 - a fixture
from tests.conftest import Hands
from tests.factories import Make
from tests.factories.make import PASSWORD
from tests.sign_in.visiting import ask, come, send, step_of

pytestmark = pytest.mark.both
ORIGIN = Origin("203.0.113.7", "request", "Firefox", None)


def reset(client: FlaskClient, _subject: Subject, _now: datetime) -> str:
    """By the link that is mailed, in this very browser."""
    forgot(client, "rosa.delgado")
    assert use(client, links()[-1]).status_code == 200
    return NEW


def restore(client: FlaskClient, _subject: Subject, _now: datetime) -> str:
    """What an operator runs when a backup was put back."""
    assert client.application.test_cli_runner().invoke(ground.bump, []).exit_code == 0
    return PASSWORD


def disable(_client: FlaskClient, subject: Subject, now: datetime) -> str:
    """And enable again."""
    by: dict[str, Any] = {"subject_id": subject.id, "actor": "system", "now": now, "origin": ORIGIN}
    with writing() as tx:
        subjects.disable(tx, reason="left", **by)
    with writing() as tx:
        subjects.enable(tx, **by)
    return PASSWORD


@pytest.mark.parametrize("end", [reset, restore, disable])
def test_MF_21_RC_11_after_a_reset_a_restore_or_a_disabling_the_factor_is_asked(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, end: Callable[..., str]
) -> None:
    remember(client, rosa[1], hands)
    assert step_of(come(client)) == "code"
    leave(client, hands)
    password = end(client, rosa[0], hands.now)
    assert client.get_cookie(DEVICE, domain="credence.test") is not None, "the browser still says who it was"
    page = send(client, ask(client), "login-form", username="rosa.delgado", password=password)
    assert step_of(page) == "totp"
    with writing() as tx:
        subject = tx.get(Subject, rosa[0].id)
        assert subject is not None
        assert devices.listed(tx, subject=subject, now=hands.now) == []


def test_MF_21_a_factor_that_its_owner_removes_forgets_every_device(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any
) -> None:
    old, _secret = make.totp(rosa[0], name="Old phone")
    remember(client, rosa[1], hands)
    assert len(make.rows(RememberedDevice)) == 1
    page = come(client, prompt="login")
    assert step_of(send(client, page, "factor-form", code=code_of(rosa[1], hands.now))) == "code"
    path = f"/account/factors/{old.id}/remove"
    assert press(client, client.get(path), path).location == "/account/factors?done=factor"
    assert make.rows(RememberedDevice) == []
    assert "device_forgotten" in {row.type for row in make.rows(AuditEvent)}
    leave(client, hands)
    assert step_of(come(client)) == "totp"


@pytest.fixture
def remembering(app: Flask) -> Iterator[Callable[[int], None]]:
    """The payer's IDP_REMEMBER_DEVICE in days."""
    settings = house.get(Settings)

    def days(number: int) -> None:
        house.furnish(app, settings.model_copy(update={"remember_device": timedelta(days=number)}))

    yield days
    house.furnish(app, settings)


def test_C5_where_no_days_are_set_nothing_is_offered_and_nothing_served(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, remembering: Callable[[int], None]
) -> None:
    remember(client, rosa[1], hands)
    offered = come(client, prompt="login")
    assert 'name="remember"' not in offered.text, "not where a sign-in is demanded anew"
    remembering(0)
    page = come(client)
    assert step_of(page) == "totp", "what was remembered before counts no longer"
    assert 'name="remember"' not in page.text
    client.delete_cookie(DEVICE, domain="credence.test")
    data = {"csrf_token": page.text.split('name="csrf_token" value="', 1)[1].split('"', 1)[0], "remember": "yes"}
    answer = client.post(
        page.request.path,
        data=data | {"code": code_of(rosa[1], hands.now)},
        headers={"Origin": "https://credence.test"},
    )
    assert not [value for value in answer.headers.getlist("Set-Cookie") if value.startswith(DEVICE)]
    assert len(make.rows(RememberedDevice)) == 1, "the one of before"


def test_C5_another_number_of_days_is_the_cookies_and_the_rows(
    client: FlaskClient, make: Make, hands: Hands, rosa: Any, remembering: Callable[[int], None]
) -> None:
    remembering(7)
    remember(client, rosa[1], hands)
    (row,) = make.rows(RememberedDevice)
    assert row.expires_at - row.remembered_at == timedelta(days=7)
    hands.forward(days=6, hours=23)
    assert step_of(come(client)) == "code"
    leave(client, hands)
    hands.forward(hours=1)
    assert step_of(come(client)) == "totp"


def ten_thousand(make: Make, now: datetime) -> list[tuple[str, Secret]]:
    """Devices of twenty people, and of each the value of one."""
    values, rows = [], []
    for _ in range(20):
        subject = make.subject()
        for number in range(500):
            value = Secret(f"{subject.id}-{number}")
            rows.append({
                "id": new_id(), "subject_id": subject.id, "digest": digest_of(value.reveal()), "rotated_at": now,
                "remembered_at": now, "last_used_at": now - timedelta(minutes=number),
                "expires_at": now + timedelta(days=30), "subject_epoch": subject.epoch, "system_epoch": 1,
                "user_agent": "Firefox", "address": "203.0.113.7",
            })  # fmt: skip
        values.append((subject.id, value))
    with writing() as tx:
        tx.execute(insert(RememberedDevice), rows)
    return values


def test_RX_one_of_ten_thousand_devices_is_found_or_missed_by_an_index(
    app: Flask, make: Make, settings: Settings, now: datetime
) -> None:
    subject_id, value = ten_thousand(make, now)[7]
    if not settings.sqlite:
        owner = create_engine(settings.database_owner_url, poolclass=NullPool)
        with owner.begin() as connection:
            connection.execute(text("ANALYZE remembered_device"))
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if "remembered_device" in statement:
            asked.append((statement, parameters))

    with reading() as tx:
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            hit = devices.known(tx, subject_id=subject_id, sent=(value,), now=now)
            miss = devices.known(tx, subject_id=subject_id, sent=(Secret("unknown"),), now=now)
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        assert (hit is not None, miss) == (True, None)
        explain = "EXPLAIN QUERY PLAN " if settings.sqlite else "EXPLAIN "
        plans = [str(tx.connection().exec_driver_sql(explain + each, given).all()) for each, given in asked]
    assert len(plans) >= 2
    for plan in plans:
        assert "Index" in plan or "USING INDEX" in plan, plan
        assert "Seq Scan" not in plan and "SCAN remembered_device" not in plan, plan
        sorts = "Sort" in plan or "TEMP B-TREE" in plan
        assert not sorts or "BitmapOr" in plan or "MULTI-INDEX OR" in plan, f"only what was found is sorted: {plan}"
