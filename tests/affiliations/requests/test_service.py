"""Asking, looking, withdrawing, and what time does by itself, on both databases (B5, B8, C8, EN-16, RA-05)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from idp.affiliations import service as affiliations
from idp.affiliations.requests import budgets, rules, service, sweeping
from idp.affiliations.requests.models import AccessRequest, phone_context
from idp.affiliations.requests.rules import Cause, Reason, Status
from idp.affiliations.requests.service import Requester, Seen, Submitted
from idp.audit.models import AuditEvent
from idp.foundation import house, vault
from idp.foundation.database import db, reading, see_as, writing
from idp.keyring.service import Keyring
from idp.messaging import service as messaging
from idp.messaging.models import OutboxMessage
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.refused import Refused
from idp.worker.sweep import sweep
from tests.affiliations.pins.posted import portal
from tests.affiliations.registering.test_races import at_once
from tests.affiliations.requests.asking import HERE, JUNE, link_of, submit
from tests.console.staff_world import AUDITOR, REGISTRAR, staff

pytestmark = pytest.mark.both
HOURS_120 = timedelta(hours=120)


def mails(make: Any) -> list[tuple[str, str | None]]:
    rows = make.rows(OutboxMessage)
    return sorted(((row.notice, messaging.opened(row).payload.recipient.email) for row in rows), key=str)


def events(make: Any) -> list[tuple[str, str]]:
    rows = make.rows(AuditEvent)
    return [(row.type, row.outcome) for row in rows if row.type.startswith("access_request")]


def the_request(make: Any) -> AccessRequest:
    (row,) = make.rows(AccessRequest)
    return row


def swept(job: Any, *, now: Any) -> int:
    with writing() as tx:
        see_as(tx, everything=True)
        return job(tx, now=now, batch=10)


def test_B5_every_manager_is_mailed_at_once_and_the_requester_too(make: Any, now: Any) -> None:
    party, practice = portal(make), make.practice("981112223")
    provider = make.provider("100200300", practice=practice, tin="981112223")
    for name, target in (("lena.ortiz", provider), ("oscar.benitez", practice)):
        make.affiliation(make.subject(name), target, registry="heartland", account_manager=True)
    make.affiliation(make.subject("clerk"), provider)
    found = submit(party, provider.id, now=now)
    row = the_request(make)
    assert found == Submitted(row.id)
    assert (row.status, row.practice_id, row.escalated_at, row.subject_id) == ("pending", practice.id, None, None)
    sealed = vault.unseal(row.phone_sealed, keys=house.get(Keyring).vault, context=phone_context(row.id))
    assert sealed == b"+15555550199"
    assert mails(make) == [
        ("access_request_received", "June.Harwood@mail.test"),
        ("access_requested", "lena.ortiz@mail.test"),
        ("access_requested", "oscar.benitez@mail.test"),
    ]
    assert events(make) == [("access_requested", "ok")]


def test_B5_without_a_manager_the_payer_is_asked_and_the_requester_sees_no_difference(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    make.affiliation(
        make.subject(), provider, account_manager=True, last_used_at=None, activated_at=now - HOURS_120 * 30
    )
    found = submit(party, provider.id, now=now)
    assert isinstance(found, Submitted)
    assert mails(make) == [
        ("access_request_received", "June.Harwood@mail.test"),
        ("access_requested", "help@payer.test"),
    ]
    assert the_request(make).escalated_at == now


def test_EN_16_a_second_request_of_one_address_is_the_first_one(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    first = submit(party, provider.id, now=now)
    shouted = replace(JUNE, email="JUNE.HARWOOD@MAIL.TEST", given_name="Someone", family_name="Else")
    assert isinstance(first, Submitted)
    assert submit(party, provider.id, now=now, requester=shouted) == Submitted(first.request_id, repeated=True)
    assert len(make.rows(OutboxMessage)) == 2
    other = make.provider("100200301")
    assert isinstance(submit(party, other.id, now=now), Submitted), "another target is another request"
    assert events(make) == [("access_requested", outcome) for outcome in ("ok", "repeated", "ok")]


def test_EN_16_one_address_and_one_target_have_their_quota(
    make: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    party, provider = portal(make), make.provider("100200300")
    found = [submit(party, provider.id, now=now) for _ in range(11)]
    assert found[-1] == Refused(Reason.TOO_MANY)
    monkeypatch.setattr(budgets, "TARGET", replace(budgets.TARGET, name="small", limit=2))
    others = [replace(JUNE, email=f"stranger{n}@mail.test") for n in range(3)]
    target = make.provider("100200301")
    found = [submit(party, target.id, now=now, requester=each) for each in others]
    assert [isinstance(each, Submitted) for each in found] == [True, True, False]


def test_EN_16_an_inbox_takes_so_many_undecided_ones(make: Any, now: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "OPEN_A_TARGET", 2)
    party, provider = portal(make), make.provider("100200300")
    others = [replace(JUNE, email=f"stranger{n}@mail.test") for n in range(3)]
    found = [submit(party, provider.id, now=now, requester=each) for each in others]
    assert found[2] == Refused(Reason.INBOX_FULL)
    assert isinstance(submit(party, provider.id, now=now + HOURS_120, requester=others[2]), Submitted)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"email": "June@mail.test, boss@mail.test"}, Reason.BAD_EMAIL),
        ({"email": "ju\u212ae@mail.test"}, Reason.BAD_EMAIL),
        ({"position": "x" * 81}, Reason.TOO_LONG),
        ({"given_name": "x" * 81}, Reason.TOO_LONG),
    ],
)
def test_EN_09_what_does_not_fit_is_refused(make: Any, now: Any, changed: dict[str, str], reason: Reason) -> None:
    party, provider = portal(make), make.provider("100200300")
    assert submit(party, provider.id, now=now, requester=replace(JUNE, **changed)) == Refused(reason)


def test_B4_a_reason_has_500_characters_and_a_target_is_there_and_in_force(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    gone = make.provider("100200301", status="terminated")
    foreign = make.provider("100200302", registry_name="ozark")
    assert submit(party, provider.id, now=now, reason="x" * 501) == Refused(Reason.TOO_LONG)
    assert submit(party, gone.id, now=now) == Refused(Reason.NOT_IN_FORCE)
    assert submit(party, foreign.id, now=now) == Refused(Reason.UNKNOWN_TARGET)
    assert submit(party, provider.practice_id, kind=TargetKind.PRACTICE, now=now) != Refused(Reason.OTHER_TARGET)
    assert isinstance(submit(party, provider.id, now=now, reason="x" * 500), Submitted)


def test_X4_who_can_act_already_need_not_ask(make: Any, now: Any) -> None:
    party, person = portal(make), make.subject("june.harwood")
    weak, strong = make.provider("100200300"), make.provider("100200301")
    make.affiliation(person, weak, evidence="directory")
    make.affiliation(person, strong, evidence="letter")
    with reading() as tx:
        facts = subjects.by_id(tx, subject_id=person.id)
    assert facts is not None
    known = Requester.of(facts)
    assert submit(party, strong.id, now=now, requester=known) == Refused(Reason.ALREADY_HELD)
    assert isinstance(submit(party, weak.id, now=now, requester=known), Submitted), "its proof is too weak here"
    assert the_request(make).subject_id == person.id


def test_B8_the_link_shows_how_it_stands_whatever_the_sweep_did(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    submit(party, provider.id, now=now)
    token = link_of(make)
    seen = service.look(token, now=now + HOURS_120 - timedelta(seconds=1))
    assert isinstance(seen, Seen)
    assert (seen.asked.status, seen.target_name, seen.asked.decide_by) == (
        Status.PENDING, "DELGADO, ROSA", now + HOURS_120,
    )  # fmt: skip
    seen = service.look(token, now=now + HOURS_120)
    assert isinstance(seen, Seen)
    assert (seen.asked.status, seen.asked.cause) == (Status.DENIED, Cause.UNANSWERED)
    assert the_request(make).status == "pending", "looking wrote nothing"
    assert service.look(token, now=now + timedelta(days=31)) == Refused(Reason.DEAD_LINK)
    assert service.look("x" * 43, now=now) == Refused(Reason.DEAD_LINK)


def test_B8_withdrawn_once_and_not_after_the_end(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    submit(party, provider.id, now=now)
    token = link_of(make)
    assert service.withdraw(token, now=now + HOURS_120, origin=HERE) == Refused(Reason.NOT_PENDING)
    assert service.withdraw(token, now=now, origin=HERE) is None
    assert service.withdraw(token, now=now, origin=HERE) == Refused(Reason.NOT_PENDING)
    assert (the_request(make).status, the_request(make).version) == ("withdrawn", 2)
    assert isinstance(submit(party, provider.id, now=now), Submitted), "and may be made anew"


def test_B8_the_sweep_denies_mails_and_audits_once(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    submit(party, provider.id, now=now)
    assert swept(sweeping.deny_overdue, now=now + HOURS_120 - timedelta(seconds=1)) == 0
    end = now + HOURS_120
    assert [swept(sweeping.deny_overdue, now=end), swept(sweeping.deny_overdue, now=end)] == [1, 0]
    row = the_request(make)
    assert (row.status, row.cause, row.decided_by, row.decided_at) == ("denied", "unanswered", "system", end)
    assert ("access_request_denied", "June.Harwood@mail.test") in mails(make)
    assert events(make)[-1] == ("access_request_decided", "unanswered")


def test_B8_who_asks_again_after_the_window_is_denied_first_and_asked_anew(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    first = submit(party, provider.id, now=now)
    second = submit(party, provider.id, now=now + HOURS_120)
    assert isinstance(first, Submitted)
    assert isinstance(second, Submitted)
    assert {row.id: row.status for row in make.rows(AccessRequest)} == {
        first.request_id: "denied", second.request_id: "pending",
    }  # fmt: skip


def test_MODEL_10_managers_are_reminded_on_day_3_and_day_4(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    make.affiliation(make.subject("lena.ortiz"), provider, account_manager=True)
    submit(party, provider.id, now=now)
    counts = [swept(sweeping.remind, now=now + timedelta(hours=hours)) for hours in (71, 72, 73, 96, 97)]
    assert counts == [0, 1, 0, 1, 0]
    assert mails(make).count(("access_request_waiting", "lena.ortiz@mail.test")) == 2
    assert the_request(make).reminders == 2


def test_MODEL_10_of_missed_reminders_only_the_last_is_sent(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    make.affiliation(make.subject("lena.ortiz"), provider, account_manager=True)
    submit(party, provider.id, now=now)
    assert swept(sweeping.remind, now=now + timedelta(hours=100)) == 1
    assert swept(sweeping.remind, now=now + timedelta(hours=101)) == 0
    assert mails(make).count(("access_request_waiting", "lena.ortiz@mail.test")) == 1


def test_MODEL_10_when_the_last_manager_goes_the_payer_is_asked(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    manager = make.affiliation(make.subject("lena.ortiz"), provider, account_manager=True)
    submit(party, provider.id, now=now)
    assert swept(sweeping.escalate, now=now) == 0
    with writing() as tx:
        affiliations.change_status(
            tx, affiliation_id=manager.id, status=AffiliationStatus.ENDED, now=now, actor="system", origin=HERE
        )
    assert [swept(sweeping.escalate, now=now), swept(sweeping.escalate, now=now)] == [1, 0]
    assert ("access_requested", "help@payer.test") in mails(make)
    assert the_request(make).escalated_at == now
    assert events(make)[-1] == ("access_request_escalated", "ok")


def test_B5_without_a_help_address_the_registrars_are_mailed_and_only_what_was_told_is_escalated(
    make: Any, now: Any
) -> None:
    party, provider = portal(make, help={"phone": "555-0100"}), make.provider("100200300")
    assert isinstance(submit(party, provider.id, now=now), Submitted)
    assert swept(sweeping.escalate, now=now) == 0, "there is nobody to tell"
    assert the_request(make).escalated_at is None
    assert events(make) == [("access_requested", "ok")]
    staff(make, REGISTRAR)
    staff(make, AUDITOR)
    former = staff(make, REGISTRAR, login="former", factor=None)
    with writing() as tx:
        subjects.disable(tx, subject_id=former.id, actor="test", reason="left", now=now, origin=HERE)
    assert [swept(sweeping.escalate, now=now), swept(sweeping.escalate, now=now)] == [1, 0]
    assert the_request(make).escalated_at == now
    assert isinstance(submit(party, make.provider("100200301").id, now=now), Submitted)
    assert [row.escalated_at for row in make.rows(AccessRequest)] == [now, now], "told at once, as any manager is"
    told = [email for notice, email in mails(make) if notice == "access_requested"]
    assert told == ["nora.whitlock@mail.test"] * 2


def test_the_worker_s_sweep_does_all_of_it(make: Any, now: Any) -> None:
    party, provider = portal(make), make.provider("100200300")
    submit(party, provider.id, now=now)
    done = sweep(now=now + HOURS_120)
    assert done["requests_denied"] == 1
    assert {"requests_reminded", "requests_reopened", "requests_escalated", "claims_lapsed"} <= done.keys()


@pytest.mark.parametrize("race", range(5))
def test_RA_05_withdrawn_and_expired_at_once_ends_once(app: Any, make: Any, now: Any, race: int) -> None:
    party, provider = portal(make), make.provider("100200300")
    submit(party, provider.id, now=now)
    token, end = link_of(make), now + HOURS_120
    outcomes = at_once(
        app,
        lambda: swept(sweeping.deny_overdue, now=end),
        lambda: service.withdraw(token, now=end - timedelta(seconds=1), origin=HERE),
        lambda: swept(sweeping.deny_overdue, now=end),
    )
    assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
    row = the_request(make)
    assert row.status in ("denied", "withdrawn")
    assert row.version == 2
    assert len([each for each in events(make) if each[0] != "access_requested"]) == 1


@pytest.mark.parametrize("race", range(3))
def test_EN_16_the_same_request_four_times_at_once_is_one(app: Any, make: Any, now: Any, race: int) -> None:
    party, provider = portal(make), make.provider("100200300")
    outcomes = at_once(app, *[lambda: submit(party, provider.id, now=now)] * 4)
    assert all(isinstance(each, Submitted) for each in outcomes), outcomes
    assert len({each.request_id for each in outcomes}) == 1
    assert len(make.rows(AccessRequest)) == 1
    assert len(make.rows(OutboxMessage)) == 2


def test_AD_01_the_fence_shows_a_request_to_its_target_its_practice_and_its_requester(
    make: Any, now: Any, backend: Any
) -> None:
    party, practice = portal(make), make.practice("981112223")
    provider = make.provider("100200300", practice=practice, tin="981112223")
    submit(party, provider.id, now=now)

    def seen(**scope: Any) -> int:
        with db.engine.begin() as connection:
            see_as(connection, **scope)
            return connection.execute(text("SELECT count(*) FROM access_request")).scalar_one()

    fenced = backend.name == "postgres"
    assert seen(target_id=provider.id) == seen(target_id=practice.id) == 1
    assert seen(target_id=make.practice().id) == (0 if fenced else 1)
    assert seen(subject_id=make.subject().id) == (0 if fenced else 1)
