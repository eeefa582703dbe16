"""A person of a hospital whose provider is npm's oidc-provider, unmodified, signs in at a portal and out of both."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.interop.hospital_person import Person, person
from tests.interop.npm import installed
from tests.interop.oidc_provider import WAYS, Hospital, connect, new_keys, running
from tests.interop.relying_parties import PEERS
from tests.journeys.demo import Demo
from tests.oidc.flow import VERIFIER, challenge_of
from tests.servers import free_port

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("journeys")]
PORTAL = "heartland-selfservice"


class Town:
    """The provider, running; what signs after the next roll-over is published from the beginning, as its people would."""

    def __init__(self, demo: Demo, peer: Path, folder: Path) -> None:
        self.demo, self._peer, self._folder, self._port = demo, peer, folder, free_port()
        self._keys, self._made, self._running = new_keys(1), 1, ExitStack()
        connect(demo, folder, issuer=f"http://localhost:{self._port}", portal=PORTAL)
        self.hospitals: dict[str, Hospital] = {}
        self.roll_over()

    def roll_over(self) -> None:
        """The key that was published beside the one that signed signs now, and has a new one beside it."""
        self.stop()
        self._made += 1
        coming = new_keys(self._made)
        self.hospitals = self._running.enter_context(
            running(self.demo, self._peer, self._folder, port=self._port, keys=[*self._keys, *coming])
        )
        self._keys = coming

    def stop(self) -> None:
        self._running.close()

    @property
    def portal(self) -> str:
        return self.demo.portal(PORTAL)

    @property
    def start(self) -> str:
        return f"{self.portal}/sign-in"


@pytest.fixture(scope="module")
def town(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    found = Town(demo, installed(PEERS / "oidc-provider"), tmp_path_factory.mktemp("oidc-provider"))
    yield found
    found.stop()


def told(who: Person, town: Town) -> dict[str, Any] | None:
    """What the portal knows of whoever is signed in there."""
    answer = who.browser.send("GET", f"{town.portal}/me.json")
    return None if answer.status_code == 401 else json.loads(answer.text)


def signs_in_there(who: Person, town: Town, url: str = "") -> bool:
    """Whether the provider's own sign-in page stands in the way of another sign-in."""
    who.seen.clear()
    who.once_more()
    who.go(url or town.start, until=town.portal)
    return any(seen.startswith("/interaction/") for seen in who.seen)


def test_X2_every_way_of_proving_ourselves_and_of_taking_its_id_token_signs_in_and_out_of_both(town: Town) -> None:
    for way in WAYS:
        at = town.hospitals[way.name]
        with person(at) as first:
            first.go(town.start, until=town.portal)
        assert "link-form" in first.seen, (first.seen, at.log)
        with person(at) as again:
            again.go(town.start, until=town.portal)
            assert not {"link-form", "login-form", "factor-form"}.intersection(again.seen), again.seen
            me = told(again, town)
            assert me is not None
            assert (me["id_token"]["acr"], sorted(me["id_token"]["amr"])) == ("aal2", ["mfa", "otp", "pwd"])
            _signs_out_of_both(again, town)


def _signs_out_of_both(who: Person, town: Town) -> None:
    who.seen.clear()
    who.go(f"{town.portal}/sign-out?scope=everywhere", until=town.portal)
    assert told(who, town) is None
    assert "op.logoutForm" in who.seen, "the provider was asked"
    assert signs_in_there(who, town), "signed out there too"


def test_X2_a_sign_out_there_is_told_and_ends_what_rests_on_it_here(town: Town) -> None:
    at = town.hospitals["saint-luke"]
    with person(at) as who:
        who.go(town.start, until=town.portal)
        who.seen.clear()
        who.go(town.start, until=town.portal)
        assert who.seen == [], "one sign-in is enough"
        who.go(f"{at.issuer}/session/end", until=f"{at.issuer}/session/end/success")
        assert signs_in_there(who, town), at.log


def test_X2_what_a_portal_asks_is_asked_there(town: Town) -> None:
    at = town.hospitals["saint-paul"]
    asking = {
        "client_id": PORTAL, "redirect_uri": f"{town.portal}/callback", "response_type": "code", "scope": "openid",
        "state": "a-state", "nonce": "a-nonce", "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
        "acr_values": "aal2", "login_hint": "grace", "ui_locales": "es", "max_age": "3600",
    }  # fmt: skip
    wanted = {"max_age": "3600", "acr_values": "urn:hospital:two", "login_hint": "grace", "ui_locales": "es"}
    with person(at) as who:
        answer = f"{town.portal}/callback"
        who.go(f"{town.demo.issuer}/oauth/authorize?{urlencode(asking)}", until=answer)
        assert {name: at.asked.get(name) for name in wanted} == wanted
        assert at.asked["code_challenge_method"] == "S256"
        again = urlencode({**asking, "prompt": "login"})
        assert signs_in_there(who, town, f"{town.demo.issuer}/oauth/authorize?{again}"), "although it knows them"
        assert at.asked["prompt"] == "login"


def test_X2_R_17_a_provider_whose_keys_roll_over_goes_on(town: Town) -> None:
    for _ in range(2):
        with person(town.hospitals["saint-john"]) as who:
            who.go(town.start, until=town.portal)
            assert told(who, town) is not None
        town.roll_over()
