"""A person of a hospital with its own SAML identity provider signs in at a portal: pysaml2 and xmlsec1, unmodified."""

from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.interop.hospital_person import person
from tests.interop.relying_parties import rosa
from tests.interop.saml_provider import hospital
from tests.journeys.demo import Demo

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("journeys")]
PORTAL = "heartland-selfservice"


def test_X2_a_person_of_a_hospital_by_saml_signs_in_at_a_portal(demo: Demo, tmp_path: Path) -> None:
    start, portal = f"{demo.portal(PORTAL)}/sign-in", demo.portal(PORTAL)
    with hospital(demo, "saint-mark", tmp_path, portal=PORTAL) as at:
        with person(at) as first:
            first.go(start, until=portal)
        assert "link-form" in first.seen, first.seen
        assert at.email in first.pages["have-account-form"]
        with person(at) as again:
            page = again.go(start, until=portal)
        assert not {"link-form", "login-form"}.intersection(again.seen), again.seen
        assert rosa()["given_name"] in page.text
    with person(at) as down:
        answer = down.browser.send("GET", start)
        while answer.is_redirect:
            answer = down.browser.send("GET", urljoin(str(answer.url), answer.headers["Location"]))
    assert 'id="login-form"' in answer.text, "R-17: a provider that is down closes no other way"
