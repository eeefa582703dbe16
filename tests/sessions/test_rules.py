"""When a session lives and when a parked request may go on (SE-03, D2, D4)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from idp.sessions.rules import Currency, Ended, Reason, may_continue, why_dead
from idp.vocabulary.refused import Refused
from tests.sign_in.worlds import NOW, OTHER_SESSION, SESSION_ID, choice, chose, session, transaction

IDLE = timedelta(minutes=30)
HERE = bytes(32)
TODAY = Currency(subject_status="active", subject_epoch=1, system_epoch=1)


@pytest.mark.parametrize(
    ("changed", "current", "reason"),
    [
        ({}, {}, None),
        ({"ended_at": NOW}, {}, Ended.SIGNED_OUT),
        ({"expires_at": NOW + timedelta(seconds=1)}, {}, None),
        ({"expires_at": NOW}, {}, Ended.EXPIRED),
        ({"last_seen_at": NOW - IDLE + timedelta(seconds=1)}, {}, None),
        ({"last_seen_at": NOW - IDLE}, {}, Ended.IDLE),
        ({}, {"subject_epoch": 2}, Ended.EPOCH),
        ({}, {"system_epoch": 2}, Ended.EPOCH),
        ({}, {"subject_status": "disabled"}, Ended.EPOCH),
        ({}, {"subject_status": "unverified"}, Ended.EPOCH),
    ],
)
def test_SE_03_what_ends_a_session(changed: dict[str, Any], current: dict[str, Any], reason: Ended | None) -> None:
    found = why_dead(session(**changed), current=replace(TODAY, **current), now=NOW, idle=IDLE)
    assert found is reason


@pytest.mark.parametrize(
    ("changed", "asked", "reason"),
    [
        ({"awaiting": "choose"}, {"step": "choose"}, None),
        ({"awaiting": "choose"}, {}, None),
        ({"awaiting": "choose"}, {"step": "consent"}, Reason.NOT_AWAITED),
        ({"awaiting": ""}, {"step": "password"}, Reason.NOT_AWAITED),
        ({}, {"browser_digest": b"x" * 32}, Reason.OTHER_BROWSER),
        ({"finished_at": NOW}, {}, Reason.FINISHED),
        ({"expires_at": NOW}, {}, Reason.EXPIRED_TRANSACTION),
        ({"finished_at": NOW, "expires_at": NOW}, {"browser_digest": b"x" * 32}, Reason.OTHER_BROWSER),
    ],
)
def test_D2_a_transaction_goes_on_only_here_and_only_where_it_waits(
    changed: dict[str, Any], asked: dict[str, Any], reason: Reason | None
) -> None:
    found = may_continue(transaction(**changed), **({"browser_digest": HERE, "now": NOW} | asked))
    assert found == (None if reason is None else Refused(reason))


def test_what_a_session_settled_counts_for_that_session_only() -> None:
    settled = transaction(authenticated_at=NOW, consented_scopes="openid", awaiting="consent", **chose(choice(1)))
    assert settled.settled_by(SESSION_ID) == settled
    for stranger in (OTHER_SESSION, None):
        bare = settled.settled_by(stranger)
        assert (bare.authenticated_at, bare.affiliation_id, bare.chosen_at, bare.consented_scopes) == (None,) * 4
        assert bare.awaiting == "consent"
