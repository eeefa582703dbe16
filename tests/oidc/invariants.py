"""What must hold after every case, whatever it was about (SECURITY §4: G1, G2, G4, G6, G8)."""

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response, request
from sqlalchemy import func, select

from idp.audit import service as audit
from idp.audit.models import AuditEvent
from idp.foundation.database import reading
from idp.relying_parties import cache
from tests.conftest import ISSUER

CACHEABLE = ("/.well-known/", "/oauth/jwks", "/static/", "/brand/")


class Watch:
    """Notes every response of the application while it stands, and judges them all at the end."""

    def __init__(self, app: Flask, caplog: pytest.LogCaptureFixture) -> None:
        self._app, self._caplog = app, caplog
        self._seen: list[tuple[str, int, str | None, str]] = []
        self.secrets: list[str] = []
        """Add canaries here: none may stand in a log line, in the audit or in an address."""

    def __enter__(self) -> "Watch":
        self._caplog.set_level(logging.DEBUG)
        self._app.after_request_funcs.setdefault(None, []).insert(0, self._note)
        return self

    def __exit__(self, *_raised: Any) -> None:
        self._app.after_request_funcs[None].remove(self._note)
        if _raised[0] is None:
            self.judge()

    def _note(self, response: Response) -> Response:
        stored = response.headers.get("Cache-Control", "no-store")
        self._seen.append((request.path, response.status_code, response.headers.get("Location"), stored))
        return response

    def judge(self) -> None:
        """Assert all of it."""
        for path, status, location, stored in self._seen:
            assert status < 500, f"G2: {path} answered {status}"
            assert location is None or _leads_home(location), f"G1: {path} led to {location}"
            assert stored == "no-store" or path.startswith(CACHEABLE) or status == 304, f"G8: {path} said {stored}"
        with reading() as tx:
            assert audit.verify(tx) == [], "G6: the audit chain is broken"
            told = [str(row) for row in tx.execute(select(AuditEvent.__table__))]
        everything = self._caplog.text + "".join(told) + "".join(seen[2] or "" for seen in self._seen)
        for secret in self.secrets:
            assert secret not in everything, "G4: a secret was told"


def _leads_home(location: str) -> bool:
    """A path of ours, or an address that some client registered."""
    if location.startswith("/") and not location.startswith("//"):
        return True
    parties = cache.current()._snapshot.parties.values() if cache.current()._snapshot else ()
    bare = location.split("?", 1)[0]
    for party in parties:
        registered = [*party.redirect_uris, *map(party.absolute, party.registration.post_logout_redirect_uris)]
        if bare in {uri.split("?", 1)[0] for uri in registered} or party.allows_redirect(bare):
            return True
    return bare.startswith(ISSUER + "/") and urlsplit(bare).netloc == urlsplit(ISSUER).netloc


def events() -> list[tuple[str, str]]:
    """The audit so far: (event, outcome) in order."""
    with reading() as tx:
        rows = tx.execute(select(AuditEvent.type, AuditEvent.outcome).order_by(AuditEvent.at, AuditEvent.sequence))
        return [(row.type, row.outcome) for row in rows]


def adds_events(act: Callable[[], Any]) -> tuple[Any, list[tuple[str, str]]]:
    """What `act` returned, and the audit events that it appended."""
    before = events()
    result = act()
    after = events()
    for event in before:
        after.remove(event)
    return result, after


def count(model: Any, *conditions: Any) -> int:
    """Rows of a table."""
    with reading() as tx:
        return int(tx.execute(select(func.count()).select_from(model).where(*conditions)).scalar_one())
