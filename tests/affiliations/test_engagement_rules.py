"""What a practice may agree with a trading partner (MODEL §2, §7)."""

from datetime import date, timedelta

import pytest

from idp.affiliations.engagements.rules import AHEAD, Agreed, Reason, Stands, judge
from idp.vocabulary.refused import Refused

TODAY = date(2026, 3, 2)
DAY = timedelta(days=1)
LEVELS = {"claims.inquiry", "claims.submit"}


@pytest.mark.parametrize(
    ("wanted", "before", "reason"),
    [
        (Agreed(TODAY, None, None), None, None),
        (Agreed(TODAY, TODAY + DAY, ("claims.inquiry",)), None, None),
        (Agreed(TODAY - DAY, None, None), None, Reason.IN_THE_PAST),
        (Agreed(TODAY - DAY, None, None), Agreed(TODAY - DAY, None, None), None),
        (Agreed(TODAY - DAY, None, None), Agreed(TODAY - DAY, TODAY, None), Reason.IN_THE_PAST),
        (Agreed(TODAY + AHEAD + DAY, None, None), None, Reason.TOO_FAR_AHEAD),
        (Agreed(TODAY, TODAY, None), None, Reason.ENDS_BEFORE_IT_BEGINS),
        (Agreed(TODAY + DAY, TODAY + DAY, None), None, Reason.ENDS_BEFORE_IT_BEGINS),
        (Agreed(TODAY, None, ("root",)), None, Reason.NO_SUCH_LEVEL),
        (Agreed(TODAY, None, ()), None, Reason.NO_LEVEL),
    ],
)
def test_MODEL_7_what_may_be_agreed(wanted: Agreed, before: Agreed | None, reason: Reason | None) -> None:
    found = judge(wanted, before=before, catalogue=LEVELS, today=TODAY)
    assert found == (Refused(reason) if reason is not None else None)


def test_MODEL_2_how_an_engagement_stands_is_read() -> None:
    agreed = Agreed(TODAY, TODAY + 2 * DAY, None)
    days = [TODAY - DAY, TODAY, TODAY + DAY, TODAY + 2 * DAY]
    assert [agreed.stands(day) for day in days] == [Stands.BEGINS, Stands.RUNS, Stands.RUNS, Stands.ENDED]
