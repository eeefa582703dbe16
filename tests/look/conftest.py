"""A bare application with the HTML plumbing only: these tests need no database and no house."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from jinja2 import DictLoader, FileSystemLoader

from idp.foundation import error_pages, i18n, pages
from idp.relying_parties import views
from idp.relying_parties.manifest import Manifest
from idp.relying_parties.rules import RelyingParty

BRAND = {
    "accent_light": "#0B6468",
    "accent_dark": "#5CC8CB",
    "soft_light": "#E4F2F2",
    "soft_dark": "#12302F",
    "fill_dark": "#1F7F83",
    "band_light": "#084C50",
    "band_dark": "#0A3336",
    "initials": "NX",
    "tagline": {"en": "For practices.", "es": "Para consultorios."},
}


@pytest.fixture
def party() -> RelyingParty:
    """An invented portal with help texts and a logo."""
    manifest = Manifest.model_validate(
        {
            "name": "Northlake Exchange",
            "short_name": "Northlake",
            "base_url": "https://portal.test",
            "registration": {"policy_uri": "/privacy", "tos_uri": "/terms"},
            "brand": BRAND,
            "help": {"phone": "1-800-555-0118", "hours": {"en": "Mon–Fri", "es": "lun–vie"}},
            "links": [{"label": {"en": "FAQs", "es": "Preguntas"}, "page": "faq"}],
        }
    )
    texts = {
        "faq.en.md": "# Hello\n\n<script>alert(1)</script> [x](javascript:alert(1)) **bold**",
        "faq.es.md": "# Hola",
        "secret.en.md": "in no link",
        "logo.svg": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><path d="M0 0h9v9z"/></svg>',
    }
    return RelyingParty(client_id="northlake", manifest=manifest, epoch=1, enabled=True, texts=texts)


@pytest.fixture
def bare_app(party: RelyingParty, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The plumbing, the relying parties' views, and nothing behind them."""
    app = Flask("idp", root_path=str(Path(pages.STATIC).parent))
    app.config.update(SECRET_KEY="only for these tests")
    pages.attach(app)
    i18n.attach(app, default_zone="America/Chicago")
    error_pages.attach(app)
    app.register_blueprint(views.bp)
    known = {party.client_id: party}
    monkeypatch.setattr(views.service, "find", lambda client_id, **_: known.get(client_id))
    return app


@pytest.fixture
def browser(bare_app: Flask) -> FlaskClient:
    return bare_app.test_client()


@pytest.fixture
def rendered(bare_app: Flask, party: RelyingParty):
    """Render a template's text as a page of ours would be, in English unless said otherwise."""

    def render(source: str, *, lang: str = "en", of: RelyingParty | None = party, **words: object) -> str:
        loader = DictLoader({"under_test.html": source})
        environment = bare_app.jinja_env.overlay(loader=_Both(loader, FileSystemLoader(str(pages.TEMPLATES))))
        with bare_app.test_request_context("/here", headers={"Accept-Language": lang}):
            g.party = of
            context = {"errors": {}, "problem": None}
            bare_app.update_template_context(context)
            return environment.get_template("under_test.html").render({**context, **words})

    return render


class _Both(DictLoader):
    def __init__(self, first: DictLoader, second: FileSystemLoader) -> None:
        super().__init__(first.mapping)
        self._second = second

    def get_source(self, environment, template):
        if template in self.mapping:
            return super().get_source(environment, template)
        return self._second.get_source(environment, template)
