"""When the worker calls again: pure."""

from datetime import UTC, datetime, timedelta

from idp.worker.rules import LEASE, LOGOUT_RETRIES, retry_logout_at

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_LO_12_eight_calls_in_about_a_day():
    assert len(LOGOUT_RETRIES) == 7
    assert timedelta(hours=20) < sum(LOGOUT_RETRIES, timedelta()) < timedelta(hours=26)
    assert sorted(LOGOUT_RETRIES) == list(LOGOUT_RETRIES)
    assert retry_logout_at(7, now=NOON, jitter=0.5) == NOON + LOGOUT_RETRIES[6]
    assert retry_logout_at(8, now=NOON, jitter=0.5) is None


def test_a_crowd_of_calls_is_spread():
    times = {retry_logout_at(1, now=NOON, jitter=jitter / 10) for jitter in range(11)}
    assert len(times) == 11


def test_a_lease_outlasts_a_mail_server_s_slowest_answers():
    from idp.messaging.email import SECONDS

    assert LEASE.total_seconds() >= 4 * SECONDS
