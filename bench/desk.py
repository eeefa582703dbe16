"""A manager's browser for `bench.managing`: the pages of one practice's people through the whole application, in process."""

import contextvars
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from flask import Flask

from idp.foundation import house
from idp.sessions.cookies import session_cookie_name
from idp.settings import Settings
from tests.factories import Make

PORTAL: Final = "bench"


class Desk:
    """Somebody signed in who manages the practice by a letter, a strong factor just proven; the clock stands at `now`."""

    def __init__(self, app: Flask, *, practice: UUID, now: datetime) -> None:
        self._place = f"/manage/{PORTAL}/{practice}/people"
        settings = house.get(Settings)
        make = Make(now=now, settings=settings)
        crowd = make.practice(id=practice, name="Crowd")
        make.provider(practice=crowd, registry_name="bench")
        make.client(PORTAL, portal={"registry": "bench", "acting_for": ["practice"], "clerks": True})
        boss = make.subject("bench.boss", password=None)
        make.affiliation(boss, crowd, registry="bench", account_manager=True, portal=PORTAL)
        proven = {"totp": now.isoformat()}
        _row, cookie = make.session(boss, proven=proven, expires_at=now + timedelta(hours=8))
        self._browser = app.test_client()
        self._browser.set_cookie(
            session_cookie_name(settings), cookie.reveal(), domain="bench.example", path="/", secure=True
        )
        self._address = settings.issuer

    def reads(self, **query: str) -> Callable[[], None]:
        """A look at the list."""
        return lambda: self._get(query)

    def _get(self, query: dict[str, Any]) -> None:
        answer = contextvars.Context().run(self._browser.get, self._place, query_string=query, base_url=self._address)
        if answer.status_code != 200 or "Crowd" not in answer.text:
            raise RuntimeError(f"{query}: {answer.status_code} {answer.location}")
