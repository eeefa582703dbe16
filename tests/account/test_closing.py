"""*Close my account*: what ends at once, who must stay, the way back, and what is deleted in the end (RC-14, RA-06)."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from idp.account.closing import service, sweeping
from idp.affiliations.models import Affiliation
from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.password.models import PasswordCredential
from idp.consent.models import Grant
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.migrations.tables import metadata
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession, LogoutDelivery
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import NewSubject
from idp.vocabulary.refused import Refused
from idp.vocabulary.staff import StaffRole
from idp.worker.sweep import sweep
from tests.account.contacting import change, disown, letters, newest, path_in, signed_in
from tests.attacks import test_rc as recovery
from tests.authenticators.browsing import post_form, sign_in
from tests.conftest import Hands
from tests.console.staff_world import give
from tests.factories import Make
from tests.races import race

pytestmark = pytest.mark.both
HERE = Origin.local("test")


def close(browser: Any, typed: str = "rosa.delgado") -> Any:
    return post_form(browser, browser.get("/account/close"), "close-form", confirm=typed)


def reopen(browser: Any, path: str) -> Any:
    return post_form(browser, browser.get(path), "reopen-form")


def audited(make: Make, *kinds: str) -> list[str]:
    return sorted(f"{each.type} {each.outcome}" for each in make.rows(AuditEvent) if each.type in kinds)


def managing(make: Make, *people: Subject) -> Any:
    """A practice that these people manage at a portal."""
    make.client("ozark-secure")
    practice = make.practice()
    make.group(practice=practice, registry_name="ozark")
    for each in people:
        make.affiliation(
            each, practice, registry="ozark", portal="ozark-secure", account_manager=True,
            levels=(("ozark-secure", "claims.inquiry"),),
        )  # fmt: skip
    return practice


def test_AU_10_everything_ends_at_once_and_the_way_back_is_mailed(new_browser: Any, make: Make) -> None:
    rosa = make.subject("rosa.delgado")
    make.client("ozark-secure")
    browser, other = signed_in(new_browser(), "rosa.delgado"), signed_in(new_browser(), "rosa.delgado")
    with reading() as tx:
        live = sessions.list_sessions(tx, subject_id=rosa.id, now=make.now)[0]
    make.grant(make.row(BrowserSession, live.id), "ozark-secure", offline=True)
    assert "What ends now" in browser.get("/account/close").text
    assert close(browser, "somebody.else").status_code == 422
    assert make.row(Subject, rosa.id).status == "active"
    closed = close(browser)
    assert closed.status_code == 200
    assert "Rosa Delgado" not in closed.text
    row = make.row(Subject, rosa.id)
    assert (row.status, row.disabled_reason, row.user_id, row.email) == (
        "disabled", "closed", "rosa.delgado", "rosa.delgado@mail.test",
    )  # fmt: skip
    assert [each.get("/account/profile").status_code for each in (browser, other)] == [303, 303]
    assert all(grant.revoked_at is not None for grant in make.rows(Grant))
    assert [each.client_id for each in make.rows(LogoutDelivery)] == ["ozark-secure"]
    assert [to for to, _ in letters("account_closed")] == ["rosa.delgado@mail.test"]
    assert audited(make, "account_closed") == ["account_closed not_typed", "account_closed ok"]
    assert sign_in(new_browser(), "rosa.delgado").status_code == 422


def test_RC_14_a_closed_account_gets_no_reset_and_its_names_are_nobody_elses(
    new_browser: Any, make: Make, hands: Hands
) -> None:
    rosa = make.subject("rosa.delgado")
    close(signed_in(new_browser(), "rosa.delgado"))
    recovery.ask(new_browser(), "rosa.delgado")
    assert recovery.links() == []
    with writing() as tx:
        for new in (
            NewSubject(user_id="Rosa.Delgado", email="other@mail.test", email_proven=True),
            NewSubject(user_id="other", email="rosa.delgado@mail.test", email_proven=True),
        ):
            assert isinstance(subjects.create(tx, new=new, actor="test", now=hands.now, origin=HERE), Refused)
        enabled = subjects.enable(tx, subject_id=rosa.id, actor="staff", now=hands.now, origin=HERE)
        assert isinstance(enabled, Refused)  # the owner alone opens it


def test_RC_09_the_mailed_link_opens_it_again_once_and_signs_nobody_in(
    new_browser: Any, make: Make, hands: Hands
) -> None:
    rosa = make.subject("rosa.delgado")
    close(signed_in(new_browser(), "rosa.delgado"))
    path, browser = path_in("account_closed"), new_browser()
    hands.forward(days=13)
    assert browser.get(path).status_code == 200
    assert make.row(Subject, rosa.id).status == "disabled"
    assert reopen(browser, path).status_code == 200
    assert make.row(Subject, rosa.id).status == "active"
    assert browser.get("/account/profile").status_code == 303
    assert browser.get(path).status_code == 410
    assert [to for to, _ in letters("account_reopened")] == ["rosa.delgado@mail.test"]
    assert audited(make, "account_reopened") == ["account_reopened ok"]
    signed_in(new_browser(), "rosa.delgado")
    hands.forward(days=10)
    assert sweep(now=hands.now)["accounts_wiped"] == 0


def test_MODEL_10_when_the_time_is_over_reading_decides_and_the_sweep_deletes(
    new_browser: Any, make: Make, hands: Hands
) -> None:
    rosa = make.subject("rosa.delgado")
    practice = managing(make, make.subject("ines.ortega"))
    held = make.affiliation(rosa, practice, registry="ozark", portal="ozark-secure")
    browser = signed_in(new_browser(), "rosa.delgado")
    make.totp(rosa)
    with writing() as tx:
        row = tx.get(Subject, rosa.id)
        assert row is not None
        service._end_everything(tx, row, now=hands.now, origin=HERE)
        subject = subjects.by_id(tx, subject_id=rosa.id)
        assert subject is not None
        service._mail(tx, subject, now=hands.now)
    assert browser.get("/account/profile").status_code == 303
    path = path_in("account_closed")
    hands.forward(days=15)
    assert new_browser().get(path).status_code == 410
    assert sweep(now=hands.now)["accounts_wiped"] == 1
    assert sweep(now=hands.now)["accounts_wiped"] == 0
    row = make.row(Subject, rosa.id)
    assert (row.email, row.user_id, row.given_name, row.family_name, row.profile) == (None, None, None, None, {})
    assert row.user_id_key == "rosa.delgado"
    assert [each for each in make.rows(HeldFactor) if each.subject_id == rosa.id] == []
    assert [each for each in make.rows(PasswordCredential) if each.subject_id == rosa.id] == []
    assert make.row(Affiliation, held.id).status == "ended"
    assert [to for to, _ in letters("access_ended")] == []
    assert audited(make, "account_wiped") == ["account_wiped ok"]
    with writing() as tx:
        new = NewSubject(user_id="rosa.delgado", email="later@mail.test", email_proven=True)
        assert isinstance(subjects.create(tx, new=new, actor="test", now=hands.now, origin=HERE), Refused)
        new = NewSubject(user_id="another", email="rosa.delgado@mail.test", email_proven=True)
        assert not isinstance(subjects.create(tx, new=new, actor="test", now=hands.now, origin=HERE), Refused)


def test_every_table_of_a_person_is_deleted_or_kept_for_a_reason() -> None:
    theirs = {
        table.name
        for table in metadata().tables.values()
        for column in table.columns
        if any(key.target_fullname == "subject.id" for key in column.foreign_keys)
    }
    deleted = {model.__table__.name for model in sweeping.DELETED}
    assert theirs == deleted | sweeping.KEPT


def test_RA_06_the_last_manager_stays_and_learns_who_could_take_over(new_browser: Any, make: Make) -> None:
    rosa, ines = make.subject("rosa.delgado"), make.subject("ines.ortega", given_name="Ines", family_name="Ortega")
    practice = managing(make, rosa)
    make.affiliation(ines, practice, registry="ozark", portal="ozark-secure")
    browser = signed_in(new_browser(), "rosa.delgado")
    page = browser.get("/account/close")
    assert "Somebody must take over first" in page.text
    assert "Ines Ortega" in page.text
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "confirm": "rosa.delgado"}
    answer = browser.post("/account/close", data=data, headers={"Origin": "https://credence.test"})
    assert answer.status_code == 422
    assert make.row(Subject, rosa.id).status == "active"
    assert audited(make, "account_closed") == ["account_closed last_manager"]


def test_RA_06_two_managers_who_leave_at_once_do_not_both_leave(
    app: Flask, new_browser: Any, make: Make, hands: Hands
) -> None:
    people = [make.subject(user) for user in ("rosa.delgado", "ines.ortega")]
    managing(make, *people)
    live = []
    for each in people:
        signed_in(new_browser(), str(each.user_id))
        with reading() as tx:
            live.append((sessions.list_sessions(tx, subject_id=each.id, now=hands.now)[0], str(each.user_id)))
    turns = iter(live)

    def leave() -> object:
        session, typed = next(turns)
        return service.close(session, typed=typed, now=hands.now, origin=HERE)

    outcomes = race(app, leave, threads=2)
    assert sum(isinstance(each, Refused) for each in outcomes) == 1
    with reading() as tx:
        assert len(tx.scalars(select(Subject.id).where(Subject.status == "active")).all()) == 1


def test_RC_15_who_took_the_address_does_not_close_the_account_for_good(
    new_browser: Any, make: Make, hands: Hands
) -> None:
    rosa = make.subject("rosa.delgado")
    thief = signed_in(new_browser(), "rosa.delgado")
    hands.forward(minutes=1)
    change(thief, "thief@mail.test")
    assert close(thief).status_code == 200
    assert {to for to, _ in letters("account_closed")} == {"thief@mail.test", "rosa.delgado@mail.test"}
    hands.forward(days=2)
    assert disown(new_browser(), newest("email_changed", "rosa.delgado@mail.test")).status_code == 200
    row = make.row(Subject, rosa.id)
    assert (row.status, row.email, row.closed_at) == ("active", "rosa.delgado@mail.test", None)
    assert [to for to, _ in letters("password_reset")] == ["rosa.delgado@mail.test"]


def test_MF_33_nobody_closes_an_account_without_a_fresh_proof(new_browser: Any, make: Make, hands: Hands) -> None:
    rosa = make.subject("rosa.delgado")
    browser = signed_in(new_browser(), "rosa.delgado")
    page = browser.get("/account/close")
    hands.forward(minutes=15)
    assert "fresh=1" in post_form(browser, page, "close-form", confirm="rosa.delgado").location
    assert "fresh=1" in browser.get("/account/close").location
    assert make.row(Subject, rosa.id).closed_at is None


def test_MODEL_7_who_serves_the_payer_keeps_the_account(new_browser: Any, make: Make) -> None:
    rosa = make.subject("rosa.delgado")
    give(make, rosa, StaffRole.AUDITOR)
    browser = signed_in(new_browser(), "rosa.delgado")
    assert "You serve the payer" in browser.get("/account/close").text
    assert make.row(Subject, rosa.id).status == "active"
