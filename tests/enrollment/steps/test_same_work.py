"""EN-04 by work, not by clock (ruling 12): every mismatch costs the same statements, whichever field was wrong."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from idp.directory.models import Provider
from idp.foundation.database import db
from tests.authenticators.browsing import signed_in
from tests.directory.files import GROUP, MEMBER, PARTNER, PRACTITIONER, taken
from tests.enrollment.steps.test_associate_provider import CLINIC, ONE
from tests.enrollment.worlds import open_ceremony, portal, send
from tests.factories import Make

TERMS = {"accepts": "directory", "accepts_for_manager": "directory"}


def statements(work: Callable[[], object]) -> list[str]:
    """What a request asks of the database, in order."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return said


def costs(client: FlaskClient, right: dict[str, str], wrongs: list[dict[str, str]]) -> list[list[str]]:
    page = open_ceremony(client)
    send(client, page, **right | wrongs[0])  # what is read once is read
    return [statements(lambda wrong=wrong: send(client, page, **right | wrong)) for wrong in wrongs]  # type: ignore[misc]


def test_EN_04_A2_a_wrong_ZIP_an_unknown_number_and_nonsense_cost_the_same(
    client: FlaskClient, make: Make, now: datetime
) -> None:
    portal(
        make,
        "identify_trading_partner",
        "create_account",
        "verify_email",
        portal=TERMS | {"acting_for": ["trading_partner"]},
    )
    taken([PARTNER], format_name="trading-partners", now=now)
    right = {"zip_code": "65801", "trading_partner_id": "TP000001"}
    first, *others = costs(
        client, right, [{"zip_code": "65802"}, {"trading_partner_id": "TP999999"}, {"zip_code": "?"}]
    )
    assert len(first) > 5 and all(each == first for each in others)


@pytest.mark.parametrize("picked", [None, "123456789"])
def test_EN_04_E0_a_wrong_TIN_a_wrong_ZIP_and_nonsense_cost_the_same(
    client: FlaskClient, make: Make, now: datetime, picked: str | None
) -> None:
    taken([PRACTITIONER, GROUP, MEMBER], now=now)
    before = ["find_provider"] if picked else []
    kinds = ["provider"] if picked else ["practice"]
    portal(make, *before, "claim_practice", "create_account", "verify_email", portal=TERMS | {"acting_for": kinds})
    if picked:
        record = next(row for row in make.rows(Provider) if row.provider_id == picked)
        send(client, open_ceremony(client), provider=str(record.id))
    right = {"tin": "666025841" if picked else "079990001", "zip_code": "06002"}
    first, *others = costs(
        client, right, [{"zip_code": "65802"}, {"tin": "999999999"}, {"tin": "?"}, {"zip_code": "?"}]
    )
    assert len(first) > 5 and all(each == first for each in others)


@pytest.mark.parametrize(
    ("right", "wrongs"),
    [
        (ONE, ["practitioner_first_name", "practitioner_tin", "practitioner_provider_id", "practitioner_zip_code"]),
        (CLINIC, ["group_name", "group_tin", "group_provider_id", "group_zip_code"]),
    ],
)
def test_EN_04_EN_06_C6_each_wrong_field_costs_the_same_whoever_manages(
    client: FlaskClient, make: Make, now: datetime, right: dict[str, str], wrongs: list[str]
) -> None:
    taken([PRACTITIONER, GROUP, MEMBER], now=now)
    steps = ("create_account", "verify_email", "associate_provider")
    portal(make, *steps, portal=TERMS | {"acting_for": ["provider", "practice"]})
    record = next(row for row in make.rows(Provider) if row.provider_id == "123456789")
    make.affiliation(make.subject("rosa.delgado"), record, account_manager=True, evidence="payer")
    make.subject("june.harwood")
    signed_in(client, "june.harwood")
    send(client, open_ceremony(client))
    first, *others = costs(client, right, [{name: "999999999"} for name in wrongs])
    assert len(first) > 5 and all(each == first for each in others)
