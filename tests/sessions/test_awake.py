"""Who was away for 15 minutes proves themselves anew before acting for others (SE-03; ruling 18)."""

from datetime import timedelta
from functools import partial

from idp.sessions import rules
from tests.conftest import NOON
from tests.sign_in.worlds import session

SECOND = timedelta(seconds=1)
AWAY_AFTER = timedelta(minutes=15)
is_awake = partial(rules.is_awake, away=AWAY_AFTER)


def test_SE_03_fifteen_minutes_without_a_look_end_it_to_the_second() -> None:
    seen = session(last_seen_at=NOON, proven={"totp": NOON})
    assert is_awake(seen, by={"totp"}, now=NOON + AWAY_AFTER - SECOND)
    assert not is_awake(seen, by={"totp"}, now=NOON + AWAY_AFTER)


def test_SE_03_what_a_portal_does_by_itself_is_no_look() -> None:
    left = session(last_seen_at=NOON + AWAY_AFTER, looked_at=NOON, proven={"totp": NOON})
    assert not is_awake(left, by={"totp"}, now=NOON + AWAY_AFTER)
    assert is_awake(left, by={"totp"}, now=NOON + AWAY_AFTER - SECOND)


def test_SE_03_a_pause_counts_until_something_that_counts_is_proven_after_it() -> None:
    back = NOON + timedelta(minutes=20)
    paused = session(last_seen_at=back, resumed_at=back, proven={"totp": NOON, "password": back})
    assert not is_awake(paused, by={"totp"}, now=back)
    assert is_awake(paused, by={"totp", "password"}, now=back)
    again = session(last_seen_at=back, resumed_at=back, proven={"totp": back})
    assert is_awake(again, by={"totp"}, now=back)
    assert not is_awake(again, by={"passkey"}, now=back)
