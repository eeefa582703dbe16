"""`idp demo` before it starts anything: what it refuses, and what it keeps."""

import os
import socket
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from idp.demo import people, registering
from idp.demo.card import card
from idp.demo.cli import DEMO_DATA, MANIFESTS, MARK, demo
from idp.demo.clients import PARTNER, PORTS, prepare
from tests.demo.ground import DemoHouse
from tests.servers import free_ports


def run(tmp_path: Path, *arguments: str, port_base: str | None = None) -> Result:
    environment = {"DATA_DIR": str(tmp_path / "demo"), "PORT_BASE": port_base or str(free_ports(8))}
    return CliRunner().invoke(demo, arguments, env=environment)


def test_a_port_in_use_is_one_clear_line_and_exit_2(tmp_path: Path):
    base = free_ports(8)
    port = base + 3
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        result = run(tmp_path, port_base=str(base))
    assert result.exit_code == 2
    assert f"port {port} is in use" in result.output
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("text", ["x", "0", "70000", "-1", "٨٠٠٠"])
def test_a_port_base_that_is_none_is_refused(tmp_path: Path, text: str):
    result = run(tmp_path, port_base=text)
    assert result.exit_code == 2
    assert "PORT_BASE" in result.output


def test_a_portal_that_is_none_cannot_be_left_out(tmp_path: Path):
    result = CliRunner().invoke(demo, env={"DATA_DIR": str(tmp_path / "demo"), "WITHOUT": "nobody"})
    assert result.exit_code == 2
    assert "WITHOUT is one of ozark-exchange, heartland-selfservice" in result.output
    assert not (tmp_path / "demo").exists()


def test_the_port_of_a_portal_that_is_left_out_may_be_in_use(tmp_path: Path):
    base = free_ports(8)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + PORTS["ozark-secure"]))
        taken.listen()
        precious = tmp_path / "demo" / "precious.txt"
        precious.parent.mkdir()
        precious.write_text("x")
        environment = {"DATA_DIR": str(precious.parent), "PORT_BASE": str(base), "WITHOUT": "ozark-secure"}
        result = CliRunner().invoke(demo, ["--fresh"], env=environment)
    assert "not wiped" in result.output, "it got past the ports"


def test_fresh_wipes_no_folder_that_the_demo_did_not_make(tmp_path: Path):
    precious = tmp_path / "demo" / "precious.txt"
    precious.parent.mkdir()
    precious.write_text("x")
    result = run(tmp_path, "--fresh")
    assert result.exit_code == 2
    assert "not wiped" in result.output
    assert precious.exists()
    assert not (precious.parent / MARK).exists()


def test_KY_14_credentials_are_made_once_and_for_their_owner_only(tmp_path: Path):
    first = prepare(MANIFESTS, credentials=tmp_path / "clients", port_base=9000)
    again = prepare(MANIFESTS, credentials=tmp_path / "clients", port_base=9100)
    assert [each.file.read_text() for each in first] == [each.file.read_text() for each in again]
    assert [each.port for each in again] == [9100 + distance for distance in PORTS.values()]
    for each in first:
        assert each.file.stat().st_mode & 0o077 == 0
        assert (each.registered is None) != (each.secret is None)
        assert "'d'" not in str(each.registered)
        assert each.secret is None or each.secret.reveal() not in repr(each)
        assert list(each.environment.values()) == [str(each.file)]


def test_the_card_tells_addresses_and_five_people(demo_house: DemoHouse, now: datetime):
    everybody = people.read(DEMO_DATA / "people.toml")
    text = card(
        issuer="http://localhost:9000",
        clients=demo_house.clients,
        people=everybody,
        samples=registering.read(DEMO_DATA / registering.FILE),
        people_file="people.toml",
        data="x",
    )
    for client in demo_house.clients:
        assert client.base_url in text
    assert "http://localhost:9000/dev/outbox" in text
    assert text.count("  rosa.delgado") == 1
    assert sum(person.password in text for person in everybody if not person.staff) == 5
    assert all(person.password in text for person in everybody if person.staff)
    assert "http://localhost:9000/console/" in text
    assert [client.client_id for client in demo_house.clients][-1] == PARTNER
    for port in range(9001, 9006):
        assert f"\n  {port}   " in text, "what a newcomer registers at this portal"
    assert max(map(len, text.splitlines())) <= 135


def test_no_secret_of_a_child_is_in_its_command(tmp_path: Path):
    """Arguments of a process can be read by everybody on the machine."""
    from idp.demo.cli import commands, overrides
    from idp.settings import load

    clients = prepare(MANIFESTS, credentials=tmp_path / "clients", port_base=9000)
    settings = load(env={}, overrides=overrides(9000, tmp_path))
    for command in commands(settings, clients):
        shown = " ".join(command.arguments) + repr(command)
        assert not any(client.file.read_text().strip() in shown for client in clients)
        assert str(tmp_path) not in shown or command.name == "provider"
    names = {name for command in commands(settings, clients)[2:] for name in command.environment}
    assert not any(name.startswith("IDP_") for name in names - set(os.environ))
