"""`idp demo`: from nothing to a running system on this machine."""

import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Final

import click

from idp.audit import service as audit
from idp.audit.events import Event
from idp.demo import clients as demo_clients
from idp.demo import hospital, loading, people, registering
from idp.demo.card import card, yours
from idp.demo.clients import PARTNER, CannotApply, DemoClient
from idp.demo.hospital import Hospital
from idp.demo.people import DemoPerson, WrongPeople
from idp.demo.processes import Command, Failed, Processes, taken
from idp.demo.registering import Sample, WrongSamples
from idp.foundation import clock
from idp.foundation.database import writing
from idp.keyring import rotation
from idp.migrations import run as migrations
from idp.settings import PROJECT, Settings, load
from idp.vocabulary.refused import Refused

MANIFESTS: Final = PROJECT / "clients" / "manifests"
DEMO_DATA: Final = PROJECT / "clients" / "demo"
MARK: Final = ".credence-demo"
"""Stands in a data folder that this command made, and only such a folder does `--fresh` wipe."""


class Impossible(click.ClickException):
    """One clear line, exit code 2."""

    exit_code = 2


@click.command()
@click.option("--fresh", is_flag=True, help="Throw away the demo's data and begin anew.")
def demo(*, fresh: bool) -> None:
    """Start the provider, the worker, five portals, the partner app and a hospital's own provider with invented data.

    PORT_BASE (8000) moves all ports, DATA_DIR (data/demo) names the folder for the data. WITHOUT names a portal that is not
    started: its port is left to whoever makes their own in its place.
    """
    port_base, without = _port_base(), _without()
    distances = (*(d for client_id, d in demo_clients.PORTS.items() if client_id != without), hospital.DISTANCE)
    ports = (port_base, *(port_base + distance for distance in distances))
    if (port := taken(ports)) is not None:
        raise Impossible(f"port {port} is in use; stop what listens there, or set PORT_BASE")
    data_dir = Path(os.environ.get("DATA_DIR") or PROJECT / "data" / "demo").absolute()
    _make_room(data_dir, fresh=fresh)
    settings = load(overrides=overrides(port_base, data_dir))
    stopping = _stop_on_signals()
    try:
        everybody = people.read(DEMO_DATA / "people.toml")
        samples = registering.read(DEMO_DATA / registering.FILE)
        clients = demo_clients.prepare(MANIFESTS, credentials=data_dir / "clients", port_base=port_base)
        beside = hospital.open_at(port_base, data_dir)
        fill(settings, clients, everybody, beside)
        _run(settings, clients, everybody, samples, beside, stopping, without=without)
    except (WrongPeople, WrongSamples, CannotApply, Failed) as error:
        raise click.ClickException(str(error)) from None


def _port_base() -> int:
    text = os.environ.get("PORT_BASE") or "8000"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65000:
        raise Impossible("PORT_BASE is a number from 1 to 65000")
    return int(text)


def _without() -> str:
    named = os.environ.get("WITHOUT") or ""
    if named and named not in demo_clients.PORTS:
        raise Impossible(f"WITHOUT is one of {', '.join(demo_clients.PORTS)}")
    return named


def _make_room(data_dir: Path, *, fresh: bool) -> None:
    if fresh and data_dir.is_dir() and any(data_dir.iterdir()):
        if not (data_dir / MARK).is_file():
            raise Impossible(f"{data_dir} is not a folder that the demo made; it is not wiped")
        shutil.rmtree(data_dir)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(data_dir.iterdir()):
        (data_dir / MARK).write_text("Made by `idp demo`.\n", encoding="utf-8")


def overrides(port_base: int, data_dir: Path) -> dict[str, Any]:
    """The settings that make an installation the demo."""
    return {
        "mode": "demo",
        "issuer": f"http://localhost:{port_base}",
        "bind": f"127.0.0.1:{port_base}",
        "data_dir": str(data_dir),
        "workers": "1",
    }


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def fill(
    settings: Settings,
    clients: tuple[DemoClient, ...],
    everybody: tuple[DemoPerson, ...],
    beside: Hospital | None = None,
) -> None:
    """Keys, tables, relying parties, directory, people, the hospital `beside`: each made where it is missing."""
    from idp import create_app

    now = clock.now()
    there = hospital.fill(beside, payer=settings.issuer, now=now) if beside is not None else None
    made = rotation.create(settings.keys_dir, now=now, demo=True)
    migrations.upgrade(settings)
    with create_app(settings).app_context():
        if not isinstance(made, Refused):
            _audit_keys(made)
        demo_clients.apply(MANIFESTS, clients, now=now)
        loading.load_directory(DEMO_DATA, now=now)
        loading.load_people(everybody, now=now)
        if beside is not None and there is not None:
            hospital.connect(beside, there, now=now)


def _audit_keys(kids: tuple[str, ...]) -> None:
    with writing() as tx:
        for kid in kids:
            audit.append(
                tx,
                Event.KEY_CREATED,
                now=clock.now(),
                actor=loading.ACTOR,
                origin=loading.ORIGIN,
                details={"kid": kid},
            )


def _run(
    settings: Settings,
    clients: tuple[DemoClient, ...],
    everybody: tuple[DemoPerson, ...],
    samples: tuple[Sample, ...],
    beside: Hospital,
    stopping: threading.Event,
    *,
    without: str,
) -> None:
    started = tuple(client for client in clients if client.client_id != without)
    with Processes(logs=settings.data_dir / "logs", folder=PROJECT) as processes:
        for command in (*commands(settings, started), *hospital.commands(beside)):
            processes.start(command)
        if processes.wait_until_answering(stopping):
            shown = card(
                issuer=settings.issuer,
                clients=clients,
                people=everybody,
                samples=samples,
                hospital=beside.issuer,
                hospital_people=beside.people,
                people_file="clients/demo/people.toml",
                data=_short(settings.data_dir),
            )
            click.echo(shown)
            for client in clients:
                if client.client_id == without:
                    click.echo(yours(client, file=_short(client.file)))
        while not stopping.wait(0.5):
            processes.check()
        click.echo("Stopping …")
    click.echo("Stopped.")


def commands(settings: Settings, clients: tuple[DemoClient, ...]) -> tuple[Command, ...]:
    """The processes of the demo; portals are told nothing of the provider's own settings."""
    port = int(settings.bind.rpartition(":")[2])
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("IDP_", "PORTAL_"))}
    ours = dict(os.environ) | {
        "IDP_MODE": "demo",
        "IDP_ISSUER": settings.issuer,
        "IDP_BIND": settings.bind,
        "IDP_WORKERS": "1",
        "IDP_DATA_DIR": str(settings.data_dir),
        "DATA_DIR": str(settings.data_dir),
    }
    idp = (sys.executable, "-m", "idp")
    return (
        Command("provider", (*idp, "serve"), ours, port=port, path="/readyz"),
        Command("worker", (*idp, "worker"), ours),
        *(_command_of(client, issuer=settings.issuer, environment=plain) for client in clients),
    )


def _command_of(client: DemoClient, *, issuer: str, environment: dict[str, str]) -> Command:
    what = ("clients.partner", "serve") if client.client_id == PARTNER else ("clients.portal",)
    arguments = ("--client-id", client.client_id, "--port", str(client.port), "--issuer", issuer)
    return Command(
        client.client_id,
        (sys.executable, "-m", *what, *arguments),
        environment | client.environment,
        port=client.port,
    )


def _short(path: Path) -> str:
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else str(path)
