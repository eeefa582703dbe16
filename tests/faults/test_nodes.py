"""Two nodes on one PostgreSQL and Redis: what one does the other obeys, and the death of one costs what it had in hand."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from sqlalchemy import select

from idp.affiliations import service as affiliations
from idp.consent.models import Grant
from idp.demo import cli, clients
from idp.foundation import clock
from idp.foundation.database import reading, see_as, writing
from idp.foundation.origin import Origin
from idp.keyring import rotation
from idp.keyring.rules import State
from idp.relying_parties import service as relying_parties
from idp.sessions.models import LogoutDelivery
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import AffiliationStatus
from tests.faults.mortal import CLIENT, Stubborn
from tests.faults.nodes import Asking, Nodes, obeyed, refresh, tokens, two_nodes, userinfo
from tests.oidc.flow import header_of
from tests.servers import until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240), pytest.mark.xdist_group("mortal")]
ROUNDS = 1_000 if os.environ.get("CREDENCE_SOAK") else 5
ORIGIN = Origin.local("test")
AWAY = 30.0 if os.environ.get("CREDENCE_SOAK") else 0.0
"""Seconds without a database, at least."""
WAITING = 12
"""More requests than a node has threads and connections for them."""


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with two_nodes(tmp_path_factory.mktemp("nodes")) as served:
        yield served


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


def test_R_13_a_client_switched_off_is_so_at_both_nodes_within_a_second(nodes: Nodes) -> None:
    held = tokens(nodes)
    by: dict[str, Any] = {"client_id": CLIENT, "now": clock.now(), "actor": "staff:test", "origin": ORIGIN}
    for switch, status in ((relying_parties.disable, 401), (relying_parties.enable, 400)):
        with writing() as tx:
            assert switch(tx, **by) is None
        since = clock.now()
        for port in nodes.ports:
            nodes.use(port)
            obeyed(lambda status=status: refresh(nodes, held).status_code == status, since=since, what=f"no {status}")


def test_R_13_an_applied_manifest_is_obeyed_by_both_nodes_within_a_second(nodes: Nodes, tmp_path: Path) -> None:
    shutil.copytree(cli.MANIFESTS, tmp_path / "manifests")
    manifest = tmp_path / "manifests" / f"{CLIENT}.toml"
    before = manifest.read_text("utf-8")
    manifest.write_text(before.replace("Everyday work with your plan, in one place.", "A line that is new."), "utf-8")
    clients.apply(tmp_path / "manifests", tuple(nodes.clients.values()), now=clock.now())
    since, asked = clock.now(), nodes.asked("v" * 64)
    for port in nodes.ports:
        nodes.use(port)
        obeyed(lambda: "A line that is new." in page(asked), since=since, what="a node shows the old line")


def page(url: str) -> str:
    """What a new browser is shown."""
    return httpx2.get(url, follow_redirects=True, headers={"Connection": "close"}, timeout=20, trust_env=False).text


def test_R_13_a_key_turned_on_one_node_signs_at_the_other_and_one_that_is_taken_away_is_refused_there(
    nodes: Nodes,
) -> None:
    """Both workers of each node know within the second that a look at the folder is good for (`keyring.LOOK_EVERY`)."""
    former = tokens(nodes)
    held = dict(former)

    def anew() -> dict[str, str]:
        held.update(refresh(nodes, held).json())
        return held

    rotation.rotate(nodes.settings.keys_dir, now=clock.now(), at_once=True)
    since = clock.now()
    active = {each.kid for each in rotation.listed(nodes.settings.keys_dir) if each.state is State.ACTIVE}
    for port in nodes.ports:
        nodes.use(port)
        obeyed(lambda: in_a_row(lambda: signed_by(anew()) in active), since=since, what="a former key signs")
        assert userinfo(nodes, former["access_token"]) == 200, "what the former key signed is good until it ends"
    taken = signed_by(former)
    rotation.retire(nodes.settings.keys_dir, kid=taken, now=clock.now())
    since = clock.now()
    for port in nodes.ports:
        nodes.use(port)
        obeyed(
            lambda: in_a_row(lambda: userinfo(nodes, former["access_token"]) == 401),
            since=since,
            what="a stolen key is believed",
        )
        assert taken not in {each["kid"] for each in published(nodes)}
        assert userinfo(nodes, anew()["access_token"]) == 200


def in_a_row(asked: Callable[[], bool]) -> bool:
    """So often that both workers of a node were probably asked."""
    return all(asked() for _ in range(4))


def signed_by(held: dict[str, str]) -> str:
    return str(header_of(held["access_token"])["kid"])


def published(nodes: Nodes) -> list[dict[str, str]]:
    answer = httpx2.get(f"{nodes.issuer}/oauth/jwks", headers={"Connection": "close"}, timeout=20, trust_env=False)
    return list(answer.json()["keys"])


def test_R_36_what_is_switched_off_and_on_under_load_costs_others_nothing(nodes: Nodes) -> None:
    held = tokens(nodes)
    other = "ozark-exchange"
    secret = nodes.clients[other].secret
    assert secret is not None
    by: dict[str, Any] = {"client_id": other, "now": clock.now(), "actor": "staff:test", "origin": ORIGIN}

    def of_the_other() -> int:
        form, auth = {"grant_type": "client_credentials"}, (other, secret.reveal())
        return httpx2.post(f"{nodes.issuer}/oauth/token", data=form, auth=auth, timeout=20, trust_env=False).status_code

    nodes.use(None)
    with Asking(lambda: asked(nodes, held)) as asking:
        assert of_the_other() == 400, "it may not ask for such tokens, and is known"
        for switch, status in ((relying_parties.disable, 401), (relying_parties.enable, 400)):
            with writing() as tx:
                assert switch(tx, **by) is None
            until(lambda status=status: of_the_other() == status, what=f"no {status}")
        asking.everybody_got(200)
    assert (set(asking.statuses), asking.broken) == ({200}, [])


def asked(nodes: Nodes, held: dict[str, str]) -> httpx2.Response:
    """UserInfo at the node in use."""
    headers = {"Authorization": f"Bearer {held['access_token']}", "Connection": "close"}
    return httpx2.get(f"{nodes.issuer}/oauth/userinfo", headers=headers, timeout=20, trust_env=False)


def health(nodes: Nodes, path: str) -> int:
    return httpx2.get(nodes.issuer + path, headers={"Connection": "close"}, timeout=20, trust_env=False).status_code


def test_R_12_more_requests_than_connections_wait_for_a_lock_and_are_told_to_come_back(nodes: Nodes) -> None:
    held = tokens(nodes)
    nodes.use(nodes.ports[0])
    owner = nodes.settings.database_owner_url.replace("+psycopg", "")
    with psycopg.connect(owner) as holder:
        holder.execute("LOCK TABLE subject IN ACCESS EXCLUSIVE MODE")
        with Asking(lambda: asked(nodes, held), clients=WAITING) as asking:
            asking.everybody_got(503)
            assert health(nodes, "/healthz") == 200
        assert (set(asking.statuses), asking.retry_after, asking.broken) == ({503}, {"2"}, [])
        holder.rollback()
    assert asked(nodes, held).status_code == 200


def test_R_09_without_a_database_under_load_every_answer_is_503_until_it_is_back(nodes: Nodes) -> None:
    held = tokens(nodes)
    nodes.use(None)
    assert nodes.postgres is not None
    with Asking(lambda: asked(nodes, held)) as asking:
        asking.everybody_got(200)
        nodes.postgres.stop()
        gone = time.monotonic()
        asking.everybody_got(503)
        until(lambda: time.monotonic() - gone >= AWAY, what="time does not pass")
        assert health(nodes, "/healthz") == 200
        assert health(nodes, "/readyz") == 503
        nodes.postgres.start()
        asking.everybody_got(200)
    assert (set(asking.statuses), asking.retry_after, asking.broken) == ({200, 503}, {"2"}, [])
    told = (nodes.settings.data_dir / "served.log").read_text("utf-8")
    assert "Traceback" not in told
    assert held["access_token"] not in told


def test_a_node_killed_under_load_costs_only_what_it_had_in_hand(nodes: Nodes) -> None:
    """Last in this module: it leaves one node. Each client can lose the one request that the dead node held."""
    held = tokens(nodes)
    nodes.use(None)
    with Asking(lambda: asked(nodes, held)) as asking:
        victim = nodes.running[0]
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait(10)
        asking.everybody_got(200)
    assert set(asking.statuses) == {200}
    assert len(asking.broken) <= 4, "more was lost than one request of each client"
    assert tokens_at(nodes, nodes.ports[1])["access_token"]


def tokens_at(nodes: Nodes, port: int) -> dict[str, str]:
    nodes.use(port)
    with Stubborn(nodes) as browser:
        return dict(browser.code().exchange().json())
