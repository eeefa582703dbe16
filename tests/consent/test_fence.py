"""A token's liveness under PostgreSQL's weak role: the view tells the epoch, the fence stays shut (ST-12, ruling 20)."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from idp.affiliations.models import Affiliation
from idp.consent import grants
from idp.foundation.database import reading, see_as
from idp.subjects.models import Subject
from tests.consent.conftest import Authorize, acting
from tests.factories import Make

pytestmark = pytest.mark.postgres


def test_ST_12_liveness_needs_no_open_fence_and_opens_none(make: Make, authorize: Authorize, now: datetime) -> None:
    grant = authorize(**acting(make, make.provider()))
    with reading() as tx:
        assert grants.live(tx, grant_id=grant, now=now) is not None
        assert visible(tx) == 0
        see_as(tx, subject_id=make.rows(Subject)[0].id)
        assert visible(tx) == 1
        see_as(tx, subject_id="somebody else")
        assert visible(tx) == 0


def visible(tx: Session) -> int:
    return tx.query(Affiliation).count()
