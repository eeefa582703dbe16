"""Secret questions at a forgotten password: behind the mailed link, added to it, only where a portal asks them (ruling 1)."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from idp.audit.models import AuditEvent
from idp.authenticators.recovery import service as recovery
from idp.foundation.database import writing
from idp.subjects import service as subjects
from tests.attacks.test_rc import ask, links, use
from tests.authenticators.browsing import signed_in
from tests.authenticators.test_challenge_questions import ANSWERS, ORIGIN, grouped, keep, prepared
from tests.conftest import Hands
from tests.factories import Make

pytestmark = pytest.mark.both
TEXT = {"en": "Register", "es": "Registrarse"}
NEW = "Orbit-walnut-kettle-77"
RIGHT = {f"answer_{number}": answer for number, answer in enumerate(ANSWERS, start=1)}
WRONG = RIGHT | {"answer_2": "Little Rock"}


def world(make: Make, *, asks: bool = True) -> Any:
    """Rosa, with three questions, and access at a portal that asks them or not."""
    steps = ["create_account + challenge_questions" if asks else "create_account", "verify_email"]
    make.client("ozark-secure", enrollment={"register": {"title": TEXT, "steps": steps}})
    rosa = make.subject("rosa.delgado")
    make.affiliation(rosa, make.provider(registry_name="ozark"), levels=(("ozark-secure", "admin"),))
    keep(rosa, prepared(grouped()), now=make.now)
    return rosa


def outcomes(make: Make) -> list[str]:
    return [each.outcome for each in make.rows(AuditEvent) if each.type == "challenge_answered"]


def test_ruling_1_the_link_alone_is_not_enough_and_neither_are_the_answers(client: FlaskClient, make: Make) -> None:
    world(make)
    assert "first pet" not in ask(client, "rosa.delgado").text, "nothing is shown before the mailed link"
    [link] = links()
    page = client.get(link)
    assert "What was your first pet called?" in page.text
    for given in ({}, WRONG):
        refused = use(client, link, **given)
        assert refused.status_code == 422
        assert "The answers are not right" in refused.text
        assert "Little Rock" not in refused.text
    assert use(client, link, **RIGHT).status_code == 200
    assert outcomes(make) == ["wrong_answer", "wrong_answer", "ok"]
    signed_in(client, "rosa.delgado", NEW)


def test_ruling_1_answers_are_counted_apart_from_a_strangers_guesses(
    client: FlaskClient, new_browser: Any, make: Make, hands: Hands
) -> None:
    world(make)
    ask(client, "rosa.delgado")
    [link] = links()
    for _ in range(5):
        use(client, link, **WRONG)
    assert "Too many wrong answers" in use(client, link, **RIGHT).text
    signed_in(new_browser(), "rosa.delgado")
    hands.forward(minutes=15)
    ask(client, "rosa.delgado")
    assert use(client, links()[-1], **RIGHT).status_code == 200


def test_RC_21_where_no_portal_of_theirs_asks_them_nobody_is_asked(client: FlaskClient, make: Make) -> None:
    world(make, asks=False)
    ask(client, "rosa.delgado")
    [link] = links()
    assert "first pet" not in client.get(link).text
    assert use(client, link).status_code == 200
    assert outcomes(make) == []


def started(make: Make, rosa: Any, actor: str, **more: Any) -> str:
    with writing() as tx:
        subject = subjects.by_id(tx, subject_id=rosa.id)
        assert subject is not None
        recovery.start_for(tx, subject=subject, actor=actor, now=make.now, origin=ORIGIN, **more)
    return str(links()[-1])


def test_X5_a_link_that_the_help_desk_sent_to_a_checked_caller_asks_none(client: FlaskClient, make: Make) -> None:
    link = started(make, world(make), "staff:one", caller_checked=True)
    assert "first pet" not in client.get(link).text
    assert use(client, link).status_code == 200


def test_ruling_1_a_link_that_a_manager_or_a_phone_had_sent_asks_them(client: FlaskClient, make: Make) -> None:
    """Who reads the practice's mail, and manages it, gets no further than anybody who reads that mail."""
    rosa = world(make)
    for actor in ("a-manager", rosa.id):
        link = started(make, rosa, actor)
        assert "first pet" in client.get(link).text
        assert use(client, link).status_code == 422
