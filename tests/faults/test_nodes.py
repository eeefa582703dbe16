"""Two nodes on one PostgreSQL and Redis: what one does the other obeys, and the death of one costs what it had in hand."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from idp.affiliations import service as affiliations
from idp.consent.models import Grant
from idp.demo import cli, clients
from idp.foundation import clock
from idp.foundation.database import reading, see_as, writing
from idp.foundation.origin import Origin
from idp.keyring import rotation
from idp.relying_parties import service as relying_parties
from idp.sessions.models import LogoutDelivery
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import AffiliationStatus
from tests.faults.crossing import Crossing
from tests.faults.mortal import CLIENT, Mortal, Stubborn, mortal, serve
from tests.servers import Postgres, RedisServer, accepts, binary, free_port, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240), pytest.mark.xdist_group("mortal")]
ROUNDS = 1_000 if os.environ.get("CREDENCE_SOAK") else 5
ORIGIN = Origin.local("test")
LOAD = 4
"""Clients that ask without a pause while a node dies."""


@dataclass
class Nodes(Mortal):
    """Two nodes behind a crossing at the issuer's address."""

    ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    running: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    crossing: Crossing | None = None

    def start(self) -> None:
        for port in self.ports:
            self.running.append(serve(self.settings, fault=self.fault, bind=f"127.0.0.1:{port}", workers=2))
        self.crossing = Crossing(int(self.issuer.rpartition(":")[2]), self.ports)
        for port in self.ports:
            until(lambda port=port: accepts(port), seconds=90, what="a node does not listen")
            self.use(port)
            until(self.answers, seconds=90, what="a node does not answer")
        self.use(None)

    def use(self, port: int | None) -> None:
        """Lead every new connection there; `None`: to both in turn."""
        assert self.crossing is not None
        self.crossing.to = port

    def kill(self) -> None:
        for each in self.running:
            if each.poll() is None:
                os.killpg(each.pid, signal.SIGKILL)
                each.wait(10)
        if self.crossing is not None:
            self.crossing.close()


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    if binary("postgres") is None or binary("redis-server") is None:
        pytest.skip("needs Debian's: apt-get install -y --no-install-recommends postgresql redis-server")
    postgres, redis = Postgres().start(), RedisServer().start()
    postgres.create_database("credence")
    urls = {"database_url": postgres.url("credence_app", "credence"), "redis_url": redis.url}
    urls |= {"database_owner_url": postgres.url("credence_owner", "credence")}
    try:
        with mortal(tmp_path_factory.mktemp("nodes"), kind=Nodes, **urls) as served:
            assert isinstance(served, Nodes)
            yield served
    finally:
        redis.remove()
        postgres.remove()


def tokens(nodes: Nodes, *, user_id: str = "rosa.delgado") -> dict[str, str]:
    """Signs in at the first node and takes the tokens at the second."""
    first, second = nodes.ports
    with Stubborn(nodes, user_id=user_id) as browser:
        nodes.use(first)
        code = browser.code()
        nodes.use(second)
        answer = code.exchange()
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def userinfo(nodes: Nodes, access_token: str) -> int:
    """What the node in use says to a token."""
    headers = {"Authorization": f"Bearer {access_token}", "Connection": "close"}
    return httpx2.get(f"{nodes.issuer}/oauth/userinfo", headers=headers, timeout=20, trust_env=False).status_code


def refresh(nodes: Nodes, held: dict[str, str]) -> httpx2.Response:
    return nodes.send("/oauth/token", grant_type="refresh_token", refresh_token=held["refresh_token"])


def test_a_sign_in_at_one_node_is_a_token_at_the_other(nodes: Nodes) -> None:
    held = tokens(nodes)
    for port in nodes.ports:
        nodes.use(port)
        assert userinfo(nodes, held["access_token"]) == 200
    nodes.use(nodes.ports[0])
    assert refresh(nodes, held).status_code == 200


def test_R_13_what_one_node_revoked_the_other_refuses_at_its_next_request(nodes: Nodes) -> None:
    first, second = nodes.ports
    with Stubborn(nodes) as browser:
        for _ in range(ROUNDS):
            held = dict(browser.code().exchange().json())
            nodes.use(second)
            assert userinfo(nodes, held["access_token"]) == 200
            nodes.use(first)
            assert nodes.send("/oauth/revoke", token=held["refresh_token"]).status_code == 200
            nodes.use(second)
            assert userinfo(nodes, held["access_token"]) == 401
            assert refresh(nodes, held).json()["error"] == "invalid_grant"


def test_R_13_a_disabled_person_is_out_of_both_nodes_at_once(nodes: Nodes) -> None:
    held = tokens(nodes, user_id="marcus.oyelaran")
    by: dict[str, Any] = {"actor": "staff:test", "now": clock.now(), "origin": ORIGIN}
    with writing() as tx:
        person = subjects.find_by_login(tx, key="marcus.oyelaran")
        assert person is not None
        subjects.disable(tx, subject_id=person.id, reason="left", **by)
    for port in nodes.ports:
        nodes.use(port)
        assert userinfo(nodes, held["access_token"]) == 401
        assert refresh(nodes, held).json()["error"] == "invalid_grant"


