"""Making somebody else's account part of one's own, and everything that must refuse it (X4, D7, RA)."""

from uuid import UUID

import pytest
from sqlalchemy import update

from idp.account.merging import doing, service
from idp.account.merging.service import Claim, Mailed
from idp.audit.models import AuditEvent
from idp.authenticators.factors.models import HeldFactor
from idp.authenticators.password import people as accounts
from idp.consent import grants
from idp.console.staff.models import StaffMember
from idp.foundation.artefacts import digest_of
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession, LogoutDelivery
from idp.sessions.service import NewSession
from idp.subjects.models import Subject
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret
from tests.account.merging import OLD_PASSWORD, as_rosa, confirm, mailed, merge, old_login, proof, prove, review, two
from tests.attacks import invariants
from tests.attacks.test_ra import at_once
from tests.attacks.test_rc import mails
from tests.authenticators.browsing import bare, follow, post_form, sign_in, signed_in
from tests.authenticators.second_factors import code_of, type_code
from tests.conftest import ISSUER
from tests.factories.make import PASSWORD
from tests.races import ROUNDS

pytestmark = pytest.mark.both
HERE = Origin("192.0.2.9", "r")


@pytest.fixture(autouse=True)
def portal(make):
    make.client("ozark-secure", portal={"acting_for": ["practice"]}, registration={"backchannel_logout_uri": "/bye"})


def untouched(make, *subjects):
    return all(make.row(Subject, subject.id).merged_into is None for subject in subjects)


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.test"}, {"Origin": ISSUER}])
def test_SE_a_forged_post_proves_and_merges_nothing(client, make, headers):
    rosa, old, *_ = two(make)
    as_rosa(client)
    review_at = proof(client)
    typed = {"username": "r.delgado", "password": OLD_PASSWORD, "portal": ""}
    for path, data in (("/account/merge", typed), (review_at, {})):
        answer = client.post(path, data=data, headers=headers)
        assert answer.status_code in {400, 403}
        invariants.watch(answer)
    assert untouched(make, rosa, old)


def test_SE_04_a_proof_is_good_in_the_session_that_made_it_and_nowhere_else(client, new_browser, make):
    rosa, old, *_ = two(make)
    make.subject("evil.one")
    path = proof(as_rosa(client))
    for thief in (signed_in(new_browser(), "evil.one"), signed_in(new_browser(), "r.delgado", OLD_PASSWORD)):
        assert thief.get(path).status_code == 409
        page = review(signed_in(new_browser(), "rosa.delgado"))
        token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
        assert thief.post(path, data={"csrf_token": token}, headers={"Origin": ISSUER}).status_code in {400, 403, 409}
    assert new_browser().get(path).status_code == 303
    assert untouched(make, rosa, old)


def test_MODEL_7_an_account_with_a_staff_role_goes_into_no_other_one(client, make, now):
    """The last administrator would be gone without another one's doing; asked when it is proven, and when it is done."""
    rosa, old, *_ = two(make)
    page = client.get(proof(as_rosa(client)))
    make._save(StaffMember(subject_id=old.id, role="administrator", given_at=now, proposed_by="operator"))
    for answer in (confirm(client, page), prove(client)):
        assert answer.status_code in {409, 422}, answer.status_code
        assert "holds a staff role" in answer.text
    assert untouched(make, rosa, old)


