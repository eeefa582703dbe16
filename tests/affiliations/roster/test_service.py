"""The roster changes: who can no longer act reads suspended, and what they hold dies in the same transaction."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import select

from idp.affiliations.deciding.moving import _new_target
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.directory.imports.days import sweeping as days
from idp.directory.models import Practice, Provider
from idp.foundation.database import db, reading, see_as, writing
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.sessions.models import LogoutDelivery, Participant
from tests.directory.files import GROUP, MEMBER, OFF, PERSON_NPI, PRACTITIONER, taken
from tests.factories import Make

pytestmark = pytest.mark.both

ENDED = {"status": "terminated", "end_date": "2026-02-15"}
NEWCOMER = PRACTITIONER | {
    "provider_id": "555555555", "npi": "1982607537", "legal_name": "Quentin Marchetti", "last_name": "Marchetti",
    "first_name": "Quentin", "effective_date": "2026-03-01",
}  # fmt: skip


@pytest.fixture(autouse=True)
def roster(app: object, now: datetime) -> None:
    taken([GROUP, MEMBER, PRACTITIONER], now=now)


def provider(number: str) -> Provider:
    with reading() as tx:
        return tx.execute(select(Provider).where(Provider.provider_id == number)).scalar_one()


def practice_of(number: str) -> Practice:
    with reading() as tx:
        return tx.get_one(Practice, provider(number).practice_id)


def epoch(row: Affiliation) -> int:
    with reading() as tx:
        see_as(tx, everything=True)
        return tx.execute(select(Affiliation.epoch).where(Affiliation.id == row.id)).scalar_one()


def reasons() -> list[str]:
    with reading() as tx:
        query = select(AuditEvent.details).where(AuditEvent.type == "affiliation_changed").order_by(AuditEvent.id)
        return [details["roster"] for details in tx.execute(query).scalars()]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (ENDED, "provider_ended"),
        ({"tin": "666025842"}, "tin_changed"),
        ({"zip_codes": "06010"}, None),
        ({"legal_name": "Inés Roos"}, None),
    ],
)
def test_MODEL_10_a_record_that_ends_or_moves_cuts_its_people_off(
    make: Make, now: datetime, changed: dict[str, str], reason: str | None
):
    its = make.affiliation(make.subject(), provider("123456789"), registry="ozark")
    others = make.affiliation(make.subject(), provider("222222222"), registry="ozark")
    pending = make.affiliation(make.subject(), provider("123456789"), registry="ozark", status="unverified")
    taken([PRACTITIONER | changed], now=now + timedelta(days=1))
    assert epoch(its) == (2 if reason else 1)
    assert (epoch(others), epoch(pending)) == (1, 1)
    assert reasons() == ([reason] if reason else [])


def test_MODEL_10_a_deactivated_npi_cuts_its_people_off_once(make: Make, now: datetime):
    its = make.affiliation(make.subject(), provider("123456789"), registry="ozark")
    taken([OFF], "nppes", now=now)
    taken([OFF], "nppes", now=now)
    assert (epoch(its), reasons()) == (2, ["npi_deactivated"])
    taken([PERSON_NPI | {"Last Update Date": "02/05/2026"}], "nppes", now=now)
    assert epoch(its) == 2


def test_MODEL_10_a_practice_is_cut_off_with_its_last_record_only(make: Make, now: datetime):
    its = make.affiliation(make.subject(), practice_of("000042"), registry="ozark")
    taken([MEMBER | ENDED], now=now)
    assert epoch(its) == 1
    taken([GROUP | ENDED], now=now)
    assert (epoch(its), reasons()) == (2, ["provider_ended"])


def test_MODEL_10_nobody_follows_a_tin_to_its_new_owner(make: Make, now: datetime):
    practice = practice_of("123456789")
    its = make.affiliation(make.subject(), practice, registry="ozark")
    taken([PRACTITIONER | ENDED, NEWCOMER], now=now + timedelta(days=1))
    assert practice_of("555555555").id != practice.id
    assert (epoch(its), reasons()) == (2, ["practice_retired"])


def test_MODEL_10_a_full_file_cuts_off_who_is_no_longer_in_it(make: Make, now: datetime):
    its = make.affiliation(make.subject(), provider("123456789"), registry="ozark")
    taken([GROUP, MEMBER], now=now, full=lambda *_: True)
    assert (epoch(its), reasons()) == (2, ["provider_ended"])


def told(make: Make) -> list[tuple[str, str | None, str, object]]:
    owed = [messaging.opened(row) for row in make.rows(OutboxMessage)]
    return sorted(
        (
            each.notice,
            each.payload.recipient.email,
            str(each.payload.context["target"]),
            each.payload.context.get("people"),
        )
        for each in owed
    )


def test_MODEL_10_who_is_cut_off_is_told_and_the_practice_s_managers_once(make: Make, now: datetime):
    make.client("ozark-secure", portal={"registry": "ozark"})
    practice = practice_of("222222222")
    head, anna, bert = (make.subject(name) for name in ("head.helen", "anna.abel", "bert.bond"))
    make.affiliation(head, practice, registry="ozark", account_manager=True, portal="ozark-secure", evidence="payer")
    for who in (anna, bert):
        make.affiliation(who, provider("222222222"), registry="ozark")
    make.affiliation(make.subject(), provider("222222222"), registry="ozark", status="unverified")
    statements: list[str] = []

    def note(_c: object, _cur: object, statement: str, *_more: object) -> None:
        if statement.startswith("INSERT INTO outbox"):
            statements.append(statement)

    sql_event.listen(db.engine, "before_cursor_execute", note)
    try:
        taken([MEMBER | ENDED], now=now)
    finally:
        sql_event.remove(db.engine, "before_cursor_execute", note)
    name = provider("222222222").legal_name
    assert told(make) == [
        ("access_suspended", "anna.abel@mail.test", name, None),
        ("access_suspended", "bert.bond@mail.test", name, None),
        ("people_suspended", "head.helen@mail.test", practice.name, 2),
    ]
    assert len(statements) == 1, "one for the batch, however many are concerned"
    taken([MEMBER | ENDED], now=now)
    assert len(told(make)) == 3, "told once"


def test_MODEL_10_a_practice_cut_off_tells_its_manager_as_one_of_its_people(make: Make, now: datetime):
    head = make.subject("head.helen")
    make.affiliation(head, practice_of("123456789"), registry="ozark", account_manager=True)
    taken([PRACTITIONER | ENDED, NEWCOMER], now=now + timedelta(days=1))
    assert [(notice, email) for notice, email, *_ in told(make)] == [("access_suspended", "head.helen@mail.test")]


BACK = {"status": "active", "end_date": ""}


def test_MODEL_10_who_was_told_of_the_suspension_is_told_of_the_return_and_nobody_else(make: Make, now: datetime):
    make.client("ozark-secure", portal={"registry": "ozark"})
    practice = practice_of("222222222")
    head, anna, bert, cleo = (make.subject(name) for name in ("head.helen", "anna.abel", "bert.bond", "cleo.cruz"))
    make.affiliation(head, practice, registry="ozark", account_manager=True, portal="ozark-secure", evidence="payer")
    its = make.affiliation(anna, provider("222222222"), registry="ozark")
    unused = now - timedelta(days=91)
    make.affiliation(bert, provider("222222222"), registry="ozark", activated_at=unused, last_used_at=unused)
    taken([MEMBER | ENDED], now=now)
    make.affiliation(cleo, provider("222222222"), registry="ozark")
    raised = epoch(its)
    for _ in range(2):
        taken([MEMBER | BACK], now=now + timedelta(hours=1))
    assert [each for each in told(make) if each[0].endswith("_restored")] == [
        ("access_restored", "anna.abel@mail.test", provider("222222222").legal_name, None),
        ("people_restored", "head.helen@mail.test", practice.name, 1),
    ]
    assert epoch(its) == raised, "nothing that died comes back with it"
    assert reasons()[-1] == "provider_restored"
    taken([MEMBER | ENDED], now=now + timedelta(hours=2))
    taken([MEMBER | BACK], now=now + timedelta(hours=3))
    again = [notice for notice, *_ in told(make)]
    assert again.count("access_restored") == 3, "Anna twice; Cleo, who was told by then, once"


def test_MODEL_10_a_practice_listed_again_tells_its_people(make: Make, now: datetime):
    anna = make.subject("anna.abel")
    make.affiliation(anna, practice_of("123456789"), registry="ozark")
    taken([PRACTITIONER | ENDED], now=now)
    assert [notice for notice, *_ in told(make)] == ["access_suspended"]
    taken([PRACTITIONER | BACK], now=now + timedelta(hours=1))
    assert sorted(notice for notice, *_ in told(make)) == ["access_restored", "access_suspended"]


def test_MODEL_10_who_was_cut_off_once_is_not_told_of_what_never_cut_them_off(make: Make, now: datetime):
    make.affiliation(make.subject("anna.abel"), practice_of("222222222"), registry="ozark")
    both = [GROUP, MEMBER]
    taken([each | ENDED for each in both], now=now)
    taken([each | BACK for each in both], now=now + timedelta(hours=1))
    assert [notice for notice, *_ in told(make)].count("access_restored") == 1
    taken([MEMBER | ENDED], now=now + timedelta(hours=2))
    taken([MEMBER | BACK], now=now + timedelta(hours=3))
    assert [notice for notice, *_ in told(make)].count("access_restored") == 1, "the group was listed all the while"


GONE = PRACTITIONER | {"provider_id": "777777777", "npi": "1982607537", "legal_name": "Old Olaf", **ENDED}
LATER = {"provider_id": "888888888", "npi": "1982607537", "effective_date": "2035-01-01"}


@pytest.mark.parametrize(
    ("beside", "registry", "reason"),
    [
        (None, "ozark", "practice_merged"),
        (GONE, "ozark", "practice_merged"),
        (PRACTITIONER, "heartland", "practice_merged"),
        (PRACTITIONER | LATER, "ozark", "tin_changed"),
    ],
    ids=["alone", "beside a terminated row", "beside another registry's", "beside one to come"],
)
def test_MODEL_10_when_the_last_record_moves_its_practice_s_people_are_cut_off_and_told(
    make: Make, now: datetime, beside: dict[str, str] | None, registry: str, reason: str
):
    if beside is not None:
        taken([beside], now=now, registry=registry)
    with reading() as tx:
        its_id = tx.execute(
            select(Provider.practice_id).where(Provider.provider_id == "123456789", Provider.registry_name == "ozark")
        ).scalar_one()
        practice = tx.get_one(Practice, its_id)
    its = make.affiliation(make.subject("anna.abel"), practice, registry="ozark")
    elsewhere = make.affiliation(make.subject("bert.bond"), practice, registry="heartland")
    taken([PRACTITIONER | {"tin": "666025842"}], now=now + timedelta(days=1))
    assert (epoch(its), epoch(elsewhere), reasons()) == (2, 1, [reason])
    assert [(notice, email) for notice, email, *_ in told(make)] == [("access_suspended", "anna.abel@mail.test")]
    with reading() as tx:
        see_as(tx, everything=True)
        moves = [_new_target(tx, tx.get_one(Affiliation, each.id)) for each in (its, elsewhere)]
        new = tx.execute(
            select(Provider.practice_id).where(Provider.provider_id == "123456789", Provider.registry_name == "ozark")
        ).scalar_one()
    assert moves == [new if reason == "practice_merged" else None, None]


def test_MODEL_10_who_is_cut_off_already_hears_nothing_when_the_ended_record_moves(make: Make, now: datetime):
    its = make.affiliation(make.subject(), practice_of("123456789"), registry="ozark")
    taken([PRACTITIONER | ENDED], now=now)
    taken([PRACTITIONER | ENDED | {"tin": "666025842"}], now=now + timedelta(days=1))
    assert (epoch(its), reasons()) == (2, ["provider_ended"])


def on(day: datetime) -> int:
    """What the sweep does on the day."""
    with writing() as tx:
        see_as(tx, everything=True)
        return days.tell_due(tx, now=day, batch=100)


@pytest.mark.parametrize("deactivated", [False, True])
def test_MODEL_10_who_is_cut_off_by_a_day_that_was_announced_is_told_on_it_as_by_a_file(
    make: Make, now: datetime, deactivated: bool
):
    make.client("ozark-secure", portal={"registry": "ozark"})
    practice, day = practice_of("222222222"), now + timedelta(days=3)
    head, anna = make.subject("head.helen"), make.subject("anna.abel")
    make.affiliation(head, practice, registry="ozark", account_manager=True, portal="ozark-secure", evidence="payer")
    its = make.affiliation(anna, provider("222222222"), registry="ozark")
    session, _secret = make.session(anna)
    with writing() as tx:
        acting = {"session_id": session.id, "affiliation_id": its.id, "sub": "anna", "joined_at": now}
        tx.add(Participant(client_id="ozark-secure", **acting))
    if deactivated:
        taken([OFF | {"NPI Deactivation Date": "03/05/2026"}], "nppes", now=now)
    else:
        taken([MEMBER | {"end_date": "2026-03-05"}], now=now)
    assert on(day - timedelta(days=1)) == 0
    assert (epoch(its), reasons(), told(make)) == (1, [], [])
    for _ in range(2):
        on(day)
    assert (epoch(its), [row.client_id for row in make.rows(LogoutDelivery)]) == (2, ["ozark-secure"])
    name, notices = provider("222222222").legal_name, [each[:2] for each in told(make)]
    if deactivated:  # of all three records: the manager's practice has nobody in force either
        assert reasons() == ["npi_deactivated"] * 2
        assert notices == [("access_suspended", f"{who}@mail.test") for who in ("anna.abel", "head.helen")]
        return
    assert reasons() == ["provider_ended"]
    assert notices == [("access_suspended", "anna.abel@mail.test"), ("people_suspended", "head.helen@mail.test")]
    taken([MEMBER], now=day + timedelta(days=1))
    assert [each for each in told(make) if each[0].endswith("_restored")] == [
        ("access_restored", "anna.abel@mail.test", name, None),
        ("people_restored", "head.helen@mail.test", practice.name, 1),
    ]


def test_MODEL_10_who_was_cut_off_by_a_beginning_put_off_is_told_on_its_day(make: Make, now: datetime):
    its = make.affiliation(make.subject("anna.abel"), practice_of("123456789"), registry="ozark")
    taken([PRACTITIONER | {"effective_date": "2026-03-05"}], now=now)
    for _ in range(2):
        on(now + timedelta(days=3))
    assert sorted(notice for notice, *_ in told(make)) == ["access_restored", "access_suspended"]
    assert (epoch(its), reasons()) == (2, ["provider_ended", "provider_restored"])
