"""What every page of a relying party keeps: strict headers, both languages, failures in words."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from clients.relying_party import manifest as manifests
from clients.relying_party import site, words
from clients.relying_party.manifest import read
from tests.clients.lying_provider import LyingProvider

CLIENTS = Path(site.__file__).parent.parent


@pytest.mark.parametrize("path", ["/", "/signed-out", "/nothing-here", "/callback", "/brand.css", "/me.json"])
def test_SE_every_answer_carries_the_strict_headers(portal: FlaskClient, path: str) -> None:
    headers = portal.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_X6_without_a_logo_the_initials_stand_for_it(portal: FlaskClient) -> None:
    assert portal.get("/logo.svg").status_code == 404
    assert 'class="mark"' in portal.get("/").text


@pytest.mark.parametrize("manifest", sorted((CLIENTS / "manifests").glob("*.toml")), ids=lambda path: path.stem)
def test_X6_every_relying_party_has_its_logo(manifest: Path) -> None:
    logo = manifests.read(manifest.stem).logo
    assert logo is not None
    assert "<svg" in logo
    assert "<script" not in logo


def test_X6_the_language_is_the_browsers_until_the_person_says_otherwise(portal: FlaskClient) -> None:
    spanish = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.1"}
    assert 'lang="es"' in portal.get("/", headers=spanish).text
    assert "Iniciar sesión" in portal.get("/", headers=spanish).text
    assert '<html lang="en">' in portal.get("/?ui_locales=en", headers=spanish).text
    assert '<html lang="en">' in portal.get("/", headers=spanish).text


def test_X6_every_sentence_has_its_spanish() -> None:
    said: set[str] = set()
    for page in CLIENTS.rglob("templates/**/*.html"):
        said.update(re.findall(r'_\(\s*"([^"]+)"', page.read_text(encoding="utf-8")))
    said.update(site.REFUSALS.values(), [site.NOT_ACCEPTED])
    for source in CLIENTS.rglob("*.py"):
        for call in re.findall(r'message\(\s*"([^"]+)",', source.read_text(encoding="utf-8")):
            said.add(call)
    assert len(said) > 60
    assert sorted(said - set(words.SPANISH)) == []


def test_the_translations_keep_their_places() -> None:
    for english, spanish in words.SPANISH.items():
        assert sorted(re.findall(r"%\(\w+\)s", english)) == sorted(re.findall(r"%\(\w+\)s", spanish))


def test_ST_07_no_template_bypasses_escaping_or_carries_script() -> None:
    for page in CLIENTS.rglob("templates/**/*.html"):
        text = page.read_text(encoding="utf-8")
        assert "|safe" not in text
        assert "<script" not in text
        assert "style=" not in text
        assert not re.search(r"\son\w+=", text)


def test_A1_the_landing_page_leads_to_the_ceremonies_at_the_provider(portal: FlaskClient, lying: LyingProvider) -> None:
    link = f'href="{lying.issuer.rstrip("/")}/enroll/test-portal/register/"'
    assert link in portal.get("/").text and "Register Now" in portal.get("/").text
    assert "Registrarse ahora" in portal.get("/?ui_locales=es").text
    assert "faqs" not in portal.get("/").text


def test_D5_the_menu_of_whoever_is_signed_in_leads_here_and_to_the_provider() -> None:
    cascade = read("cascade-mmis")
    menu = {entry.label["en"]: cascade.menu_url("https://id.test", entry) for entry in cascade.menu}
    assert menu == {
        "Account Maintenance": "https://id.test/account/",
        "Change Password": "https://id.test/account/security",
        "Clerk Maintenance": "https://id.test/manage/",
        "Logoff": "/sign-out",
        "Messages": "https://id.test/account/messages",
        "Switch Provider": "/switch-provider",
    }


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/x", 404), ("POST", "/me", 405), ("PUT", "/", 405)])
def test_unknown_pages_and_methods_are_told_in_words(portal: FlaskClient, method: str, path: str, status: int) -> None:
    page = portal.open(path, method=method)
    assert page.status_code == status
    assert "<main" in page.text
    assert "Test Provider Portal" in page.text


def test_DI_01_another_host_is_not_served(portal: FlaskClient) -> None:
    assert portal.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_X6_the_first_page_is_small(portal: FlaskClient) -> None:
    css = (CLIENTS / "relying_party/static/look.css").stat().st_size
    assert css < 30_000
    assert css + len(portal.get("/").data) < 60_000


def test_clients_import_nothing_of_the_provider() -> None:
    for room in ("relying_party", "portal", "partner"):
        for source in (CLIENTS / room).rglob("*.py"):
            assert not re.search(r"^\s*(from|import) idp\b", source.read_text(encoding="utf-8"), re.MULTILINE)
