"""What the attacks on the protocol do to people and clients, and how a machine's refusal looks."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from idp.affiliations import service as affiliations
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.relying_parties.models import Client
from idp.subjects import service as subjects
from idp.vocabulary.affiliation import AffiliationStatus
from tests.factories.make import PASSWORD

__all__ = ["PASSWORD", "disable_person", "end_affiliation", "refused", "turn_off"]


def turn_off(client_id: str) -> None:
    """Disable a client, as an operator does."""
    with writing() as tx:
        tx.execute(
            update(Client)
            .where(Client.client_id == client_id)
            .values(enabled=False, epoch=Client.epoch + 1, version=Client.version + 1)
        )
        relying_parties.changed(tx)


def refused(answer: Any, error: str, status: int | None = None) -> None:
    """OAuth's JSON error, kept by nobody, with a challenge on every 401 and nothing of the request in it (TK-31)."""
    assert answer.status_code == (status or (401 if error == "invalid_client" else 400)), answer.text
    assert answer.json["error"] == error
    assert set(answer.json) <= {"error", "error_description"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.status_code != 401 or answer.headers["WWW-Authenticate"].startswith("Basic ")
    description = answer.json.get("error_description", "x")
    assert description.isascii() and description.isprintable() and not set('"\\') & set(description)


def disable_person(world: Any, now: datetime) -> None:
    with writing() as tx:
        subjects.disable(
            tx, subject_id=world.person.id, now=now, actor="cli", origin=Origin.local("test"), reason="left"
        )


def end_affiliation(world: Any, now: datetime) -> None:
    with writing() as tx:
        affiliations.change_status(
            tx, affiliation_id=world.affiliation.id, status=AffiliationStatus.ENDED, now=now, actor="cli",
            origin=Origin.local("test"),
        )  # fmt: skip
