"""A person's history at a target, as the payer's registrars and auditors read it (E9; MODEL §7)."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.affiliations.deciding.models import Comment
from idp.affiliations.deciding.rules import Act
from idp.console.directory import comments
from tests.affiliations.deciding.world import World
from tests.attacks.strings import POLYGLOTS
from tests.console.staff_world import ADMINISTRATOR, AUDITOR, HELP_DESK, REGISTRAR, enter_as, staff
from tests.factories import Make

pytestmark = pytest.mark.both


@pytest.fixture
def world(make: Any, now: Any) -> World:
    return World(make, now)


def said(make: Make, row: Any, *texts: str, author: str) -> None:
    for number, text in enumerate(texts, start=1):
        make._save(Comment(affiliation_id=row.id, target_id=row.target_id, number=number, action="comment", text=text,
                           author=author, at=make.now))  # fmt: skip


@pytest.mark.parametrize("role", [REGISTRAR, AUDITOR])
def test_MODEL_7_E9_registrar_and_auditor_read_a_person_s_comments(
    client: FlaskClient, make: Make, world: World, role: Any
) -> None:
    row, person = world.member(), staff(make, role)
    said(make, row, *POLYGLOTS[:2], author=f"staff:{person.id}")
    world.do(Act.SET_LEVELS, row, levels=("claims.submit",))
    enter_as(client, make, person)
    address = f"/console/directory/people/{row.id}"
    way = address if role is AUDITOR else f"/console/registrants/{row.id}"
    assert way in client.get(f"/console/directory/providers/{world.provider.id}").text
    assert address in client.get(way).text or role is AUDITOR
    page = client.get(address)
    assert page.status_code == 200
    assert f"/console/directory/providers/{world.provider.id}" in page.text
    assert re.findall(r"no\. (\d)", page.text) == ["3", "2", "1"]
    assert f"{person.given_name} {person.family_name}" in page.text
    assert "Lena Ortiz" in page.text and "+ claims.submit" in page.text
    assert not any(evil in page.text for evil in POLYGLOTS[:2]), "AD-15: what was written is text"


@pytest.mark.parametrize("role", [HELP_DESK, ADMINISTRATOR])
def test_MODEL_7_nobody_else_of_the_payer_reads_them(client: FlaskClient, make: Make, world: World, role: Any) -> None:
    row = world.member()
    said(make, row, "between managers", author=world.lena.id)
    enter_as(client, make, staff(make, role))
    answer = client.get(f"/console/directory/people/{row.id}")
    assert answer.status_code == 403
    assert "between managers" not in answer.text


def test_AD_24_the_comments_are_paged(
    client: FlaskClient, make: Make, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "A_PAGE", 2)
    row = world.member()
    said(make, row, "1", "2", "3", author="system")
    enter_as(client, make, staff(make, AUDITOR))
    address = f"/console/directory/people/{row.id}"
    first = client.get(address).text
    assert (re.findall(r"no\. (\d)", first), f"{address}?before=2" in first) == (["3", "2"], True)
    second = client.get(f"{address}?before=2").text
    assert (re.findall(r"no\. (\d)", second), ">Older<" in second, ">Newest<" in second) == (["1"], False, True)
    assert client.get(f"{address}?before=x").text.count("no. ") == 2
    assert client.get(f"/console/directory/people/{world.provider.id}").status_code == 404
