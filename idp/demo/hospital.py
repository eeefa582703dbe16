"""A hospital's own provider beside the demo: a second Credence, from which people of the hospital sign in at portal C."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.demo import loading, people
from idp.demo.clients import CannotApply
from idp.demo.people import DemoPerson, WrongPeople
from idp.demo.processes import Command
from idp.federation import links
from idp.federation.rules import UpstreamIdentity
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.keyring import rotation
from idp.manifests import service as manifests
from idp.manifests.connections import service as connections
from idp.manifests.service import Unfit
from idp.migrations import run as migrations
from idp.settings import PROJECT, Settings, load
from idp.subjects.models import Subject

FOLDER: Final = PROJECT / "clients" / "hospital"
CONNECTIONS: Final = PROJECT / "clients" / "connections"
DISTANCE: Final = 7
"""From PORT_BASE."""
CONNECTION: Final = "saint-anne"
CLIENT: Final = "credence"


@dataclass(frozen=True, slots=True)
class Hospital:
    """The second house and its people."""

    settings: Settings
    people: tuple[DemoPerson, ...]

    @property
    def issuer(self) -> str:
        return self.settings.issuer


def open_at(port_base: int, data_dir: Path) -> Hospital:
    """The hospital beside a demo: its own port, its own folder, nothing of the demo's own settings."""
    port = port_base + DISTANCE
    overrides = {
        "mode": "demo",
        "issuer": f"http://localhost:{port}",
        "bind": f"127.0.0.1:{port}",
        "data_dir": str(data_dir / "hospital"),
        "workers": "1",
    }
    (data_dir / "hospital").mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = load(overrides=overrides, env=_plain())
    return Hospital(settings, people.read(FOLDER / "people.toml"))


def fill(hospital: Hospital, *, payer: str, now: datetime) -> dict[str, str]:
    """Keys, tables, the payer as a relying party, people; their subjects there by user ID."""
    from idp import create_app

    rotation.create(hospital.settings.keys_dir, now=now, demo=True)
    migrations.upgrade(hospital.settings)
    with create_app(hospital.settings).app_context():
        applied = manifests.apply(FOLDER / "manifests", now=now, origin=Origin.local("demo"), base_urls={CLIENT: payer})
        if isinstance(applied, Unfit):
            raise CannotApply("\n".join(str(violation) for violation in applied.violations))
        loading.load_people(tuple(each.model_copy(update={"affiliations": ()}) for each in hospital.people), now=now)
        with reading() as tx:
            return dict(tx.execute(select(Subject.user_id, Subject.id)).tuples().all())  # type: ignore[arg-type]


def connect(hospital: Hospital, subjects: Mapping[str, str], *, now: datetime) -> None:
    """At the payer: the connection, and whoever of the hospital is known there already, linked and without a password."""
    applied = connections.apply(
        CONNECTIONS, now=now, origin=Origin.local("demo"), issuers={CONNECTION: hospital.issuer}
    )
    if isinstance(applied, Unfit):
        raise CannotApply("\n".join(str(violation) for violation in applied.violations))
    known = [person for person in hospital.people if person.affiliations]
    loading.load_people(
        tuple(each.model_copy(update={"totp_secret": None}) for each in known), now=now, passwords_too=False
    )
    with writing() as tx:
        for person in known:
            _link(tx, hospital, person, subjects[person.user_id], now=now)


def commands(hospital: Hospital) -> tuple[Command, ...]:
    """Its server and its worker."""
    settings = hospital.settings
    ours = _plain() | {
        "IDP_MODE": "demo",
        "IDP_ISSUER": settings.issuer,
        "IDP_BIND": settings.bind,
        "IDP_WORKERS": "1",
        "IDP_DATA_DIR": str(settings.data_dir),
    }
    port = int(settings.bind.rpartition(":")[2])
    idp = (sys.executable, "-m", "idp")
    return (
        Command("hospital", (*idp, "serve"), ours, port=port, path="/readyz"),
        Command("hospital-worker", (*idp, "worker"), ours),
    )


def _link(tx: Session, hospital: Hospital, person: DemoPerson, upstream: str, *, now: datetime) -> None:
    row = tx.execute(
        select(Subject).where(Subject.user_id_key == person.user_id).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        raise WrongPeople(f"{person.user_id} is not at the payer")
    if any(link.connection == CONNECTION for link in links.of(tx, subject_id=row.id)):
        return
    identity = UpstreamIdentity(CONNECTION, hospital.issuer, upstream, email=person.email)
    links.add(tx, identity, subject=row, now=now, origin=loading.ORIGIN, told=False)


def _plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("IDP_", "PORTAL_"))}