def test_SI_01_every_no_about_a_stranger_is_one_answer(client, make, now):
    two(make)
    make.subject("is.disabled", password=OLD_PASSWORD, status="disabled")
    make.subject("has.none", password=None)
    twin = make.subject("is.unverified", password=OLD_PASSWORD, status="unverified", email_verified_at=None)
    old_login(now, twin, "ozark-secure", "somebody@else.test", email="somebody@else.test")
    as_rosa(client)
    answers = {
        (answer.status_code, bare(answer, login))
        for login, password in {
            "r.delgado": "CNRY-wrong-password",
            "no.such.person": OLD_PASSWORD,
            "is.disabled": OLD_PASSWORD,
            "has.none": OLD_PASSWORD,
            "is.unverified": OLD_PASSWORD,
        }.items()
        for answer in [prove(client, login=login, password=password)]
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 422


def test_SI_20_tries_here_and_at_sign_in_are_counted_together_and_a_pause_holds_for_both(client, new_browser, make):
    rosa, old, *_ = two(make)
    as_rosa(client)
    for _ in range(3):
        assert prove(client, password="CNRY-wrong-password").status_code == 422
    for _ in range(2):
        sign_in(new_browser(), "r.delgado", "CNRY-wrong-password")
    assert prove(client).status_code == 422
    assert sign_in(new_browser(), "r.delgado", OLD_PASSWORD).status_code == 422
    assert untouched(make, rosa, old)
    outcomes = sorted(row.outcome for row in make.rows(AuditEvent) if row.type == "merge_asked")
    assert outcomes == [*["not_right"] * 3, "too_many"]


def test_MF_33_who_signed_in_long_ago_proves_this_account_again_first(client, make, hands):
    rosa, old, *_ = two(make)
    as_rosa(client)
    path = proof(client)
    hands.forward(minutes=14)
    page = client.get(path)
    hands.forward(minutes=2)
    assert confirm(client, page).status_code == 303, "back to prove this account again"
    again = client.get("/account/merge")
    assert (again.status_code, again.location) == (303, "/sign-in?to=merging.start&fresh=1")
    assert untouched(make, rosa, old)


@pytest.mark.parametrize("change", ["disabled", "password", "mine", "signed out"])
def test_RA_09_what_changed_between_proof_and_confirmation_refuses_it(client, make, now, change):
    rosa, old, *_ = two(make)
    as_rosa(client)
    page = review(client)
    if change == "disabled":
        accounts.disable("r.delgado", reason="left", now=now, origin=HERE)
    elif change == "signed out":
        with writing() as tx:
            tx.execute(update(BrowserSession).where(BrowserSession.subject_id == rosa.id).values(ended_at=now))
    else:
        with writing() as tx:
            tx.get(Subject, old.id if change == "password" else rosa.id).epoch += 1
    answer = confirm(client, page)
    assert answer.status_code in {303, 400, 409}
    assert untouched(make, rosa, old)


def test_RC_15_a_stolen_password_alone_takes_no_account_since_its_mailbox_is_asked_too(client, make):
    rosa, old, *_ = two(make)
    answer = prove(as_rosa(client))
    assert answer.location == "/account/merge/mailed"
    assert "/account/merge/" not in client.get(answer.location).text.replace("/account/merge/mailed", "")
    assert [(mail.notice, mail.payload.recipient.email) for mail in mails()] == [
        ("confirm_merge", "r.delgado@mail.test")
    ]
    for _ in range(5):
        prove(client)
    assert len(mails()) == 5, "five mails an hour (RC-13)"
    assert client.get(mailed()).status_code == 200
    assert untouched(make, rosa, old)


def test_G3_a_confirmation_works_once(client, make):
    two(make)
    as_rosa(client)
    page = review(client)
    assert confirm(client, page).status_code == 303
    assert confirm(client, page).status_code in {400, 409}
    outcomes = [row.outcome for row in make.rows(AuditEvent) if row.type == "account_merged"]
    assert outcomes[:2] == ["ok", "ok"]
    assert set(outcomes[2:]) <= {"outdated"}


def test_G7_LO_the_other_accounts_sessions_and_grants_die_and_its_portals_are_told(client, new_browser, make, now):
    rosa, old, *_ = two(make)
    session, _cookie = make.session(old)
    mine, _ = make.session(rosa)
    grant, kept = make.grant(session, "ozark-secure"), make.grant(mine, "ozark-secure")
    as_rosa(client)
    before = client.get_cookie("__Host-credence_session", domain="credence.test").value
    merge(client)
    assert client.get_cookie("__Host-credence_session", domain="credence.test").value != before
    with reading() as tx:
        assert grants.live(tx, grant_id=grant.id, now=now) is None
        assert grants.live(tx, grant_id=kept.id, now=now) is not None
    assert [(row.client_id, row.sub) for row in make.rows(LogoutDelivery)] == [("ozark-secure", old.id)]
    assert make.row(BrowserSession, session.id).ended_reason == "merged"
    stale = new_browser()
    stale.set_cookie("__Host-credence_session", before, domain="credence.test", secure=True)
    assert stale.get("/account/").status_code == 303


def test_X4_the_survivor_keeps_its_subject_and_no_app_learns_that_two_were_one(client, make):
    rosa, old, *_ = two(make)
    make.client("stranger", partner=True, registration={"subject_type": "pairwise", "backchannel_logout_uri": "/bye"})
    session, _ = make.session(old)
    grant = make.grant(session, "stranger")
    with writing() as tx:
        from idp.sessions.models import Participant

        tx.execute(update(Participant).where(Participant.sid == grant.sid).values(sub="pairwise-of-old"))
    merge(as_rosa(client))
    assert make.row(Subject, rosa.id).id == rosa.id
    [owed] = make.rows(LogoutDelivery)
    assert owed.sub == "pairwise-of-old", "the app is told of the end of the one it knows, and of nothing else"


def proven(make, now, subject, login, password):
    """A live session of `subject` and its proof of another account, by the services."""
    _row, cookie = make.session(subject, browser_digest=digest_of(subject.id))
    with reading() as tx:
        session = sessions.find_live(tx, cookie=cookie.reveal(), now=now)
    assert session is not None
    claim = Claim(session, "", login, Secret(password), HERE, now)
    assert isinstance(service.prove(claim), Mailed)
    return session, UUID(mailed().rpartition("/")[2])


@pytest.mark.races
@pytest.mark.parametrize("race", range(ROUNDS))
def test_RA_two_accounts_that_swallow_each_other_leave_one(app, make, now, race):
    one, other = make.subject("one.person"), make.subject("other.person", password=OLD_PASSWORD)
    acts = [
        proven(make, now, one, "other.person", OLD_PASSWORD),
        proven(make, now, other, "one.person", PASSWORD),
    ]
    outcomes = at_once(app, *[lambda a=act: doing.merge(*a, now=now, origin=HERE) for act in acts])
    assert sum(isinstance(outcome, NewSession) for outcome in outcomes) == 1, outcomes
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 1, outcomes
    closed = [row.merged_into for row in make.rows(Subject) if row.merged_into]
    assert len(closed) == 1
    told = sorted(row.outcome for row in make.rows(AuditEvent) if row.type == "account_merged")
    assert told == ["ok", "ok", "outdated"]


@pytest.mark.races
@pytest.mark.parametrize("race", range(ROUNDS))
def test_RA_an_account_becomes_part_of_one_other_only(app, make, now, race):
    target = make.subject("wanted.one", password=OLD_PASSWORD)
    takers = [make.subject(f"taker.{number}") for number in range(2)]
    acts = [proven(make, now, taker, "wanted.one", OLD_PASSWORD) for taker in takers]
    acts.append(acts[0])
    outcomes = at_once(app, *[lambda a=act: doing.merge(*a, now=now, origin=HERE) for act in acts])
    assert sum(isinstance(outcome, NewSession) for outcome in outcomes) == 1, outcomes
    assert make.row(Subject, target.id).merged_into in {taker.id for taker in takers}


def test_the_second_factor_of_the_other_account_is_never_passed_by(client, make, now):
    rosa, old, *_ = two(make)
    with writing() as tx:
        tx.add(HeldFactor(subject_id=old.id, kind="totp", name="phone", gives=["aal2"], amr=["otp"], created_at=now))
    answer = prove(as_rosa(client))
    assert answer.status_code == 422
    assert "second factor" in answer.text
    assert untouched(make, rosa, old)


def test_RA_09_a_factor_set_up_after_the_proof_refuses_the_merge(client, make):
    """The owner, warned by whatever, sets one up while the thief of the password looks at what would happen."""
    rosa, old, *_ = two(make)
    page = review(as_rosa(client))
    make.totp(old)
    assert confirm(client, page).status_code == 409
    assert untouched(make, rosa, old)


def code_shown(browser, secret, now):
    """Signed in to the other account with its app, the code that its page shows."""
    page = follow(browser, sign_in(browser, "r.delgado", OLD_PASSWORD))
    type_code(browser, page, code_of(secret, now))
    shown = post_form(browser, browser.get("/account/merge"), "merge-code-form")
    return shown.text.split('id="merge-code">')[1].split("<")[0]


def test_RC_15_two_accounts_that_both_hold_factors_are_merged_by_fresh_proof_of_both(client, new_browser, make, hands):
    """The surviving account's factors stay; the other's end with a mail: none comes along that was never set up here."""
    rosa, old, *_ = two(make)
    mine, theirs = make.totp(rosa, name="Mine"), make.totp(old, name="Theirs")
    code = code_shown(new_browser(), theirs[1], hands.now)
    page = follow(client, sign_in(client, "rosa.delgado"))
    type_code(client, page, code_of(mine[1], hands.now))
    assert (
        post_form(
            client,
            client.get("/account/merge"),
            "merge-form",
            username="r.delgado",
            password=OLD_PASSWORD,
            portal="",
            code="aaaa-bbbb-cccc",
        ).status_code
        == 422
    )
    answer = post_form(
        client,
        client.get("/account/merge"),
        "merge-form",
        username="r.delgado",
        password=OLD_PASSWORD,
        portal="",
        code=code.upper(),
    )
    assert answer.location == "/account/merge/mailed"
    page = client.get(mailed())
    assert "Theirs" in page.text
    assert confirm(client, page).status_code == 303
    assert [row.name for row in make.rows(HeldFactor)] == ["Mine"]
    assert make.row(Subject, old.id).merged_into == rosa.id
    removed = [mail.payload for mail in mails() if mail.notice == "factor_removed"]
    assert [(each.recipient.email, each.context["factor_name"]) for each in removed] == [
        ("r.delgado@mail.test", "Theirs")
    ]


def test_RC_15_a_merge_code_is_good_once_and_for_its_own_account(client, new_browser, make, hands):
    rosa, old, *_ = two(make)
    _row, secret = make.totp(old)
    code = code_shown(new_browser(), secret, hands.now)
    make.totp(make.subject("third", password=OLD_PASSWORD))
    browser = as_rosa(client)

    def typed(login):
        page = browser.get("/account/merge")
        return post_form(
            browser, page, "merge-form", username=login, password=OLD_PASSWORD, portal="", code=code
        ).status_code

    assert typed("third") == 422
    assert typed("r.delgado") == 303
    assert typed("r.delgado") == 422
    assert untouched(make, rosa, old)
