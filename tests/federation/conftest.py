"""A portal, a connection to Saint Anne Hospital, and a person with an account."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert
from werkzeug.test import TestResponse

from idp.federation.connections import stored
from idp.federation.connections.manifest import Connection
from idp.federation.connections.models import AppliedConnection
from idp.federation.models import UpstreamLink
from idp.foundation import house
from idp.foundation.database import new_id, writing
from idp.foundation.outgoing import Outgoing
from idp.subjects.models import Subject
from tests.authenticators.browsing import follow, open_sign_in, post_form
from tests.federation.upstream import ISSUER, Upstream

_REFRESH = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


def connection_of(called: str, **changed: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "name": {"en": "Saint Anne Hospital", "es": "Hospital Santa Ana"},
        "protocol": "oidc",
        "issuer": ISSUER,
        "portals": ["ozark-secure"],
        "home": {"email_domains": ["saintanne.example"]},
        "people": {"create": True, "mailboxes": True},
        "oidc": {"client_id": "credence"},
    }
    return stored.to_row(Connection.model_validate(usual | changed), name=called)


@dataclass
class World:
    """Everything at hand."""

    app: Flask
    upstream: Upstream
    make: Any
    rosa: Subject

    def connect(self, name: str = "saint-anne", **changed: Any) -> None:
        with writing() as tx:
            tx.execute(
                insert(AppliedConnection).values(
                    name=name, document=connection_of(name, **changed), texts={}, enabled=True, version=1,
                    applied_at=self.make.now,
                )
            )  # fmt: skip

    def link(self, subject: Subject, upstream: str = "up-248289", name: str = "saint-anne") -> None:
        with writing() as tx:
            tx.add(
                UpstreamLink(
                    id=new_id(), subject_id=subject.id, connection=name, issuer=ISSUER, subject=upstream,
                    shown_as="maria@saintanne.example", created_at=self.make.now,
                )
            )  # fmt: skip

    def leave(self, browser: FlaskClient, name: str = "saint-anne", page: TestResponse | None = None) -> str:
        """*Continue with …*: the address at the provider."""
        away = post_form(browser, page or open_sign_in(browser), f"with-form-{name}")
        assert away.status_code == 200, (away.status_code, away.text[:500])
        return address_of(away)

    def come_back(self, browser: FlaskClient, url: str, **changed: Any) -> TestResponse:
        return browser.get(self.upstream.authorize(url, **changed))

    def sign_in(self, browser: FlaskClient, name: str = "saint-anne", **changed: Any) -> TestResponse:
        """All of it; where the browser lands."""
        return follow(browser, self.come_back(browser, self.leave(browser, name), **changed))


def address_of(page: TestResponse) -> str:
    found = _REFRESH.search(page.text)
    assert found is not None, page.text[:800]
    return unescape(found[1])


@pytest.fixture
def world(app: Flask, make: Any) -> Any:
    before = house.get(Outgoing)
    make.client("ozark-secure")
    made = World(app, Upstream(app), make, make.subject("rosa.delgado"))
    made.connect()
    yield made
    house.furnish(app, before, kind=Outgoing)
