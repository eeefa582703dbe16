"""The bench's bare sign-in commits as often as the product's, or what it is held to means nothing (`bench/bare.py`)."""

import pytest
from sqlalchemy import event

from bench.flow import COUNTED, SIGN_IN_COMMITS
from idp.foundation.database import db
from idp.settings import Settings
from tests.oidc.flow import Flow

pytestmark = pytest.mark.both


def test_a_sign_in_commits_as_often_as_its_bare_view(flow: Flow, settings: Settings) -> None:
    commits: list[object] = []

    def note(connection: object) -> None:
        commits.append(connection)

    event.listen(db.engine, "commit", note)
    try:
        flow.tokens()
    finally:
        event.remove(db.engine, "commit", note)
    assert len(commits) == SIGN_IN_COMMITS - (COUNTED if settings.redis_url else 0)
