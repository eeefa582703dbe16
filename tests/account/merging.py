"""Two accounts of one person, and the way through the pages that make one of them."""

from urllib.parse import urlsplit

from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.subjects import legacy
from idp.subjects.legacy import OldLogin
from tests.attacks.test_rc import mails
from tests.authenticators.browsing import post_form, signed_in
from tests.factories.make import PASSWORD

OLD_PASSWORD = "lantern meadow 77 copper"
HERE = Origin.local("test")


def two(make, *, practice=None, **other):
    """Rosa, who is signed in, and her other account with access to a practice."""
    rosa = make.subject("rosa.delgado")
    old = make.subject("r.delgado", password=OLD_PASSWORD, **other)
    clinic = practice or make.practice()
    make.group(practice=clinic, registry_name="ozark")
    held = make.affiliation(
        old, clinic, registry="ozark", portal="ozark-secure", levels=(("ozark-secure", "claims.inquiry"),)
    )
    return rosa, old, clinic, held


def old_login(now, subject, portal="ozark-exchange", login="RD77", email=None):
    with writing() as tx:
        legacy.add(
            tx,
            OldLogin(portal, login.casefold(), login, email),
            subject_id=subject.id,
            actor="system",
            now=now,
            origin=HERE,
        )


def prove(browser, login="r.delgado", password=OLD_PASSWORD, portal=""):
    """Type the other account; the answer."""
    page = browser.get("/account/merge")
    return post_form(browser, page, "merge-form", username=login, password=password, portal=portal)


def proof(browser, **typed):
    """Prove the other account, its mailbox too if it has one; the path of the review."""
    answer = prove(browser, **typed)
    assert answer.status_code == 303, answer.status_code
    if answer.location != "/account/merge/mailed":
        return answer.location
    assert browser.get(answer.location).status_code == 200
    return mailed()


def mailed():
    """The path that the last mail to the other account leads to."""
    return [urlsplit(mail.payload.context["url"]).path for mail in mails() if mail.notice == "confirm_merge"][-1]


def review(browser, **typed):
    return browser.get(proof(browser, **typed))


def confirm(browser, page):
    return post_form(browser, page, "merge-confirm-form")


def merge(browser, **typed):
    return confirm(browser, review(browser, **typed))


def as_rosa(browser):
    return signed_in(browser, "rosa.delgado", PASSWORD)
