"""Parked requests and signed-in people for the tests of this room."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from idp.foundation.database import writing
from idp.sessions import transactions
from idp.sign_in.requests import parked
from idp.sign_in.rules import AuthorizationRequest

BROWSER = b"b" * 32


@pytest.fixture
def park(app: Flask, now: datetime) -> Callable[..., UUID]:
    def keep(**changed: Any) -> UUID:
        values: dict[str, Any] = {
            "browser_digest": BROWSER,
            "client_id": "ozark-secure",
            "request": parked(AuthorizationRequest(client_id="ozark-secure")),
            "now": now,
            "lifetime": timedelta(hours=1),
        }
        with writing() as tx:
            return transactions.park(tx, **(values | changed))

    return keep
