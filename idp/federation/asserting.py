"""From what a connection may say about named practices to the access of its people: at each sign-in, and when its file changes."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.affiliations.asserting import service as asserting
from idp.affiliations.asserting.service import Asserted, Source, Still, Withdrawn
from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.directory import service as directory
from idp.federation import rules
from idp.federation.connections import facts as connections
from idp.federation.connections.manifest import Asserts, Connection
from idp.federation.connections.models import AppliedConnection
from idp.federation.rules import UpstreamIdentity
from idp.foundation.origin import Origin


def hold(tx: Session, identity: UpstreamIdentity, *, subject_id: str | None) -> None:
    """Before anything else of a sign-in is locked: the connection as it stands, and the practices it may speak of."""
    if subject_id is None:
        return
    name = AppliedConnection.name
    tx.execute(select(name).where(name == identity.connection).with_for_update(read=True))
    applied = connections.find(tx, identity.connection)
    said = _said(tx, applied.connection, identity) if applied is not None else ()
    practices = {each.practice_id for each in said}
    asserting.hold(tx, _source(identity), subject_id=subject_id, practices=practices)


def settle(
    tx: Session, connection: Connection, identity: UpstreamIdentity, *, subject_id: str, now: datetime, origin: Origin
) -> None:
    """Give, change and take back what this answer asserts of the person whom its link names, and no more of it."""
    source = _source(identity, names=names_of(connection))
    asserting.settle(tx, source, _said(tx, connection, identity), subject_id=subject_id, now=now, origin=origin)


def hold_identity(tx: Session, *, connection: str, issuer: str, subject: str, subject_id: str) -> None:
    """As `hold`, for an identity that is taken away from its person."""
    asserting.hold(tx, Source(connection, issuer, subject), subject_id=subject_id, practices=())


def withdraw(
    tx: Session, *, connection: str, issuer: str, subject: str, subject_id: str, now: datetime, origin: Origin
) -> None:
    """The identity is this person's no more: what it asserted of them ends."""
    applied = connections.find(tx, connection)
    names = names_of(applied.connection) if applied is not None else {}
    source = Source(connection, issuer, subject, names)
    asserting.settle(tx, source, (), subject_id=subject_id, now=now, origin=origin)


def foresee(tx: Session, name: str, connection: Connection | None, *, now: datetime) -> tuple[Withdrawn, ...]:
    """Whose access ends or shrinks once the connection says this; `None`: once it says nothing any more."""
    return asserting.foresee(tx, name, _still(tx, connection), now=now)


def shrink(tx: Session, name: str, connection: Connection | None, *, now: datetime, origin: Origin) -> int:
    """Take back what it may say no more; how many people's access that was."""
    applied = connections.find(tx, name)
    known = connection or (applied.connection if applied is not None else None)
    names = names_of(known) if known is not None else {}
    return asserting.shrink(tx, name, _still(tx, connection), now=now, origin=origin, names=names)


def names_of(connection: Connection) -> Mapping[str, str]:
    """The connection's name by language."""
    return {"en": connection.name.en, "es": connection.name.es}


def _source(identity: UpstreamIdentity, *, names: Mapping[str, str] | None = None) -> Source:
    return Source(identity.connection, identity.issuer, identity.subject, names or {})


def _said(tx: Session, connection: Connection, identity: UpstreamIdentity) -> tuple[Asserted, ...]:
    if connection.issuer != identity.issuer:
        return ()
    found = ((each, directory.practice_by_tin(tx, each.tin)) for each in rules.asserted(connection, identity.claims))
    return tuple(
        Asserted(each.portal, practice.id, each.says, each.days, each.claims)
        for each, practice in found
        if practice is not None
    )


def _still(tx: Session, connection: Connection | None) -> Still:
    """By the claims that gave a proof, and by the practices that the file names now."""
    tables: dict[tuple[str, object], Asserts] = {}
    for table in connection.asserts if connection is not None else ():
        for tin in rules.tins_of(table.tins):
            practice = directory.practice_by_tin(tx, tin)
            if practice is not None:
                tables[table.portal, practice.id] = table

    def still(row: Affiliation, proof: AffiliationEvidence) -> Asserted | None:
        source, table = proof.source or {}, tables.get((proof.portal, row.target_id))
        if connection is None or table is None or source.get("issuer") != connection.issuer:
            return None
        values = tuple(source.get("claims", {}).get(table.claim, ()))
        says = rules.says_of(table, values)
        if says is None or proof.portal not in connection.portals:
            return None
        return Asserted(proof.portal, row.target_id, says, table.days, {table.claim: values})

    return still
