"""Which connections serve the practices that somebody acts for: offered to them once they are known, to nobody before."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.rules import acts
from idp.directory import service as directory
from idp.federation import rules
from idp.federation.connections import facts as connections
from idp.federation.connections.manifest import Connection
from idp.foundation import house
from idp.foundation.database import Rows
from idp.sessions.rules import SessionFacts
from idp.settings import Settings


def spares_at(tx: Rows, *, session: SessionFacts, portal: str) -> bool:
    """Whether the connection by which a session began with more than `aal1` stands in for a local factor at this portal: it
    names it, and says so now.

    A session is good at every portal; what a connection promises is good at those that it is for.
    """
    name = session.spared_by
    applied = connections.find(tx, name) if name is not None else None
    if applied is None or not applied.enabled:
        return False
    return portal in applied.connection.portals and applied.connection.assurance.local_factor == "spare"


def of_member(tx: Session, *, subject_id: str, now: datetime) -> tuple[tuple[str, Connection], ...]:
    """Connections that are switched on and serve a practice for which this person acts now, by name."""
    serving = {
        n: each.connection for n, each in connections.every(tx).items() if each.enabled and each.connection.home.tins
    }
    if not serving:
        return ()
    dormancy = house.get(Settings).dormancy
    theirs = {
        held.target.practice_id
        for held in affiliations.held(tx, subject_id=subject_id, now=now)
        if acts(held, now=now, dormancy=dormancy)
    }
    return tuple(
        (name, connection)
        for name, connection in serving.items()
        if any(
            (practice := directory.practice_by_tin(tx, tin)) is not None and practice.id in theirs
            for tin in rules.tins_of(connection.home.tins)
        )
    )
