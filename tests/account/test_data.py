"""*Download my data*, the profile that may be changed, and who gave what (RC-15 proofs, AU-01, D5)."""

import json
from typing import Any

import pytest
from sqlalchemy import event

from idp.account.data import collecting
from idp.affiliations.models import AffiliationEvidence, HeldLevel
from idp.audit.models import AuditEvent
from idp.authenticators.challenge_questions import service as questions
from idp.authenticators.challenge_questions.rules import Chosen
from idp.authenticators.challenge_questions.words import QUESTIONS
from idp.authenticators.site_key import service as site_keys
from idp.authenticators.site_key.rules import PICTURES
from idp.foundation.database import db, reading, writing
from idp.foundation.origin import Origin
from idp.sessions import notices
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret
from tests.account.contacting import letters, signed_in
from tests.authenticators.browsing import post_form
from tests.conftest import Hands
from tests.factories import Make

pytestmark = pytest.mark.both
PICTURE = sorted(PICTURES)[0]


def download(browser: Any) -> Any:
    return post_form(browser, browser.get("/account/data"), "data-form")


def worked_at(make: Make, rosa: Subject, ines: Subject, number: int = 1) -> None:
    """Practices where Ines manages and gave Rosa access."""
    for _ in range(number):
        practice = make.practice()
        make.group(practice=practice, registry_name="ozark")
        make.affiliation(ines, practice, registry="ozark", account_manager=True)
        row = make.affiliation(rosa, practice, registry="ozark", evidence="manager")
        give(make, row, ines)


def give(make: Make, row: Any, by: Subject) -> None:
    make._save(AffiliationEvidence(affiliation_id=row.id, kind="manager", portal="ozark-secure", at=make.now, by=by.id))
    make._save(HeldLevel(affiliation_id=row.id, portal="ozark-secure", level="claims.inquiry", at=make.now, by=by.id))


@pytest.fixture
def two(make: Make) -> tuple[Subject, Subject]:
    make.client("ozark-secure")
    rosa = make.subject("rosa.delgado")
    ines = make.subject("ines.ortega", given_name="Ines", family_name="Ortega")
    worked_at(make, rosa, ines)
    return rosa, ines


def test_AU_10_everything_is_in_one_file_without_a_secret_and_its_owner_is_told(
    new_browser: Any, make: Make, two: Any
) -> None:
    rosa = two[0]
    browser = signed_in(new_browser(), "rosa.delgado")
    with reading() as tx:
        live = sessions.list_sessions(tx, subject_id=rosa.id, now=make.now)[0]
    make.grant(make.row(BrowserSession, live.id), "ozark-secure")
    answer = download(browser)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-credence-data.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    found = json.loads(answer.text)
    assert found["profile"]["email"] == "rosa.delgado@mail.test"
    assert [each["client_id"] for each in found["apps_used"]] == ["ozark-secure"]
    (access,) = found["access"]
    assert access["name"] == "Juniper Ridge Clinic"
    assert {each["by"] for each in access["evidence"]} == {None, "Ines Ortega"}
    assert [each["by"] for each in access["levels"]] == ["Ines Ortega"]
    assert "signed_in" in {each["type"] for each in found["activity"]}
    for secret in ('digest"', "argon2", "_sealed", "secret", two[1].id):
        assert secret not in answer.text.replace("text_digest", "")
    assert [to for to, _ in letters("data_downloaded")] == ["rosa.delgado@mail.test"]
    assert [each.outcome for each in make.rows(AuditEvent) if each.type == "data_downloaded"] == ["ok"]


def test_AU_10_site_key_questions_and_messages_are_in_it_and_no_answer(new_browser: Any, make: Make, two: Any) -> None:
    rosa, ines = two
    by: dict[str, Any] = {"now": make.now, "actor": rosa.id, "origin": Origin.local("tests")}
    own, ours = "Which boat was the first?", "first_pet"
    chosen = [
        Chosen(1, ours, None, Secret("CNRY-answer-one"), False),
        Chosen(2, None, own, Secret("CNRY-answer-two"), False),
    ]
    prepared = questions.prepare(chosen)
    assert not isinstance(prepared, Refused)
    with writing() as tx:
        site_keys.set_site_key(tx, subject_id=rosa.id, picture=PICTURE, phrase="Morning over the river", **by)
        questions.set_questions(tx, subject_id=rosa.id, prepared=prepared, **by)
        for subject_id, notice in ((rosa.id, "password_changed"), (ines.id, "access_ended")):
            known = subjects.by_id(tx, subject_id=subject_id)
            assert known is not None
            context = {"target": "Juniper Ridge", "url": "https://x.test/"}
            notices.notify(tx, notice=notice, subject=known, party=None, context=context, now=make.now)
    answer = download(signed_in(new_browser(), "rosa.delgado"))
    found = json.loads(answer.text)
    assert found["site_key"] == {"picture": PICTURE, "phrase": "Morning over the river"}
    assert found["challenge_questions"] == [str(QUESTIONS[ours]), own]
    assert {"password_changed"} <= {each["notice"] for each in found["messages"]}
    assert "access_ended" not in answer.text
    assert "CNRY-answer" not in answer.text and "argon2" not in answer.text