def test_AD_14_ended_access_is_dead_at_the_other_node_by_its_next_request(nodes: Nodes) -> None:
    """No UserInfo, no refresh, nothing at introspection, and the portals that act under it are called."""
    held = tokens(nodes, user_id="june.harwood")
    for port in nodes.ports:
        nodes.use(port)
        assert nodes.send("/oauth/introspect", token=held["access_token"]).json()["active"] is True
    with writing() as tx:
        see_as(tx, everything=True)
        grant = tx.scalars(select(Grant).where(Grant.client_id == CLIENT).order_by(Grant.created_at.desc())).first()
        assert grant is not None and grant.affiliation_id is not None
        ended = affiliations.change_status(
            tx, affiliation_id=grant.affiliation_id, status=AffiliationStatus.ENDED, now=clock.now(),
            actor="staff:test", origin=ORIGIN,
        )  # fmt: skip
    assert ended
    for port in reversed(nodes.ports):
        nodes.use(port)
        assert userinfo(nodes, held["access_token"]) == 401
        assert nodes.send("/oauth/introspect", token=held["access_token"]).json() == {"active": False}
        assert refresh(nodes, held).json()["error"] == "invalid_grant"
    with reading() as tx:
        called = tx.scalars(select(LogoutDelivery.client_id).where(LogoutDelivery.client_id == CLIENT)).all()
    assert called, "its portal is called"


def test_R_13_a_client_switched_off_is_so_at_both_nodes_soon(nodes: Nodes) -> None:
    held = tokens(nodes)
    by: dict[str, Any] = {"client_id": CLIENT, "now": clock.now(), "actor": "staff:test", "origin": ORIGIN}
    for switch, status in ((relying_parties.disable, 401), (relying_parties.enable, 400)):
        with writing() as tx:
            assert switch(tx, **by) is None
        for port in nodes.ports:
            nodes.use(port)
            until(lambda status=status: refresh(nodes, held).status_code == status, what=f"no {status} from a node")


def test_R_13_an_applied_manifest_is_obeyed_by_both_nodes_soon(nodes: Nodes, tmp_path: Path) -> None:
    shutil.copytree(cli.MANIFESTS, tmp_path / "manifests")
    manifest = tmp_path / "manifests" / f"{CLIENT}.toml"
    before = manifest.read_text("utf-8")
    manifest.write_text(before.replace("Everyday work with your plan, in one place.", "A line that is new."), "utf-8")
    clients.apply(tmp_path / "manifests", tuple(nodes.clients.values()), now=clock.now())
    asked = nodes.asked("v" * 64)
    for port in nodes.ports:
        nodes.use(port)
        until(lambda: "A line that is new." in page(asked), what="a node shows the old line")


def page(url: str) -> str:
    """What a new browser is shown."""
    return httpx2.get(url, follow_redirects=True, headers={"Connection": "close"}, timeout=20, trust_env=False).text


def test_a_key_turned_on_one_node_signs_and_is_published_on_both(nodes: Nodes) -> None:
    before = {each["kid"] for each in published(nodes)}
    rotation.rotate(nodes.settings.keys_dir, now=clock.now(), at_once=True)
    for port in nodes.ports:
        nodes.use(port)
        until(lambda: {each["kid"] for each in published(nodes)} - before, what="the new keys are not published")
    held = tokens(nodes)
    nodes.use(nodes.ports[0])
    assert userinfo(nodes, held["access_token"]) == 200


def published(nodes: Nodes) -> list[dict[str, str]]:
    answer = httpx2.get(f"{nodes.issuer}/oauth/jwks", headers={"Connection": "close"}, timeout=20, trust_env=False)
    return list(answer.json()["keys"])


def test_a_node_killed_under_load_costs_only_what_it_had_in_hand(nodes: Nodes) -> None:
    """Last in this module: it leaves one node. Each client can lose the one request that the dead node held."""
    held = tokens(nodes)
    nodes.use(None)
    enough, dead = threading.Event(), threading.Event()
    lost: list[int] = []
    served_after: list[int] = []

    def ask(number: int) -> None:
        while not enough.is_set():
            after = dead.is_set()
            try:
                status = userinfo(nodes, held["access_token"])
            except httpx2.TransportError:
                lost.append(number)
                continue
            assert status == 200
            if after:
                served_after.append(number)

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(LOAD)]
    for each in asking:
        each.start()
    victim = nodes.running[0]
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait(10)
    dead.set()
    until(lambda: len(set(served_after)) == LOAD, what="the other node does not serve everybody")
    enough.set()
    for each in asking:
        each.join(20)
    assert len(lost) <= LOAD, "more was lost than one request of each client"
    assert len(set(lost)) == len(lost), "a client lost a second request"
    assert tokens_at(nodes, nodes.ports[1])["access_token"]


def tokens_at(nodes: Nodes, port: int) -> dict[str, str]:
    nodes.use(port)
    with Stubborn(nodes) as browser:
        return dict(browser.code().exchange().json())
