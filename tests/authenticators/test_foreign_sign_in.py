"""Signing in with a password whose hash came from another system."""

import pytest

from idp.authenticators.password.kdf import Kdf
from idp.authenticators.password.models import PasswordCredential
from idp.foundation import house
from idp.foundation.database import writing
from tests.authenticators.browsing import sign_in, signed_in
from tests.authenticators.test_foreign_hashes import FAST, PASSLIB, WREN

pytestmark = pytest.mark.both


def imported(make, stored, user_id="rosa.delgado"):
    rosa = make.subject(user_id, password=None)
    digest = house.get(Kdf).adopt(stored)
    with writing() as tx:
        tx.add(PasswordCredential(subject_id=rosa.id, digest=digest, satisfies=[], changed_at=make.now))
    return rosa


@pytest.mark.parametrize("stored", [PASSLIB, FAST["SSHA"]])
def test_X4_the_first_right_password_puts_argon2id_in_the_place_of_an_imported_hash(new_browser, make, stored):
    imported(make, stored)
    signed_in(new_browser(), "rosa.delgado", WREN)
    (kept,) = make.rows(PasswordCredential)
    assert kept.digest.startswith("$argon2id$")
    signed_in(new_browser(), "rosa.delgado", WREN)
    assert make.rows(PasswordCredential)[0].digest == kept.digest


def test_SI_01_SI_04_a_wrong_one_answers_counts_and_upgrades_like_any_other(new_browser, make):
    imported(make, PASSLIB)
    make.subject("other.person")
    wrong = [sign_in(new_browser(), "rosa.delgado", "CNRY-wrong-password") for _ in range(5)]
    assert {answer.status_code for answer in wrong} == {422}
    assert sign_in(new_browser(), "rosa.delgado", WREN).status_code == 422, "paused after five failures"
    assert {row.digest for row in make.rows(PasswordCredential)} >= {PASSLIB}


def test_SI_02_unknown_people_cost_one_hash_and_an_imported_one_costs_one_turn(new_browser, make, work):
    imported(make, PASSLIB)
    sign_in(new_browser(), "somebody.else", "CNRY-wrong-password")  # the first request fills the caches
    costs = [
        work.of(lambda login=login: sign_in(new_browser(), login, "CNRY-wrong-password"))
        for login in ("rosa.delgado", "nobody.here")
    ]
    assert [hashes for hashes, _ in costs] == [1, 1]
    assert costs[0][1] == costs[1][1]