def test_MF_33_no_file_without_a_fresh_proof_and_five_a_day(new_browser: Any, make: Make, hands: Hands) -> None:
    make.subject("rosa.delgado")
    browser = signed_in(new_browser(), "rosa.delgado")
    page = browser.get("/account/data")
    assert [post_form(browser, page, "data-form").status_code for _ in range(6)] == [200] * 5 + [422]
    hands.forward(minutes=15)
    assert "fresh=1" in post_form(browser, page, "data-form").location
    assert "fresh=1" in browser.get("/account/data").location


def test_RX_the_file_takes_as_many_statements_for_many_accesses_as_for_one(make: Make, two: Any) -> None:
    rosa, ines = two

    def statements() -> int:
        seen: list[str] = []

        def count(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            seen.append(statement)

        with reading() as tx:
            subject = subjects.by_id(tx, subject_id=rosa.id)
            assert subject is not None
            event.listen(db.engine, "before_cursor_execute", count)
            try:
                collecting.collect(tx, subject, now=make.now)
            finally:
                event.remove(db.engine, "before_cursor_execute", count)
        return len(seen)

    statements()  # what is read once for all, as the registered portals, is read
    one = statements()
    worked_at(make, rosa, ines, number=4)
    assert statements() == one


def test_D5_my_access_says_who_gave_it_on_what_evidence_and_who_manages_it(
    new_browser: Any, make: Make, two: Any
) -> None:
    text = signed_in(new_browser(), "rosa.delgado").get("/account/access").text
    assert "an account manager (Ines Ortega)" in text
    assert "Given by Ines Ortega" in text
    assert "Account managers" in text


def test_EN_06_who_only_claimed_a_practice_learns_nobodys_name(new_browser: Any, make: Make, two: Any) -> None:
    ines = two[1]
    june = make.subject("june.harwood")
    practice = make.practice()
    make.group(practice=practice, registry_name="ozark")
    make.affiliation(ines, practice, registry="ozark", account_manager=True)
    make.affiliation(june, practice, registry="ozark", status="verification_pending", created_at=make.now)
    text = signed_in(new_browser(), "june.harwood").get("/account/access").text
    assert "Juniper Ridge Clinic" in text
    assert "Ines" not in text


def test_D5_a_connected_app_says_when_it_was_last_used_and_for_whom(new_browser: Any, make: Make) -> None:
    rosa = make.subject("rosa.delgado")
    make.client("ozark-secure")
    provider = make.provider(registry_name="ozark")
    held = make.affiliation(rosa, provider, registry="ozark")
    browser = signed_in(new_browser(), "rosa.delgado")
    with reading() as tx:
        live = sessions.list_sessions(tx, subject_id=rosa.id, now=make.now)[0]
    session = make.row(BrowserSession, live.id)
    make.grant(session, "ozark-secure", affiliation=held, provider=provider, offline=True)
    text = browser.get("/account/apps").text
    assert "Acts for DELGADO, ROSA in your name" in text
    assert "last sign-in there" in text
    assert "Goes on when you are signed out" in text


def test_names_are_changed_where_nobody_relies_on_them_and_locked_where_somebody_does(
    new_browser: Any, make: Make, two: Any
) -> None:
    free = make.subject("june.harwood")
    browser = signed_in(new_browser(), "june.harwood")
    page = browser.get("/account/profile")
    typed = {"given_name": " June ", "family_name": "Harwood", "display_name": ""}
    assert post_form(browser, page, "name-form", **typed).location == "/account/profile?done=name"
    row = make.row(Subject, free.id)
    assert (row.given_name, row.family_name, row.display_name) == ("June", "Harwood", None)
    assert [each.details for each in make.rows(AuditEvent) if each.type == "profile_changed"] == [
        {"fields": ["display_name", "family_name", "given_name"]}
    ]
    assert post_form(browser, page, "name-form", given_name="", family_name="", display_name="").status_code == 422
    bound = signed_in(new_browser(), "rosa.delgado")
    page = bound.get("/account/profile")
    assert "Your name is locked" in page.text
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    data = {"csrf_token": token, "given_name": "Somebody", "family_name": "Else"}
    answer = bound.post("/account/profile/name", data=data, headers={"Origin": "https://credence.test"})
    assert answer.status_code == 422
    assert make.row(Subject, two[0].id).given_name == "Rosa"
